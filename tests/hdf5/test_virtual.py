"""Signals put together from frames elsewhere hold what those hold, in any arrangement."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.hdf5.frames import RawFrames, StoredFrames
from nxscan.hdf5.tiling import covers, holds
from nxscan.hdf5.virtual import NOWHERE, Tile, VirtualSignal, joined

FRAME = (6, 7)
SPLITS = (5, 1, 4, 8)


def counts(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 60_000, shape).astype("u2")


def dataset(path, values, rank=1, **storage) -> StoredFrames:
    with h5py.File(path, "w") as file:
        made = file.create_dataset("run/data", data=values, **storage)
        return StoredFrames(
            path, "/run/data", values.shape, values.dtype.newbyteorder("="), rank, made.chunks
        )


def plain(path, values) -> RawFrames:
    size = values[0].nbytes
    path.write_bytes(b"".join(b"head" + frame.tobytes() for frame in values))
    return RawFrames(path, 4 + (size + 4) * np.arange(len(values)), values.shape[1:], values.dtype)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Frames in datasets with and without chunks, deep ones too, and in a big-endian file."""
    folder = tmp_path_factory.mktemp("mixed")
    values = counts((sum(SPLITS), *FRAME))
    parts = np.split(values, np.cumsum(SPLITS)[:-1])
    sources = [
        dataset(folder / "a.h5", parts[0], chunks=(1, 6, 7), compression="gzip"),
        dataset(folder / "b.h5", parts[1]),
        plain(folder / "c.raw", parts[2].astype(">u2")),
        dataset(folder / "d.h5", parts[3], chunks=(3, 4, 7), **hdf5plugin.LZ4()),
    ]
    return values, sources


@st.composite
def selections(draw: Any, shape: tuple[int, ...]) -> Any:
    found: list[Any] = []
    for length in shape:
        kind = draw(st.sampled_from(["all", "one", "range", "steps"]))
        if kind == "one":
            found.append(draw(st.integers(-length, length - 1)))
        elif kind == "all":
            found.append(slice(None))
        else:
            start, stop = draw(st.integers(-length, length)), draw(st.integers(-length, length + 2))
            found.append(slice(start, stop, draw(st.integers(1, 3)) if kind == "steps" else None))
    cut = draw(st.integers(1, len(found)))
    return tuple(found) if draw(st.booleans()) else (*found[:cut], ...)


@given(st.data())
def test_any_selection_of_any_arrangement(mixed, data):
    values, sources = mixed
    signal = VirtualSignal.of(sources)
    kind = data.draw(st.sampled_from(["order", "zigzag", "random", "part"]))
    order = np.arange(len(values))
    shape: tuple[int, ...] = (len(values),)
    if kind == "zigzag":
        order = order.reshape(6, 3)
        order[1::2] = order[1::2, ::-1].copy()
        order, shape = order.ravel(), (6, 3)
    elif kind == "random":
        order = np.array(data.draw(st.permutations(order.tolist())))
        shape = data.draw(st.sampled_from([(3, 6), (2, 3, 3), (18,)]))
    elif kind == "part":
        order = np.array(data.draw(st.lists(st.integers(0, 17), min_size=1, max_size=9)))
        shape = (len(order),)
    made = signal.part(order) if kind == "part" else signal.arranged(shape, order)
    expected = values[order].reshape((*shape, *FRAME))
    assert (made.shape, made.dtype) == (expected.shape, expected.dtype)
    selection = data.draw(selections(expected.shape))
    wanted = expected[selection]
    found = made[selection]
    np.testing.assert_array_equal(found, wanted)
    assert found.shape == wanted.shape
    out = np.full_like(wanted, 7)
    made.read_into(selection, out)
    np.testing.assert_array_equal(out, wanted)


