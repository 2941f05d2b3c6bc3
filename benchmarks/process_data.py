"""Data of the process benchmarks, simulated, seeded, and made in a process of their own.

Each maker fills a folder, and is left out where the folder is there already.

usage: python process_data.py KIND FOLDER
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
from common import python, run

Fields = dict[str, tuple[Any, str]]
DATASET = "/entry/data/data"
_LATEST = ("v110", "v110")


def made(kind: str, folder: Path) -> Path:
    """Return a folder of data; they are made in another process, whose memory is then free."""
    place = folder / kind
    if not place.exists():
        part = folder / f"{kind}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        code = "import sys, process_data as d; d.MAKERS[sys.argv[1]](d.Path(sys.argv[2]))"
        run(python(code, kind, str(part)))
        part.rename(place)
    return place


def write_nexus(path: Path, data: Any, axes: Fields, **stored: Any) -> None:
    """Write an NXdata as others write it: a dataset, or the layout of a virtual one."""
    with h5py.File(path, "w", libver=_LATEST) as file:
        file.attrs.update(NX_class="NXroot", default="entry")
        entry = file.create_group("entry")
        entry.attrs.update(NX_class="NXentry", default="data")
        group = entry.create_group("data")
        group.attrs.update(NX_class="NXdata", signal="data", axes=list(axes))
        if isinstance(data, h5py.VirtualLayout):
            signal = group.create_virtual_dataset("data", data)
        else:
            signal = group.create_dataset("data", data=data, **stored)
        signal.attrs["units"] = "counts"
        if signal.ndim == 3:
            signal.attrs["interpretation"] = "spectrum"
        for k, (name, (values, units)) in enumerate(axes.items()):
            field = group.create_dataset(name, data=np.asarray(values, np.float64))
            field.attrs["units"] = units
            group.attrs[f"{name}_indices"] = k


def frame_axes(shape: tuple[int, ...]) -> Fields:
    """Return axes of a map of frames."""
    units = ("um", "um", "pixel", "pixel")
    names = ("sy", "sx", "y", "x")
    return {n: (np.arange(k), u) for n, k, u in zip(names, shape, units, strict=True)}


def make_maps(folder: Path, side: int = 64) -> None:
    """Write disks that wander over 256 × 256 pixels: raw, contiguous, bitshuffle-LZ4 and gzip."""
    rng = np.random.default_rng(0)
    shape = (side, side, 256, 256)
    raw = np.memmap(folder / "maps.raw", np.uint16, "w+", shape=shape)
    dark = rng.poisson(1.0, (8, 256, 256)).astype(np.uint16)
    around = np.arange(-40, 41)
    for j, i in np.ndindex(side, side):
        frame = dark[rng.integers(8)].copy()
        x, y = 128 + 20 * np.sin(i / 6), 128 + 20 * np.cos(j / 6)
        left, top = int(x), int(y)
        row = np.exp(-0.5 * ((around + left - x) / 12) ** 2)
        column = np.exp(-0.5 * ((around + top - y) / 12) ** 2)
        disk = rng.poisson(60 * np.outer(column, row)).astype(np.uint16)
        frame[top - 40 : top + 41, left - 40 : left + 41] += disk
        raw[j, i] = frame
    raw.flush()
    values, axes = np.asarray(raw), frame_axes(shape)
    frame_chunks = {"chunks": (1, 1, 256, 256)}
    bitshuffle = hdf5plugin.Bitshuffle(cname="lz4")
    write_nexus(folder / "contiguous.nxs", values, axes)
    write_nexus(folder / "bslz4.nxs", values, axes, **frame_chunks, **bitshuffle)
    gzip = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    write_nexus(folder / "gzip.nxs", values, axes, **frame_chunks, **gzip)


def make_rocking(folder: Path, frames: int = 41, size: int = 2048) -> None:
    """Translate a rocking scan to a master, tiled and in bitshuffle-LZ4; put the stack beside."""
    import nxscan
    from nxscan.simulate import realistic_counts, write_edf

    scan = realistic_counts(frames, (size, size))
    write_edf(scan, folder / "raw")
    nxscan.translate(folder / "raw", folder / "scan.nxs")
    shutil.rmtree(folder / "raw")
    found = nxscan.open(folder / "scan.nxs")
    np.save(folder / "stack.npy", found.signal.read(...))
    np.save(folder / "motor.npy", found.axes["mu"].values)


def make_curves(folder: Path, side: int = 64, points: int = 4096) -> None:
    """Write a noisy Gaussian peak on a background for every position, as float32."""
    rng = np.random.default_rng(0)
    positions = side * side
    x = np.linspace(0, 1, points)
    center = rng.uniform(0.3, 0.7, positions)
    sigma = rng.uniform(0.02, 0.06, positions)
    amplitude = rng.uniform(50, 500, positions)
    curves = rng.standard_normal((positions, points), dtype=np.float32) + 5
    for k in range(positions):
        curves[k] += amplitude[k] * np.exp(-0.5 * ((x - center[k]) / sigma[k]) ** 2)
    np.save(folder / "curves.npy", curves)
    np.save(folder / "x.npy", x)
    np.savez(folder / "truth.npz", center=center, sigma=sigma)
    axes: Fields = {
        "sy": (np.arange(side), "um"),
        "sx": (np.arange(side), "um"),
        "tth": (x, "deg"),
    }
    write_nexus(folder / "curves.nxs", curves.reshape(side, side, points), axes)


def make_positions(folder: Path) -> None:
    """Write 10,000 positions of 64 values."""
    values = np.random.default_rng(0).random((100, 100, 64), dtype=np.float32)
    axes: Fields = {
        "sy": (np.arange(100), "um"),
        "sx": (np.arange(100), "um"),
        "channel": (np.arange(64), "keV"),
    }
    write_nexus(folder / "positions.nxs", values, axes)


def make_repeated(folder: Path) -> None:
    """Write 64 MiB of frames, and virtual datasets that repeat them to 1, 1.25 and 8 GiB."""
    shape = (8, 64, 256, 256)
    values = np.random.default_rng(0).poisson(20, shape).astype(np.uint16)
    write_nexus(folder / "once.nxs", values, frame_axes(shape))
    for name, repeats in (("1", 16), ("1.25", 20), ("8", 128)):
        whole = (8 * repeats, *shape[1:])
        layout = h5py.VirtualLayout(whole, np.uint16)
        for k in range(repeats):
            layout[8 * k : 8 * k + 8] = h5py.VirtualSource("once.nxs", DATASET, shape)
        write_nexus(folder / f"repeated_{name}.nxs", layout, frame_axes(whole))
    write_copies(folder / "chunks_1.nxs", values, 16)
    write_copies(folder / "chunks_8.nxs", values, 128)


def write_copies(path: Path, values: Any, repeats: int) -> None:
    """Write chunks that are stored again and again, so that chunks are read past HDF5.

    One position in eight is as it was, all others have a single value: the file is small.
    """
    empty = np.zeros_like(values)
    empty[:, ::8] = values[:, ::8]
    shape = (values.shape[0] * repeats, *values.shape[1:])
    stored = {"chunks": (1, 8, 256, 256), **hdf5plugin.Bitshuffle(cname="lz4")}
    layout = {"shape": shape, "dtype": values.dtype}
    write_nexus(path, None, frame_axes(shape), **layout, **stored)
    with h5py.File(path, "r+", libver=_LATEST) as file:
        dataset = file[DATASET]
        dataset[: len(empty)] = empty
        for j, i in np.ndindex(len(empty), shape[1] // 8):
            mask, chunk = dataset.id.read_direct_chunk((j, 8 * i, 0, 0))
            for k in range(1, repeats):
                place = (j + k * len(empty), 8 * i, 0, 0)
                dataset.id.write_direct_chunk(place, chunk, mask)


MAKERS: dict[str, Callable[[Path], None]] = {
    "maps": make_maps,
    "rocking": make_rocking,
    "curves": make_curves,
    "positions": make_positions,
    "repeated": make_repeated,
}

if __name__ == "__main__":
    MAKERS[sys.argv[1]](Path(sys.argv[2]))
