"""MDA files become scans with the axes of their loops; what was not taken is said, never zeros."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nxscan
from nxscan.errors import PlanError, SourceError
from nxscan.plan import read_table
from nxscan.simulate.mda import MdaScan, simulate_map, write_mda
from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.translate.where import parse_where
from nxscan.translators.mda import MdaTranslator

X, Y = np.linspace(-1, 1, 5), np.array([10.0, 10.5, 11.0])


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    folder.mkdir()
    return folder


def opened(path: Path, **options: Any) -> tuple[Any, Report]:
    translator, report = MdaTranslator(), Report()
    (ref,) = translator.scans([path])
    return translator.open(ref, Options(**options), report), report


def line(**more: Any) -> MdaScan:
    values = {"sim:m1.VAL": X}
    return MdaScan(positions=values, detectors={"sim:s1": np.arange(5.0) + 7}, **more)


def test_a_map_has_the_axes_of_its_loops(raw: Path, tmp_path: Path) -> None:
    source = write_mda(raw / "m.mda", simulate_map(Y, X), number=12, extras={"sim:e": "on"})
    scan = nxscan.open(nxscan.translate(source, tmp_path / "m.nxs", detector="sim:scaler1.S2"))
    assert scan.signal.shape == (3, 5)
    y, x = scan.main_axes()
    np.testing.assert_array_equal(y.values, Y)
    np.testing.assert_array_equal(x.values, X)
    assert (y.units, y.long_name) == ("um", "sample y")
    assert scan.metadata["start_time"].value == "2024-03-02T10:30:00.250000"
    assert scan.raw_metadata.values["sim:e"] == "on"
    assert np.all(np.asarray(scan.counters["sim_current"].value) == 102)


@pytest.mark.parametrize("asked", ["sim:scaler1.S2", "D02", "sim:current"])
def test_a_detector_is_chosen_by_its_pv_or_its_slot(raw: Path, asked: str) -> None:
    scan, report = opened(write_mda(raw / "m.mda", simulate_map(Y, X)), detector=asked)
    assert not report.errors
    assert scan.detector == ("sim_current" if asked == "sim:current" else "sim_scaler1_S2")


@pytest.mark.parametrize("name", ["sim:m2.VAL", "m2.VAL"])
def test_conditions_name_a_pv_whole_or_its_end(raw: Path, name: str) -> None:
    source = write_mda(raw / "m.mda", simulate_map(Y, X))
    scan, _ = opened(source, where=parse_where(f"{name} > 10.2"))
    assert scan.signal.shape == (2, 5)


def test_spectra_are_frames_of_their_points(raw: Path, tmp_path: Path) -> None:
    whole = simulate_map(Y, X, channels=16)
    source = write_mda(raw / "m.mda", whole)
    scan = nxscan.open(nxscan.translate(source, tmp_path / "m.nxs"))
    assert scan.signal.shape == (3, 5, 16)
    assert scan.signal.dtype == np.float32
    for k, row in enumerate(whole.within):
        for j, point in enumerate(row.within):
            np.testing.assert_array_equal(scan.signal[k, j], point.detectors["sim:mca1"])
    assert "sim_scaler1_S2" in scan.counters


def test_spectra_are_read_in_any_part(raw: Path) -> None:
    scan, _ = opened(write_mda(raw / "m.mda", simulate_map(Y, X, channels=16)))
    whole = np.asarray(scan.signal)
    for part in ((1, 2), (..., 3), (slice(0, 3, 2), slice(1, 3), slice(2, 9, 3)), (0, 1, 2), ...):
        np.testing.assert_array_equal(scan.signal[part], whole[part])


@pytest.mark.parametrize("version", [1.2, 1.3, 1.4])
def test_all_versions_are_laid_out_alike(raw: Path, version: float) -> None:
    scan, report = opened(write_mda(raw / "m.mda", line(), version=version))
    assert not report.errors
    assert scan.signal[...].tolist() == [7, 8, 9, 10, 11]


def test_four_loops_within_each_other(raw: Path) -> None:
    def nest(level: int) -> MdaScan:
        within = [nest(level - 1) for _ in range(2)] if level > 1 else ()
        values = [0.0, 1.0] if level > 1 else [0.0, 1.0, 2.0]
        return MdaScan(
            positions={f"sim:m{level}": values},
            detectors={} if level > 1 else {"sim:d": [1.0, 2.0, 3.0]},
            within=within,
            name=f"sim:scan{level}",
        )

    scan, report = opened(write_mda(raw / "m.mda", nest(4)))
    assert not report.errors
    assert scan.signal.shape == (2, 2, 2, 3)
    assert [axis.name for axis in scan.main_axes()] == ["sim_m4", "sim_m3", "sim_m2", "sim_m1"]


def test_every_type_of_extra_pv_is_kept_with_its_value(raw: Path) -> None:
    extras = {
        "a": "text",
        "b": np.array([3], np.int16),
        "c": np.array([1.5], np.float32),
        "d": b"long text\0\0",
        "e": np.array([-70000], np.int32),
        "f": np.array([0.1, 0.2]),
        "g": "",
    }
    scan, _ = opened(write_mda(raw / "m.mda", line(), extras=extras))
    values = scan.raw_metadata.values
    assert [values[name] for name in "abcde"] == ["text", "3", "1.5", "long text", "-70000"]
    assert np.asarray(values["f"]).tolist() == [0.1, 0.2]


def test_slots_without_a_process_variable_are_left_out(raw: Path) -> None:
    empty = MdaScan(positions={"sim:m1": X}, detectors={"": np.zeros(5), "sim:d": np.arange(5.0)})
    scan, _ = opened(write_mda(raw / "m.mda", empty))
    assert scan.detector == "sim_d"
    assert list(scan.counters) == ["frame_number"]


def test_a_readback_of_time_is_no_position(raw: Path) -> None:
    clocked = MdaScan(
        positions={"sim:m1": X, "sim:go": np.arange(5) * 1.1},
        detectors={"sim:d": np.arange(5.0)},
        readbacks={"sim:go": "TIME"},
    )
    scan, _ = opened(write_mda(raw / "m.mda", clocked))
    assert list(scan.axes) == ["sim_m1"]
    assert scan.counters["TIME"].units == "s"


def test_one_pv_in_two_loops_keeps_both(raw: Path) -> None:
    rows = [MdaScan(positions={"m1": X}, detectors={"I0": X + k, "I1": X}) for k in range(3)]
    both = MdaScan(positions={"m2": Y}, detectors={"I0": Y}, within=rows, name="scan2")
    scan, _ = opened(write_mda(raw / "m.mda", both), detector="I1")
    np.testing.assert_array_equal(scan.counters["I0"].value, X + np.arange(3)[:, None])
    np.testing.assert_array_equal(scan.counters["I0_of_scan2"].value[:, 0], Y)


def test_a_detector_that_one_row_lacks_is_missing_there_and_said(raw: Path) -> None:
    rows = [MdaScan(positions={"m1": X}, detectors={"a": X, "b": X + k}) for k in range(3)]
    rows[1] = MdaScan(positions={"m1": X}, detectors={"c": X, "b": X + 9})
    whole = MdaScan(positions={"m2": Y}, within=rows, name="scan2")
    scan, report = opened(write_mda(raw / "m.mda", whole), detector="b")
    np.testing.assert_array_equal(scan.signal[...], X + np.array([[0], [9], [2]]))
    assert np.isnan(scan.counters["a"].value[1]).all()
    assert any("1 of 3 scans" in str(problem) for problem in report.problems)


STOPPED = {
    "row": line(done=3),
    "between rows": MdaScan(
        positions={"sim:m2": Y}, within=[line(), line(), None], done=2, name="sim:scan2"
    ),
    "within a row": MdaScan(
        positions={"sim:m2": Y}, within=[line(), line(), line(done=2)], done=2, name="sim:scan2"
    ),
}


@pytest.mark.parametrize("case", STOPPED)
def test_a_scan_that_was_stopped_is_refused_with_both_numbers(raw: Path, case: str) -> None:
    scan, report = opened(write_mda(raw / "m.mda", STOPPED[case]))
    assert scan is None
    said = str(report.errors[0])
    assert ("3 of 5 points" if case == "row" else "10 of 15 points") in said
    assert "--partial" in said
    assert ("2 in a row that was not finished" in said) is (case == "within a row")


@pytest.mark.parametrize("option", ["partial", "live"])
@pytest.mark.parametrize("case", STOPPED)
def test_what_is_complete_of_it_can_be_taken(raw: Path, case: str, option: str) -> None:
    scan, report = opened(write_mda(raw / "m.mda", STOPPED[case]), **{option: True})
    assert not report.errors
    assert report.problems[0].severity == "warning"
    expected = [7, 8, 9] if case == "row" else [[7, 8, 9, 10, 11]] * 2
    assert scan.signal[...].tolist() == expected


def test_outer_positions_of_a_scan_that_is_being_taken_are_missing_not_zero(raw: Path) -> None:
    growing = MdaScan(
        positions={"sim:m2": Y}, within=[line(), line(), None], done=0, name="sim:scan2"
    )
    scan, report = opened(write_mda(raw / "m.mda", growing), live=True)
    assert not report.errors
    assert list(scan.axes) == ["repeat", "sim_m1_VAL"]
    assert scan.signal.shape == (2, 5)
    assert scan.metadata.get("instrument/sim_m2/value") is None
    assert any("sim:m2 is missing" in str(problem) for problem in report.problems)


def test_a_scan_without_a_point_is_refused_even_so(raw: Path) -> None:
    scan, report = opened(write_mda(raw / "m.mda", line(done=0)), partial=True)
    assert scan is None
    assert "0 of 5 points" in str(report.errors[0])


def test_rows_of_different_lengths_stay_a_list(raw: Path) -> None:
    rows = [
        MdaScan(positions={"m1": np.arange(n) * 0.1}, detectors={"d": np.arange(n) * 1.0})
        for n in (4, 5, 3)
    ]
    odd = MdaScan(positions={"m2": Y}, within=rows, name="scan2")
    scan, report = opened(write_mda(raw / "m.mda", odd, regular=False), partial=True)
    assert not report.errors
    assert scan.signal.shape == (12,)
    np.testing.assert_array_equal(scan.axes["m2"].values, np.repeat(Y, [4, 5, 3]))


def test_a_table_for_other_frames(raw: Path) -> None:
    table = read_table(write_mda(raw / "m.mda", simulate_map(Y, X)))
    assert table.shape == (3, 5)
    assert set(table.motors) == {"sim:m1.VAL", "sim:m2.VAL"}
    np.testing.assert_array_equal(table.columns["sim:m2.VAL"], np.repeat(Y, 5))
    assert table.units["sim:m1.VAL"] == "um"


def test_file_numbers_are_keys_of_a_table(raw: Path) -> None:
    numbered = MdaScan(positions={"m": X}, detectors={"cam:FileNumber": np.arange(5) + 30})
    table = read_table(write_mda(raw / "m.mda", numbered))
    assert table.keys["cam:FileNumber"].tolist() == [30, 31, 32, 33, 34]


def test_scans_of_a_folder_are_told_apart_by_their_numbers(raw: Path, tmp_path: Path) -> None:
    for k in (3, 4):
        write_mda(raw / f"m_{k}.mda", line(), number=k)
    assert [ref.number for ref in nxscan.scans(raw)] == ["3", "4"]
    with pytest.raises(PlanError, match="holds 2 scans"):
        nxscan.translate(raw, tmp_path / "m.nxs")


def test_a_file_of_another_format_is_not_taken(raw: Path) -> None:
    other = raw / "m.mda"
    other.write_bytes(b"PK\3\4 not mda")
    assert not MdaTranslator().can_open(other)
    with pytest.raises(SourceError, match="no MDA file"):
        MdaTranslator().scans([other])


loops = st.lists(st.integers(1, 4), min_size=1, max_size=4)


@settings(max_examples=25)
@given(lengths=loops, seed=st.integers(0, 2**16))
def test_any_loops_come_back_with_the_numbers_that_were_written(
    lengths: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    random = np.random.default_rng(seed)
    expected: dict[str, list[np.ndarray]] = {}

    def loop(level: int) -> MdaScan:
        points = lengths[level]
        position, counts = random.normal(size=points), random.normal(size=points)
        inner = int(np.prod(lengths[level + 1 :]))
        expected.setdefault(f"m{level}", []).append(np.repeat(position, inner))
        expected.setdefault(f"d{level}", []).append(np.repeat(counts.astype(np.float32), inner))
        within = [loop(level + 1) for _ in range(points)] if level + 1 < len(lengths) else ()
        return MdaScan(
            positions={f"m{level}": position},
            detectors={f"d{level}": counts},
            within=within,
            name=f"scan{level}",
        )

    path = write_mda(tmp_path_factory.mktemp("p") / "p.mda", loop(0))
    table = read_table(path)
    assert table.shape == tuple(lengths)
    for name, parts in expected.items():
        np.testing.assert_array_equal(table.columns[name], np.concatenate(parts))
