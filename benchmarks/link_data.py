"""Raw data of the link benchmarks: quickly made, with far fewer distinct frames than there are.

What is stored compressed is compressed once for each distinct frame and written again and again,
so that files of many frames are made as fast as the disk takes them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

DATASET = "/entry/data/data"
DISTINCT = 40
_HEADER = """{{
HeaderID = EH:000001:000000:000000 ;
Image = {frame} ;
ByteOrder = LowByteFirst ;
DataType = UnsignedShort ;
Dim_1 = {columns} ;
Dim_2 = {rows} ;
Size = {size} ;
count_time = 1 ;
motor_pos = {mu:.6f} {chi:.6f} ;
motor_mne = mu chi ;
"""


def images(count: int, size: int) -> Any:
    """Return realistic frames of one rocking curve, uint16, shape (count, size, size)."""
    from nxscan.simulate import realistic_counts

    scan = realistic_counts(count, (size, size))
    return np.stack([scan.frame(k) for k in range(count)])


def write_edf_files(folder: Path, count: int, size: int) -> None:
    """Write single-frame EDF files of two motors, of which one is scanned."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    pixels = [rng.poisson(20, (size, size)).astype("<u2").tobytes() for _ in range(DISTINCT)]
    for k in range(count):
        data = pixels[k % DISTINCT]
        header = _HEADER.format(
            frame=k, columns=size, rows=size, size=len(data), mu=k / count, chi=0.5
        )
        block = header.encode().ljust(1022) + b"}\n"
        (folder / f"scan_{k:05d}.edf").write_bytes(block + data)


def write_stack(path: Path, frames: int, size: int, *, compressed: bool) -> None:
    """Write a rocking scan as an NXdata: a chunk of bitshuffle-LZ4 each frame, or one row."""
    seen = images(DISTINCT, size)
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs.update(NX_class="NXroot", default="entry")
        entry = file.create_group("entry")
        entry.attrs.update(NX_class="NXentry", default="data")
        group = entry.create_group("data")
        group.attrs.update(NX_class="NXdata", signal="data", axes=["mu", ".", "."])
        group["mu"] = np.linspace(-0.5, 0.5, frames)
        group["mu"].attrs["units"] = "deg"
        shape = (frames, size, size)
        if compressed:
            dataset = group.create_dataset(
                "data", shape, "u2", chunks=(1, size, size), **hdf5plugin.Bitshuffle(cname="lz4")
            )
            _repeat_chunks(dataset, seen)
        else:
            dataset = group.create_dataset("data", shape, "u2")
            for k in range(frames):
                dataset[k] = seen[_which(k, frames)]
        dataset.attrs["units"] = "counts"


def _repeat_chunks(dataset: Any, seen: Any) -> None:
    frames = len(dataset)
    dataset[: len(seen)] = seen
    stored = [dataset.id.read_direct_chunk((k, 0, 0))[1] for k in range(len(seen))]
    for k in range(frames):
        dataset.id.write_direct_chunk((k, 0, 0), stored[_which(k, frames)])


def _which(frame: int, frames: int) -> int:
    """Return which distinct frame stands at a place: the curve is stretched over the scan."""
    return frame * DISTINCT // frames


def write_bliss_master(path: Path, scans: int) -> None:
    """Write a BLISS master of scans of five small frames."""
    from nxscan.simulate import BlissScan, realistic_counts, write_bliss

    write_bliss([BlissScan(realistic_counts(5, (16, 16)))] * scans, path.parent, name=path.stem)
