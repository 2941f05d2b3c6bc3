"""Frames that are read some rows at a time are stored as those that are read as a whole."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nxscan.model import ArraySignal
from nxscan.nexus import frames


class _ByRows(ArraySignal):
    """A signal in memory that says that rows are cheap, and notes how many it was asked for."""

    reads_rows = True

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        super().__init__(values)
        self.heights: list[int] = []

    def read_into(self, selection: Any, out: np.ndarray[Any, Any]) -> None:
        self.heights.append(out.shape[-2] if out.ndim > 1 else 1)
        super().read_into(selection, out)


@pytest.mark.parametrize(
    ("shape", "scan_rank"),
    [
        ((2, 1030, 1100), 1),  # two tiles high, and the rest of one
        ((4, 700, 2048), 1),
        ((2, 3, 900, 1100), 2),
        ((1200, 1030), 0),  # a single frame
        ((40, 64, 48), 1),  # chunks of many frames
        ((5, 3000), 1),  # a line detector
    ],
)
def test_bands_of_rows_give_the_same_frames_and_checksums(
    tmp_path: Path, shape: tuple[int, ...], scan_rank: int
) -> None:
    data = np.random.default_rng(1).poisson(5, shape).astype("u2")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = frames.create_frames(file, "data", ArraySignal(data), scan_rank)
        found = frames.store_frames(dataset, _ByRows(data), scan_rank)
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(file["data"][()], data)
    scan = shape[:scan_rank]
    stack = data.reshape(math.prod(scan), *shape[scan_rank:])
    expected = [zlib.crc32(frame.tobytes()) for frame in stack]
    np.testing.assert_array_equal(found, np.array(expected, np.uint32).reshape(scan))


def test_only_a_signal_whose_rows_are_cheap_is_read_in_bands(tmp_path: Path) -> None:
    signal = _ByRows(np.ones((1, 2048, 2048), "u2"))
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = frames.create_frames(file, "rows", signal, 1)
        frames.store_frames(dataset, signal, 1)
        signal.reads_rows = False
        frames.store_frames(dataset, signal, 1)
    assert signal.heights == [512, 512, 512, 512, 2048]
