"""Compression outside HDF5 gives what HDF5 reads; chunks stay within their bounds."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.model import ArraySignal, Signal
from nxscan.nexus import frames
from nxscan.nexus.chunks import CHUNK_BYTES, chunk_shape
from nxscan.nexus.codec import encoders, fletcher32, plain_fletcher32
from nxscan.nexus.pieces import PieceMaker

DTYPES = ["u1", "u2", "i4", "f4", "f8"]


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(1, 40), min_size=1, max_size=4).map(tuple),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**31),
)
def test_hdf5_decodes_what_the_encoder_made(
    tmp_path_factory: pytest.TempPathFactory, shape: tuple[int, ...], dtype: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    data = rng.integers(0, 200, shape).astype(dtype)
    chunks = tuple(int(rng.integers(1, n + 1)) for n in shape)
    with h5py.File(tmp_path_factory.mktemp("codec") / "x.h5", "w") as file:
        options = {"chunks": chunks, "fletcher32": True, **hdf5plugin.Bitshuffle()}
        dataset = file.create_dataset("x", shape, dtype, **options)
        compress = encoders(dataset)
        if compress is None:
            pytest.skip("the bitshuffle plug-in cannot be called directly here")
        maker = PieceMaker(ArraySignal(data), chunks, 0, compress)
        for offset, encoded in maker.make(()).chunks:
            dataset.id.write_direct_chunk(offset, encoded)
        np.testing.assert_array_equal(dataset[()], data)


@pytest.mark.parametrize("size", [1, 2, 3, 1000, 65535 * 2, 10**6 + 1])
@pytest.mark.parametrize("fill", [None, 0, 255])
def test_the_checksum_is_hdf5s_own(tmp_path: Path, size: int, fill: int | None) -> None:
    values = np.random.default_rng(size).integers(0, 256, size).astype("u1")
    data = values if fill is None else np.full(size, fill, "u1")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = file.create_dataset("x", data=data, chunks=(size,), fletcher32=True)
        _, stored = dataset.id.read_direct_chunk((0,))
    expected = int.from_bytes(stored[-4:], "little")
    assert fletcher32(data.tobytes()) == expected
    assert plain_fletcher32(data.tobytes()) == expected


def test_a_flipped_byte_of_a_frame_is_an_error_for_every_reader(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    data = np.random.default_rng(0).poisson(20, (3, 600, 600)).astype("u2")
    with h5py.File(path, "w") as file:
        dataset = frames.create_frames(file, "data", ArraySignal(data), 1)
        frames.store_frames(dataset, ArraySignal(data), 1)
        place = dataset.id.get_chunk_info_by_coord((1, 0, 512)).byte_offset + 1000
    raw = bytearray(path.read_bytes())
    raw[place] ^= 4
    path.write_bytes(raw)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["data"][0], data[0])
        with pytest.raises(OSError, match=r"filter|Fletcher32"):
            file["data"][1]


def test_a_dataset_of_another_filter_has_no_encoder(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        assert (
            encoders(file.create_dataset("x", (4,), "u2", chunks=(2,), compression="gzip")) is None
        )


@given(
    scan=st.lists(st.integers(1, 500), max_size=3).map(tuple),
    frame=st.lists(st.integers(1, 5000), max_size=2).map(tuple),
    itemsize=st.sampled_from([1, 2, 4, 8]),
)
def test_chunks_fit_the_shape_and_stay_small(
    scan: tuple[int, ...], frame: tuple[int, ...], itemsize: int
) -> None:
    chunks = chunk_shape(scan, frame, itemsize)
    shape = scan + frame
    assert len(chunks) == len(shape)
    assert all(1 <= c <= n for c, n in zip(chunks, shape, strict=True))
    assert math.prod(chunks) * itemsize <= CHUNK_BYTES


@pytest.mark.parametrize(
    ("frames_count", "expected"), [(40, (1, 512, 512)), (480, (1, 512, 512)), (500, (4, 256, 256))]
)
def test_tiles_shrink_when_a_stack_of_them_passes_256_mb(
    frames_count: int, expected: tuple[int, ...]
) -> None:
    assert chunk_shape((frames_count,), (2048, 2048), 2) == expected


class _Counting(Signal):
    """A signal of constant frames that counts how many blocks are being read at once."""

    def __init__(self, shape: tuple[int, ...], fail_at: int = -1) -> None:
        self._shape, self._fail_at = shape, fail_at
        self.read_frames: list[int] = []
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype("u2")

    def read(self, selection: Any) -> np.ndarray[Any, Any]:
        start, stop = selection[0].start, selection[0].stop
        with self._lock:
            self.read_frames.extend(range(start, stop))
        if start <= self._fail_at < stop:
            raise SourceError("frame 7 is damaged")
        return np.full((stop - start, *self._shape[1:]), start, "u2")


def _store(path: Path, signal: Signal, **options: Any) -> list[frames.Progress]:
    seen: list[frames.Progress] = []
    with h5py.File(path, "w") as file:
        dataset = frames.create_frames(file, "data", signal, 1)
        frames.store_frames(dataset, signal, 1, seen.append, **options)
    return seen


def test_each_frame_is_read_once_and_progress_reaches_the_end(tmp_path: Path) -> None:
    signal = _Counting((50, 600, 512))
    progress = _store(tmp_path / "x.h5", signal, workers=3)
    assert sorted(signal.read_frames) == list(range(50))
    assert [p.frames_done for p in progress] == sorted({p.frames_done for p in progress})
    assert progress[-1] == frames.Progress(50, 50, signal.nbytes, signal.nbytes)


def test_an_error_in_one_frame_stops_the_rest(tmp_path: Path) -> None:
    signal = _Counting((200, 512, 512), fail_at=7)
    with pytest.raises(SourceError, match="frame 7"):
        _store(tmp_path / "x.h5", signal, workers=2)
    assert len(signal.read_frames) < 60


def test_without_the_plugin_hdf5_compresses_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "encoders", lambda dataset: None)
    data = np.arange(5 * 30 * 40, dtype="u2").reshape(5, 30, 40)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        dataset = frames.create_frames(file, "data", ArraySignal(data), 1)
        frames.store_frames(dataset, ArraySignal(data), 1)
        np.testing.assert_array_equal(dataset[()], data)
