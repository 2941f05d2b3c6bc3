"""A signal gives the same past HDF5 as by HDF5, and what numpy's indexing gives."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.stored import counts, store
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.hdf5 import h5signal
from nxscan.hdf5.directread import DirectReader
from nxscan.hdf5.regions import bounds
from nxscan.nexus import HDF5Signal

SHAPE = (5, 7, 30, 20)


@pytest.fixture(scope="module")
def data() -> Any:
    return counts(SHAPE, ">u2")


@pytest.fixture(scope="module", params=[(1, 2, 30, 9), None])
def signal(request: Any, data: Any, tmp_path_factory: pytest.TempPathFactory) -> HDF5Signal:
    path = tmp_path_factory.mktemp("signal") / "x.h5"
    store(path, data, request.param, "gzip, shuffle" if request.param else "none")
    return HDF5Signal(path, "/x")


def parts(length: int) -> Any:
    ends = st.none() | st.integers(-length - 2, length + 2)
    steps = st.none() | st.integers(1, 5)
    return st.integers(-length, length - 1) | st.builds(slice, ends, ends, steps)


@st.composite
def selections(draw: Any) -> Any:
    given_parts = [draw(parts(n)) for n in SHAPE]
    kind = draw(st.sampled_from(["all", "first", "alone", "ellipsis"]))
    if kind == "all":
        return tuple(given_parts)
    if kind == "first":
        return tuple(given_parts[: draw(st.integers(0, 3))])
    if kind == "alone":
        return given_parts[0]
    left = draw(st.integers(0, 2))
    right = draw(st.integers(0, 2))
    return (*given_parts[:left], ..., *given_parts[len(SHAPE) - right :])


@settings(max_examples=150)
@given(selection=selections(), most=st.sampled_from([0, 2**60]))
def test_any_selection_is_what_numpy_gives(
    signal: HDF5Signal, data: Any, selection: Any, most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(h5signal, "WORTHWHILE", most)
        expected = data[selection]
        found = signal.read(selection)
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.dtype("u2")
        np.testing.assert_array_equal(found, expected)
        for dtype in ("u2", "f8"):
            out = np.full(expected.shape, 999, dtype)
            signal.read_into(selection, out)
            np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize(
    "selection", [5, (0, 7), (0, 0, 0, 0, 0), (..., ...), slice(None, None, -1)]
)
def test_what_is_no_selection_has_no_bounds(selection: Any) -> None:
    assert bounds(SHAPE, selection) is None


def test_an_array_of_another_shape_is_refused(
    signal: HDF5Signal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for most in (0, 2**60):
        monkeypatch.setattr(h5signal, "WORTHWHILE", most)
        with pytest.raises(SourceError, match=r"has shape .* expected \(2, 2\)"):
            signal.read_into(0, np.empty((2, 2), "u2"))


def test_little_is_read_by_hdf5_and_much_past_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = counts((8, 16, 16), "<u2")
    store(tmp_path / "x.h5", data, (1, 16, 16), "gzip")
    regions: list[Any] = []
    read = DirectReader.read
    monkeypatch.setattr(
        DirectReader, "read", lambda self, *a: regions.append(a[0]) or read(self, *a)
    )
    monkeypatch.setattr(h5signal, "WORTHWHILE", data.nbytes)
    signal = HDF5Signal(tmp_path / "x.h5", "/x")
    for frame in range(8):
        np.testing.assert_array_equal(signal[frame], data[frame])
    assert regions == [np.s_[7:8, 0:16, 0:16]]
    # every second frame: the chunks in between are not decoded
    np.testing.assert_array_equal(signal[::2], data[::2])
    assert len(regions) == 1


def test_a_signal_that_is_read_past_hdf5_can_be_pickled(
    signal: HDF5Signal, data: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(h5signal, "WORTHWHILE", 0)
    np.testing.assert_array_equal(signal[1], data[1])
    again = pickle.loads(pickle.dumps(signal))
    assert (again.shape, again.dtype, again.chunks) == (signal.shape, signal.dtype, signal.chunks)
    np.testing.assert_array_equal(again[2:4], data[2:4])


def test_a_file_that_was_replaced_by_one_of_another_shape_is_left_to_hdf5(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(h5signal, "WORTHWHILE", 0)
    store(tmp_path / "x.h5", counts((4, 6, 6), "<u2"), (1, 6, 6), "gzip")
    signal = HDF5Signal(tmp_path / "x.h5", "/x")
    other = counts((4, 9, 9), "<u2")
    store(tmp_path / "x.h5", other, (1, 9, 9), "gzip")
    np.testing.assert_array_equal(signal[1:3], other[1:3])


def test_a_file_that_has_gone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h5signal, "WORTHWHILE", 0)
    store(tmp_path / "x.h5", counts((4, 6, 6), "<u2"), (1, 6, 6), "gzip")
    signal = HDF5Signal(tmp_path / "x.h5", "/x")
    (tmp_path / "x.h5").unlink()
    with pytest.raises(SourceError, match=r"x\.h5::/x cannot be read"):
        signal.read(0)
