"""Where the scans of a SPEC file lie: an index of whole lines, made anew for each reading.

A SPEC file grows while it is read. What is read here is a snapshot that ends with its last whole
line; silx is given a copy of one scan of it, so that it never meets a file that has changed.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nxscan.errors import SourceError

_MARK = re.compile(rb"^#(?:(S)|[FE](?= ))([^\r\n]*)", re.MULTILINE)
_NUMBER = re.compile(rb"[ \t]+(\d{1,9})(?:\s+(.*))?\Z", re.DOTALL)
_FIRST = re.compile(rb"\s*#(?:S +\d+|F +\S|E +\d+)")
_GAP = re.compile(r"\s{2,}|\t")
LOOKED_AT = 2**16


@dataclass(frozen=True)
class Line:
    """One line of a scan: its number in the file, from 1, and its text."""

    number: int
    text: str


@dataclass(frozen=True)
class Entry:
    """One scan.

    Attributes
    ----------
    number, order : int
        The scan's number, and which of those with this number in the file it is, from 1.
    command : str
        What was typed.
    header, scan : bytes
        The lines of the file's header that holds for it, and its own.
    line : int
        Number of its first line in the file, from 1.
    cut : bool
        Whether a line that is not whole follows its last one, at the end of the file.

    """

    number: int
    order: int
    command: str
    header: bytes
    scan: bytes
    line: int
    cut: bool

    @property
    def key(self) -> str:
        """Number and order, as silx writes them: ``12.1``."""
        return f"{self.number}.{self.order}"

    def header_line(self, key: str) -> str:
        """Return what the first line of the scan with a key says; empty where there is none."""
        found = re.search(rb"^#" + key.encode() + rb" +([^\r\n]*)", self.scan, re.MULTILINE)
        return decoded(found[1]).strip() if found else ""

    def labels(self) -> list[str]:
        """Return the names of the columns, which stand two blanks or more apart."""
        said = self.header_line("L")
        return [name.strip() for name in _GAP.split(said) if name.strip()]

    def rows(self) -> Iterator[Line]:
        """Yield the lines of numbers: not the headers, not the spectra."""
        spectrum = False
        for number, raw in enumerate(self.scan.split(b"\n"), self.line):
            line = raw.strip()
            if spectrum or line.startswith(b"@"):
                spectrum = line.endswith(b"\\")
            elif line and not line.startswith(b"#"):
                yield Line(number, decoded(line))

    def spectra(self) -> int:
        """Return how many spectra it has."""
        return len(re.findall(rb"^@[A-Z]", self.scan, re.MULTILINE))


@dataclass(frozen=True)
class Index:
    """A SPEC file as it was at one moment.

    Attributes
    ----------
    path : Path
        The file.
    size : int
        Its bytes.
    modified : float
        Time of its change, seconds since 1970.
    entries : tuple of Entry
        Its scans, in the order of the file.

    """

    path: Path
    size: int
    modified: float
    entries: tuple[Entry, ...]

    def entry(self, key: str) -> Entry:
        """Return one scan.

        Raises
        ------
        SourceError
            If it is no longer there.

        """
        for entry in self.entries:
            if entry.key == key:
                return entry
        raise SourceError(
            f"{self.path}: scan {key} is no longer in the file, which was changed",
            "list its scans again with nxscan inspect",
        )


def is_spec(path: Path) -> bool:
    """Tell whether a file begins as SPEC's do, with a header or a scan, or goes on with one.

    The second part of a file that was cut in two begins with numbers; a scan follows.
    """
    try:
        with path.open("rb") as file:
            start = file.read(LOOKED_AT)
    except OSError:
        return False
    if b"\0" in start:
        return False
    later = re.search(rb"^#S +\d+ ", start, re.MULTILINE), re.search(rb"^#L ", start, re.MULTILINE)
    return _FIRST.match(start) is not None or all(later)


def read_index(path: Path) -> Index:
    """Read a file and find its scans.

    Raises
    ------
    SourceError
        If it cannot be read, holds binary data, or a scan has no number.

    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            data = file.read()
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror or error}", "check that you may read it"
        ) from error
    at = data.find(b"\0")
    if at >= 0:
        raise SourceError(
            f"{path}: byte {at} is 0, so it is damaged or no SPEC file",
            "copy it again; a computer that crashed may have left zeros",
        )
    whole = data[: data.rfind(b"\n") + 1]
    entries = tuple(_entries(path, whole, cut=bool(data[len(whole) :].strip())))
    return Index(path, len(data), found.st_mtime, entries)


def _entries(path: Path, data: bytes, *, cut: bool) -> Iterator[Entry]:
    marks = list(_MARK.finditer(data))
    orders: Counter[int] = Counter()
    header, headed = (0, 0), False
    line, counted = 1, 0
    for k, mark in enumerate(marks):
        kind, start = mark[0][1:2], mark.start()
        stop = marks[k + 1].start() if k + 1 < len(marks) else len(data)
        if kind == b"E" and headed:
            header = (header[0], stop)
            continue
        if kind != b"S":
            header, headed = (start, stop), True
            continue
        headed = False
        line += data.count(b"\n", counted, start)
        counted = start
        said = _NUMBER.match(mark[2].rstrip())
        if said is None:
            raise SourceError(
                f"{path}, line {line}: {decoded(mark[0])!r} is no scan, expected #S NUMBER COMMAND",
                "correct or remove the line in a copy of the file",
            )
        number = int(said[1])
        orders[number] += 1
        yield Entry(
            number=number,
            order=orders[number],
            command=decoded(said[2] or b"").strip(),
            header=data[header[0] : header[1]],
            scan=data[start:stop],
            line=line,
            cut=cut and stop == len(data),
        )


def decoded(raw: bytes) -> str:
    """Return a line as text: UTF-8, else Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
