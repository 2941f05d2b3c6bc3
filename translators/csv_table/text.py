"""The bytes of a table as text."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from nxscan.errors import SourceError

SUFFIXES = (".csv", ".tsv")
"""Names that say that a file is a table."""
MAYBE = (".txt", ".dat")
"""Names that a table may have, and much else."""
_LINE = re.compile(rb"\r\n|\r|\n")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Text:
    """A file's text, and the bytes that it was."""

    raw: bytes
    text: str

    def start(self, lines: int) -> bytes:
        """Return the bytes of the first lines."""
        if self.raw.startswith(_UTF16):
            return self.text.encode("utf-8")[: len("\n".join(lines_of(self.text)[:lines]).encode())]
        ends = (found.end() for found in _LINE.finditer(self.raw))
        return self.raw[: next(islice(ends, lines - 1, None), len(self.raw))] if lines else b""


def read_text(path: Path, most: int = -1) -> Text:
    """Return a file's text: UTF-8 with or without a mark, UTF-16 with one, else Latin-1.

    Parameters
    ----------
    path : Path
        The file.
    most : int
        How many bytes to read; all by default. The last character may then be incomplete.

    Raises
    ------
    SourceError
        If it cannot be read, or holds binary data.

    """
    try:
        with path.open("rb") as file:
            raw = file.read(most)
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror or error}", "check that you may read it"
        ) from error
    return Text(raw, _decoded(raw, path, final=most < 0 or len(raw) < most))


def _decoded(raw: bytes, path: Path, *, final: bool) -> str:
    if raw.startswith(_UTF16):
        try:
            return codecs.getincrementaldecoder("utf-16")().decode(raw, final=final)
        except UnicodeDecodeError as error:
            raise SourceError(
                f"{path}: byte {error.start} is no UTF-16, which its first bytes say it is",
                "save it as UTF-8",
            ) from error
    at = raw.find(b"\0")
    if at >= 0:
        raise SourceError(
            f"{path}: byte {at} is 0, so it is no table of text", "save the table as UTF-8 text"
        )
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(raw, final=final)
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, whatever system wrote it.

    >>> lines_of("a" + chr(13) + chr(10) + "b" + chr(10))
    ['a', 'b']
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines
