"""What a scan of a BLISS master becomes."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from helpers.bliss import add_scan, frames, new_master

from nxscan.translate.contract import Options
from nxscan.translate.mapping import parse_mapping
from nxscan.translate.report import Report
from nxscan.translators.bliss import BlissTranslator

BLISS = BlissTranslator()


def opened(path: Path, number: str = "1.1", **options):
    refs = {ref.number: ref for ref in BLISS.scans([path])}
    report = Report()
    return BLISS.open(refs[number], Options(**options), report), report


def test_a_mesh_has_its_slow_motor_first_whatever_the_command_says_first(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    slow, fast = np.repeat([5.0, 5.5, 6.0], 5), np.tile(np.linspace(0, 1, 5), 3)
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "amesh fast 0 1 4 slow 5 6 2 0.1",
            motors={"fast": fast, "slow": slow},
            images={"cam": frames(15)},
        )
    scan, report = opened(path)
    assert not report.errors
    assert [axis.name for axis in scan.main_axes()] == ["slow", "fast", "y", "x"]
    assert scan.signal.shape == (3, 5, 4, 6)
    assert scan.signal[2, 1, 0, 0] == 1000 * 11


def test_a_zigzag_is_stored_in_the_order_of_its_motors(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    rng = np.random.default_rng(3)
    slow, line = np.repeat([0.0, 1, 2], 4), np.array([0.0, 0.1, 0.2, 0.3])
    fast = np.concatenate([line, line[::-1], line]) + 1e-4 * rng.standard_normal(12)
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "fscan2d chi 0 1 3 mu 0 0.1 4 0.5",
            motors={"chi": slow, "mu": fast},
            counters={"mon": np.arange(12.0)},
            images={"cam": frames(12)},
        )
    scan, report = opened(path)
    assert not report.errors
    stored = np.array([[0, 1, 2, 3], [7, 6, 5, 4], [8, 9, 10, 11]])
    np.testing.assert_array_equal(scan.signal[..., 0, 0], 1000 * stored)
    np.testing.assert_array_equal(scan.counters["mon"].value, stored)


def test_points_without_a_motor_go_along_the_time(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "loopscan 4 0.5",
            counters={"elapsed_time": [0.1, 0.7, 1.2, 1.9]},
            images={"cam": frames(4)},
            units={"elapsed_time": "s"},
        )
    scan, _ = opened(path)
    axis = scan.main_axes()[0]
    assert (axis.name, axis.units) == ("elapsed_time", "s")
    np.testing.assert_array_equal(axis.values, [0.1, 0.7, 1.2, 1.9])


def test_a_count_is_a_single_frame(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(file, "1.1", "ct 1", counters={"mon": [3.0]}, images={"cam": frames(1)})
    scan, report = opened(path)
    assert not report.errors
    assert scan.signal.shape == (4, 6)
    assert scan.counters["mon"].value == 3.0


def test_loops_over_a_scan_are_repeats(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "fscanloop mu 0 0.1 4 0.5",
            motors={"mu": np.tile(0.1 * np.arange(4), 3)},
            images={"cam": frames(12)},
        )
    scan, _ = opened(path)
    assert [axis.name for axis in scan.main_axes()[:2]] == ["repeat", "mu"]
    assert scan.scan_shape == (3, 4)


def test_what_each_frame_integrates_over_is_no_axis(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "fscan2d chi -1 0.5 3 diffrz -1.5 3.5 1 1",
            motors={"chi": [-1.0, -0.5, 0], "diffrz": [-1.5, -1.5, -1.5]},
            images={"cam": frames(3)},
        )
    scan, _ = opened(path)
    assert "diffrz" not in scan.axes
    axis = scan.integrated["diffrz"]
    assert (axis.role, axis.units) == ("integrated", "degree")
    assert (axis.values.tolist(), axis.width.tolist()) == ([0.25], [3.5])


def test_motors_and_counters_keep_names_units_and_places(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "ascan mu 0 1 2 1",
            motors={"mu": [0.0, 0.5, 1]},
            counters={"mon": [1.0, 2, 3], "odd": [1.0, 1, 1]},
            images={"cam": frames(3)},
            positions={"samx": 1.5, "samz": np.nan},
            units={"mu": "mrad", "mon": "pC", "samx": "um", "odd": "bananas"},
        )
    scan, _ = opened(path)
    assert scan.axes["mu"].units == "mrad"  # what the file states goes before a convention
    assert scan.counters["mon"].units == "pC"
    assert scan.counters["odd"].units is None
    instrument = scan.metadata.groups["instrument"]
    assert instrument["samx/value"].value == 1.5
    assert instrument["samx/value"].units == "um"
    assert "value" not in instrument.groups["samz"].fields
    assert scan.raw_metadata.values["instrument/odd/data@units"] == "bananas"
    assert scan.raw_metadata.values["instrument/positioners/samx"] == "1.5"


def test_the_users_unit_goes_before_the_files(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "ascan mu 0 1 2 1",
            motors={"mu": [0.0, 0.5, 1]},
            images={"cam": frames(3)},
            units={"mu": "mrad"},
        )
    mapping = parse_mapping('name = "mine"\n[motors]\nmu = { units = "radian" }\n', "mine")
    scan, _ = opened(path, mapping=mapping)
    assert scan.axes["mu"].units == "radian"


def test_the_largest_detector_is_the_main_one_and_others_are_named(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "ascan mu 0 1 2 1",
            motors={"mu": [0.0, 0.5, 1]},
            images={"a": frames(3, (2, 3)), "b": frames(3), "c": frames(3, first=7)},
        )
    scan, report = opened(path)
    assert list(scan.signals) == ["b", "c"]
    assert any(p.where == "a" and "--detector a" in p.hint for p in report.problems)
    scan, _ = opened(path, detector="a")
    assert list(scan.signals) == ["a"]
    assert scan.signal.shape == (3, 2, 3)


def test_a_spectrum_and_a_counter_may_be_the_signal(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    spectra = np.arange(48.0).reshape(3, 16)
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "ascan mu 0 1 2 1",
            motors={"mu": [0.0, 0.5, 1]},
            counters={"mca": spectra, "mon": [4.0, 5, 6]},
        )
    scan, _ = opened(path)
    assert scan.frame_shape == (16,)
    np.testing.assert_array_equal(scan.signal[...], spectra)
    scan, _ = opened(path, detector="mon")
    assert scan.frame_shape == ()
    np.testing.assert_array_equal(scan.signal[...], [4, 5, 6])
    assert "mon" not in scan.counters


def test_counters_of_another_time_base_are_joined_by_epoch(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    epoch = 1.6e9 + np.array([0.0, 1.0, 2.0, 3.0])
    samples = 1.6e9 + np.array([0.5, 1.5, 2.9])
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "ascan mu 0 1 3 1",
            motors={"mu": [0.0, 0.3, 0.6, 1]},
            counters={"epoch": epoch, "mon": np.ones(4)},
            images={"cam": frames(4)},
        )
        add_scan(
            file,
            "1.2",
            "ascan mu 0 1 3 1",
            counters={"epoch": samples, "heat": [10.0, 20.0, 34.0], "mon": [1.0, 2, 3]},
            units={"heat": "K"},
        )
    scan, report = opened(path)
    np.testing.assert_allclose(scan.counters["heat"].value, [np.nan, 15, 25, np.nan])
    assert scan.counters["heat"].units == "K"
    np.testing.assert_array_equal(scan.counters["mon"].value, 1)
    assert "mon_2" in scan.counters
    (problem,) = [p for p in report.problems if p.where.endswith("1.2")]
    assert "2 of 4 points lie outside" in problem.message
    assert "1.4 s apart" in problem.message


def test_counters_without_an_epoch_are_named_and_kept_raw(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(file, "1.1", "ct 1", counters={"mon": [1.0]}, images={"cam": frames(1)})
        add_scan(file, "1.2", "ct 1", counters={"heat": [10.0, 20.0]})
    scan, report = opened(path)
    assert "heat" not in scan.counters
    assert any("heat" in p.message and "epoch" in p.message for p in report.problems)
    np.testing.assert_array_equal(scan.raw_metadata.values["1.2/instrument/heat/data"], [10, 20])


def test_a_mask_of_the_frames_shape_is_the_scans(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    mask = np.zeros((4, 6), np.uint8)
    mask[1, 2] = 1
    with new_master(path) as file:
        group = add_scan(file, "1.1", "ct 1", images={"cam": frames(1)})
        group["instrument/cam/pixel_mask"] = mask
        group["instrument/cam/distance"] = 0.5
        group["instrument/cam/x_pixel_size"] = 5.5e-5
    scan, _ = opened(path)
    np.testing.assert_array_equal(scan.mask, mask)
    detector = scan.metadata["instrument/cam/x_pixel_size"]
    assert (round(detector.value, 9), detector.units) == (55.0, "um")
    assert scan.metadata["instrument/cam/distance"].value == 0.5


def test_an_aborted_line_is_shorter_when_it_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "ascan mu 0 1 4 1",
            motors={"mu": [0.0, 0.25, 0.5]},
            counters={"mon": [1.0, 2]},
            images={"cam": frames(3)},
        )
    scan, report = opened(path)
    assert scan is None
    assert "2 points of mon, but 3 of" in report.errors[0].message
    assert "5 were asked for" in report.errors[0].message
    for option in ("partial", "live"):
        scan, report = opened(path, **{option: True})
        assert not report.errors
        np.testing.assert_array_equal(scan.axes["mu"].values, [0, 0.25])
        np.testing.assert_array_equal(scan.signal[:, 0, 0], [0, 1000])


def test_an_aborted_mesh_is_a_list_of_positions(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "fscan2d chi 0 1 3 mu 0 0.1 4 0.5",
            motors={
                "chi": np.repeat([0.0, 1, 2], 4)[:10],
                "mu": np.tile([0.0, 0.1, 0.2, 0.3], 3)[:10],
            },
            images={"cam": frames(10)},
            ended=False,
        )
    scan, report = opened(path)
    assert scan is None
    assert "--live" in report.errors[0].hint
    scan, _ = opened(path, live=True)
    assert scan.scan_shape == (10,)
    assert {"position", "chi", "mu"} <= set(scan.axes)


def test_frames_in_other_files_are_read_from_there(tmp_path: Path) -> None:
    path, wanted = tmp_path / "m.h5", frames(5)
    (tmp_path / "scan0001").mkdir()
    layout = h5py.VirtualLayout((5, 4, 6), np.uint16)
    for part, (first, last) in enumerate(((0, 3), (3, 5))):
        name = f"scan0001/cam_{part:04d}.h5"
        with h5py.File(tmp_path / name, "w") as file:
            file["entry_0000/data"] = wanted[first:last]
        layout[first:last] = h5py.VirtualSource(name, "entry_0000/data", (last - first, 4, 6))
    with new_master(path) as file:
        add_scan(
            file,
            "1.1",
            "ascan mu 0 1 4 1",
            motors={"mu": np.linspace(0, 1, 5)},
            images={"cam": layout},
        )
    scan, report = opened(path)
    assert not report.errors
    np.testing.assert_array_equal(scan.signal[...], wanted)
    counts = {Path(source.path).name: source.frames for source in scan.provenance.sources}
    assert counts == {"m.h5": 0, "cam_0000.h5": 3, "cam_0001.h5": 2}


def test_what_other_motors_said_now_and_then_takes_no_points_away(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        group = add_scan(
            file,
            "1.1",
            "fscan2d chi -1 0.5 3 diffrz -1.5 3.5 1 1",
            motors={"chi": [-1.0, -0.5, 0], "diffrz": [-1.5]},
            images={"cam": frames(3)},
        )
        group["instrument/positioners/samx"] = [1.0, 2.0]
    scan, report = opened(path)
    assert not report.errors
    assert scan.scan_shape == (3,)
    np.testing.assert_array_equal(scan.raw_metadata.values["instrument/positioners/samx"], [1, 2])


def test_a_mapping_of_ones_own_names_the_detector_by_a_placeholder(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        group = add_scan(file, "1.1", "ct 1", counters={"mon": [2.0]}, images={"cam": frames(1)})
        group["instrument/cam/gain"] = "high"
        group["instrument/cam/reach"] = 0.25
    mapping = parse_mapping(
        """
