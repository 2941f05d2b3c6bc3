"""Frames in files of others, in every way that a master can lead to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from helpers.scans import make_scan
from nxscan.hdf5.frames import Frames, RawFrames, StoredFrames
from nxscan.hdf5.virtual import Tile, VirtualSignal
from nxscan.model import Scan

COUNT = 12
DATA = np.random.default_rng(3).poisson(200, (COUNT, 6, 5)).astype("u2")
ZIGZAG = np.array([[0, 1, 2, 3], [7, 6, 5, 4], [8, 9, 10, 11]])
Values = NDArray[Any]


@dataclass(frozen=True)
class Case:
    """A signal whose frames lie in files, and what it holds."""

    signal: VirtualSignal
    values: Values

    def scan(self) -> Scan:
        """Return a scan of it, with all that a scan may have."""
        shape, frame = self.signal.scan_shape, self.signal.frame_shape
        scan = make_scan(shape, frame)[0]
        self.signal.units, self.signal.long_name = "counts", "intensity"
        scan.signals = {"pco": self.signal}
        return scan


def stored(path: Path, values: Values, rank: int = 1, name: str = "/data", **how: Any) -> Frames:
    """Write frames into a dataset of an HDF5 file, if they are not there yet."""
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "r" if path.exists() else "w") as file:
        made = file.get(name)
        chunks = None if made is None else made.chunks
    if made is None:
        with h5py.File(path, "a") as file:
            chunks = file.create_dataset(name, data=values, **how).chunks
    return StoredFrames(path, name, values.shape, values.dtype, rank, chunks)


def plain(path: Path, values: Values, dtype: str = ">u2", header: int = 100) -> Frames:
    """Write frames as plain bytes, each behind a header."""
    path.parent.mkdir(exist_ok=True)
    raw = [header * b"h" + frame.astype(dtype).tobytes() for frame in values]
    path.write_bytes(b"".join(raw))
    size = len(raw[0])
    offsets = tuple(header + k * size for k in range(len(raw)))
    return RawFrames(path, offsets, values.shape[1:], np.dtype(dtype))


def one_file(folder: Path) -> Case:
    return Case(VirtualSignal.of([stored(folder / "50% é.h5", DATA)]), DATA)


def four_files(folder: Path) -> Case:
    parts = [
        stored(folder / f"part_{k}.h5", DATA[3 * k : 3 * k + 3], chunks=(1, 6, 5)) for k in range(4)
    ]
    return Case(VirtualSignal.of(parts), DATA)


def grid(folder: Path) -> Case:
    flat = four_files(folder).signal
    return Case(flat.arranged((3, 4), np.arange(COUNT)), DATA.reshape(3, 4, 6, 5))


def zigzag(folder: Path) -> Case:
    flat = four_files(folder).signal
    return Case(flat.arranged((3, 4), ZIGZAG.ravel()), DATA[ZIGZAG])


def dataset_of_other_dimensions(folder: Path) -> Case:
    frames = stored(folder / "nd.h5", DATA.reshape(3, 4, 6, 5), rank=2)
    flat = VirtualSignal.of([frames])
    return Case(flat.arranged((2, 6), np.arange(COUNT)), DATA.reshape(2, 6, 6, 5))


def dataset_for_each_frame(folder: Path) -> Case:
    frames = [stored(folder / "tags.h5", DATA[k], 0, f"/tag_{k}/50%") for k in range(COUNT)]
    return Case(VirtualSignal.of(frames), DATA)


def single_frame(folder: Path) -> Case:
    flat = one_file(folder).signal
    return Case(flat.arranged((), np.array([7])), DATA[7])


def numbers(folder: Path) -> Case:
    values = np.linspace(-1, 1, 51)
    return Case(VirtualSignal.of([stored(folder / "counter.h5", values)]), values)


def modules(folder: Path) -> Case:
    """Return two modules of a detector with gaps: one in four files, one in another."""
    lower = DATA[:, :2] + 1000
    sources = [*four_files(folder).signal.sources, stored(folder / "lower.h5", lower)]
    tiles = [
        Tile((0, 0), (6, 5), np.repeat(np.arange(4, dtype="i4"), 3), np.tile(np.arange(3), 4)),
        Tile((8, 2), (2, 5), np.full(COUNT, 4, "i4"), np.arange(COUNT)),
    ]
    values = np.full((COUNT, 10, 7), 65535, "u2")
    values[:, :6, :5], values[:, 8:, 2:] = DATA, lower
    signal = VirtualSignal(sources, tiles, (3, 4), (10, 7), gap=65535)
    return Case(signal, values.reshape(3, 4, 10, 7))


def multi_frame_file(folder: Path) -> Case:
    return Case(VirtualSignal.of([plain(folder / "50% é.edf", DATA)]), DATA)


def single_frame_files(folder: Path) -> Case:
    files = [plain(folder / f"{k:02d}.edf", DATA[k : k + 1], "<u2") for k in range(COUNT)]
    return Case(VirtualSignal.of(files), DATA)


def zigzag_of_single_frame_files(folder: Path) -> Case:
    flat = single_frame_files(folder).signal
    return Case(flat.arranged((3, 4), ZIGZAG.ravel()), DATA[ZIGZAG])


def rows_longer_than_a_block(folder: Path) -> Case:
    flat = single_frame_files(folder).signal
    return Case(flat.arranged((2, 6), np.arange(COUNT)), DATA.reshape(2, 6, 6, 5))


def files_without_headers(folder: Path) -> Case:
    return Case(VirtualSignal.of([plain(folder / "a.bin", DATA, "<u2", 0)]), DATA)


def modules_of_plain_bytes(folder: Path) -> Case:
    sources = [plain(folder / "upper.bin", DATA[:, :3]), plain(folder / "lower.bin", DATA[:, 3:])]
    tiles = [Tile((4 * k, 0), (3, 5), np.full(COUNT, k, "i4"), np.arange(COUNT)) for k in range(2)]
    values = np.full((COUNT, 7, 5), 9, "u2")
    values[:, :3], values[:, 4:] = DATA[:, :3], DATA[:, 3:]
    return Case(VirtualSignal(sources, tiles, (COUNT,), (7, 5), gap=9), values)


HDF5: list[Callable[[Path], Case]] = [
    one_file,
    four_files,
    grid,
    zigzag,
    dataset_of_other_dimensions,
    dataset_for_each_frame,
    single_frame,
    numbers,
    modules,
]
PLAIN: list[Callable[[Path], Case]] = [
    multi_frame_file,
    single_frame_files,
    zigzag_of_single_frame_files,
    rows_longer_than_a_block,
    files_without_headers,
    modules_of_plain_bytes,
]
