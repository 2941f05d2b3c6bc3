"""What is read past HDF5 is what was written, however it is stored."""

from __future__ import annotations

import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from h5py import h5p, h5s, h5t
from helpers.stored import FILTERS, counts, reader_of, store
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.hdf5 import h5signal, rawio
from nxscan.hdf5.chunktable import UnwrittenError
from nxscan.hdf5.decode import Pipeline, pipeline
from nxscan.hdf5.directread import direct_reader, reader_for
from nxscan.hdf5.rawio import RawFile
from nxscan.kernels.chunks import fletcher32, unshuffle
from nxscan.nexus import HDF5Signal
from nxscan.nexus.codec import plain_fletcher32

DTYPES = ["u1", "i2", "<u2", ">u2", "<i4", ">f4", "<f8", ">u8", "f2"]


@st.composite
def regions(draw: Any, shape: tuple[int, ...]) -> tuple[slice, ...]:
    parts = []
    for length in shape:
        start = draw(st.integers(0, length))
        parts.append(slice(start, draw(st.integers(start, length))))
    return tuple(parts)


@st.composite
def stored(draw: Any) -> tuple[str, Any, tuple[int, ...] | None, tuple[slice, ...]]:
    shape = draw(st.lists(st.integers(1, 24), min_size=1, max_size=4).map(tuple))
    chunks = tuple(draw(st.integers(1, n)) for n in shape)
    name = draw(st.sampled_from(sorted(FILTERS)))
    data = counts(shape, draw(st.sampled_from(DTYPES)), draw(st.integers(0, 9)))
    whole = name == "none" and draw(st.booleans())
    return name, data, None if whole else chunks, draw(regions(shape))


@settings(max_examples=300)
@given(case=stored(), given_out=st.sampled_from(["", "fits", "type", "order"]))
def test_any_region_of_any_dataset_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, case: Any, given_out: str
) -> None:
    name, data, chunks, region = case
    path = tmp_path_factory.mktemp("direct") / "x.h5"
    store(path, data, chunks, name)
    reader = reader_of(path)
    expected = data[region]
    out = {
        "": None,
        "fits": np.full(expected.shape, 77, reader.dtype),
        "type": np.full(expected.shape, 77, "f8"),
        "order": np.full(expected.shape, 77, reader.dtype, order="F"),
    }[given_out]
    found = reader.read(region, out)
    assert out is None or found is out
    assert found.dtype == (data.dtype.newbyteorder("=") if out is None else out.dtype)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("chunks", [(1, 300, 250), (2, 100, 100), (3, 300, 250)])
def test_chunks_of_many_blocks_are_what_was_written(
    tmp_path: Path, name: str, chunks: tuple[int, ...]
) -> None:
    data = counts((5, 300, 250), "<u2")
    store(tmp_path / "x.h5", data, chunks, name)
    reader = reader_of(tmp_path / "x.h5")
    for region in (np.s_[0:5, 0:300, 0:250], np.s_[1:4, 17:211, 100:200], np.s_[2:3, 0:300, 0:250]):
        np.testing.assert_array_equal(reader.read(region), data[region])


@pytest.mark.parametrize(
    ("shape", "region"),
    [
        ((3, 5000, 300), np.s_[0:3, 10:4990, 5:290]),
        ((2, 3, 40, 20000), np.s_[0:2, 1:3, 3:40, 7:9]),
        ((5000, 64), np.s_[1:4999, 3:5]),
        ((70, 100, 100), np.s_[2:68, 0:100, 0:100]),
        ((7,), (slice(2, 5),)),
    ],
)
def test_contiguous_values_are_read_row_by_row_or_in_spans(
    tmp_path: Path, shape: tuple[int, ...], region: Any
) -> None:
    data = np.arange(np.prod(shape), dtype="<u4").reshape(shape)
    store(tmp_path / "x.h5", data, None, "none")
    np.testing.assert_array_equal(reader_of(tmp_path / "x.h5").read(region), data[region])


@pytest.mark.parametrize(
    "name", ["gzip, shuffle", "gzip, shuffle, fletcher32", "bitshuffle-lz4, fletcher32"]
)
def test_filters_that_a_chunk_did_not_go_through_are_left_out(tmp_path: Path, name: str) -> None:
    data = counts((4, 30, 20), "<u2")
    path = tmp_path / "x.h5"
    store(path, data, (1, 30, 20), name)
    count = len(name.split(","))
    with h5py.File(path, "r+") as file:
        dataset = file["x"].id
        dataset.write_direct_chunk((1, 0, 0), data[1].tobytes(), 2**count - 1)
        if "gzip" in name:
            sorted_bytes = data[2].reshape(-1).view("u1").reshape(-1, 2).T.tobytes()
            dataset.write_direct_chunk((2, 0, 0), sorted_bytes, 2**count - 2)
        np.testing.assert_array_equal(file["x"][()], data)
    np.testing.assert_array_equal(reader_of(path).read(np.s_[0:4, 0:30, 0:20]), data)


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    data = counts((20, 64, 64), "<u2")
    store(tmp_path / "x.h5", data, (1, 32, 32), "bitshuffle-lz4, fletcher32")
    reader = reader_of(tmp_path / "x.h5")
    together = threading.Barrier(4)

    def read(number: int) -> bool:
        together.wait(120)
        rng = np.random.default_rng(number)
        for _ in range(60):
            low = rng.integers(0, [20, 64, 64])
            region = tuple(
                slice(int(a), int(rng.integers(a, n)) + 1)
                for a, n in zip(low, data.shape, strict=True)
            )
            if not np.array_equal(reader.read(region), data[region]):
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, range(4)))


