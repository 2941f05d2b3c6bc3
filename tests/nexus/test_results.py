"""Results in a master: where they stand, what they say, and that every reader accepts them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.results import (
    FLOAT,
    add,
    filler,
    new_result,
    outputs_of_all_kinds,
    values,
    write_master,
)
from helpers.scans import make_scan

from nxscan.errors import ProcessError
from nxscan.model import ArraySignal, Axis, Scan
from nxscan.nexus import read_scan
from nxscan.nexus.results import OutputSpec, add_result, check_name, find_result, results
from nxscan.validate import validate

SCAN, DATA = make_scan()
ALL = outputs_of_all_kinds(SCAN)


@pytest.fixture
def master(tmp_path: Path) -> Path:
    return write_master(tmp_path / "scan.nxs")


def test_what_was_written_is_what_is_there(master: Path) -> None:
    add(master, *ALL)
    with h5py.File(master) as file:
        group = file["entry/moments_000"]
        assert group.attrs["NX_class"] == "NXprocess"
        assert group.attrs["default"] == "center"
        assert group["sequence_index"][()] == 2
        for output in ALL:
            plot = group[output.name]
            assert plot.attrs["NX_class"] == "NXdata"
            assert list(plot.attrs["axes"]) == [axis.name for axis in output.axes]
            np.testing.assert_array_equal(
                plot["data"][()], values(output.name, output.shape, output.dtype)
            )
            assert ("data_errors" in plot) == output.errors
        np.testing.assert_array_equal(
            group["center/data_errors"][()], values("center_errors", (6, 5), FLOAT)
        )
    np.testing.assert_array_equal(read_scan(master).signal[...], DATA)


def test_axes_of_the_scan_are_linked_and_others_are_written(master: Path) -> None:
    add(master, *ALL)
    with h5py.File(master) as file:
        profile = file["entry/moments_000/profile"]
        assert profile["mu"] == file["entry/data/mu"]
        assert profile["chi"] == file["entry/data/chi"]
        assert profile["q"][()].tolist() == [0.1, 0.2, 0.4]
        assert profile["q"].attrs["units"] == "1/angstrom"
        indices = [int(profile.attrs[f"{name}_indices"][0]) for name in ("mu", "chi", "q")]
        assert indices == [0, 1, 2]


def test_an_axis_that_a_correction_changed_is_not_taken_for_the_scan_s(master: Path) -> None:
    y, x = SCAN.main_axes()[2:]
    half = Axis("y", y.values[::2], y.units, y.long_name, "detector", 0)
    add(master, OutputSpec("map", FLOAT, (half, x), "counts", default=True))
    with h5py.File(master) as file:
        plot = file["entry/moments_000/map"]
        assert plot["y"] != file["entry/data/y"]
        np.testing.assert_array_equal(plot["y"][()], y.values[::2])
        assert plot["x"] == file["entry/data/x"]


def test_motors_that_move_together_come_along_with_a_list_of_positions(tmp_path: Path) -> None:
    position = Axis("position", np.arange(7.0), "", "position", "scan", 0)
    motors = [Axis(n, np.random.default_rng(k).random(7), "mm", n) for k, n in enumerate("ab")]
    pixels = [Axis(n, np.arange(4.0), "pixel", n, "detector", k + 1) for k, n in enumerate("yx")]
    axes = {axis.name: axis for axis in (position, *motors, *pixels)}
    signal = ArraySignal(np.ones((7, 4, 4), "u2"), "counts")
    path = write_master(tmp_path / "list.nxs", scan=Scan("list", {"pco": signal}, axes))
    add(path, OutputSpec("intensity", FLOAT, (position,), "counts", default=True))
    with h5py.File(path) as file:
        plot = file["entry/moments_000/intensity"]
        assert plot["a"] == file["entry/data/a"]
        assert plot.attrs["b_indices"].tolist() == [0]
        assert list(plot.attrs["axes"]) == ["position"]
    assert validate(path).findings == ()


def test_the_newest_result_is_the_default_plot(master: Path) -> None:
    add(master, seed=1)
    add(master, seed=2)
    add(master, process="other", seed=3)
    with h5py.File(master) as file:
        entry = file["entry"]
        assert entry.attrs["default"] == "other"
        assert entry["other"] == entry["other_000/center"]
        assert entry["moments"] == entry["moments_001/center"]
        assert entry["moments"] != entry["moments_000/center"]
        indices = [entry[f"{g}/sequence_index"][()] for g in ("moments_000", "moments_001")]
        assert indices == [2, 3]


def test_everything_that_is_known_is_read_back(master: Path) -> None:
    parameters: dict[str, Any] = {
        "flag": True,
        "none": None,
        "list": [1, 2.5],
        "ragged": [[1], [2, 3]],
        "mixed": [1, "a", None],
        "texts": ["u", "vv"],
        "empty": [],
        "nested": {"deep": {"with space": 3}},
        "large": 2**70,
        "ünicode": "Ångström",
    }
    new = new_result(ALL, parameters=parameters, parameter_units={})
    stored = add_result(master, new, filler())
    assert stored == find_result(master, new.identity)
    for name in ("process", "module", "version", "identity", "description", "signal_path", "host"):
        assert getattr(stored, name) == getattr(new, name)
    assert stored.parameters == parameters
    assert stored.corrections == new.corrections
    assert stored.duration == 1.5
    assert stored.outputs == tuple(output.name for output in ALL)
    assert (stored.group, stored.default, stored.path) == ("moments_000", "center", master)
    assert validate(master).findings == ()


def test_parameters_are_there_for_people_with_their_units(master: Path) -> None:
    add(master)
    with h5py.File(master) as file:
        group = file["entry/moments_000"]
        assert group["parameters/background"][()] == b"edges"
        assert group["parameters/width"][()] == 2.5
        assert group["parameters/width"].attrs["units"] == "degree"
        assert group["corrections/order"][()].tolist() == [b"dark"]
        assert group["corrections/dark/parameters/frame"][()] == 0
        assert group["run/signal_path"][()] == b"/entry/instrument/pco/data"


def test_results_are_found_by_identity_and_only_by_it(master: Path) -> None:
    assert results(master) == []
    assert find_result(master, "0123456789abcdef") is None
    add(master)
    newest = add(master)
    add(master, identity="another")
    found = find_result(master, "0123456789abcdef")
    assert found is not None
    assert found.group == newest.group == "moments_001"
    assert find_result(master, "0123456789abcde") is None


def test_two_modules_processes_of_one_name_are_told_apart(master: Path) -> None:
    add(master, module="mine:Moments", identity="a")
    add(master, module="theirs:Moments", identity="b")
    found = results(master)
    assert [(r.group, r.module) for r in found] == [
        ("moments_000", "mine:Moments"),
        ("moments_001", "theirs:Moments"),
    ]


@pytest.mark.parametrize(
    "name", ["data", "sample", "instrument", "translation", "dark", "mask", "title", "data_eiger"]
)
def test_a_name_that_would_hide_something_is_refused(master: Path, name: str) -> None:
    before = master.read_bytes()
    with pytest.raises(ProcessError, match=f"would hide /entry/{name}"):
        check_name(master, name)
    with pytest.raises(ProcessError, match=f"would hide /entry/{name}"):
        add(master, process=name)
    assert master.read_bytes() == before


def test_a_group_that_somebody_put_into_the_entry_is_not_hidden(master: Path) -> None:
    with h5py.File(master, "r+") as file:
        file["entry/mine"] = h5py.SoftLink("/entry/data")
        file["entry"].create_group("yours").attrs["NX_class"] = "NXdata"
    for name in ("mine", "yours"):
        with pytest.raises(ProcessError, match="would hide"):
            check_name(master, name)


def test_a_name_of_earlier_results_is_free(master: Path) -> None:
    check_name(master, "moments")
    add(master)
    check_name(master, "moments")
    with pytest.raises(ProcessError, match="would hide /entry/moments_000"):
        check_name(master, "moments_000")


@pytest.mark.parametrize("defaults", [0, 2])
def test_exactly_one_output_is_the_default(master: Path, defaults: int) -> None:
    outputs = [OutputSpec(f"o{k}", FLOAT, (), "", default=k < defaults) for k in range(2)]
    with pytest.raises(ProcessError, match=f"has {defaults} default outputs"):
        add(master, *outputs)


def test_a_value_that_was_never_written_is_nan(master: Path) -> None:
    y, x = SCAN.main_axes()[2:]
    new = new_result((OutputSpec("map", FLOAT, (y, x), "", default=True),))
    add_result(master, new, lambda datasets: datasets["map"].__setitem__((0, 0), 1.0))
    with h5py.File(master) as file:
        found = file["entry/moments_000/map/data"][()]
    assert found[0, 0] == 1.0
    assert np.isnan(found.ravel()[1:]).all()


def test_large_maps_are_compressed_with_checksums(tmp_path: Path) -> None:
    scan, _ = make_scan((3,), (300, 400))
    path = write_master(tmp_path / "scan.nxs", scan=scan)
    y, x = scan.main_axes()[1:]
    add(path, OutputSpec("map", FLOAT, (y, x), "", default=True))
    with h5py.File(path) as file:
        dataset = file["entry/moments_000/map/data"]
        assert dataset.fletcher32
        assert dataset.chunks == (256, 256)
        assert dataset.id.get_storage_size() < dataset.nbytes
        np.testing.assert_array_equal(dataset[()], values("map", (300, 400), FLOAT))


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize(
    "shapes", [((3, 4), (6, 5)), ((5,), (6, 5)), ((4, 3), ()), ((), (7, 6))], ids=str
)
def test_results_of_all_kinds_pass_every_validator(
    tmp_path: Path, shapes: tuple[tuple[int, ...], tuple[int, ...]], apart: bool
) -> None:
    scan, _ = make_scan(*shapes)
    path = write_master(tmp_path / "scan.nxs", scan=scan, apart=apart)
    outputs = outputs_of_all_kinds(scan)
    add(path, *outputs)
    add(path, *outputs, process="other")
    report = validate(path, data=True)
    assert report.findings == ()


@pytest.mark.parametrize("apart", [False, True])
def test_the_check_sees_the_file_as_it_will_be(tmp_path: Path, apart: bool) -> None:
    path = write_master(tmp_path / "scan.nxs", apart=apart)
    reports = []
    add_result(path, new_result(ALL), filler(), lambda staged: reports.append(validate(staged)))
    assert [report.findings for report in reports] == [()]


def test_a_single_value_may_be_the_default_plot(master: Path) -> None:
    add(master, OutputSpec("total", FLOAT, (), "counts", default=True, errors=True))
    assert validate(master).findings == ()


def test_what_is_not_known_of_a_unit_is_said(master: Path) -> None:
    add(master, *ALL)
    with h5py.File(master) as file:
        assert file["entry/moments_000/profile/data"].attrs["units"] == "unknown"
        assert file["entry/moments_000/status/data"].attrs["units"] == ""


def test_a_result_that_is_nan_everywhere_is_a_note_and_no_error(master: Path) -> None:
    y, x = SCAN.main_axes()[2:]
    new = new_result((OutputSpec("map", FLOAT, (y, x), "", default=True),))
    add_result(master, new, lambda datasets: datasets["map"].__setitem__(..., np.nan))
    report = validate(master)
    assert report.ok
    assert [finding.severity for finding in report.findings] == ["note"]
    assert "NaN everywhere" in report.findings[0].message
