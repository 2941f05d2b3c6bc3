"""Damage is an error with the frames' names, or the values as they were: never a crash."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.attack import attack
from helpers.stored import FILTERS, counts, places, reader_of, store

from nxscan.errors import SourceError
from nxscan.hdf5 import h5signal
from nxscan.hdf5.decode import DecodeError
from nxscan.hdf5.directread import direct_reader
from nxscan.nexus import HDF5Signal

SHAPE, CHUNKS = (6, 24, 20), (1, 12, 20)
WHOLE = tuple(slice(0, n) for n in SHAPE)
HARMLESS = ("none", "shuffle", "bitshuffle alone")
"""Filters to which all bytes are as good."""


@pytest.fixture(params=["past HDF5", "by HDF5"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    most = 0 if request.param == "past HDF5" else 2**60
    monkeypatch.setattr(h5signal, "WORTHWHILE", most)
    return str(request.param)


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
    with pytest.raises(SourceError, match=r"frame 3 cannot be read"):
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
    with pytest.raises(SourceError, match=r"frame 2 .*never written"):
        signal.read_into(np.s_[1:4], np.empty((3, 24, 20), "u2"))
    np.testing.assert_array_equal(signal[3, ::2], data[3, ::2])


def test_rows_that_were_never_written_are_no_zeros(tmp_path: Path, way: str) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", SHAPE, "<u2")
    signal = HDF5Signal(tmp_path / "x.h5", "/x", 1)
    with pytest.raises(SourceError, match=r"frames 1 to 2 .*never written"):
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


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("name", FILTERS)
def test_no_damage_crashes_or_passes_a_checksum(
    tmp_path: Path, elsewhere: ProcessPoolExecutor, name: str
) -> None:
    outcome = elsewhere.submit(attack, tmp_path, name, 60).result(60)
    assert outcome.problems == []
    assert outcome.refused > 10 or name in HARMLESS


@pytest.mark.parametrize(
    "name", ["bitshuffle-lz4 in small blocks", "bitshuffle-zstd", "lz4 in blocks"]
)
def test_a_chunk_that_ends_within_the_length_of_a_block_is_refused(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / "x.h5"
    store(path, counts((1, 64, 64), "<u2"), (1, 64, 64), name)
    reader: Any = reader_of(path)
    chunk = places(path)[0, 0, 0]
    stored = np.frombuffer(path.read_bytes(), np.uint8)[chunk.byte_offset :][: chunk.size]
    target = np.empty(64 * 64 * 2, np.uint8)
    decoder = reader._storage._decoder
    assert decoder.decode(stored, 0, target).tobytes() == counts((1, 64, 64), "<u2").tobytes()
    for size in range(len(stored)):
        with pytest.raises(DecodeError):
            decoder.decode(stored[:size].copy(), 0, target)


def test_a_chunk_table_with_places_that_no_file_has_is_left_to_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    data = counts(SHAPE, "<u2")
    store(path, data, CHUNKS, "none")
    with h5py.File(path) as file:
        offset = file["x"].id.get_chunk_info_by_coord((3, 12, 0)).byte_offset
    raw = path.read_bytes()
    place = raw.index(offset.to_bytes(8, "little"))
    overwrite(path, place, (2**64 - 2).to_bytes(8, "little"))
    assert direct_reader(path, "/x") is None
    signal = HDF5Signal(path, "/x", 1)
    np.testing.assert_array_equal(signal[4], data[4])
    with pytest.raises(SourceError, match="frame 3 cannot be read"):
        signal.read(3)


@pytest.mark.parametrize("name", ["zstd", "zstd, shuffle", "lz4", "blosc", "bitshuffle-lz4"])
def test_a_chunk_that_says_it_is_shorter_is_refused_though_hdf5_reads_it(
    tmp_path: Path, way: str, name: str
) -> None:
    path = tmp_path / "x.h5"
    data = counts(SHAPE, "<u2")
    store(path, data, CHUNKS, name)
    other = np.zeros(CHUNKS, "<u2").reshape(-1)[:40]
    with h5py.File(tmp_path / "short.h5", "w") as file:
        file.create_dataset("x", data=other, chunks=(40,), **FILTERS[name])
        _, short = file["x"].id.read_direct_chunk((0,))
    with h5py.File(path, "r+") as file:
        file["x"].id.write_direct_chunk((3, 12, 0), short)
    signal = HDF5Signal(path, "/x", 1)
    np.testing.assert_array_equal(signal[2], data[2])
    with pytest.raises(SourceError, match="frame 3 cannot be read"):
        signal.read(slice(2, 4))


@pytest.mark.parametrize("name", ["zstd", "zstd, shuffle"])
def test_damage_that_the_filter_keeps_to_itself_is_refused(
    tmp_path: Path, way: str, name: str
) -> None:
    path = tmp_path / "x.h5"
    data = counts(SHAPE, "<u2")
    store(path, data, CHUNKS, name)
    chunk = places(path)[3, 12, 0]
    raw = path.read_bytes()
    signal = HDF5Signal(path, "/x", 1)
    refused: list[str] = []
    for place in range(12, chunk.size, chunk.size // 16):
        overwrite(path, chunk.byte_offset, raw[chunk.byte_offset : chunk.byte_offset + chunk.size])
        overwrite(path, chunk.byte_offset + place, b"\xff\xff\xff\xff")
        before = signal.read(slice(0, 3))
        np.testing.assert_array_equal(before, data[:3])
        try:
            first, second = signal.read(3), signal.read(3)
        except SourceError as error:
            refused.append(str(error))
        else:
            np.testing.assert_array_equal(first, second)
    assert refused
    assert all("frame 3 cannot be read" in message for message in refused)
