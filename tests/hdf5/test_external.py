"""Datasets whose bytes lie in other files are traced to those."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from helpers.virtuals import U2, check, counts, external, virtual

from nxscan.errors import LayoutError
from nxscan.hdf5.frames import RawFrames
from nxscan.hdf5.resolve import needed_files, resolve


@pytest.mark.parametrize("dtype", ["<u2", ">u2", ">f4"])
def test_external_files_of_one_and_of_many_frames(tmp_path, dtype):
    values = counts((5, 3, 4)).astype(dtype)
    slots = []
    for k, (a, b) in enumerate([(0, 1), (1, 2), (2, 5)]):
        (tmp_path / f"{k}.edf").write_bytes(b"h" * 512 + values[a:b].tobytes())
        slots.append((str(tmp_path / f"{k}.edf"), 512, values[a:b].nbytes))
    external(tmp_path / "m.h5", "data", values.shape, slots, dtype)
    signal = check(tmp_path / "m.h5", values.astype(values.dtype.newbyteorder("=")), 1)
    assert [type(source) for source in signal.sources] == [RawFrames] * 3
    assert [source.count for source in signal.sources] == [1, 1, 3]
    only = [(str(tmp_path / "2.edf"), 512, h5py.h5f.UNLIMITED)]
    external(tmp_path / "m.h5", "open", (3, 3, 4), only, dtype)
    check(tmp_path / "m.h5", values[2:].astype(values.dtype.newbyteorder("=")), 1, "open")
    (tmp_path / "2.edf").write_bytes(b"h" * 512 + values[2:4].tobytes())
    with pytest.raises(LayoutError, match=r"reads .*2\.edf up to byte \d+, but it has \d+ bytes"):
        resolve(tmp_path / "m.h5", "data", 1)
    (tmp_path / "1.edf").unlink()
    with pytest.raises(LayoutError, match=r"the file .*1\.edf, which is not there"):
        resolve(tmp_path / "m.h5", "data", 1)


def test_external_slots_that_cut_frames(tmp_path):
    values = counts((4, 3, 4))
    (tmp_path / "a.raw").write_bytes(values.tobytes())
    name = str(tmp_path / "a.raw")
    external(tmp_path / "m.h5", "cut", values.shape, [(name, 0, 30), (name, 30, 66)])
    assert resolve(tmp_path / "m.h5", "cut", 1) is None


def test_blocks_of_external_frames_joined_and_reversed(tmp_path):
    """A linked EDF scan: blocks of slots in the master, rows of a zigzag turned round."""
    values = counts((12, 3, 4)).astype(">u2")
    for k, frame in enumerate(values):
        (tmp_path / f"{k}.edf").write_bytes(b"h" * 512 + frame.tobytes())
    for block in range(3):
        slots = [(str(tmp_path / f"{k}.edf"), 512, 24) for k in range(4 * block, 4 * block + 4)]
        external(tmp_path / "m.h5", f"block_{block}", (4, 3, 4), slots, ">u2")
    order = np.arange(12).reshape(3, 4)
    order[1] = order[1, ::-1].copy()
    parts = [
        ((y, x), ".", f"block_{one // 4}", (4, 3, 4), one % 4)
        for (y, x), one in np.ndenumerate(order)
    ]
    virtual(tmp_path / "m.h5", (3, 4, 3, 4), parts, dtype=np.dtype(">u2"))
    signal = check(tmp_path / "m.h5", values[order].astype("u2"), 2)
    assert len(needed_files(signal)) == 12


def test_one_slot_over_many_frames_whose_headers_are_cut_out(tmp_path):
    values = counts((6, 3, 4))
    data = b"".join(b"h" * 512 + frame.tobytes() for frame in values)
    (tmp_path / "a.edf").write_bytes(data)
    stride = (512 + 24) // 2
    name = str(tmp_path / "a.edf")
    external(tmp_path / "m.h5", "rows", (6, stride), [(name, 0, len(data))])
    external(tmp_path / "m.h5", "row", (6 * stride,), [(name, 0, len(data))])
    source = h5py.h5s.create_simple((6, stride))
    source.select_hyperslab((0, 256), (6, 12))
    line = h5py.h5s.create_simple((6 * stride,))
    line.select_hyperslab((256,), (6,), (stride,), (12,))
    for place, space in ((b"rows", source), (b"row", line)):
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        target = h5py.h5s.create_simple((6, 3, 4))
        plist.set_virtual(target, b".", place, space)
        with h5py.File(tmp_path / "m.h5", "a", libver=("v110", "v110")) as file:
            h5py.h5d.create(file.id, b"of_" + place, h5py.h5t.py_create(U2), target, plist)
        signal = check(tmp_path / "m.h5", values, 1, f"of_{place.decode()}")
        assert [(type(one), one.count) for one in signal.sources] == [(RawFrames, 6)]