name = "mine"
[[field]]
target = "instrument/detector/gain_setting"
from = "instrument/{detector}/gain"
[[transformation]]
target = "instrument/detector/transformations/distance"
from = "instrument/{detector}/reach"
type = "translation"
vector = [0, 0, 1]
units_in = "m"
units = "m"
""",
        "mine.toml",
    )
    scan, report = opened(path, mapping=mapping)
    assert not report.errors
    detector = scan.metadata["instrument/cam/gain_setting"]
    assert detector.value == "high"
    assert scan.metadata["instrument/cam/transformations/distance"].value == 0.25
    assert "detector" not in scan.metadata.groups["instrument"].groups
    scan, _ = opened(path, mapping=mapping, detector="mon")
    assert set(scan.metadata.groups["instrument"].groups) <= {"mon"}


def test_a_detector_called_as_another_group_gets_another_name(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with new_master(path) as file:
        images = {"beam": frames(1), "cam:1": frames(1, first=3), "cam.1": frames(1, first=5)}
        group = add_scan(file, "1.1", "ct 1", images=images)
        group["instrument/monochromator/Energy"] = 10000.0
    scan, _ = opened(path)
    values = {name: int(signal[0, 0]) for name, signal in scan.signals.items()}
    assert values == {"beam_2": 0, "cam_1": 5000, "cam_1_2": 3000}
    assert scan.metadata["instrument/beam/incident_energy"].value == 10.0