@pytest.mark.parametrize("nbytes", [0, 2**30])
@given(data=st.data())
def test_modules_with_gaps(tmp_path_factory, nbytes, data):
    folder = tmp_path_factory.mktemp("modules")
    frames = 7
    made, tiles, sources = np.full((frames, 11, 13), 65535, "u2"), [], []
    for k, corner in enumerate([(0, 0), (0, 7), (6, 0), (6, 8)]):
        shape = (5 if corner[0] else 4, 5)
        values = counts((frames, *shape), k)
        order = np.random.default_rng(k).permutation(frames)
        source = (dataset if k % 2 else plain)(folder / f"{k}", values)
        sources.append(source)
        tiles.append(Tile(corner, shape, np.full(frames, k, np.int32), order))
        window = tuple(slice(c, c + n) for c, n in zip(corner, shape, strict=True))
        made[(slice(None), *window)] = values[order]
    signal = VirtualSignal(sources, tiles, (frames,), (11, 13), gap=65535)
    signal.will_read(nbytes)
    np.testing.assert_array_equal(signal[...], made)
    selection = data.draw(selections(made.shape))
    np.testing.assert_array_equal(signal[selection], made[selection])
    again = signal.arranged((frames,), np.arange(frames)[::-1].copy())
    np.testing.assert_array_equal(again[...], made[::-1])


def test_gaps_of_integers_need_a_value_and_others_are_nan(tmp_path):
    for dtype in ("u2", "f4"):
        source = dataset(tmp_path / f"{dtype}.h5", np.ones((2, 3, 3), dtype))
        tile = Tile((0, 1), (3, 3), np.zeros(2, np.int32), np.arange(2))
        if dtype == "u2":
            with pytest.raises(SourceError, match="no uint16 says that a value is missing"):
                VirtualSignal([source], [tile], (2,), (3, 5))
            for gap in (-1, 65536, 0.5, float("nan")):
                with pytest.raises(SourceError, match="is no value of uint16"):
                    VirtualSignal([source], [tile], (2,), (3, 5), gap=gap)
            continue
        signal = VirtualSignal([source], [tile], (2,), (3, 5))
        expected = np.array([np.nan, 1, 1, 1, np.nan])
        np.testing.assert_array_equal(signal[1, 0], expected)


def test_tiles_cover_a_frame_only_if_nothing_is_left():
    def tile(corner, shape):
        return Tile(corner, shape, np.zeros(1, np.int32), np.zeros(1, np.int64))

    halves = [tile((0, 0), (2, 4)), tile((2, 0), (2, 4))]
    assert covers(halves, (4, 4))
    assert not covers(halves, (5, 4))
    assert not covers([*halves[:1], tile((3, 0), (1, 4))], (4, 4))
    # as large together as the frame, but one over the other
    assert not covers([tile((0, 0), (2, 4)), tile((1, 0), (2, 4))], (4, 4))
    assert covers([tile((), ())], ())


def test_a_missing_frame_is_named(tmp_path):
    source = dataset(tmp_path / "a.h5", counts((5, 2, 2)))
    number = np.zeros(6, np.int32)
    number[4] = NOWHERE
    tile = Tile((0, 0), (2, 2), number, np.array([0, 1, 2, 3, 0, 4]))
    signal = VirtualSignal([source], [tile], (2, 3), (2, 2))
    with pytest.raises(SourceError, match=r"frame 4 \(1, 1\) of a signal is missing"):
        signal.read(...)
    np.testing.assert_array_equal(signal[1, ::2], counts((5, 2, 2))[[3, 4]])
    np.testing.assert_array_equal(signal.part(np.array([5, 0]))[...], counts((5, 2, 2))[[4, 0]])


def test_types_are_widened_only_where_nothing_is_lost(tmp_path):
    values = {kind: np.arange(8).reshape(2, 2, 2).astype(kind) for kind in ("u2", "i4", ">f4")}
    sources = [dataset(tmp_path / f"{k}.h5", v) for k, v in enumerate(values.values())]
    signal = VirtualSignal.of(sources[:2])
    assert signal.dtype == np.dtype("i4")
    np.testing.assert_array_equal(signal[...], np.concatenate(list(values.values())[:2]))
    assert VirtualSignal.of(sources).dtype == np.dtype("f8")
    big = [dataset(tmp_path / f"{k}.h5", np.zeros((1, 2, 2), k)) for k in ("i8", "f8")]
    with pytest.raises(SourceError, match=r"int64, but those of .*f8\.h5 are float64"):
        VirtualSignal.of(big)
    with pytest.raises(SourceError, match="uint16, but those of the signal are uint8"):
        VirtualSignal(sources[:1], signal.tiles[:0], (2,), (2, 2), gap=0, dtype=np.dtype("u1"))


