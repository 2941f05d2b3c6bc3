"""Frames read again and compared with their checksums."""

from __future__ import annotations

import h5py
import hdf5plugin
import numpy as np
import pytest

from nxscan.validate.contract import Skip
from nxscan.validate.own_data import frame_checksums

FRAMES = "entry/instrument/pco/data"


def damage(path, index, byte=0):
    """Change one byte of one stored chunk."""
    with h5py.File(path, "r") as file:
        frames = file[FRAMES]
        chunk = frames.id.get_chunk_info_by_coord(tuple(index))
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + byte] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize(
    "storage",
    [
        {},
        {"chunks": (1, 1, 6, 5)},
        {"chunks": (2, 2, 4, 2), "compression": "gzip"},
        {"chunks": (1, 3, 3, 5), **hdf5plugin.Bitshuffle(cname="lz4")},
    ],
)
@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<f4", ">i4"])
def test_unchanged_frames_pass(make_scan, findings_of, storage, dtype):
    frames = np.arange(4 * 3 * 6 * 5).reshape(4, 3, 6, 5).astype(dtype)
    assert findings_of(frame_checksums, make_scan(frames, **storage), data=True) == []


@pytest.mark.parametrize(("shape", "rank"), [((), 0), ((6, 5), 0), ((4,), 1), ((4, 7), 1)])
def test_scans_of_few_dimensions_pass(make_scan, findings_of, shape, rank):
    frames = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    assert findings_of(frame_checksums, make_scan(frames, rank), data=True) == []


def test_frame_with_a_flipped_byte_is_named(make_scan, findings_of):
    path = make_scan(chunks=(1, 1, 6, 5))
    damage(path.with_name("scan_frames.h5"), (2, 1, 0, 0), byte=17)
    (found,) = findings_of(frame_checksums, path, data=True)
    assert found.message.startswith("frame (2, 1) has CRC-32")
    assert found.severity == "error"


def test_frame_of_a_corrupt_chunk_is_named(make_scan, findings_of):
    path = make_scan(chunks=(1, 1, 6, 5), compression="gzip", fletcher32=True)
    damage(path.with_name("scan_frames.h5"), (3, 0, 0, 0), byte=5)
    (found,) = findings_of(frame_checksums, path, data=True)
    assert found.message.startswith("frame (3, 0) cannot be read")


def test_all_frames_of_a_corrupt_deep_chunk_are_named(make_scan, findings_of):
    path = make_scan(chunks=(2, 3, 6, 5), compression="gzip", fletcher32=True)
    damage(path.with_name("scan_frames.h5"), (2, 0, 0, 0), byte=5)
    (found,) = findings_of(frame_checksums, path, data=True)
    assert found.message.startswith("frames (2, 0) to (3, 2) cannot be read")


def test_many_different_frames_are_counted(make_scan, findings_of):
    path = make_scan(np.ones((30, 2, 6, 5), np.uint8))
    with h5py.File(path, "r+") as file:
        file["entry/translation/parameters/frame_checksum"][:] = 0
    found = findings_of(frame_checksums, path, data=True)
    assert len(found) == 21
    assert found[-1].message.startswith("40 more")


def test_checksums_of_another_shape(make_scan, findings_of):
    path = make_scan()
    name = "entry/translation/parameters/frame_checksum"
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = np.zeros((3, 4), np.uint32)
    (found,) = findings_of(frame_checksums, path, data=True)
    assert "(3, 4)" in found.message


def test_missing_checksums(make_scan, findings_of):
    path = make_scan()
    with h5py.File(path, "r+") as file:
        del file["entry/translation/parameters/frame_checksum"]
    (found,) = findings_of(frame_checksums, path, data=True)
    assert "missing" in found.message


def test_frames_are_read_only_when_asked_for(make_scan, findings_of):
    with pytest.raises(Skip) as skip:
        findings_of(frame_checksums, make_scan())
    assert "--data" in skip.value.hint
