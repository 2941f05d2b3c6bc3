"""Which row of a table of positions belongs to which frame."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.table import match

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.report import Report
    from nxscan.translate.table import Table

    Rows = NDArray[np.intp]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NUMBERED = frozenset({"frame", "frames", "image", "images", "img", "file", "tag", "tags", "shot"})
_RUN_TOGETHER = re.compile(r"(frame|image|img|file|tag|shot)(id|idx|index|no|nr|num|number)\Z")
_QUANTITIES = frozenset(
    {"sum", "mean", "min", "max", "size", "time", "rate", "count", "counts", "total", "width"}
    | {"height", "bytes", "intensity"}
)
_SHOWN = 5
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,4}\Z")
_PACKED = (".gz", ".bz2", ".xz", ".zst")


def join(
    table: Table,
    *,
    frames: int,
    numbers: Sequence[int] | NDArray[np.int64] | None = None,
    names: Sequence[str] | None = None,
    report: Report,
    partial: bool = False,
) -> Rows | None:
    """Find the row of each frame: by its file's name, by its number, or by their order.

    A column of texts that holds names of the frames' files decides; without one, a column of
    whole numbers that is named as if it counted frames, images, files, shots or tags, and holds
    the frames' numbers; without either, rows and frames go together in order, if there are as
    many of both. What was done is a note in ``report``. Frames without a row, and rows without a
    frame, are errors there; with ``partial`` they are warnings.

    Parameters
    ----------
    table : Table
        The table.
    frames : int
        Number of frames.
    numbers : sequence of int, shape (frames,), optional
        Number of each frame, where they have any.
    names : sequence of str, shape (frames,), optional
        File of each frame, with its path or without. A file with several frames is there once
        for each of them; the rows that name it are its frames' in order.
    report : Report
        Takes how they were joined, or why they cannot be.
    partial : bool
        Whether frames without a row, and rows without a frame, may be left out.

    Returns
    -------
    ndarray of int, shape (frames,), or None
        The row of each frame; -1 for one that has none, which happens with ``partial`` alone.
        None where they cannot be joined: ``report`` has an error that says why.

    """
    found = _by_name(table, names) if names is not None and len(names) else []
    what = "the names of the frames' files"
    if not found and numbers is not None and len(numbers):
        found, what = _by_number(table, np.asarray(numbers, np.int64)), "the frames' numbers"
    if not found:
        _warn_of_others(table, names, numbers, report)
        return _in_order(table, frames, report, partial=partial)
    best = max(found, key=lambda one: one.matched)
    rivals = [one for one in found if one.matched == best.matched]
    if any(not np.array_equal(one.rows, best.rows) for one in rivals):
        columns = " and ".join(repr(one.column) for one in rivals)
        report.error(
            "table",
            f"{table.name}: columns {columns} both hold {what}, but join different rows",
            "leave one of them out, or rename it",
        )
        return None
    return _checked(table, best, what, report, partial=partial)


@dataclass(frozen=True, eq=False)
class _Joined:
    """One column's answer."""

    column: str
    rows: Rows
    frames: Sequence[Any]
    spare: Sequence[Any]
    repeated: Sequence[Any]

    @property
    def matched(self) -> int:
        return int(np.count_nonzero(self.rows >= 0))


def _by_name(table: Table, names: Sequence[str]) -> list[_Joined]:
    """Return what each column of texts says, of those that name any of the files."""
    found = []
    for column, texts in table.texts.items():
        for key in (_base, _stem):
            joined = _matched_names(column, [key(str(text)) for text in texts], names, key)
            if joined.matched:
                found.append(joined)
                break
    return found


def _matched_names(
    column: str, texts: list[str], names: Sequence[str], key: Callable[[str], str]
) -> _Joined:
    files = [key(str(name)) for name in names]
    have, want = Counter(texts), Counter(files)
    rows = match(np.array(_counted(texts), np.str_), np.array(_counted(files), np.str_)).rows
    spare = [text for text in texts if text not in want]
    unclear = sorted(name for name in want if 1 <= have[name] != want[name])
    return _Joined(column, rows, names, spare, unclear)


def _counted(names: Sequence[str]) -> list[str]:
    """Tell apart what is there several times: the first, the second and so on.

    >>> [one.split(chr(0)) for one in _counted(["a", "b", "a"])]
    [['a', '0'], ['b', '0'], ['a', '1']]
    """
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        found.append(f"{name}\0{seen[name]}")
        seen[name] += 1
    return found


