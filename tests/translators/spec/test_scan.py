"""SPEC scans: columns, motors, spectra; aborted, repeated, damaged and growing ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nxscan
from nxscan.errors import PlanError, SourceError
from nxscan.plan import read_table
from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.translators.spec import SpecTranslator
from nxscan.translators.spec.index import read_index

HEADER = """\
#F sim.spec
#E 1335447606
#D Thu Apr 26 15:40:06 2012
#C sim  User = sim
#H0 ring_mA  top_up
#O0 Two Theta  Theta  samx
#O1 Chi

"""
ASCAN = """\
#S {number}  ascan  Theta 10 10.4 4 0.5
#D Thu Apr 26 15:41:00 2012
#T 0.5  (Seconds)
#P0 20.5 10 -1.25
#P1 90
#V0 101.5 1
#Q 1 0 0
#N 3
#L Theta  Seconds  I0
10 0.5 7
10.1 0.5 8
10.2 0.5 9
10.3 0.5 10
10.4 0.5 11
"""
I0 = [7.0, 8.0, 9.0, 10.0, 11.0]

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(content: str | bytes, name: str = "sim.spec") -> Path:
        path = tmp_path / "raw" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def ascan(number: int = 1, **replaced: str) -> str:
    text = ASCAN.format(number=number)
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text + "\n"


def opened(path: Path, key: str = "1.1", **options: Any) -> tuple[Any, Report]:
    translator, report = SpecTranslator(), Report()
    ref = next(ref for ref in translator.scans([path]) if ref.number == key)
    return translator.open(ref, Options(**options), report), report


def test_a_scan_has_its_motor_counters_positions_and_time(write: Write, tmp_path: Path) -> None:
    source = write(HEADER + ascan())
    path = nxscan.translate(source, tmp_path / "s.nxs")
    assert not nxscan.validate(path).findings
    scan = nxscan.open(path)
    assert scan.detector == "I0"
    assert scan.signal[...].tolist() == I0
    np.testing.assert_array_equal(scan.axes["Theta"].values, [10, 10.1, 10.2, 10.3, 10.4])
    assert scan.counters["Seconds"].units == "s"
    assert scan.metadata["instrument/Two_Theta/value"].value == 20.5
    assert scan.metadata["instrument/samx/value"].value == -1.25
    assert scan.metadata["instrument/Chi/value"].value == 90
    assert scan.metadata["start_time"].value == "2012-04-26T15:41:00"
    values = scan.raw_metadata.values
    assert (values["#T"], values["count_time"], values["ring_mA"]) == (
        "0.5  (Seconds)",
        "0.5",
        "101.5",
    )


def test_scans_of_one_number_are_told_apart_by_their_order(write: Write) -> None:
    again = ascan(12, **{"10 0.5 7\n": "10 0.5 70\n"})
    source = write(HEADER + ascan(11) + ascan(12) + again)
    assert [ref.number for ref in nxscan.scans(source)] == ["11.1", "12.1", "12.2"]
    first, _ = opened(source, "12.1")
    second, _ = opened(source, "12.2")
    assert (first.signal[0], second.signal[0]) == (7, 70)


def test_a_mesh_has_two_axes(write: Write) -> None:
    y, x = np.mgrid[0:3, 0:4]
    rows = "".join(
        f"{a * 0.1:.2f} {b * 0.2:.2f} {k}\n"
        for k, (a, b) in enumerate(zip(x.ravel(), y.ravel(), strict=True))
    )
    mesh = f"#S 5  mesh  samx 0 0.3 3 samy 0 0.4 2 1\n#N 3\n#L samx  samy  I0\n{rows}\n"
    scan, report = opened(write(HEADER + mesh), "5.1")
    assert not report.errors
    assert scan.signal[...].tolist() == np.arange(12.0).reshape(3, 4).tolist()
    assert [axis.name for axis in scan.main_axes()] == ["samy", "samx"]


def test_spectra_are_frames_with_their_channels(write: Write, tmp_path: Path) -> None:
    mca = "#@MCA %16C\n#@CHANN 4 10 13 1\n"
    text = ascan(**{"#N 3\n": f"#N 3\n{mca}"})
    for k, row in enumerate(("10 ", "10.1 ", "10.2 ", "10.3 ", "10.4 ")):
        text = text.replace(f"\n{row}0.5", f"\n@A {k} 1\\\n 2 3\n{row}0.5")
    scan = nxscan.open(nxscan.translate(write(HEADER + text), tmp_path / "m.nxs", detector="mca"))
    assert scan.signal[...].tolist() == [[k, 1, 2, 3] for k in range(5)]
    assert scan.axes["channel"].values.tolist() == [10, 11, 12, 13]
    assert scan.counters["I0"].value.tolist() == I0


def test_spectra_that_do_not_belong_to_points_are_left_out_and_said(write: Write) -> None:
    text = ascan(**{"10.2 0.5": "@A 1 2 3\n10.2 0.5"})
    scan, report = opened(write(HEADER + text))
    assert scan.signal[...].tolist() == I0
    assert any("5 points, but 1 spectra" in str(problem) for problem in report.problems)


def test_an_aborted_scan_is_refused_with_both_numbers(write: Write) -> None:
    source = write(HEADER + ascan(**{"10.4 0.5 11\n": "#C Scan aborted after 4 points.\n"}))
    (ref,) = nxscan.scans(source)
    assert (ref.frames, ref.declared) == (4, 5)
    scan, report = opened(source)
    assert scan is None
    assert "4 of 5 points that 'ascan  Theta 10 10.4 4 0.5' asks for" in str(report.errors[0])
    assert "--partial" in report.errors[0].hint


@pytest.mark.parametrize("option", ["partial", "live"])
def test_what_was_taken_of_it_can_be_had(write: Write, option: str) -> None:
    source = write(HEADER + ascan(**{"10.4 0.5 11\n": ""}))
    scan, report = opened(source, **{option: True})
    assert scan.signal[...].tolist() == I0[:4]
    assert report.problems[0].severity == "warning"


def test_only_whole_lines_of_a_growing_file_are_taken(write: Write) -> None:
    text = (HEADER + ascan()).rstrip("\n")
    source = write(text[: text.index("10.4 0.5 11") + 10])
    scan, report = opened(source, live=True)
    assert scan.signal[...].tolist() == I0[:4]
    assert any("not whole" in str(problem) for problem in report.problems)


def test_a_scan_that_grew_since_it_was_listed_is_read_as_it_is(write: Write) -> None:
    whole = HEADER + ascan()
    cut = whole.index("10.3 0.5")
    source = write(whole[:cut])
    translator, report = SpecTranslator(), Report()
    (ref,) = translator.scans([source])
    assert ref.frames == 3
    write(whole + ascan(2))
    scan = translator.open(ref, Options(), report)
    assert not report.errors
    assert scan is not None
    assert scan.signal[...].tolist() == I0


def test_a_scan_that_is_gone_since_is_refused(write: Write) -> None:
    source = write(HEADER + ascan(1) + ascan(2))
    translator = SpecTranslator()
    _, second = translator.scans([source])
    write(HEADER + ascan(1))
    with pytest.raises(SourceError, match=r"2\.1 is no longer"):
        translator.open(second, Options(), Report())


DAMAGED = {
    "text": ({"10.2 0.5 9": "10.2 0.5 nine"}, "line 20: I0 is 'nine'"),
    "short": ({"10.2 0.5 9": "10.2 0.5"}, "line 20: 2 numbers, but #L names 3 columns"),
    "long": ({"10.2 0.5 9": "10.2 0.5 9 4"}, "line 20: 4 numbers"),
    "odd blank": ({"10.2 0.5 9": "10.2\u00a00.5 9"}, "line 20: 2 numbers"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_row_that_silx_would_leave_out_silently_is_named(write: Write, case: str) -> None:
    replaced, said = DAMAGED[case]
    source = write(HEADER + ascan(**replaced))
    scan, report = opened(source)
    assert scan is None
    assert "sim.spec" in str(report.errors[0])
    assert said in str(report.errors[0])
    scan, _ = opened(source, partial=True)
    assert scan.signal[...].tolist() == I0[:2]
    with pytest.raises(SourceError, match="line 20"):
        read_table(source)


def test_a_scan_without_names_of_columns_is_refused(write: Write) -> None:
    with pytest.raises(SourceError, match=r"scan 1\.1: it has no line #L"):
        opened(write(HEADER + ascan(**{"#L ": "#C "})))


def test_a_scan_without_points_is_refused(write: Write) -> None:
    text = HEADER + ascan()
    scan, report = opened(write(text[: text.index("10 0.5")]), partial=True)
    assert scan is None
    assert "no point was taken" in str(report.errors[-1])


def test_a_damaged_start_of_a_scan_is_named_by_its_line(write: Write) -> None:
    with pytest.raises(SourceError, match=r"sim\.spec, line 9: '#Sx1"):
        read_index(write(HEADER + ascan().replace("#S 1", "#Sx1") + ascan(2)))


def test_zeros_of_a_crashed_computer_are_named(write: Write) -> None:
    with pytest.raises(SourceError, match=r"byte \d+ is 0"):
        read_index(write((HEADER + ascan()).encode() + bytes(20)))


def test_positions_that_do_not_fit_their_names_are_left_out_and_said(write: Write) -> None:
    scan, report = opened(write(HEADER + ascan(**{"#P0 20.5 10 -1.25": "#P0 20.5 10"})))
    assert any("#O0 names 3 motors, #P0 has 2" in str(problem) for problem in report.problems)
    assert scan.metadata.get("instrument/samx/value") is None
    assert scan.metadata["instrument/Chi/value"].value == 90


def test_a_counter_that_is_there_twice_is_kept_once_unless_it_differs(write: Write) -> None:
    text = ascan(**{"#L Theta  Seconds  I0": "#L Theta  Seconds  I0  I0"})
    for value in (7, 8, 9, 10, 11):
        text = text.replace(f"0.5 {value}\n", f"0.5 {value} {value}\n", 1)
    scan, _ = opened(write(HEADER + text))
    assert scan.detector == "I0"
    assert list(scan.counters) == ["frame_number", "Seconds"]
    scan, _ = opened(write(HEADER + text.replace("0.5 9 9", "0.5 9 8")))
    assert sorted(scan.counters) == ["I0_2", "Seconds", "frame_number"]


def test_headers_in_latin_1_are_read(write: Write) -> None:
    scan, report = opened(write((HEADER + ascan()).replace("samx", "sam°").encode("latin-1")))
    assert not report.errors
    assert scan.raw_metadata.values["file #O0"] == "Two Theta  Theta  sam°"


def test_each_scan_has_the_header_before_it(write: Write) -> None:
    other = HEADER.replace("samx", "samz").replace("1335447606", "1335447999")
    source = write(HEADER + ascan(1) + other + ascan(2))
    scan, _ = opened(source, "2.1")
    assert scan.metadata["instrument/samz/value"].value == -1.25
    assert scan.raw_metadata.values["file #E"] == "1335447999"


def test_a_table_for_other_frames_is_one_scan_of_the_file(write: Write) -> None:
    source = write(HEADER + ascan(1) + ascan(12))
    table = read_table(f"{source}::/12.1")
    assert table.rows == 5
    assert table.motors[0] == "Theta"
    assert table.columns["samx"].tolist() == [-1.25] * 5
    assert table.units == {"Seconds": "s"}
    with pytest.raises(PlanError, match="holds 2 scans"):
        read_table(source)


@pytest.mark.parametrize(
    ("start", "taken"),
    [
        ("#F a\n", True),
        ("#S 1 ascan\n", True),
        ("# F a\n", False),
        ("{\nEDF\n", False),
        ("", False),
    ],
)
def test_files_are_known_by_their_first_line(write: Write, start: str, taken: bool) -> None:
    assert SpecTranslator().can_open(write(start)) is taken
