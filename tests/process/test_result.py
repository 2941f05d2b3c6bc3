"""A result in a user's hands: arrays, errors, units, plots, and as a scan for other processes."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from helpers.results import FLOAT, add, outputs_of_all_kinds, values, write_master
from helpers.scans import make_scan
from matplotlib.text import Text

import nxscan
from nxscan.errors import ProcessError
from nxscan.model import Axis
from nxscan.nexus.results import OutputSpec
from nxscan.process.result import Result

SCAN, _ = make_scan()
ALL = outputs_of_all_kinds(SCAN)


@pytest.fixture
def result(tmp_path: Path) -> Result:
    path = write_master(tmp_path / "scan.nxs")
    return Result(add(path, *ALL))


def test_arrays_errors_and_units_come_by_name(result: Result) -> None:
    assert result.names == tuple(output.name for output in ALL)
    for output in ALL:
        expected = values(output.name, output.shape, output.dtype)
        np.testing.assert_array_equal(result[output.name], expected)
        assert result[output.name].dtype == output.dtype
        assert result.units(output.name) == output.units
    errors = result.errors("center")
    np.testing.assert_array_equal(errors, values("center_errors", errors.shape, FLOAT))
    assert "center" in result
    assert list(result) == list(result.names)
    assert len(result) == len(ALL)


def test_what_is_not_there_is_said(result: Result) -> None:
    with pytest.raises(ProcessError, match=r"no output 'centre'; there are: center, status"):
        result["centre"]
    with pytest.raises(ProcessError, match="'status' of moments_000 has no errors"):
        result.errors("status")
    with pytest.raises(ProcessError, match=r"no result 'fits'; there are: moments_000"):
        Result.load(result.path, "fits")


def test_a_process_name_means_its_newest_result(result: Result) -> None:
    add(result.path, seed=1)
    add(result.path, process="other")
    assert Result.load(result.path, "moments").group == "moments_001"
    assert Result.load(result.path, "moments_000").group == "moments_000"
    assert [found.group for found in nxscan.results(result.path)] == [
        "moments_000",
        "moments_001",
        "other_000",
    ]


def test_it_says_what_it_is(result: Result) -> None:
    said = repr(result)
    for part in ("moments_000", "scan.nxs", "center", "background='edges'"):
        assert part in said
    assert result.parameters == {"background": "edges", "width": 2.5}
    assert result.default == "center"


@pytest.mark.parametrize("name", [output.name for output in ALL])
def test_every_output_can_be_drawn(result: Result, tmp_path: Path, name: str) -> None:
    picture = result.plot(name, tmp_path / f"{name}.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_without_an_output_the_figure_of_the_default_is_returned(result: Result) -> None:
    figure = result.plot()
    texts = [item.get_text() for item in figure.findobj(Text)]
    assert any("center of mass (degree)" in text for text in texts)


def test_an_output_is_a_scan_for_the_next_process(result: Result) -> None:
    scan = result.as_scan()
    assert (scan.scan_shape, scan.frame_shape) == ((), (6, 5))
    np.testing.assert_array_equal(scan.signal[...], result["center"])
    assert scan.signal.units == "degree"
    assert [axis.role for axis in scan.main_axes()] == ["detector", "detector"]
    assert scan.mask is None
    assert not scan.counters


@pytest.mark.parametrize(
    ("name", "scan_shape", "frame_shape"),
    [
        ("intensity", (3, 4), ()),
        ("profile", (3, 4), (3,)),
        ("component", (3,), (6, 5)),
        ("total", (), ()),
        ("curve", (), (3,)),
    ],
)
def test_scan_dimensions_are_those_before_the_detector(
    result: Result, name: str, scan_shape: tuple[int, ...], frame_shape: tuple[int, ...]
) -> None:
    scan = result.as_scan(name)
    assert (scan.scan_shape, scan.frame_shape) == (scan_shape, frame_shape)
    assert set(scan.counters) == ({"mon", "frame_number"} if scan_shape == (3, 4) else set())


def test_a_part_of_the_detector_is_the_detector_still(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    y, x = SCAN.main_axes()[2:]
    half = Axis("y", y.values[::2], y.units, y.long_name, "detector", 0)
    stored = add(path, OutputSpec("map", FLOAT, (half, x), "", default=True))
    scan = Result(stored).as_scan()
    assert (scan.scan_shape, scan.frame_shape) == ((), (3, 5))


def test_it_travels_to_other_processes(result: Result) -> None:
    found = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(found["center"], result["center"])
    scan = pickle.loads(pickle.dumps(result.as_scan("center").signal))
    np.testing.assert_array_equal(scan[...], result["center"])
