"""What was never written is known without reading any of it."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from helpers.virtuals import U2, counts, virtual

from nxscan.errors import SourceError
from nxscan.hdf5.frames import RawFrames
from nxscan.hdf5.resolve import resolve
from nxscan.hdf5.unwritten import unwritten
from nxscan.hdf5.virtual import VirtualSignal


def test_frames_that_were_never_written_are_known_without_reading(tmp_path):
    shape, frame = (10, 4, 4), (4, 4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        live = file.create_dataset("live", shape, "u2", chunks=(2, 4, 2))
        live[:6] = 1
        live[8, :, :2] = 1
        file.create_dataset("none", shape, "u2")
        file.create_dataset("all", data=np.ones(shape, "u2"), chunks=(1, *frame))
        grid = file.create_dataset("grid", (3, 5, *frame), "u2", chunks=(1, 2, *frame))
        grid[:2] = 1
        grid[2, :2] = 1
    for name, rank, expected in (
        ("live", 1, [6, 7, 8, 9]),
        ("none", 1, list(range(10))),
        ("all", 1, []),
        ("grid", 2, [12, 13, 14]),
    ):
        signal = resolve(tmp_path / "a.h5", name, rank)
        assert signal is not None
        assert unwritten(signal).tolist() == expected, name
    two = [(slice(0, 10), "a.h5", "all", shape), (slice(10, 20), "a.h5", "live", shape)]
    virtual(tmp_path / "m.h5", (20, *frame), two)
    signal = resolve(tmp_path / "m.h5", "data", 1)
    assert signal is not None
    assert unwritten(signal).tolist() == [16, 17, 18, 19]
    order = np.array([19, 0, 16, 1])
    assert unwritten(signal.part(order)).tolist() == [0, 2]


def test_plain_bytes_that_a_file_does_not_have_are_unwritten(tmp_path):
    values = counts((4, 3, 3))
    (tmp_path / "a.raw").write_bytes(values.tobytes()[:-1])
    frames = RawFrames(tmp_path / "a.raw", 18 * np.arange(4), (3, 3), U2)
    assert unwritten(VirtualSignal.of([frames])).tolist() == [3]
    (tmp_path / "a.raw").unlink()
    with pytest.raises(SourceError, match=r"a\.raw cannot be read"):
        unwritten(VirtualSignal.of([frames]))
