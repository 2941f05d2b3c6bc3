"""Columns of cells as numbers, exact whole numbers, or texts."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import SourceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NUMBER = re.compile(
    r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|nan|inf|infinity)\Z", re.IGNORECASE
)
_WHOLE = re.compile(r"[-+]?[0-9]+\Z")
_INT64 = np.iinfo(np.int64)
_EXACT = 2**53
_LONGEST = 400


def is_number(cell: str) -> bool:
    """Tell whether a cell is a number, or empty, which stands for one that is missing.

    >>> [is_number(cell) for cell in ("1.5e3", "", "nan", "1,5", "1_000", "a")]
    [True, True, True, False, False, False]
    """
    return not cell or (len(cell) <= _LONGEST and _NUMBER.match(cell) is not None)


def read_column(
    where: str, cells: Sequence[str], lines: Sequence[int]
) -> NDArray[np.float64] | NDArray[np.int64] | NDArray[np.str_]:
    """Return a column: int64 where all are whole numbers, float64 for numbers, else texts.

    Parameters
    ----------
    where : str
        File and column, for messages.
    cells : sequence of str
        The cells; an empty one is a missing number (NaN), or an empty text.
    lines : sequence of int
        The line of each.

    Raises
    ------
    SourceError
        If some cells are numbers and others texts, or a whole number does not fit into 64 bits;
        it names line and cell.

    """
    numbers = [is_number(cell) for cell in cells]
    if all(numbers):
        return _numbers(where, cells, lines)
    texts = [k for k, number in enumerate(numbers) if not number]
    others = [k for k, number in enumerate(numbers) if number and cells[k]]
    if others:
        k, what = (texts[0], "no number") if len(others) >= len(texts) else (others[0], "a number")
        hint = "a decimal comma is none: write a point" if "," in cells[texts[0]] else ""
        raise SourceError(
            f"{where}, line {lines[k]}: {_short(cells[k])} is {what}, but {len(others)} of "
            f"{len(cells)} cells are numbers and {len(texts)} are texts",
            hint or "correct it, or leave the cell empty where the number is missing",
        )
    return np.array(cells, dtype=np.str_)


def _numbers(
    where: str, cells: Sequence[str], lines: Sequence[int]
) -> NDArray[np.float64] | NDArray[np.int64]:
    whole = [_WHOLE.match(cell) is not None for cell in cells]
    values = [int(cell) if fits else 0 for cell, fits in zip(cells, whole, strict=True)]
    for k, value in enumerate(values):
        if not _INT64.min <= value <= _INT64.max:
            raise SourceError(
                f"{where}, line {lines[k]}: {_short(cells[k])} has {len(cells[k].lstrip('+-'))} "
                f"digits; whole numbers go to {_INT64.max}",
                "write it as a text, or with an exponent if it is no number of a frame",
            )
    if all(whole):
        return np.array(values, dtype=np.int64)
    for k, value in enumerate(values):
        if abs(value) >= _EXACT and "" in cells:
            raise SourceError(
                f"{where}, line {lines[k]}: {cells[k]} is too long to be kept exactly in a column "
                f"with empty cells (line {lines[cells.index('')]})",
                "fill the empty cells",
            )
    return np.array([float(cell) if cell else math.nan for cell in cells], dtype=np.float64)


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else f"{cell[:37]}…")
