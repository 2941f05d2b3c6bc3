"""HDF5 datasets stored in every way that is read past HDF5, for tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from numpy.typing import NDArray

from nxscan.hdf5.directread import DirectReader, direct_reader

FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "fletcher32": {"fletcher32": True},
    "shuffle": {"shuffle": True},
    "shuffle, fletcher32": {"shuffle": True, "fletcher32": True},
    "gzip": {"compression": 4},
    "gzip, shuffle": {"compression": 4, "shuffle": True},
    "gzip, shuffle, fletcher32": {"compression": 1, "shuffle": True, "fletcher32": True},
    "bitshuffle-lz4": dict(hdf5plugin.Bitshuffle(cname="lz4")),
    "bitshuffle-lz4, fletcher32": {"fletcher32": True, **hdf5plugin.Bitshuffle(cname="lz4")},
    "bitshuffle-lz4 in small blocks": dict(hdf5plugin.Bitshuffle(nelems=32, cname="lz4")),
    "bitshuffle-lz4 in large blocks": dict(hdf5plugin.Bitshuffle(nelems=2**17, cname="lz4")),
    "bitshuffle-zstd": dict(hdf5plugin.Bitshuffle(cname="zstd")),
    "bitshuffle-zstd, fletcher32": {"fletcher32": True, **hdf5plugin.Bitshuffle(cname="zstd")},
    "bitshuffle alone": dict(hdf5plugin.Bitshuffle(cname="none")),
    "lz4": dict(hdf5plugin.LZ4()),
    "lz4 in blocks": dict(hdf5plugin.LZ4(nbytes=64)),
    "lz4, shuffle, fletcher32": {"shuffle": True, "fletcher32": True, **hdf5plugin.LZ4()},
    "zstd": dict(hdf5plugin.Zstd()),
    "zstd, shuffle": {"shuffle": True, **hdf5plugin.Zstd()},
    "blosc": dict(hdf5plugin.Blosc()),
    "blosc-zstd": dict(hdf5plugin.Blosc(cname="zstd", shuffle=hdf5plugin.Blosc.BITSHUFFLE)),
    "blosc, fletcher32": {"fletcher32": True, **hdf5plugin.Blosc(cname="lz4")},
}
"""Options of `h5py.Group.create_dataset` for each chain of filters."""


def store(
    path: Path, data: NDArray[Any], chunks: tuple[int, ...] | None, name: str, **options: Any
) -> None:
    """Write one dataset, ``/x``, through the filters of a name."""
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=data, chunks=chunks, **FILTERS[name], **options)


def reader_of(path: Path) -> DirectReader:
    """Return the direct reader of ``/x``; skip where a plug-in hides its functions."""
    reader = direct_reader(path, "/x")
    if reader is None and "linux" not in sys.platform:
        pytest.skip("the plug-in's functions cannot be called directly here")
    assert reader is not None
    return reader


def counts(shape: tuple[int, ...], dtype: str, seed: int = 0) -> NDArray[Any]:
    """Return values that compress, as detectors count them."""
    rng = np.random.default_rng(seed)
    return rng.poisson(3.0, shape).astype(dtype)


def places(path: Path) -> dict[tuple[int, ...], Any]:
    """Return where each chunk lies."""
    found: dict[tuple[int, ...], Any] = {}
    with h5py.File(path) as file:
        file["x"].id.chunk_iter(lambda chunk: found.__setitem__(chunk.chunk_offset, chunk))
    return found