def _base(path: str) -> str:
    r"""Return a file's name without its folders, written on any system.

    >>> _base("C:\\data\\a_1.tif"), _base("raw/a_1.tif ")
    ('a_1.tif', 'a_1.tif')
    """
    return path.strip().replace("\\", "/").rpartition("/")[2]


def _stem(path: str) -> str:
    """Return a file's name without folders and suffixes; a number is none.

    >>> _stem("raw/a_1.cbf.gz"), _stem("a_0.5"), _stem("a_1")
    ('a_1', 'a_0.5', 'a_1')
    """
    name = _base(path)
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return _SUFFIX.sub("", name)


def _by_number(table: Table, numbers: NDArray[np.int64]) -> list[_Joined]:
    """Return what each column says that is named as if it numbered frames, and does."""
    found = []
    for column, keys in table.keys.items():
        if not numbers_frames(column) or 2 * len(np.unique(keys)) <= len(keys):
            continue
        matched = match(keys, numbers)
        if np.any(matched.rows >= 0):
            spare, twice = matched.unknown.tolist(), matched.repeated.tolist()
            found.append(_Joined(column, matched.rows, numbers.tolist(), spare, twice))
    return found


def numbers_frames(column: str) -> bool:
    """Tell whether a column's name says that it numbers frames.

    >>> [numbers_frames(name) for name in ("tag", "FileNumber", "imgno", "image_sum", "stage")]
    [True, True, True, False, False]
    """
    words = [word.lower() for word in _WORDS.findall(column)]
    if _QUANTITIES.intersection(words):
        return False
    return any(word in _NUMBERED or _RUN_TOGETHER.match(word) for word in words)


def _checked(
    table: Table, joined: _Joined, what: str, report: Report, *, partial: bool
) -> Rows | None:
    """Report how frames and rows were joined, and what of either is left over."""
    column = f"{table.name}: column {joined.column!r}"
    if joined.repeated:
        report.error(
            "table",
            f"{column} has {_some(joined.repeated)} in several rows, or in fewer than the file "
            "has frames",
            "leave one row for each frame",
        )
        return None
    lost = [joined.frames[int(k)] for k in np.flatnonzero(joined.rows < 0)]
    problems = []
    if lost:
        problems.append(f"{len(lost)} of {len(joined.rows)} frames have no row: {_some(lost)}")
    if joined.spare:
        rows = f"{len(joined.spare)} of {table.rows} rows have no frame"
        problems.append(f"{rows}: {_some(joined.spare)}")
    for message in problems:
        if partial:
            report.warning("table", f"{column}: {message}", "they are left out")
        else:
            report.error("table", f"{column}: {message}", "--partial takes what both have")
    if problems and not partial:
        return None
    report.note("table", f"rows and frames are joined by {what}, in {column}")
    return joined.rows


def _warn_of_others(
    table: Table,
    names: Sequence[str] | None,
    numbers: Sequence[int] | NDArray[np.int64] | None,
    report: Report,
) -> None:
    """Warn of columns that name or number frames, but none of these.

    It may be the table of another scan.
    """
    named: list[tuple[str, Any, Any]] = []
    if names is not None and len(names):
        named += [(name, column[0], _base(names[0])) for name, column in table.texts.items()]
    if numbers is not None and len(numbers):
        named += [(name, column[0], numbers[0]) for name, column in table.keys.items()]
    for name, first, frame in named:
        if numbers_frames(name):
            report.warning(
                "table",
                f"{table.name}: column {name!r} has none of the frames: it begins with {first}, "
                f"they with {frame}",
                "check that it is the table of this scan",
            )


def _in_order(table: Table, frames: int, report: Report, *, partial: bool) -> Rows | None:
    if table.rows == frames:
        report.note(
            "table",
            f"{table.name}: {frames} rows and {frames} frames are joined in their order",
            "a column with the files' names or numbers would make sure",
        )
        return np.arange(frames, dtype=np.intp)
    message = f"{table.name} has {table.rows} rows, but there are {frames} frames"
    both = min(table.rows, frames)
    if not partial or not both:
        report.error(
            "table",
            f"{message}, and no column names or numbers them",
            "give the table of this scan; --partial takes the first of both in order",
        )
        return None
    report.warning("table", message, f"the first {both} of both are taken, in their order")
    return np.where(np.arange(frames) < both, np.arange(frames), -1).astype(np.intp)


def _some(items: Sequence[Any]) -> str:
    shown = ", ".join(str(item) for item in items[:_SHOWN])
    return f"{shown} … ({len(items)} in all)" if len(items) > _SHOWN else shown
