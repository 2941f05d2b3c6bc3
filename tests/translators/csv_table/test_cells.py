"""Cells are numbers, exact whole numbers or texts; anything else is named by line and column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.translate.mapping import builtin_mapping
from nxscan.translate.table import Table
from nxscan.translators.csv_table.cells import is_number
from nxscan.translators.csv_table.reader import read_table

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(content: str | bytes, name: str = "pos.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def read(path: Path) -> Table:
    return read_table(path, builtin_mapping("csv"))


@pytest.mark.parametrize(
    "content",
    [
        "x (um),y [mm],I0\n0,1,5\n1.5,1,6\n",
        "x (um);y [mm];I0\r\n0;1;5\r\n1.5;1;6",
        "x (um)\ty [mm]\tI0\n0\t1\t5\n1.5\t1\t6\n",
        "x (um)   y [mm] I0\n 0   1   5\n1.5\t1  6\n",
        "# taken at night\n\n  x(um) , y[mm] , I0\n0 , 1 , 5\n# a pause\n1.5 , 1 , 6\n\n",
        "#x (um) y [mm] I0\n0 1 5\n1.5 1 6\n",
        '"x (um)","y [mm]","I0"\n"0","1","5"\n"1.5","1","6"\n',
        "x (um),y [mm],I0,\n0,1,5,\n1.5,1,6,\n",
        "\ufeffx (um),y [mm],I0\r0,1,5\r1.5,1,6\r",
        "sep=;\r\nx (um);y [mm];I0\r\n0;1;5\r\n1.5;1;6\r\n",
    ],
    ids=[
        "comma",
        "semicolon",
        "tab",
        "blanks",
        "comments",
        "numpy",
        "quoted",
        "trailing",
        "mark",
        "Excel",
    ],
)
def test_every_dialect_gives_the_same_table(write: Write, content: str) -> None:
    table = read(write(content))
    assert {name: list(column) for name, column in table.columns.items()} == {
        "x": [0.0, 1.5],
        "y": [1.0, 1.0],
        "I0": [5.0, 6.0],
    }
    assert table.units == {"x": "um", "y": "mm"}


@pytest.mark.parametrize(
    ("encoding", "unit"),
    [("utf-8", "µm"), ("utf-8-sig", "µm"), ("latin-1", "µm"), ("utf-16", "µm")],
)
def test_encodings_are_told_apart(write: Write, encoding: str, unit: str) -> None:
    table = read(write(f"x ({unit})\n1\n2\n".encode(encoding)))
    assert table.units == {"x": unit}
    assert table.columns["x"].tolist() == [1, 2]


def test_an_empty_cell_is_a_missing_number(write: Write) -> None:
    table = read(write("x,I\n0,5\n,6\n2,\n"))
    assert table.columns["x"].tolist()[::2] == [0, 2]
    assert np.isnan(table.columns["x"][1])
    assert np.isnan(table.columns["I"][2])
    assert not table.keys


def test_whole_numbers_are_kept_exactly(write: Write) -> None:
    table = read(write("tag,big\n219817020,9007199254740993\n219817022,-9223372036854775808\n"))
    assert table.keys["tag"].tolist() == [219817020, 219817022]
    assert table.keys["big"].tolist() == [2**53 + 1, -(2**63)]


def test_a_column_of_names_is_text(write: Write) -> None:
    table = read(write("file,x\na_1.tif,0\na_2.tif,1\n"))
    assert table.texts["file"].tolist() == ["a_1.tif", "a_2.tif"]
    assert list(table.columns) == ["x"]


BAD = {
    "text in numbers": ("x,I\n0,5\n1,high\n2,7\n", ["column 'I'", "line 3", "'high'"]),
    "number in texts": ("f,I\na,1\nb,1\n3,1\n", ["column 'f'", "line 4", "'3'"]),
    "decimal comma": ("x;I\n0,5;5\n1;6\n2;6\n", ["column 'x'", "line 2", "write a point"]),
    "20 digits": ("tag\n12345678901234567890\n", ["column 'tag'", "line 2", "20 digits"]),
    "inexact": ("tag,x\n9007199254740993,1\n,2\n", ["column 'tag'", "line 2", "line 3"]),
    "short row": ("x,y\n0,1\n2\n", ["line 3", "1 cells", "2 columns"]),
    "long row": ("x,y\n0,1,2\n0,1\n", ["line 2", "3 cells", "2 columns"]),
    "one name twice": ("x (um),x (mm)\n0,1\n", ["line 1", "columns 1 and 2", "'x'"]),
    "no name": ("x,,y\n0,1,2\n", ["line 1", "column 2 has no name"]),
    "no header": ("0,1\n2,3\n", ["line 1", "names of 2 columns"]),
    "no row": ("x,y\n", ["no row"]),
    "empty": ("", ["empty"]),
    "comments only": ("# x\n\n", ["empty"]),
    "open quotation": ('x,y\n"0,1\n', ["line 2", "quotation"]),
    "binary": ("x,y\n\0\n", ["byte 4 is 0"]),
    "underscore": ("x\n1_000\n2\n3\n", ["column 'x'", "line 2", "'1_000'"]),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_by_file_and_place(write: Write, case: str) -> None:
    content, said = BAD[case]
    with pytest.raises(SourceError) as caught:
        read(write(content))
    for part in ["pos.csv", *said]:
        assert part in str(caught.value)
    assert caught.value.hint


def test_the_header_is_kept_byte_for_byte(write: Write) -> None:
    header = "# sample: gold\r\nx (µm),I\r\n".encode("latin-1")
    table = read(write(header + b"0,1\r\n"))
    assert list(table.headers) == [header]
    assert table.values == {"sample": "gold", "x@units": "µm"}


def test_comments_that_say_a_key_are_raw_values(write: Write) -> None:
    table = read(write("# energy = 9 keV\n# operator: A. B.\n# no key\nx\n1\n"))
    assert table.values == {"energy": "9 keV", "operator": "A. B."}


cells = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8), st.sampled_from(",;\t "))
def test_numbers_come_back_as_they_were_written(rows: list[tuple[float, float]], mark: str) -> None:
    from nxscan.translators.csv_table.sheet import read_sheet
    from nxscan.translators.csv_table.text import Text

    text = f"a{mark}b\n" + "".join(f"{a!r}{mark}{b!r}\n" for a, b in rows)
    sheet = read_sheet(Path("t"), Text(text.encode(), text))
    assert [tuple(map(float, row)) for row in sheet.rows] == rows
    assert all(is_number(cell) for row in sheet.rows for cell in row)
