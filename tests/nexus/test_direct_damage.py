"""Damage is an error with the frames' names, or the values as they were: never a crash."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.stored import FILTERS, counts, reader_of, store

from nxscan.errors import SourceError
from nxscan.nexus import HDF5Signal, h5signal
from nxscan.nexus.chunktable import UnwrittenError
from nxscan.nexus.decode import DecodeError
from nxscan.nexus.directread import direct_reader

SHAPE, CHUNKS = (6, 24, 20), (1, 12, 20)
WHOLE = tuple(slice(0, n) for n in SHAPE)
CHECKED = ("fletcher32", "gzip")
"""Filters with a checksum: of HDF5's, and zlib's own."""

TRIES = 60


@pytest.fixture(params=["past HDF5", "by HDF5"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    most = 0 if request.param == "past HDF5" else 2**60
    monkeypatch.setattr(h5signal, "WORTHWHILE", most)
    return str(request.param)


def places(path: Path) -> dict[tuple[int, ...], Any]:
    """Return where each chunk lies."""
    found: dict[tuple[int, ...], Any] = {}
    with h5py.File(path) as file:
        file["x"].id.chunk_iter(lambda chunk: found.__setitem__(chunk.chunk_offset, chunk))
    return found


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("rb+") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize("name", ["fletcher32", "bitshuffle-lz4, fletcher32", "gzip, shuffle"])
def test_a_damaged_chunk_names_file_dataset_and_frames(tmp_path: Path, way: str, name: str) -> None:
    path = tmp_path / "x.h5"
    data = counts(SHAPE, "<u2")
    store(path, data, CHUNKS, name)
    signal = HDF5Signal(path, "/x", 1)
    for frame in (2, 3):
        chunk = places(path)[frame, 12, 0]
        overwrite(path, chunk.byte_offset + 20, b"damaged")
    message = r"x\.h5::/x: frames? 2.* cannot be read, what is stored is damaged.*restore the file"
    with pytest.raises(SourceError, match=message) as caught:
        signal.read(...)
    assert "2 to 3" in str(caught.value)
    with pytest.raises(SourceError, match="frame 3 cannot be read"):
        signal.read_into((3, slice(12, 14)), np.empty((2, 20), "u2"))
    np.testing.assert_array_equal(signal.read((slice(2, 4), slice(0, 12))), data[2:4, :12])
    np.testing.assert_array_equal(signal.read(slice(4, 6)), data[4:])


@pytest.mark.parametrize("name", FILTERS)
def test_frames_that_were_never_written_are_no_zeros(tmp_path: Path, way: str, name: str) -> None:
    path = tmp_path / "x.h5"
    data = counts(SHAPE, "<u2")
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", SHAPE, "<u2", chunks=CHUNKS, **FILTERS[name])
        dataset[:2] = data[:2]
        dataset[3] = data[3]
    signal = HDF5Signal(path, "/x", 1)
    np.testing.assert_array_equal(signal.read(slice(0, 2)), data[:2])
    with pytest.raises(SourceError, match=r"x\.h5::/x: frames 2, 4 to 5 .*never written or lost"):
        signal.read(...)
    with pytest.raises(SourceError, match="frame 2 .*never written"):
        signal.read_into(np.s_[1:4], np.empty((3, 24, 20), "u2"))
    np.testing.assert_array_equal(signal[3, ::2], data[3, ::2])


def test_rows_that_were_never_written_are_no_zeros(tmp_path: Path, way: str) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", SHAPE, "<u2")
    signal = HDF5Signal(tmp_path / "x.h5", "/x", 1)
    with pytest.raises(SourceError, match="frames 1 to 2 .*never written"):
        signal.read(slice(1, 3))
    assert signal.read(slice(3, 3)).shape == (0, 24, 20)


def test_a_dataset_may_say_that_what_was_never_written_is_no_number(
    tmp_path: Path, way: str
) -> None:
    data = counts(SHAPE, ">f4")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", SHAPE, ">f4", chunks=CHUNKS, fillvalue=np.nan)
        dataset[1] = data[1]
        expected = dataset[()]
    found = HDF5Signal(tmp_path / "x.h5", "/x", 1).read(...)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(np.isnan(found).all(axis=(1, 2)), np.arange(6) != 1)


@pytest.mark.parametrize("chunks", [CHUNKS, None])
def test_a_file_that_was_cut_after_it_was_opened_names_the_frames(
    tmp_path: Path, chunks: Any
) -> None:
    path = tmp_path / "x.h5"
    store(path, counts(SHAPE, "<u2"), chunks, "none")
    with h5py.File(path) as file:
        size = file["x"].nbytes
        end = size + (
            file["x"].id.get_offset() if chunks is None else places(path)[0, 0, 0].byte_offset
        )
    signal = HDF5Signal(path, "/x", 1)
    signal._asked = h5signal.WORTHWHILE
    signal.read(0)
    with path.open("rb+") as file:
        file.truncate(end - size // 6 - 10)
    with pytest.raises(SourceError, match=r"frames 4 to 5 cannot be read.*the file ends at byte"):
        signal.read(...)
    np.testing.assert_array_equal(signal.read(3), counts(SHAPE, "<u2")[3])


def test_a_chunk_that_lies_beyond_the_file_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    store(path, counts(SHAPE, "<u2"), CHUNKS, "gzip")
    reader: Any = reader_of(path)
    reader._storage._table.sizes[3] = 2**40
    with pytest.raises(DecodeError, match="the file ends at byte"):
        reader.read(WHOLE)
    reader._storage._file.size = 2**50
    with pytest.raises(DecodeError, match="a chunk has more than"):
        reader.read(WHOLE)


def damage(path: Path, whole: bytes, rng: Random, chunks: list[Any]) -> None:
    """Change bytes of some chunks, or what HDF5 says of their length."""
    data = bytearray(whole)
    for _ in range(rng.choice([1, 1, 2, 8])):
        chunk = rng.choice(chunks)
        # headers decide about lengths: they are hit more often
        reach = rng.choice([4, 16, 32, chunk.size])
        start = chunk.byte_offset + rng.randrange(min(reach, chunk.size))
        length = min(rng.choice([1, 1, 2, 4, 30]), chunk.byte_offset + chunk.size - start)
        kind = rng.randrange(4)
        for at in range(start, start + length):
            data[at] = (data[at] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 255)[kind]
    path.write_bytes(bytes(data))


def attack(folder: str, name: str, seed: int) -> list[str]:
    """Read damaged files, and return what was wrong; runs in a process of its own."""
    rng = Random(f"{name} {seed}")
    problems = []
    path = Path(folder) / "x.h5"
    for number in range(TRIES):
        data = counts(SHAPE, rng.choice(["<u2", "<f8", "u1"]), number)
        chunks = rng.choice([CHUNKS, (2, 24, 20), (4, 7, 9)])
        store(path, data, chunks, name)
        reader = direct_reader(path, "/x")
        if reader is None:
            return problems
        whole = path.read_bytes()
        damage(path, whole, rng, list(places(path).values()))
        if rng.random() < 0.2:
            # a length that the chunk table has wrong
            table = reader._storage._table  # type: ignore[attr-defined]
            table.sizes[rng.randrange(len(table.sizes))] = rng.randrange(0, 60)
        reader = reader if rng.random() < 0.2 else direct_reader(path, "/x")
        try:
            found = reader.read(WHOLE)  # type: ignore[union-attr]
        except (DecodeError, OSError, UnwrittenError):
            continue
        if any(word in name for word in CHECKED) and not np.array_equal(found, data):
            problems.append(f"{name} {seed} {number}: wrong values")
    return problems


@pytest.mark.parametrize("name", FILTERS)
def test_no_damage_crashes_or_passes_a_checksum(tmp_path: Path, name: str) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        result = pool.apply_async(attack, (str(tmp_path), name, 0))
        assert result.get(timeout=120) == []
