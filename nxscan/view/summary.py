"""What a file holds, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from nxscan.view import describe
from nxscan.view.hdf5 import (
    attribute,
    children,
    field_text,
    is_group,
    nx_class,
    open_file,
    text,
)
from nxscan.view.hints import hints
from nxscan.view.listing import listing
from nxscan.view.sections import entry_rows

if TYPE_CHECKING:
    from os import PathLike

    Row = tuple[str, str]

WIDTH = 100
INDENT = 16
LISTS = ("datasets", "plots", "results", "USID")
"""Rows with a path at their end, which is not put on a line of its own."""


def info(path: str | PathLike[str]) -> str:
    """Describe what a NeXus or HDF5 file holds: axes, frames, counters, sources, results.

    Parameters
    ----------
    path : path-like
        A file that nxscan wrote, or any HDF5 file.

    Returns
    -------
    str
        Lines of plain text.

    Raises
    ------
    SourceError
        If the file cannot be read.

    Examples
    --------
    >>> import h5py, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["curve"] = [1.0, 4.0, 9.0]
    >>> print(info(path))  # doctest: +ELLIPSIS
    a.h5 ...
    <BLANKLINE>
      datasets      3 float64  /curve

    """
    with open_file(path) as file:
        lines = list(_head(file))
        entries = [node for _, node in children(file) if nx_class(node) == "NXentry"]
        for entry in entries:
            lines += ["", f"{entry.name}  {field_text(entry, 'title')}".rstrip()]
            rows = list(entry_rows(entry))
            shown = any(label in ("frames", "signal", "plots", "results") for label, _ in rows)
            lines += _rows(rows if shown else [*rows, *listing(entry)])
        if not entries:
            lines += ["", *_rows(listing(file))]
        lines += _rows(_usid(file))
        lines += _rows(("to check", hint) for hint in hints(file, entries))
    return "\n".join(lines)


def _head(file: Any) -> Iterator[str]:
    path = Path(file.filename)
    creator = " ".join(
        text(attribute(file, name)) for name in ("creator", "creator_version")
    ).strip()
    written = f", written by {creator}" if creator else ""
    time = text(attribute(file, "file_time"))
    yield f"{path.name}  {describe.size(path.stat().st_size)}{written}{f', {time}' if time else ''}"


def _rows(rows: Any) -> list[str]:
    """Lay rows out in two columns; a label that repeats is written once."""
    lines: list[str] = []
    last = ""
    for label, value in rows:
        shown = "" if label == last else label
        last = label
        width = 10 * WIDTH if label in LISTS else WIDTH - INDENT
        pieces = wrap(value, width, break_long_words=False, break_on_hyphens=False)
        lines.append(f"  {shown:<{INDENT - 2}}{pieces[0] if pieces else ''}".rstrip())
        lines += [f"{'':<{INDENT + 2}}{piece}" for piece in pieces[1:]]
    return lines


def _usid(file: Any) -> Iterator[Row]:
    for name, group in children(file):
        if not name.startswith("Measurement_") or not is_group(group):
            continue
        for _, channel in children(group):
            for key, main in children(channel) if is_group(channel) else ():
                if not is_group(main) and attribute(main, "Position_Indices") is not None:
                    lengths = describe.shape(main.shape)
                    yield "USID", f"{channel.name}/{key}  {lengths} (positions × spectroscopic)"
