"""Text for people: tables and paragraphs that fit 100 columns and lose nothing."""

import json
import os
import shlex
import subprocess
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

import typer

WIDTH = 100
_GAP = "  "


def heading(text: str) -> None:
    """Print a heading, after an empty line."""
    typer.secho(f"\n{text}", bold=True)


def echo(lines: Iterable[str]) -> None:
    """Print lines on stdout."""
    for line in lines:
        typer.echo(line)


def table(rows: Sequence[Sequence[str]], header: Sequence[str] = ()) -> Iterator[str]:
    """Align columns; only the last one is wrapped, and nothing is cut off.

    >>> list(table([("mu", "41"), ("chi", "5")], ("axis", "length")))
    ['  axis  length', '  mu    41', '  chi   5']
    """
    lines = [*([header] if header else []), *rows]
    if not lines:
        return
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for cells in lines:
        start = _GAP + "".join(
            f"{cell:<{width}}{_GAP}" for cell, width in zip(cells[:-1], widths[:-1], strict=True)
        )
        yield from paragraph(cells[-1], start)


def paragraph(text: str, start: str = _GAP) -> Iterator[str]:
    """Wrap text behind ``start``; what does not fit goes under its beginning.

    >>> list(paragraph("mu moves", "* "))
    ['* mu moves']
    """
    room = max(WIDTH - len(start), 40)
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
    yield (start + lines[0]).rstrip()
    for line in lines[1:]:
        yield " " * len(start) + line


def size(number: float) -> str:
    """Write a number of bytes for people.

    >>> size(950), size(5_400_000)
    ('950 B', '5.4 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def when(seconds: float) -> str:
    """Write a time for people, in the local zone; empty if there is none."""
    return (
        datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M") if seconds else ""
    )


def times(shape: Iterable[int]) -> str:
    """Write a shape for people.

    >>> times((41, 256, 512))
    '41 × 256 × 512'
    """
    return " × ".join(str(length) for length in shape)


def command_line(words: Sequence[str]) -> str:
    """Write a command as it can be typed into this system's shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def print_json(value: Any) -> None:
    """Print a value as strict JSON."""
    typer.echo(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value