@pytest.mark.parametrize(
    ("wide", "narrow", "expected"),
    [
        ("f4", "u2", True),
        ("f4", "i4", False),
        ("f8", "u4", True),
        ("f8", "i8", False),
        ("i2", "u2", False),
        ("i4", "u2", True),
        ("c8", "u2", True),
        ("u2", "f4", False),
        ("f2", "i2", False),
        ("u1", "?", True),
    ],
)
def test_which_type_holds_which(wide, narrow, expected):
    assert holds(np.dtype(wide), np.dtype(narrow)) is expected
    if narrow in ("i8", "i4", "u2", "i2", "u4") and expected:
        info = np.iinfo(narrow)
        for value in (info.min, info.max, info.max - 1):
            assert int(np.array(value, narrow).astype(wide).real) == value


def test_frames_of_other_shapes_are_refused(tmp_path):
    sources = [dataset(tmp_path / f"{n}.h5", counts((2, n, 3))) for n in (3, 4)]
    with pytest.raises(SourceError, match=r"4\.h5: frames of \(4, 3\), but those of .*3\.h5"):
        VirtualSignal.of(sources)
    with pytest.raises(SourceError, match="no frames"):
        VirtualSignal.of([])
    number, index = np.zeros(2, np.int32), np.arange(2)
    for tile, words in (
        (Tile((0, 0), (4, 3), number, index), r"3\.h5: frames of \(3, 3\), expected \(4, 3\)"),
        (Tile((0, 0), (3, 3), number, index + 1), r"3\.h5: frame 2 is asked for, of 2"),
        (Tile((0, 0), (3, 3), number[:1], index[:1]), "1 frames, but the scan's shape"),
        (Tile((2, 0), (3, 3), number, index), "is not inside a frame"),
    ):
        with pytest.raises(SourceError, match=words):
            VirtualSignal(sources[:1], [tile], (2,), (4, 3), gap=0)


def test_a_selection_that_is_none_is_refused(mixed):
    signal = VirtualSignal.of(mixed[1])
    for selection in (18, (0, 0, 0, 0), slice(None, None, -1), (0, 7)):
        with pytest.raises(SourceError, match="selects nothing of a signal of shape"):
            signal.read(selection)
    with pytest.raises(SourceError, match="expected"):
        signal.read_into(0, np.empty((3, 3)))


@pytest.mark.parametrize("rank", [1, 2])
def test_a_dataset_taken_as_it_is_keeps_its_chunks(tmp_path, rank):
    values = counts((4, 5, *FRAME)[-2 - rank :])
    source = dataset(tmp_path / "a.h5", values, rank, chunks=(2, 3, 4, 7)[-2 - rank :])
    signal = VirtualSignal.of([source])
    order = np.arange(source.count)
    same = signal.arranged(values.shape[:rank], order)
    assert same.chunks == source.chunked
    np.testing.assert_array_equal(same[1:, 2:4, 1], values[1:, 2:4, 1])
    turned = signal.arranged(values.shape[:rank], order[::-1].copy())
    assert turned.chunks[rank:] == (4, 7)
    np.testing.assert_array_equal(turned[...].reshape(-1, *FRAME), values.reshape(-1, *FRAME)[::-1])