def test_it_works_without_calling_pread_from_compiled_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = counts((3, 64, 64), "<u2")
    store(tmp_path / "x.h5", data, (1, 32, 32), "bitshuffle-lz4, fletcher32")
    monkeypatch.setattr("nxscan.hdf5.fastpath.pread_address", lambda: None)
    np.testing.assert_array_equal(reader_of(tmp_path / "x.h5").read(np.s_[0:3, 0:64, 0:64]), data)


@pytest.mark.parametrize("missing", [(), ("preadv",), ("preadv", "pread")])
def test_bytes_are_read_in_the_ways_that_other_systems_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: tuple[str, ...]
) -> None:
    for name in missing:
        monkeypatch.delattr(os, name)
    monkeypatch.setattr(rawio, "_HELD", "pread" not in missing)
    (tmp_path / "x").write_bytes(bytes(range(200)))
    file = RawFile(tmp_path / "x")
    found = bytearray(50)
    with file.opened() as descriptor:
        file.read_into(descriptor, memoryview(found), 120)
        assert found == bytes(range(120, 170))
        with pytest.raises(OSError, match="the file ends at byte 200 of 220"):
            file.read_into(descriptor, memoryview(found), 170)
    (tmp_path / "x").write_bytes(b"another")
    if "pread" in missing:
        with pytest.raises(OSError, match="has changed"), file.opened():
            pass


@pytest.mark.skipif(os.name == "nt", reason="Windows lets no open file be replaced")
def test_a_file_that_was_replaced_is_read_as_it_was(tmp_path: Path) -> None:
    old, new = counts((3, 8, 8), "<u2", 1), counts((3, 8, 8), "<u2", 2)
    store(tmp_path / "x.h5", old, (1, 8, 8), "gzip")
    store(tmp_path / "new.h5", new, None, "none")
    reader = reader_of(tmp_path / "x.h5")
    (tmp_path / "new.h5").replace(tmp_path / "x.h5")
    np.testing.assert_array_equal(reader.read(np.s_[0:3, 0:8, 0:8]), old)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_the_file_is_closed_with_the_reader(tmp_path: Path) -> None:
    store(tmp_path / "x.h5", counts((3, 8, 8), "<u2"), (1, 8, 8), "gzip")

    def held() -> int:
        links = Path("/proc/self/fd").iterdir()
        return sum(os.path.realpath(link) == os.path.realpath(tmp_path / "x.h5") for link in links)

    reader = reader_of(tmp_path / "x.h5")
    assert held() == 1
    del reader
    gc.collect()
    assert held() == 0


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4, 5), "u2")
    layout[...] = h5py.VirtualSource(".", "other", (4, 5))
    file["other"] = np.ones((4, 5), "u2")
    file.create_virtual_dataset("x", layout)


def _external(file: h5py.File) -> None:
    raw = Path(file.filename).with_suffix(".raw")
    file.create_dataset("x", data=np.ones((4, 5), "u2"), external=[(str(raw), 0, 40)])


def _compact(file: h5py.File) -> None:
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(file.id, b"x", h5t.STD_U16LE, h5s.create_simple((4, 5)), plist)
    file["x"][...] = 1


def _bits(file: h5py.File) -> None:
    kind = h5t.STD_U16LE.copy()
    kind.set_precision(12)
    h5py.h5d.create(file.id, b"x", kind, h5s.create_simple((4, 5)))
    file["x"][...] = 1


