"""Which files are tables of text: much else is text, too."""

from __future__ import annotations

from pathlib import Path

from nxscan.errors import SourceError
from nxscan.translators.csv_table.cells import is_number
from nxscan.translators.csv_table.sheet import read_sheet
from nxscan.translators.csv_table.text import MAYBE, SUFFIXES, Text, read_text

_LOOKED_AT = 2**15
_OTHERS = ("{", "#S ", "#F ", "<?xml", "[")


def is_table(path: Path) -> bool:
    """Tell whether a file is a table of text.

    What is called .csv or .tsv is one if it is text; .txt and .dat are taken if they begin with
    names of columns, rows of as many cells follow, and some of these are numbers. What begins as
    EDF, SPEC, XML, JSON or TOML do is none.
    """
    suffix = path.suffix.lower()
    if suffix not in (*SUFFIXES, *MAYBE):
        return False
    try:
        start = read_text(path, _LOOKED_AT)
        if start.text.lstrip().startswith(_OTHERS):
            return False
        return suffix in SUFFIXES or _has_rows(path, start)
    except SourceError:
        return False


def _has_rows(path: Path, start: Text) -> bool:
    cut = len(start.raw) == _LOOKED_AT
    text = start.text.rpartition("\n")[0] if cut else start.text
    sheet = read_sheet(path, Text(start.raw, text))
    return any(
        all(is_number(row[k]) for row in sheet.rows) and any(row[k] for row in sheet.rows)
        for k in range(len(sheet.names))
    )
