"""Results are filled part by part: chunks compressed by threads are what HDF5 would store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from nxscan.nexus import codec, result_fill
from nxscan.nexus.result_fill import filler

CHUNKS = (8, 16)
FILTERS = {"fletcher32": True, **hdf5plugin.Bitshuffle(cname="lz4")}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Any]:
    with h5py.File(tmp_path / "x.h5", "w", libver=("v110", "v110")) as opened:
        yield opened


def parts_of(shape: tuple[int, int], step: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    for y in range(0, shape[0], step[0]):
        for x in range(0, shape[1], step[1]):
            yield slice(y, min(y + step[0], shape[0])), slice(x, min(x + step[1], shape[1]))


@pytest.mark.parametrize("shape", [(32, 64), (29, 50), (8, 16), (3, 5)])
@pytest.mark.parametrize("step", [(16, 32), (8, 16), (5, 16), (100, 100)])
@pytest.mark.parametrize("dtype", ["<f8", "<f4", "u1", "<i2"])
def test_values_come_back_as_they_were(
    file: Any, shape: tuple[int, int], step: tuple[int, int], dtype: str
) -> None:
    rng = np.random.default_rng(0)
    values = {name: rng.integers(0, 99, shape).astype(dtype) for name in ("a", "b")}
    chunks = tuple(map(min, CHUNKS, shape))
    datasets = {
        name: file.create_dataset(name, shape, dtype, chunks=chunks, **FILTERS) for name in values
    }
    with filler(datasets, threads=3) as filled:
        for part in parts_of(shape, step):
            for name, array in values.items():
                filled.put(name, part, array[part])
    for name, array in values.items():
        file[name].refresh()
        np.testing.assert_array_equal(file[name][()], array)


def test_stored_chunks_are_those_that_hdf5_makes(file: Any) -> None:
    values = np.random.default_rng(0).random((20, 40)).astype(np.float32)
    mine = file.create_dataset("mine", values.shape, "<f4", chunks=CHUNKS, **FILTERS)
    theirs = file.create_dataset("theirs", data=values, chunks=CHUNKS, **FILTERS)
    file.flush()
    with filler({"mine": mine}) as filled:
        filled.put("mine", (slice(0, 20), slice(0, 40)), values)
    assert mine.id.get_num_chunks() == theirs.id.get_num_chunks() == 9
    for corner in np.ndindex(2, 2):  # chunks at the end hold what HDF5 has in memory
        place = tuple(int(k * n) for k, n in zip(corner, CHUNKS, strict=True))
        assert mine.id.read_direct_chunk(place) == theirs.id.read_direct_chunk(place)


@pytest.mark.parametrize("options", [{}, {"chunks": CHUNKS, "compression": "gzip"}])
def test_other_storage_is_left_to_hdf5(file: Any, options: dict[str, Any]) -> None:
    values = np.arange(32.0 * 64).reshape(32, 64)
    dataset = file.create_dataset("x", values.shape, "<f8", **options)
    with filler({"x": dataset}) as filled:
        filled.put("x", (slice(None), slice(None)), values)
    np.testing.assert_array_equal(dataset[()], values)


def test_where_bitshuffle_cannot_be_called_hdf5_compresses(
    file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec, "_bitshuffle", lambda: None)
    values = np.arange(32.0 * 64).reshape(32, 64)
    dataset = file.create_dataset("x", values.shape, "<f8", chunks=CHUNKS, **FILTERS)
    with filler({"x": dataset}) as filled:
        filled.put("x", (slice(0, 32), slice(0, 64)), values)
    np.testing.assert_array_equal(dataset[()], values)


def test_what_goes_wrong_in_a_thread_is_raised(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, name: str, tile: Any) -> bytes:
        raise RuntimeError(f"cannot compress {name}")

    monkeypatch.setattr(result_fill.Filler, "_encoded", broken)
    dataset = file.create_dataset("x", (8, 16), "<f4", chunks=CHUNKS, **FILTERS)
    with pytest.raises(RuntimeError, match="cannot compress x"), filler({"x": dataset}) as filled:
        filled.put("x", (slice(0, 8), slice(0, 16)), np.zeros((8, 16), np.float32))