FOREIGN: dict[str, Any] = {
    "virtual": _virtual,
    "external": _external,
    "compact": _compact,
    "twelve bits": _bits,
    "lzf": lambda f: f.create_dataset("x", data=np.ones((4, 5), "u2"), compression="lzf"),
    "scale-offset": lambda f: f.create_dataset("x", data=np.ones((4, 5), "u2"), scaleoffset=0),
    "blosc2": lambda f: f.create_dataset("x", data=np.ones((4, 5)), **hdf5plugin.Blosc2()),
    "compound": lambda f: f.create_dataset("x", data=np.ones(4, "u2,f4")),
    "complex": lambda f: f.create_dataset("x", data=np.ones(4, "c8")),
    "bool": lambda f: f.create_dataset("x", data=np.ones(4, "?")),
    "text": lambda f: f.create_dataset("x", data=["a", "b"]),
    "scalar": lambda f: f.create_dataset("x", data=3),
    "empty": lambda f: f.create_dataset("x", data=h5py.Empty("f4")),
    "group": lambda f: f.create_group("x"),
    "nothing": lambda f: None,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_hdf5_reads_what_is_stored_in_other_ways(tmp_path: Path, kind: str) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        FOREIGN[kind](file)
    assert direct_reader(tmp_path / "x.h5", "/x") is None


def test_hdf5_reads_files_with_a_user_block_and_what_is_no_hdf5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w", userblock_size=512) as file:
        file["x"] = np.ones((4, 5), "u2")
    (tmp_path / "y.h5").write_bytes(b"no HDF5")
    assert direct_reader(tmp_path / "x.h5", "/x") is None
    assert direct_reader(tmp_path / "y.h5", "/x") is None
    assert direct_reader(tmp_path / "z.h5", "/x") is None


@pytest.mark.parametrize("chunks", [None, (1, 4, 5)])
def test_a_link_into_another_file_is_never_read_at_the_places_of_the_first(
    tmp_path: Path, chunks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = counts((6, 4, 5), "<u2")
    store(tmp_path / "x.h5", data, chunks, "none")
    with h5py.File(tmp_path / "first.h5", "w") as file:
        # as long as the other file, so that its places are there, with other bytes
        file["filling"] = np.full((tmp_path / "x.h5").stat().st_size, 7, "u1")
        file["x"] = h5py.ExternalLink("x.h5", "/x")
    assert direct_reader(tmp_path / "first.h5", "/x") is None
    monkeypatch.setattr(h5signal, "WORTHWHILE", 0)
    np.testing.assert_array_equal(HDF5Signal(tmp_path / "first.h5", "/x")[...], data)


def test_a_file_under_another_name_is_read_directly(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    data = counts((3, 4, 5), "<u2")
    store(tmp_path / "x.h5", data, None, "none")
    found = RawFile(tmp_path / "folder" / ".." / "x.h5")
    with h5py.File(tmp_path / "x.h5") as file:
        reader = reader_for(found, file["x"])
    assert reader is not None
    np.testing.assert_array_equal(reader.read(np.s_[0:3, 0:4, 0:5]), data)


def test_two_compressions_in_a_row_are_left_to_hdf5() -> None:
    assert pipeline([(1, (4,)), (1, (4,))], 100) is None
    assert isinstance(pipeline([(1, (4,)), (3, ())], 100), Pipeline)


def test_a_dataset_that_was_made_smaller_or_larger(tmp_path: Path) -> None:
    data = counts((6, 10), "<u2")
    path = tmp_path / "x.h5"
    store(path, data, (4, 4), "gzip", maxshape=(None, None))
    with h5py.File(path, "r+") as file:
        file["x"].resize((3, 7))
    np.testing.assert_array_equal(reader_of(path).read(np.s_[0:3, 0:7]), data[:3, :7])
    with h5py.File(path, "r+") as file:
        file["x"].resize((9, 7))
    np.testing.assert_array_equal(reader_of(path).read(np.s_[0:4, 0:7])[:3], data[:3, :7])
    with pytest.raises(UnwrittenError):
        reader_of(path).read(np.s_[0:9, 0:7])


@given(data=st.binary(max_size=3000), fill=st.sampled_from([None, 0, 255]))
def test_the_checksum_is_the_one_that_words_give(data: bytes, fill: int | None) -> None:
    given_bytes = data if fill is None else bytes([fill]) * len(data)
    assert fletcher32(np.frombuffer(given_bytes, np.uint8)) == plain_fletcher32(given_bytes)


@pytest.mark.parametrize("fill", [255, None])
def test_the_checksum_of_many_bytes_is_the_one_that_words_give(fill: int | None) -> None:
    size = 5 * 2**20 + 3
    data = np.random.default_rng(0).integers(0, 256, size).astype("u1")
    data = data if fill is None else np.full(size, fill, "u1")
    assert fletcher32(data) == plain_fletcher32(data.tobytes())


@given(data=st.binary(max_size=2000), itemsize=st.integers(1, 16))
def test_shuffled_bytes_come_back(data: bytes, itemsize: int) -> None:
    values = np.frombuffer(data, np.uint8)
    count = len(values) // itemsize
    whole = values[: count * itemsize].reshape(count, itemsize).T.reshape(-1)
    shuffled = np.concatenate([whole, values[count * itemsize :]])
    target = np.zeros_like(values)
    unshuffle(shuffled, target, itemsize)
    np.testing.assert_array_equal(target, values)
