"""Numbers of frames as boxes and runs, so that many are read by few calls."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Region = tuple[slice, ...]
    Numbers = NDArray[np.int64]


def boxes(lengths: tuple[int, ...], first: int, count: int) -> Iterator[Region]:
    """Yield the boxes of an array that hold some consecutive values, in C order.

    Parameters
    ----------
    lengths : tuple of int
        Lengths of the array.
    first, count : int
        The first value, and how many.

    Examples
    --------
    >>> list(boxes((3, 4), 2, 8))
    [(slice(0, 1, None), slice(2, 4, None)), (slice(1, 2, None), slice(0, 4, None)), \
(slice(2, 3, None), slice(0, 2, None))]

    """
    if count <= 0:
        return
    if len(lengths) < 2:
        yield (slice(first, first + count),) * len(lengths)
        return
    row = math.prod(lengths[1:])
    at, stop = first, first + count
    while at < stop:
        index, inside = divmod(at, row)
        if inside == 0 and stop - at >= row:
            rows = (stop - at) // row
            yield slice(index, index + rows), *(slice(0, n) for n in lengths[1:])
            at += rows * row
            continue
        part = min(row - inside, stop - at)
        for box in boxes(lengths[1:], inside, part):
            yield slice(index, index + 1), *box
        at += part


class Run(NamedTuple):
    """Frames that one source holds one after the other.

    Attributes
    ----------
    source : int
        Which source.
    first, length : int
        The frames there.
    place : slice or ndarray of int64
        Where they go: in this order, in the opposite one (step −1), or one by one.
    taken : ndarray of int64 or None
        Which of the frames goes to each place, where places are given one by one.

    """

    source: int
    first: int
    length: int
    place: slice | Numbers
    taken: Numbers | None = None


def runs_in_order(source: NDArray[np.int32], index: Numbers) -> list[Run]:
    """Cut frames into runs that are consecutive in one source, forwards or backwards.

    Parameters
    ----------
    source, index : ndarray, shape (frames,)
        The source of each frame, and which frame of it.

    """
    if len(source) == 1:
        return [Run(int(source[0]), int(index[0]), 1, slice(0, 1))]
    step = np.diff(index)
    step[(np.diff(source) != 0) | (np.abs(step) != 1)] = 0
    turns = np.zeros(len(step), np.bool_)
    turns[1:] = (step[1:] != step[:-1]) & (step[:-1] != 0)
    cuts = np.flatnonzero((step == 0) | turns) + 1
    starts = np.concatenate([[0], cuts]).tolist()
    stops = np.concatenate([cuts, [len(source)]]).tolist()
    numbers, firsts = source[starts].tolist(), index[starts].tolist()
    found = []
    for number, first, start, stop in zip(numbers, firsts, starts, stops, strict=True):
        count = stop - start
        if count > 1 and step[start] < 0:
            place = slice(stop - 1, start - 1 if start else None, -1)
            found.append(Run(number, first - count + 1, count, place))
        else:
            found.append(Run(number, first, count, slice(start, stop)))
    return found


def runs_sorted(source: NDArray[np.int32], index: Numbers, most: int) -> list[Run]:
    """Cut frames into runs that are consecutive in one source, wherever they go.

    Parameters
    ----------
    source, index : ndarray, shape (frames,)
        The source of each frame, and which frame of it.
    most : int
        Frames of one run; runs are cut at multiples of it.

    """
    order = np.lexsort((index, source))
    sources, found = source[order], index[order]
    apart = (np.diff(sources) != 0) | (np.diff(found) > 1) | (np.diff(found // most) != 0)
    starts = np.concatenate([[0], np.flatnonzero(apart) + 1])
    stops = np.append(starts[1:], len(order))
    runs = []
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        first, last = int(found[start]), int(found[stop - 1])
        taken = found[start:stop] - first
        runs.append(Run(int(sources[start]), first, last - first + 1, order[start:stop], taken))
    return runs