def test_chunks_follow_modules_and_frames_that_share_a_chunk(tmp_path):
    deep = [dataset(tmp_path / f"{k}.h5", counts((8, *FRAME)), chunks=(4, 6, 7)) for k in range(2)]
    signal = VirtualSignal.of(deep)
    assert signal.chunks == (4, 6, 7)
    assert signal.arranged((4, 4), np.arange(16)).chunks == (1, 4, 6, 7)
    assert signal.arranged((2, 8), np.arange(16)).chunks == (1, 4, 6, 7)
    zigzag = np.arange(16).reshape(2, 8)
    zigzag[1] = zigzag[1, ::-1].copy()
    assert signal.arranged((2, 8), zigzag.ravel()).chunks == (1, 4, 6, 7)
    assert signal.arranged((16,), np.roll(np.arange(16), 1)).chunks == (1, 6, 7)
    assert VirtualSignal.of([plain(tmp_path / "a.raw", counts((3, *FRAME)))]).chunks is None
    tiles = [Tile((7 * k, 0), FRAME, np.full(8, k, np.int32), np.arange(8)) for k in range(2)]
    assert VirtualSignal(deep, tiles, (8,), (13, 7), gap=0).chunks == (4, 7, 7)


def test_signals_are_joined_one_after_the_other(tmp_path):
    values = counts((6, *FRAME)), counts((3, *FRAME), 1)
    first = VirtualSignal.of([plain(tmp_path / "a.raw", values[0])], "counts", "Intensity")
    second = VirtualSignal.of([dataset(tmp_path / "b.h5", values[1])], "counts")
    made = joined([first, second.part(np.array([2, 0]))])
    expected = np.concatenate([values[0], values[1][[2, 0]]])
    np.testing.assert_array_equal(made[...], expected)
    assert (made.units, made.long_name, made.scan_shape) == ("counts", "Intensity", (8,))
    other = VirtualSignal.of([dataset(tmp_path / "c.h5", values[1])], "V")
    with pytest.raises(SourceError, match=r"c\.h5: units V, but those of .*a\.raw are counts"):
        joined([first, other])


def test_a_part_needs_only_its_files(mixed):
    values, sources = mixed
    part = VirtualSignal.of(sources).part(np.array([17, 5]))
    assert [source.path.name for source in part.sources] == ["b.h5", "d.h5"]
    np.testing.assert_array_equal(part[...], values[[17, 5]])
    assert VirtualSignal.of(sources).part(np.array([], int))[...].shape == (0, *FRAME)


def test_frames_of_no_and_one_dimension(tmp_path):
    values = counts((6, 4))
    curves = VirtualSignal.of([dataset(tmp_path / "a.h5", values)]).arranged(
        (2, 3), np.array([5, 4, 3, 0, 1, 2])
    )
    np.testing.assert_array_equal(curves[1, ::2, 1:3], values[[0, 2], 1:3])
    sources = [dataset(tmp_path / "b.h5", values[:, 0]), plain(tmp_path / "c", values[:, 1])]
    points = VirtualSignal.of(sources)
    np.testing.assert_array_equal(points[...], values.T[:2].ravel())
    assert points[7] == values[1, 1]
    assert points[7].shape == ()


def test_pickled_signals_are_read_by_many_threads(mixed):
    values, sources = mixed
    order = np.random.default_rng(5).permutation(18)
    signal = pickle.loads(pickle.dumps(VirtualSignal.of(sources).arranged((18,), order)))
    expected = values[order]

    def read(k: int) -> bool:
        part = slice(k % 15, k % 15 + 4)
        return bool((signal[part] == expected[part]).all())

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(read, range(120)))


def test_what_is_read_once_is_decoded_once(tmp_path, monkeypatch):
    """Zigzag rows and shuffled frames of deep chunks are read chunk by chunk."""
    values = counts((64, *FRAME))
    source = dataset(tmp_path / "a.h5", values, chunks=(16, 6, 7))
    read, asked = StoredFrames.read, []

    def counted(self, first, out, region):
        asked.append(len(out))
        read(self, first, out, region)

    monkeypatch.setattr(StoredFrames, "read", counted)
    order = np.arange(64).reshape(4, 16)
    order[1::2] = order[1::2, ::-1].copy()
    signal = VirtualSignal.of([source]).arranged((4, 16), order.ravel())
    np.testing.assert_array_equal(signal[...], values[order])
    assert sum(asked) == 64
    assert len(asked) <= 4
    asked.clear()
    order = np.random.default_rng(0).permutation(64)
    signal = VirtualSignal.of([source]).arranged((64,), order)
    np.testing.assert_array_equal(signal[...], values[order])
    assert sum(asked) == 64
    assert len(asked) <= 4
