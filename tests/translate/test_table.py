"""Rows of a table are joined to frames by their keys; conditions choose frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.errors import PlanError
from nxscan.translate.table import Table, match
from nxscan.translate.where import chosen, parse_where

keys = st.lists(st.integers(-(2**40), 2**40), max_size=40)


@given(table=keys, frames=keys)
def test_a_row_belongs_to_the_frame_with_its_key(table: list[int], frames: list[int]) -> None:
    found = match(np.array(table, np.int64), np.array(frames, np.int64))
    for frame, row in zip(frames, found.rows.tolist(), strict=True):
        assert row == (table.index(frame) if frame in table else -1)
    assert found.unknown.tolist() == [key for key in table if key not in frames]
    assert found.repeated.tolist() == sorted({key for key in table if table.count(key) > 1})


def test_names_of_files_are_keys_too() -> None:
    found = match(np.array(["b.tif", "a.tif"]), np.array(["a.tif", "c.tif"]))
    assert found.rows.tolist() == [1, -1]
    assert found.unknown.tolist() == ["b.tif"]


def test_a_table_of_texts_alone_has_rows() -> None:
    assert Table(name="t.csv", columns={}, texts={"file": np.array(["a", "b"])}).rows == 2
    assert Table(name="t.csv", columns={}).rows == 0


def test_all_conditions_hold_and_a_missing_value_holds_none() -> None:
    columns = {
        "run/laser": np.array([0.0, 1.0, 0.0, np.nan]),
        "energy": np.array([1.0, 2.0, 3.0, 4.0]),
    }
    keep = chosen(parse_where("laser = 0 and energy >= 1.5"), columns, 4)
    assert keep.tolist() == [False, False, True, False]
    assert chosen(parse_where("laser != 0"), columns, 4).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [("laser", "NAME == NUMBER"), ("laser == off", "NAME == NUMBER"), ("", "NAME == NUMBER")],
)
def test_what_is_no_condition_is_refused(text: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        parse_where(text)


def test_a_condition_on_an_unknown_or_ambiguous_column_says_which_there_are() -> None:
    columns = {"a/x": np.zeros(1), "b/x": np.zeros(1)}
    with pytest.raises(PlanError, match="could be any of a/x, b/x"):
        chosen(parse_where("x == 0"), columns, 1)
    with pytest.raises(PlanError, match="there are: a/x, b/x"):
        chosen(parse_where("y == 0"), columns, 1)
