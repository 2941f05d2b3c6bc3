"""Values that come as text from a command line become what the parameters are."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, field_validator

from nxscan.process.parameters import ProcessParameters
from nxscan.process.texts import read_texts, split_options


class Everything(ProcessParameters):
    number: float = 0.0
    count: int = 0
    switch: bool = False
    word: str = ""
    way: Literal["min", "edges"] = "min"
    file: Path | None = None
    limit: float | None = 1.0
    numbers: list[float] = []
    pair: tuple[int, int] = (0, 0)
    table: list[list[int]] = []
    odd: int = Field(1, ge=1)

    @field_validator("odd")
    @classmethod
    def _is_odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("must be odd")
        return value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("number", "2.5e3", 2500.0),
        ("number", "-3", -3.0),
        ("count", "7", 7),
        ("switch", "true", True),
        ("switch", "no", False),
        ("word", "a,b", "a,b"),
        ("word", "3", "3"),
        ("word", "none", "none"),
        ("way", "edges", "edges"),
        ("file", "dark.h5", Path("dark.h5")),
        ("limit", "none", None),
        ("limit", "0.5", 0.5),
        ("numbers", "1,2.5, 3", [1, 2.5, 3]),
        ("numbers", "4", [4]),
        ("numbers", "[]", []),
        ("pair", "3,4", (3, 4)),
        ("table", "[[1,2],[3]]", [[1, 2], [3]]),
        ("odd", "3", 3),
    ],
)
def test_text_becomes_what_the_parameter_is(name, text, value):
    assert getattr(Everything(**read_texts(Everything, {name: text})), name) == value


def test_one_wrong_text_does_not_change_how_the_others_are_read():
    found = read_texts(Everything, {"odd": "4", "word": "a,b", "numbers": "1,2", "count": "x"})
    assert found == {"odd": "4", "word": "a,b", "numbers": ["1", "2"], "count": "x"}


def test_unknown_names_stay_for_the_error_message():
    assert read_texts(Everything, {"nubmer": "3"}) == {"nubmer": "3"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=1", {"a": "1"}),
        ("a=1, b = 2", {"a": "1", "b": "2"}),
        ("a=1,2,b=3,4", {"a": "1,2", "b": "3,4"}),
        ("region=10:50,20:80", {"region": "10:50,20:80"}),
        ("file=/data/a=b.h5", {"file": "/data/a=b.h5"}),
        ("a=", {"a": ""}),
        ("a", None),
        ("", None),
        ("1=2", None),
        ("a=1,a=2", None),
    ],
)
def test_options_are_split_where_a_name_follows(text, found):
    assert split_options(text) == found


names = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
values = st.lists(st.from_regex(r"[\w.:+-]{1,6}", fullmatch=True), min_size=1, max_size=4)


@given(st.dictionaries(names, values, min_size=1, max_size=4))
def test_what_is_written_is_what_is_read(options):
    wanted = {name: ",".join(parts) for name, parts in options.items()}
    assert split_options(",".join(f"{k}={v}" for k, v in wanted.items())) == wanted
