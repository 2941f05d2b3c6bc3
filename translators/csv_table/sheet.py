"""A table's header and rows as cells of text."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nxscan.errors import SourceError
from nxscan.translators.csv_table.cells import is_number
from nxscan.translators.csv_table.text import Text, lines_of

_DELIMITERS = (",", ";", "\t")
BLANKS = " "
_SAMPLE = 50
_WORD = re.compile(r'"[^"]*"|\S+')
_UNIT = re.compile(r"(?P<name>.*?\S)\s*(?:\((?P<round>[^()]*)\)|\[(?P<square>[^\[\]]*)\])\s*\Z")
_UNIT_APART = re.compile(r"[(\[][^()\[\]]*[)\]]\Z")
_SEPARATOR = re.compile(r"sep=([,;\t])\Z", re.IGNORECASE)
"""The first line of a table that Excel wrote."""
_SAID = re.compile(r"(?P<key>[A-Za-z][\w ./-]{0,60}?)\s*[:=]\s*(?P<value>\S.*)\Z")


@dataclass(frozen=True)
class Sheet:
    """The cells of a table.

    Attributes
    ----------
    path : Path
        Its file.
    names : tuple of str
        Its columns, without their units.
    units : dict of str to str
        Units that the header states.
    rows : list of tuple of str
        The cells.
    lines : list of int
        Number of each row's line in the file, from 1.
    said : dict of str to str
        What comments say as ``key: value``.
    header : bytes
        Everything before the first row.
    delimiter : str
        What stands between two cells; a blank stands for any number of blanks and tabs.

    """

    path: Path
    names: tuple[str, ...]
    units: dict[str, str]
    rows: list[tuple[str, ...]]
    lines: list[int]
    said: dict[str, str]
    header: bytes
    delimiter: str

    def column(self, number: int) -> list[str]:
        """Return the cells of a column."""
        return [row[number] for row in self.rows]


def read_sheet(path: Path, text: Text) -> Sheet:
    """Take a table apart.

    The first line that is neither empty nor a comment (#) has the names of the columns; where it
    has numbers only, the last comment before it has, as numpy and many programs write.

    Raises
    ------
    SourceError
        If it is empty, has no names, has two columns of one name, or a row with another number
        of cells than columns; it names file and line.

    """
    every = lines_of(text.text)
    said = _SEPARATOR.match(every[0].strip()) if every else None
    if said:
        every[0] = ""
    used = [k for k, line in enumerate(every) if line.strip() and not line.lstrip().startswith("#")]
    if not used:
        raise SourceError(f"{path}: the table is empty", "its first line names the columns")
    sample = [every[k] for k in used[:_SAMPLE]]
    delimiter = said[1] if said else find_delimiter(sample)
    head = used[0]
    if all(is_number(cell) for cell in _cells(path, head, every[head], delimiter)):
        head, first = _commented_header(path, every, head, delimiter), 0
        names_line = every[head].lstrip().lstrip("#")
    else:
        names_line, first = every[head], 1
    named = _header_cells(path, head, names_line, delimiter)
    lines = used[first:]
    rows = [_cells(path, k, every[k], delimiter) for k in lines]
    if not rows:
        raise SourceError(
            f"{path}: there is a header on line {head + 1}, but no row", "write one for each point"
        )
    named, rows = _without_empty_end(named, rows)
    _check_widths(path, named, rows, lines)
    names, units = _names_and_units(path, head, named)
    return Sheet(
        path=path,
        names=names,
        units=units,
        rows=rows,
        lines=[k + 1 for k in lines],
        said=_said(every, head),
        header=text.start(lines[0]),
        delimiter=delimiter,
    )


def find_delimiter(lines: Sequence[str]) -> str:
    """Return what separates the cells of some lines: what gives all the same number, most of all.

    >>> find_delimiter(["x;y", "1,5;2"]), find_delimiter(["x (um)  y", "1  2"])
    (';', ' ')
    """
    counts = {mark: [line.count(mark) for line in lines] for mark in _DELIMITERS}
    even = [mark for mark, found in counts.items() if found[0] and len(set(found)) == 1]
    some = [mark for mark, found in counts.items() if found[0]]
    if even:
        return max(even, key=lambda mark: counts[mark][0])
    if len(_WORD.findall(lines[-1])) > 1 and not some:
        return BLANKS
    return max(some, key=lambda mark: sum(counts[mark]), default=_DELIMITERS[0])


def _cells(path: Path, line: int, text: str, delimiter: str) -> tuple[str, ...]:
    if delimiter == BLANKS:
        return tuple(word.strip('"') for word in _WORD.findall(text))
    try:
        (cells,) = csv.reader([text], delimiter=delimiter, skipinitialspace=True, strict=True)
    except (csv.Error, ValueError) as error:
        raise SourceError(
            f"{path}, line {line + 1}: cannot be taken apart into cells: {error}",
            "check its quotation marks",
        ) from error
    return tuple(cell.strip() for cell in cells)


def _header_cells(path: Path, line: int, text: str, delimiter: str) -> tuple[str, ...]:
    """Return the names of columns; between blanks, a unit in brackets belongs to its name."""
    cells = _cells(path, line, text, delimiter)
    if delimiter != BLANKS:
        return cells
    joined: list[str] = []
    for cell in cells:
        if joined and _UNIT_APART.match(cell):
            joined[-1] += f" {cell}"
        else:
            joined.append(cell)
    return tuple(joined)


def _commented_header(path: Path, lines: Sequence[str], first: int, delimiter: str) -> int:
    """Return the line of the comment that names the columns of a table without a header."""
    width = len(_cells(path, first, lines[first], delimiter))
    for k in range(first - 1, -1, -1):
        text = lines[k].lstrip().lstrip("#")
        if text.strip():
            cells = _header_cells(path, k, text, delimiter)
            if len(cells) == width and not any(is_number(cell) for cell in cells):
                return k
            break
    raise SourceError(
        f"{path}: line {first + 1} has numbers, where the names of {width} columns are expected",
        "put a line with their names before it",
    )


def _without_empty_end(
    named: tuple[str, ...], rows: list[tuple[str, ...]]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Leave out a last column without name and values: each line ends with a delimiter."""
    width = len(named)
    if width > 1 and not named[-1] and all(len(row) != width or not row[-1] for row in rows):
        return named[:-1], [row[:-1] if len(row) == width else row for row in rows]
    return named, rows


def _check_widths(
    path: Path, named: Sequence[str], rows: Sequence[tuple[str, ...]], lines: Sequence[int]
) -> None:
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(named):
            raise SourceError(
                f"{path}, line {line + 1}: {len(row)} cells, but there are {len(named)} columns: "
                f"{', '.join(named[:8])}{' …' if len(named) > 8 else ''}",
                "correct the line, or leave it out with # before it",
            )


def _names_and_units(
    path: Path, line: int, named: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, str]]:
    names: list[str] = []
    units: dict[str, str] = {}
    for number, cell in enumerate(named, 1):
        found = _UNIT.match(cell)
        name = found["name"] if found else cell
        if not name:
            raise SourceError(f"{path}, line {line + 1}: column {number} has no name", "name it")
        if name in names:
            raise SourceError(
                f"{path}, line {line + 1}: columns {names.index(name) + 1} and {number} are both "
                f"called {name!r}",
                "give each column a name of its own",
            )
        names.append(name)
        if found:
            units[name] = (found["round"] or found["square"] or "").strip()
    return tuple(names), units


def _said(lines: Sequence[str], head: int) -> dict[str, str]:
    """Return what comments say as ``key: value``; of a key that is repeated, the first."""
    found: dict[str, str] = {}
    for k, line in enumerate(lines):
        if k != head and line.lstrip().startswith("#"):
            said = _SAID.match(line.strip().lstrip("#").strip())
            if said:
                found.setdefault(said["key"].strip(), said["value"].strip())
    return found
