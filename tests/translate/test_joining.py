"""Rows of a table find their frames by name, by number, or in order; else both numbers are said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.model import Source
from nxscan.translate.build import Found
from nxscan.translate.joining import join
from nxscan.translate.report import Report
from nxscan.translate.table import Table
from nxscan.translate.tabled import with_table

FILES = ["/raw/a_0001.tif", "/raw/a_0002.tif", "/raw/a_0003.tif"]


def table(rows: int = 3, **more: Any) -> Table:
    return Table(name="pos.csv", columns={"x": np.arange(rows) * 0.5}, **more)


def texts(*names: str) -> dict[str, Any]:
    return {"file": np.array(names)}


def keys(**columns: list[int]) -> dict[str, Any]:
    return {name: np.array(column, np.int64) for name, column in columns.items()}


def joined(table: Table, frames: int = 3, **more: Any) -> tuple[list[int] | None, Report]:
    report = Report()
    rows = join(table, frames=frames, report=report, **more)
    return (None if rows is None else rows.tolist()), report


@pytest.mark.parametrize(
    "written",
    [
        ["a_0003.tif", "a_0001.tif", "a_0002.tif"],
        ["C:\\data\\a_0003.tif", "C:\\data\\a_0001.tif", "C:\\data\\a_0002.tif"],
        ["a_0003", "a_0001", "a_0002"],
        ["old/a_0003.tif.gz", "old/a_0001.tif.gz", "old/a_0002.tif.gz"],
    ],
    ids=["names", "other system's folders", "without suffix", "packed since"],
)
def test_names_of_files_join_whatever_their_order(written: list[str]) -> None:
    rows, report = joined(table(texts=texts(*written)), names=FILES)
    assert rows == [1, 2, 0]
    assert "'file'" in str(report.problems[0])


def test_names_go_before_numbers_and_order() -> None:
    both = table(texts=texts("a_0003", "a_0002", "a_0001"), keys=keys(frame=[1, 2, 3]))
    rows, _ = joined(both, names=FILES, numbers=[1, 2, 3])
    assert rows == [2, 1, 0]


def test_rows_that_name_one_file_are_its_frames_in_order() -> None:
    rows, _ = joined(
        table(4, texts=texts("b.tif", "a.tif", "b.tif", "a.tif")),
        frames=4,
        names=["a.tif", "a.tif", "b.tif", "b.tif"],
    )
    assert rows == [1, 3, 0, 2]


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize(
    ("written", "files"),
    [(["a.tif", "a.tif", "b.tif"], ["a.tif", "b.tif"]), (["a.tif"], ["a.tif", "a.tif"])],
    ids=["a row too many", "a row too few"],
)
def test_a_file_with_another_number_of_rows_than_frames_is_refused(
    written: list[str], files: list[str], partial: bool
) -> None:
    one = table(len(written), texts=texts(*written))
    rows, report = joined(one, frames=len(files), names=files, partial=partial)
    assert rows is None
    assert "a.tif" in str(report.errors[0])


@pytest.mark.parametrize(
    "column", ["tag", "Frame", "image_number", "FileNumber", "filenum", "imgno"]
)
def test_a_column_that_numbers_frames_joins(column: str) -> None:
    tags = [219817022, 219817020, 219817024]
    rows, _ = joined(table(keys=keys(**{column: tags})), numbers=[219817020, 219817022, 219817024])
    assert rows == [1, 0, 2]


@pytest.mark.parametrize("column", ["stage_x", "image_sum", "frame_rate", "x", "point"])
def test_other_whole_numbers_are_no_numbers_of_frames(column: str) -> None:
    rows, report = joined(table(keys=keys(**{column: [3, 2, 1]})), numbers=[1, 2, 3])
    assert rows == [0, 1, 2]
    assert "in their order" in str(report.problems[-1])


def test_two_columns_that_contradict_are_refused() -> None:
    two = table(keys=keys(frame=[1, 2, 3], image=[3, 2, 1]))
    rows, report = joined(two, numbers=[1, 2, 3])
    assert rows is None
    assert "'frame' and 'image'" in str(report.errors[0])


def test_a_number_that_two_rows_have_is_refused() -> None:
    rows, report = joined(table(keys=keys(frame=[1, 2, 2])), numbers=[1, 2, 3], partial=True)
    assert rows is None
    assert "2 in several rows" in str(report.errors[0])


def test_what_is_left_over_is_said_with_its_key() -> None:
    rows, report = joined(table(keys=keys(frame=[1, 2, 9])), numbers=[1, 2, 3])
    assert rows is None
    lost, spare = (str(problem) for problem in report.errors)
    assert "1 of 3 frames have no row: 3" in lost
    assert "1 of 3 rows have no frame: 9" in spare


def test_partial_takes_what_both_have() -> None:
    rows, report = joined(table(keys=keys(frame=[9, 2, 1])), numbers=[1, 2, 3], partial=True)
    assert rows == [2, 1, -1]
    assert not report.errors
    assert sum(problem.severity == "warning" for problem in report.problems) == 2


def test_different_numbers_of_rows_and_frames_are_both_said() -> None:
    rows, report = joined(table(41), frames=40)
    assert rows is None
    assert "41 rows" in str(report.errors[0])
    assert "40 frames" in str(report.errors[0])


@pytest.mark.parametrize(
    ("of_table", "of_frames", "said"),
    [
        ({"texts": texts("b_1.tif", "b_2.tif", "b_3.tif")}, {"names": FILES}, "b_1.tif"),
        ({"keys": keys(tag=[11, 12, 13])}, {"numbers": [1, 2, 3]}, "11"),
    ],
    ids=["names", "numbers"],
)
def test_a_table_that_may_be_of_another_scan_is_warned_of(
    of_table: dict[str, Any], of_frames: dict[str, Any], said: str
) -> None:
    rows, report = joined(table(**of_table), **of_frames)
    assert rows == [0, 1, 2]
    assert report.problems[0].severity == "warning"
    assert said in str(report.problems[0])


def test_partial_takes_the_first_of_both_in_order() -> None:
    rows, report = joined(table(2), frames=3, partial=True)
    assert rows == [0, 1, -1]
    assert report.problems[0].severity == "warning"


@given(st.permutations(range(6)))
def test_any_order_of_the_rows_gives_each_frame_its_own(order: list[int]) -> None:
    numbers = np.array([5, 8, 13, 21, 34, 55])
    shuffled = Table(
        name="t",
        columns={"x": numbers[order] * 2.0},
        keys={"frame": numbers[order]},
    )
    rows, _ = joined(shuffled, frames=6, numbers=numbers)
    assert rows is not None
    assert shuffled.columns["x"][rows].tolist() == (numbers * 2.0).tolist()


class Frames:
    """Frames of which only the number and the choice matter."""

    def __init__(self, taken: np.ndarray) -> None:
        self.taken = taken
        self.shape = (len(taken), 2, 2)

    def arranged(self, shape: tuple[int, ...], order: np.ndarray) -> Frames:
        return Frames(self.taken[order])


def test_a_table_brings_its_columns_to_the_frames_that_have_a_row() -> None:
    found = Found(
        title="t",
        detectors={"detector": Frames(np.arange(3))},
        motors={"x": np.array([7.0, 8, 9]), "z": np.array([1.0, 2, 3])},
        values={"beamline": "26-ID"},
        units={"x": "mm"},
    )
    given = Table(
        name="pos.csv",
        columns={"x": np.array([0.0, 0.5]), "I0": np.array([10.0, 20])},
        motors=("x",),
        texts=texts("one", "two"),
        units={"x": "um"},
        values={"beamline": "another", "comment": "map"},
        headers=[b"x,I0,file\n"],
        sources=(Source("/pos.csv", 40, 0.0),),
    )
    both = with_table(found, given, np.array([1, -1, 0]))
    assert both.detectors["detector"].taken.tolist() == [0, 2]
    assert both.motors["x"].tolist() == [0.5, 0.0]
    assert both.motors["z"].tolist() == [1.0, 3.0]
    assert both.counters["I0"].tolist() == [20.0, 10.0]
    assert both.counters["x of the frames"].tolist() == [7.0, 9.0]
    assert both.units == {"x": "um", "x of the frames": "mm"}
    assert both.values["beamline"] == "26-ID"
    assert both.values["table/beamline"] == "another"
    assert list(both.values["file"]) == ["two", "one"]
    assert [source.frames for source in both.sources] == [0]
