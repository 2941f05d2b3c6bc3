"""The picture of a result of a list of positions over two motors."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers.results import FLOAT, new_result, write_master
from helpers.silx_window import silx_shows

from nxscan.model import ArraySignal, Axis, Scan
from nxscan.nexus.result_grid import rendered
from nxscan.nexus.results import OutputSpec, add_result, check_name, results
from nxscan.process.result import Result
from nxscan.validate import validate


def _list(path: Path, **motors: np.ndarray) -> tuple[Path, Axis]:
    """Write a list of positions over some motors."""
    count = len(next(iter(motors.values())))
    position = Axis("position", np.arange(float(count)), "", "position", "scan", 0)
    moved = [Axis(n, v, "mm", f"{n}, stage", "scan", 0) for n, v in motors.items()]
    pixels = [Axis(n, np.arange(4.0), "pixel", n, "detector", k + 1) for k, n in enumerate("yx")]
    axes = {axis.name: axis for axis in (position, *moved, *pixels)}
    signal = ArraySignal(np.ones((count, 4, 4), "u2"), "counts")
    return write_master(path, scan=Scan("list", {"pco": signal}, axes)), position


def _add(path: Path, axis: Axis, found: np.ndarray) -> Result:
    outputs = (OutputSpec("intensity", FLOAT, (axis,), "counts", default=True),)
    fill = new_result(outputs)
    return Result(add_result(path, fill, lambda d: d["intensity"].__setitem__(..., found)))


def test_an_aborted_raster_is_drawn_where_it_was(tmp_path: Path) -> None:
    """11 of 3 × 4 positions: the last one was never reached."""
    slow, fast = np.repeat([1.0, 2.0, 3.0], 4)[:11], np.tile([0.0, 0.1, 0.2, 0.3], 3)[:11]
    path, axis = _list(tmp_path / "scan.nxs", samz=slow, samx=fast)
    result = _add(path, axis, np.arange(11.0))
    with h5py.File(path) as file:
        entry = file["entry"]
        plot = entry["moments"]
        assert plot == entry["moments_000/intensity_grid"]
        assert list(plot.attrs["axes"]) == ["samz", "samx"]
        np.testing.assert_allclose(plot["samz"][()], [1, 2, 3])
        np.testing.assert_allclose(plot["samx"][()], [0, 0.1, 0.2, 0.3])
        assert plot["samx"].attrs["long_name"] == "samx, stage"
        expected = np.append(np.arange(11.0), np.nan).reshape(3, 4)
        np.testing.assert_array_equal(plot["data"][()], expected)
        assert b"drawn on 3 \xc3\x97 4 cells (means of 11 positions)" in plot["title"][()]
    np.testing.assert_array_equal(result["intensity"], np.arange(11.0))
    assert (result.names, result.default) == (("intensity",), "intensity")
    assert validate(path).findings == ()
    assert silx_shows(path, tmp_path / "grid.png") == "Image"


def test_the_next_result_takes_its_place(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    path, axis = _list(tmp_path / "scan.nxs", a=rng.random(30), b=rng.random(30))
    for _ in range(2):
        check_name(path, "moments")
        _add(path, axis, rng.random(30))
    with h5py.File(path) as file:
        assert file["entry/moments"] == file["entry/moments_001/intensity_grid"]
        assert file["entry/moments/data"].shape == (6, 6)
    assert [found.default for found in results(path)] == ["intensity", "intensity"]
    assert validate(path).findings == ()


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_over_one_motor_or_three_is_drawn_as_a_list(tmp_path: Path, count: int) -> None:
    rng = np.random.default_rng(1)
    path, axis = _list(tmp_path / "scan.nxs", **{f"m{k}": rng.random(9) for k in range(count)})
    _add(path, axis, rng.random(9))
    with h5py.File(path) as file:
        assert file["entry/moments"] == file["entry/moments_000/intensity"]
        assert "intensity_grid" not in file["entry/moments_000"]


def test_a_cell_is_the_mean_of_its_values_and_nan_does_not_count() -> None:
    values = np.array([1.0, 3.0, np.nan, 5.0])
    slow, fast = np.array([0.0, 0.1, 0.0, 1.0]), np.array([0.0, 0.1, 1.0, 1.0])
    found = rendered(values, slow, fast, np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    np.testing.assert_array_equal(found, [[2.0, np.nan], [np.nan, 5.0]])
