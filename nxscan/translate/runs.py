"""Runs of consecutive numbers, and what is left out between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def gaps(numbers: NDArray[np.int64], first: int, last: int) -> list[range]:
    """Return what is left out between two numbers, both included.

    >>> gaps(np.array([3, 4, 7]), 3, 9)
    [range(5, 7), range(8, 10)]
    """
    inside = np.unique(numbers[(numbers >= first) & (numbers <= last)])
    edges = np.concatenate([[first - 1], inside, [last + 1]])
    wide = np.flatnonzero(np.diff(edges) > 1)
    return [range(int(edges[k]) + 1, int(edges[k + 1])) for k in wide]


def runs(numbers: NDArray[np.int64]) -> list[range]:
    """Return numbers as runs of consecutive ones, in order.

    >>> runs(np.array([9, 3, 4, 5]))
    [range(3, 6), range(9, 10)]
    """
    listed = np.unique(numbers)
    parts = np.split(listed, np.flatnonzero(np.diff(listed) > 1) + 1) if len(listed) else []
    return [range(int(part[0]), int(part[-1]) + 1) for part in parts]


def runs_text(ranges: Sequence[range], most: int = 5) -> str:
    """Return runs of numbers as people write them; the first few of many.

    >>> runs_text([range(3, 6), range(9, 10)])
    '3–5, 9'
    """
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in ranges[:most]]
    more = f" … ({sum(map(len, ranges))} in all)" if len(ranges) > most else ""
    return ", ".join(texts) + more
