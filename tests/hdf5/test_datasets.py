"""Frames that are a dataset each of one file: read by their places, as long as these hold."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nxscan.errors import SourceError
from nxscan.hdf5.datasets import DatasetFrames, gathered, spread
from nxscan.hdf5.frames import RawFrames, StoredFrames
from nxscan.hdf5.unwritten import unwritten
from nxscan.hdf5.virtual import VirtualSignal

SHAPE = (3, 5)
COUNT = 6
VALUES = np.arange(COUNT * 15, dtype=np.float32).reshape(COUNT, *SHAPE)
NAMES = tuple(f"/run/tag_{k}/data" for k in range(COUNT))


def write(path: Path, values: Any = VALUES, dtype: str = "<f4", **options: Any) -> Path:
    with h5py.File(path, "w", **options) as file:
        for name, image in zip(NAMES, values, strict=True):
            file.create_dataset(name, data=image.astype(dtype))
    return path


def frames(path: Path, dtype: str = "f4") -> DatasetFrames:
    return DatasetFrames(path, NAMES, SHAPE, np.dtype(dtype))


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<i2", ">u2", "<f8"])
@pytest.mark.parametrize("userblock", [0, 512])
def test_every_part_is_what_is_stored_there(tmp_path, dtype, userblock):
    path = write(tmp_path / "a.h5", dtype=dtype, userblock_size=userblock)
    native = np.dtype(dtype).newbyteorder("=")
    signal = VirtualSignal.of([frames(path, native.str)])
    expected = VALUES.astype(native)
    for part in (..., 2, slice(1, 5, 2), (slice(0, 4), slice(1, 3), slice(2, 4)), (3, 1)):
        found = signal.read(part)
        np.testing.assert_array_equal(found, expected[part])
        assert found.dtype == native
    order = np.array([4, 0, 5, 1])
    np.testing.assert_array_equal(
        signal.arranged((2, 2), order)[...].reshape(4, 3, 5), expected[order]
    )
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(signal))[...], expected)


def test_datasets_that_are_stored_in_other_ways_are_read_among_them(tmp_path):
    path = write(tmp_path / "a.h5")
    write(tmp_path / "other.h5", VALUES + 100)
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    with h5py.File(path, "r+") as file:
        for k in (1, 2, 3, 4):
            del file[NAMES[k]]
        file.create_dataset(NAMES[1], data=VALUES[1], chunks=(2, 2), compression="gzip")
        file[NAMES[2]] = h5py.ExternalLink("other.h5", NAMES[2])
        file.create_dataset(NAMES[3], data=VALUES[3].astype(">f4"))
        space = h5py.h5s.create_simple(SHAPE)
        made = h5py.h5d.create(file["run/tag_4"].id, b"data", h5py.h5t.NATIVE_FLOAT, space, compact)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, VALUES[4])
    expected = VALUES.copy()
    expected[2] += 100
    np.testing.assert_array_equal(VirtualSignal.of([frames(path)])[...], expected)


def test_a_file_that_is_replaced_is_read_as_it_is_now(tmp_path):
    path = write(tmp_path / "a.h5")
    signal = VirtualSignal.of([frames(path)])
    np.testing.assert_array_equal(signal[...], VALUES)
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["filler"] = np.zeros(1000)
        for name, image in zip(NAMES[::-1], VALUES[::-1], strict=True):
            file[name] = image + 0.5
    (tmp_path / "b.h5").replace(path)
    np.testing.assert_array_equal(signal[...], VALUES + np.float32(0.5))


@pytest.mark.parametrize(
    ("values", "message"),
    [(np.zeros((2, 2), "f4"), r"shape \(2, 2\)"), (np.zeros(SHAPE, "i4"), "holds int32")],
)
def test_a_dataset_that_became_another_one_is_refused_alone(tmp_path, values, message):
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file[NAMES[3]]
        file[NAMES[3]] = values
    signal = VirtualSignal.of([frames(path)])
    np.testing.assert_array_equal(signal[:3], VALUES[:3])
    with pytest.raises(SourceError, match=message):
        signal.read(3)


def test_a_file_that_is_gone_or_cut_is_refused_and_never_read_as_zeros(tmp_path):
    path = write(tmp_path / "a.h5")
    signal = VirtualSignal.of([frames(path)])
    signal.read(0)
    path.rename(tmp_path / "b.h5")
    with pytest.raises(SourceError, match="cannot be read"):
        signal.read(0)
    os.truncate(tmp_path / "b.h5", 3000)
    (tmp_path / "b.h5").rename(path)
    with pytest.raises(SourceError, match="cannot be read"):
        signal.read(COUNT - 1)


def test_a_frame_that_was_never_written_is_known_and_refused(tmp_path):
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file[NAMES[4]]
        file.create_dataset(NAMES[4], SHAPE, "f4")
    signal = VirtualSignal.of([frames(path)])
    assert unwritten(signal).tolist() == [4]
    np.testing.assert_array_equal(signal[:4], VALUES[:4])
    with pytest.raises(SourceError, match="never written"):
        signal.read(4)


def test_datasets_of_one_kind_are_put_together_and_taken_apart_again(tmp_path):
    path = tmp_path / "a.h5"
    plain = [StoredFrames(path, name, SHAPE, np.dtype("f4"), 0) for name in NAMES]
    raw = RawFrames(path, [0], SHAPE, np.dtype("f4"))
    packed = StoredFrames(path, "/p", SHAPE, np.dtype("f4"), 0, (1, 5))
    stack = StoredFrames(path, "/s", (4, *SHAPE), np.dtype("f4"), 1)
    sources = [plain[0], raw, plain[1], packed, *plain[2:], stack]
    found, number, first = gathered(sources)
    assert [one.count for one in found] == [COUNT, 1, 1, 4]
    assert isinstance(found[0], DatasetFrames)
    assert found[0].names == NAMES
    assert number.tolist() == [0, 1, 0, 2, 0, 0, 0, 0, 3]
    assert first.tolist() == [0, 0, 1, 0, 2, 3, 4, 5, 0]
    apart, starts = spread(found)
    assert apart == [*plain, raw, packed, stack]
    assert starts.tolist() == [0, COUNT, COUNT + 1, COUNT + 2]
