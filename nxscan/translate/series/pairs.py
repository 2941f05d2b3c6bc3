"""Pairs of keys that list names and values: ``motor_mne``, ``motor_pos`` and their like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translate.report import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.mapping import Pair

    Column = NDArray[np.float64]
    Texts = Sequence[str | None]


def read_pair(pair: Pair, names: Texts, values: Texts) -> tuple[dict[str, Column], list[Problem]]:
    """Join names and values, frame by frame.

    A name without a value, or with one that is no number, is NaN in that frame; a value
    without a name is left in the raw header. A name that is listed twice becomes ``NAME_2``.

    Parameters
    ----------
    pair : Pair
        The two keys.
    names, values : sequence of str or None
        Their texts, one a frame.

    Returns
    -------
    dict of str to ndarray, shape (frames,)
        One column for each name that has a number in any frame.
    list of Problem
        What does not fit.

    """
    frames = len(names)
    columns: dict[str, Column] = {}
    uneven: list[tuple[int, int]] = []
    for text in dict.fromkeys(names):
        if text is None:
            continue
        listed = distinct(text.split())
        rows = [k for k, name in enumerate(names) if name == text]
        table = _table([values[k] for k in rows], len(listed), uneven)
        for number, name in enumerate(listed):
            columns.setdefault(name, np.full(frames, np.nan))[rows] = table[:, number]
    known = {name: column for name, column in columns.items() if not np.isnan(column).all()}
    return known, _doubts(pair, uneven, [name for name in columns if name not in known])


def distinct(names: Sequence[str]) -> list[str]:
    """Give a number to the names that come again.

    >>> distinct(["th", "mon", "mon"])
    ['th', 'mon', 'mon_2']
    """
    taken: set[str] = set()
    found = []
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            number += 1
            candidate = f"{name}_{number}"
        taken.add(candidate)
        found.append(candidate)
    return found


def _table(texts: Texts, width: int, uneven: list[tuple[int, int]]) -> NDArray[np.float64]:
    """Return numbers, shape (frames, names); note rows that have more or fewer than names."""
    parsed: dict[str, Column] = {}
    rows = []
    for text in texts:
        parts = (text or "").split()
        if len(parts) != width:
            uneven.append((width, len(parts)))
        key = text or ""
        if key not in parsed:
            parsed[key] = _row(parts[:width], width)
        rows.append(parsed[key])
    return np.array(rows).reshape(len(texts), width)


def _row(parts: list[str], width: int) -> Column:
    row = np.full(width, np.nan)
    row[: len(parts)] = [_number(part) for part in parts]
    row[~np.isfinite(row)] = np.nan
    return row


def _number(text: str) -> float:
    try:
        return np.nan if "_" in text else float(text)  # Python reads 1_0 as 10
    except ValueError:
        return np.nan


def _doubts(pair: Pair, uneven: list[tuple[int, int]], empty: list[str]) -> list[Problem]:
    problems = []
    if uneven:
        expected, found = uneven[0]
        problems.append(
            Problem(
                "warning",
                pair.positions,
                f"{pair.mnemonics} has {expected} names, {pair.positions} {found} values"
                f" ({len(uneven)} frames)",
                "names and values are joined from the left, the rest is in the raw headers only",
            )
        )
    if empty:
        names = ", ".join(empty[:5]) + (" …" if len(empty) > 5 else "")
        problems.append(
            Problem("warning", pair.positions, f"no number for {names}", "kept in the raw headers")
        )
    return problems
