"""Frames in datasets and in plain files are read as they were written."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.hdf5.boxes import boxes, runs_in_order, runs_sorted
from nxscan.hdf5.frames import RawFrames, StoredFrames
from nxscan.hdf5.openfiles import OpenFiles, PooledFile
from nxscan.hdf5.readers import Readers


def whole(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, length) for length in shape)


def numbers(shape: tuple[int, ...], dtype: str = "u2") -> np.ndarray:
    return np.random.default_rng(1).integers(0, 200, shape).astype(dtype)


def stored(path: Path, values: np.ndarray, rank: int, **storage: object) -> StoredFrames:
    with h5py.File(path, "w") as file:
        made = file.create_dataset("data", data=values, **storage)
        chunks = made.chunks
    return StoredFrames(path, "/data", values.shape, values.dtype, rank, chunks)


def raw(path: Path, values: np.ndarray, header: int = 512, between: int = 0) -> RawFrames:
    """Write frames one after the other, each behind a header."""
    offsets, data = [], b""
    for frame in values:
        data += b"h" * header
        offsets.append(len(data))
        data += frame.tobytes() + b"t" * between
    path.write_bytes(data)
    return RawFrames(path, offsets, values.shape[1:], values.dtype)


STORAGE = [
    {},
    {"chunks": (1, 2, 4, 4)},
    {"chunks": (2, 3, 3, 5), "compression": "gzip", "shuffle": True},
    {"chunks": (1, 2, 6, 7), **hdf5plugin.Bitshuffle(cname="lz4")},
]


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_frames_of_a_dataset_are_numbered_in_c_order(tmp_path, rank, storage):
    values = numbers((3, 4, 6, 7))
    frames = stored(tmp_path / "a.h5", values, rank, **storage)
    flat = values.reshape((-1, *values.shape[rank:]))
    assert (frames.count, frames.shape, frames.dtype) == (len(flat), flat.shape[1:], values.dtype)
    for first in range(min(len(flat), 7)):
        out = np.empty((len(flat) - first, *flat.shape[1:]), values.dtype)
        frames.read(first, out, whole(frames.shape))
        np.testing.assert_array_equal(out, flat[first:])


def test_a_part_of_each_frame_is_read_into_a_part_of_an_array(tmp_path):
    values = numbers((5, 6, 7))
    window = (slice(1, 4), slice(2, 7))
    for frames in (stored(tmp_path / "a.h5", values, 1), raw(tmp_path / "a.raw", values)):
        out = np.full((4, 9, 9), 7, "f8")
        frames.read(1, out[:, 2:5, 3:8], window)
        np.testing.assert_array_equal(out[:, 2:5, 3:8], values[1:, 1:4, 2:7])
        out[:, 2:5, 3:8] = 7
        assert (out == 7).all()


@pytest.mark.parametrize("values", [np.array(4.5), np.arange(5.0)])
def test_datasets_without_a_scan_are_one_frame(tmp_path, values):
    frames = stored(tmp_path / "a.h5", values, 0)
    out = np.empty((1, *values.shape))
    frames.read(0, out, whole(values.shape))
    np.testing.assert_array_equal(out[0], values)


def test_numbers_and_curves_are_frames_too(tmp_path):
    values = numbers((9, 4), "i4")
    for made in (stored(tmp_path / "a.h5", values, 1), raw(tmp_path / "a.raw", values)):
        out = np.empty((6, 2), "i4")
        made.read(2, out, (slice(1, 3),))
        np.testing.assert_array_equal(out, values[2:8, 1:3])
    for made in (
        stored(tmp_path / "b.h5", values[:, 0], 1),
        raw(tmp_path / "b.raw", np.ascontiguousarray(values[:, 0])),
    ):
        out = np.empty(6, "i4")
        made.read(2, out, ())
        np.testing.assert_array_equal(out, values[2:8, 0])


@pytest.mark.parametrize("dtype", ["<u2", ">u2", ">f4", "<f8", "u1", "i1", ">i8", "<c16"])
@pytest.mark.parametrize(("header", "between"), [(0, 0), (512, 0), (3, 5), (40_000, 0)])
def test_plain_bytes_of_any_type_and_distance(tmp_path, dtype, header, between):
    values = numbers((6, 5, 8), "u1").astype(dtype) / np.dtype(dtype).type(1)
    values = values.astype(dtype)
    frames = raw(tmp_path / "a.raw", values, header, between)
    assert frames.dtype.isnative
    for region in (whole((5, 8)), (slice(1, 3), slice(0, 8)), (slice(2, 5), slice(3, 4))):
        for out_type in (frames.dtype, np.dtype("c16")):
            out = np.empty((4, *(part.stop - part.start for part in region)), out_type)
            frames.read(2, out, region)
            np.testing.assert_array_equal(out, values[(slice(2, 6), *region)])


def test_large_frames_with_headers_between_them(tmp_path):
    values = numbers((3, 300, 200))
    frames = raw(tmp_path / "a.raw", values, 1024)
    out = np.empty((3, 300, 200), "u2")
    frames.read(0, out, whole((300, 200)))
    np.testing.assert_array_equal(out, values)
    out = np.empty((3, 300, 10), "u2")
    frames.read(0, out, (slice(0, 300), slice(5, 15)))
    np.testing.assert_array_equal(out, values[:, :, 5:15])


@given(
    st.lists(st.integers(0, 11), min_size=1, max_size=8),
    st.sampled_from(["<u2", ">i4"]),
    st.data(),
)
def test_frames_anywhere_in_a_file(tmp_path_factory, places, dtype, data):
    path = tmp_path_factory.mktemp("raw") / "a.raw"
    bytes_ = np.random.default_rng(2).integers(0, 256, 4000).astype("u1").tobytes()
    path.write_bytes(bytes_)
    frame = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 7)))
    offsets = [place * data.draw(st.sampled_from([1, 120, 252])) for place in places]
    frames = RawFrames(path, offsets, frame, np.dtype(dtype))
    region = tuple(
        slice(a, data.draw(st.integers(a + 1, n)))
        for n in frame
        for a in [data.draw(st.integers(0, n - 1))]
    )
    out = np.empty((len(offsets), *(p.stop - p.start for p in region)), frames.dtype)
    frames.read(0, out, region)
    for found, offset in zip(out, offsets, strict=True):
        expected = np.frombuffer(bytes_, dtype, math.prod(frame), offset).reshape(frame)
        np.testing.assert_array_equal(found, expected[region])


def test_a_file_that_is_cut_is_named_with_frame_and_bytes(tmp_path):
    frames = raw(tmp_path / "a.raw", numbers((4, 5, 8)), 100)
    size = frames.path.stat().st_size
    os.truncate(frames.path, size - 30)
    with pytest.raises(SourceError) as caught:
        frames.read(1, np.empty((3, 5, 8), "u2"), whole((5, 8)))
    said = str(caught.value)
    assert "a.raw: frame 3 is cut: expected 80 bytes from byte 640 on, found 50" in said
    out = np.empty((3, 5, 8), "u2")
    frames.read(0, out, whole((5, 8)))  # those before are there
    frames.path.unlink()
    with pytest.raises(SourceError, match=r"a\.raw: frame 1 cannot be read.*not there"):
        frames.read(1, out, whole((5, 8)))


def test_an_hdf5_file_that_is_gone_or_another_one_is_refused(tmp_path):
    frames = stored(tmp_path / "a.h5", numbers((4, 5)), 1)
    out = np.empty((2, 5), "u2")
    frames.read(0, out, whole((5,)))
    with h5py.File(frames.path, "w") as file:
        file["data"] = np.zeros((4, 6), "u2")
    with pytest.raises(SourceError, match=r"a\.h5::/data has shape \(4, 6\), expected \(4, 5\)"):
        frames.read(0, out, whole((5,)))
    with h5py.File(frames.path, "w") as file:
        file["data"] = np.zeros((4, 5), "f4")
    with pytest.raises(SourceError, match=r"a\.h5::/data holds float32, expected uint16"):
        frames.read(0, out, whole((5,)))
    frames.path.unlink()
    with pytest.raises(SourceError, match=r"a\.h5::/data cannot be read"):
        frames.read(0, out, whole((5,)))


def test_a_file_that_took_the_place_of_another_is_read_anew(tmp_path):
    before, after = numbers((4, 5, 6)), numbers((4, 5, 6)) + 1
    for make in (lambda name, v: stored(tmp_path / name, v, 1), lambda n, v: raw(tmp_path / n, v)):
        frames = make("a", before)
        out = np.empty((4, 5, 6), "u2")
        frames.read(0, out, whole((5, 6)))
        make("b", after)
        (tmp_path / "b").replace(tmp_path / "a")
        frames.read(0, out, whole((5, 6)))
        np.testing.assert_array_equal(out, after)


def test_a_dataset_that_got_longer_is_read_on(tmp_path):
    frames = stored(tmp_path / "a.h5", numbers((4, 5)), 1, maxshape=(None, 5))
    with h5py.File(frames.path, "r+") as file:
        file["data"].resize((8, 5))
        file["data"][4:] = 9
    out = np.empty((4, 5), "u2")
    frames.read(0, out, whole((5,)))
    np.testing.assert_array_equal(out, numbers((4, 5)))


def test_frames_that_were_never_written_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("data", (6, 4, 4), "u2", chunks=(1, 4, 4))
        made[:3] = 5
    frames = StoredFrames(path, "/data", (6, 4, 4), np.dtype("u2"), 1, (1, 4, 4))
    with pytest.raises(SourceError, match="frames 3 to 5 cannot be read, never written"):
        frames.read(0, np.empty((6, 4, 4), "u2"), whole((4, 4)))


def test_a_damaged_chunk_is_named_however_much_is_read(tmp_path):
    frames = stored(
        tmp_path / "a.h5", numbers((6, 64, 64)), 1, chunks=(1, 64, 64), **hdf5plugin.LZ4()
    )
    with h5py.File(frames.path) as file:
        place = file["data"].id.get_chunk_info(2).byte_offset
    data = bytearray(frames.path.read_bytes())
    data[place : place + 40] = b"\xff" * 40
    frames.path.write_bytes(data)
    for _ in range(2):
        with pytest.raises(SourceError, match=r"frame 2 cannot be read.*damaged"):
            frames.read(0, np.empty((6, 64, 64), "u2"), whole((64, 64)))


def test_frames_can_be_pickled_compared_and_hashed(tmp_path):
    values = numbers((4, 5, 6))
    for frames in (stored(tmp_path / "a.h5", values, 1), raw(tmp_path / "a.raw", values)):
        frames.read(0, np.empty((4, 5, 6), "u2"), whole((5, 6)))
        again = pickle.loads(pickle.dumps(frames))
        assert again == frames
        assert hash(again) == hash(frames)
        out = np.empty((4, 5, 6), "u2")
        again.read(0, out, whole((5, 6)))
        np.testing.assert_array_equal(out, values)
    moved = RawFrames(frames.path, frames.offsets + 1, frames.frame, frames.stored)
    assert moved != frames
    with pytest.raises(ValueError, match="read-only"):
        frames.offsets[0] = 0


def test_many_threads_read_many_files(tmp_path):
    values = numbers((40, 8, 8))
    many = [stored(tmp_path / f"{k}.h5", values[k : k + 1], 1) for k in range(20)]
    many += [raw(tmp_path / f"{k}.raw", values[k : k + 1]) for k in range(20, 40)]

    def read(k: int) -> bool:
        out = np.empty((1, 8, 8), "u2")
        many[k % 40].read(0, out, whole((8, 8)))
        return bool((out[0] == values[k % 40]).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, np.random.default_rng(3).integers(0, 40, 400).tolist()))


def test_few_files_stay_open(tmp_path):
    pool = OpenFiles(3)
    paths = [tmp_path / f"{k}" for k in range(5)]
    for path in paths:
        path.write_bytes(b"data")
    held = [pool.get(path) for path in paths]
    assert pool.held(paths[0]) is None
    assert [pool.held(path) for path in paths[2:]] == held[2:]
    assert pool.get(paths[4]) is held[4]
    paths[4].write_bytes(b"other data")
    assert pool.get(paths[4]).size == 10


@pytest.mark.skipif(not hasattr(os, "pread"), reason="files are opened for each reading here")
def test_a_pooled_file_that_has_changed_since_is_refused_once_it_was_closed(tmp_path, monkeypatch):
    monkeypatch.setattr("nxscan.hdf5.openfiles.files", OpenFiles(1))
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"0123")
    other.write_bytes(b"x")
    file = PooledFile(path)
    path.write_bytes(b"45678")
    with file.opened():
        pass  # it is still open
    PooledFile(other)
    with pytest.raises(OSError, match="has changed since it was opened"), file.opened():
        pass


def test_what_is_known_of_datasets_is_bounded(tmp_path):
    readers = Readers(most=1000)
    many = [stored(tmp_path / f"{k}.h5", numbers((2, 3)), 1) for k in range(8)]
    first = readers.get(many[0])
    assert readers.get(many[0]) is first
    for frames in many[1:]:
        readers.get(frames)
    assert readers.get(many[0]) is not first


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_boxes_hold_consecutive_values_in_order(lengths, data):
    size = math.prod(lengths)
    first = data.draw(st.integers(0, size - 1))
    count = data.draw(st.integers(0, size - first))
    values = np.arange(size).reshape(lengths)
    found = [values[box].ravel() for box in boxes(tuple(lengths), first, count)]
    assert np.concatenate([[], *found]).tolist() == list(range(first, first + count))
    assert len(found) <= 2 * len(lengths) - 1


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_runs_hold_every_frame_once_in_its_place(frames, most):
    source = np.array([one for one, _ in frames], np.int32)
    index = np.array([one for _, one in frames], np.int64)
    for runs in (runs_in_order(source, index), runs_sorted(source, index, most)):
        found = np.full((len(frames), 2), -1)
        seen = np.zeros(len(frames), int)
        for run in runs:
            values = np.arange(run.first, run.first + run.length)
            values = values if run.taken is None else values[run.taken]
            found[run.place, 0] = run.source
            found[run.place, 1] = values
            seen[run.place] += 1
        assert (seen == 1).all()
        assert (found[:, 0] == source).all()
        assert (found[:, 1] == index).all()
    zigzag = runs_in_order(np.zeros(9, np.int32), np.array([0, 1, 2, 5, 4, 3, 6, 7, 8]))
    assert len(zigzag) == 3


def test_a_file_that_is_replaced_while_it_is_read(tmp_path, monkeypatch):
    before, after = numbers((4, 5, 6)), numbers((4, 5, 6)) + 1
    frames = stored(tmp_path / "a.h5", before, 1)
    stored(tmp_path / "b.h5", after, 1)
    pool, readers, get = OpenFiles(1), Readers(), Readers.get
    monkeypatch.setattr("nxscan.hdf5.openfiles.files", pool)

    def replaced(self: Readers, wanted: StoredFrames) -> object:
        found = get(self, wanted)
        if (tmp_path / "b.h5").exists():
            (tmp_path / "b.h5").replace(tmp_path / "a.h5")
            (tmp_path / "c").write_bytes(b"another file")
            pool.get(tmp_path / "c")
        return found

    monkeypatch.setattr(Readers, "get", replaced)
    out = np.empty((4, 5, 6), "u2")
    readers.read(frames, whole((4, 5, 6)), out)
    np.testing.assert_array_equal(out, after)


@given(data=st.data())
@settings(max_examples=60)
def test_damage_anywhere_in_a_file_is_refused_or_does_no_harm(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damage") / "a.h5"
    frames = stored(path, numbers((4, 5, 6)), 1, chunks=(1, 5, 6), compression="gzip")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    out = np.empty((4, 5, 6), "u2")
    with contextlib.suppress(SourceError):
        frames.read(0, out, whole((5, 6)))
