"""Scans whose frames lie in files of every kind that a master can lead to."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from helpers.scans import make_scan
from nxscan.hdf5.frames import RawFrames, StoredFrames
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.model import Provenance, Scan, Source
from nxscan.nexus.linked import write_linked

SCAN, FRAME = (10, 9), (24, 20)
COUNT = math.prod(SCAN)
HEADER = 512

Values = np.ndarray[Any, Any]


def stored(folder: Path, frames: Values, **options: Any) -> VirtualSignal:
    """Write frames to three HDF5 files."""
    sources = []
    for k, part in enumerate(np.array_split(frames, 3)):
        path = folder / f"part_{k}.h5"
        with h5py.File(path, "w") as file:
            made = file.create_dataset("frames", data=part, **options)
            chunks = made.chunks
        sources.append(StoredFrames(path, "/frames", part.shape, part.dtype, 1, chunks))
    return VirtualSignal.of(sources, "counts", "intensity")


def plain(folder: Path, frames: Values, dtype: str = ">u2") -> VirtualSignal:
    """Write each frame, behind a header, to a file of its own."""
    sources = []
    for k, frame in enumerate(frames):
        path = folder / f"frame_{k:04d}.raw"
        path.write_bytes(bytes(HEADER) + frame.astype(dtype).tobytes())
        sources.append(RawFrames(path, [HEADER], frame.shape, np.dtype(dtype)))
    return VirtualSignal.of(sources, "counts", "intensity")


KINDS: dict[str, Callable[[Path, Values], VirtualSignal]] = {
    "frames in bitshuffle-LZ4": lambda folder, frames: stored(
        folder, frames, chunks=(1, *FRAME), **hdf5plugin.Bitshuffle(cname="lz4")
    ),
    "deep chunks in gzip": lambda folder, frames: stored(
        folder, frames, chunks=(4, 10, 20), compression="gzip", shuffle=True
    ),
    "contiguous": lambda folder, frames: stored(folder, frames),
    "a file each, big-endian": plain,
}


def raw_scan(
    folder: Path, kind: str = "contiguous", *, zigzag: bool = False
) -> tuple[Scan, Values]:
    """Write raw files into a folder; return the scan that leads to them, and its values."""
    folder.mkdir(parents=True, exist_ok=True)
    scan, data = make_scan(SCAN, FRAME)
    order = np.arange(COUNT).reshape(SCAN)
    if zigzag:
        order[1::2] = order[1::2, ::-1].copy()
    taken = np.empty((COUNT, *FRAME), data.dtype)
    taken[order.ravel()] = data.reshape(COUNT, *FRAME)
    signal = KINDS[kind](folder, taken).arranged(SCAN, order.ravel())
    sources = [_source(source.path, source.count) for source in signal.sources]
    provenance = Provenance(translator="test", sources=sources)
    return replace(scan, signals={"pco": signal}, provenance=provenance), data


def _source(path: Path, frames: int) -> Source:
    found = path.stat()
    return Source(str(path), found.st_size, found.st_mtime, frames)


def linked_master(path: Path, scan: Scan) -> Path:
    """Write a master that leads to the frames of a scan."""
    return write_linked(scan, path, str(uuid.uuid4()))
