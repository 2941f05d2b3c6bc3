"""One frame from many, and how sure it is, without holding many in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nxscan.process.transfer import neighbour_variance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nxscan.model import Signal

    Statistic = Literal["mean", "median"]

BUDGET = 128 * 2**20
"""Bytes of float64 that a stack is read into at once."""


@dataclass(frozen=True, eq=False)
class Stacked:
    """A frame made of several.

    Attributes
    ----------
    frame : ndarray of float64
        Their mean or median.
    variance : ndarray of float64
        Variance of ``frame``, from the spread of what it is made of.
    count : int
        How many frames it is made of.

    """

    frame: NDArray[np.float64]
    variance: NDArray[np.float64]
    count: int


def combine(
    signal: Signal,
    places: Sequence[tuple[int, ...]],
    statistic: Statistic,
    budget: int = BUDGET,
) -> Stacked:
    """Combine the frames at ``places`` of a signal, band by band of the first dimension.

    The variance of a mean is that of its values, as their spread tells it, over their number.
    A median's is π/2 times as large for many values of Gaussian noise; for few, π n / (2 (n +
    π/2 − 1)) is taken, which is exact for one value and at most 15 % too large otherwise. A
    single frame has the variance that its neighbouring pixels' differences tell.
    """
    shape = signal.shape[len(places[0]) :] if places else ()
    frame, variance = np.empty(shape), np.empty(shape)
    for band in bands(shape, len(places), budget):
        stack = np.stack([signal.read((*place, *band)) for place in places]).astype(np.float64)
        frame[band] = np.median(stack, axis=0) if statistic == "median" else stack.mean(axis=0)
        if len(stack) > 1:
            variance[band] = stack.var(axis=0, ddof=1) / len(stack)
    if len(places) == 1:
        variance[...] = neighbour_variance(frame)
    elif statistic == "median":
        variance *= median_factor(len(places))
    return Stacked(frame, variance, len(places))


def median_factor(count: int) -> float:
    """Return how much larger a median's variance is than that of the mean of as many."""
    if count <= 2:
        return 1.0
    return count * math.pi / (2 * (count + math.pi / 2 - 1))


def bands(shape: tuple[int, ...], count: int, budget: int) -> list[tuple[slice, ...]]:
    """Cut frames into bands of which ``count`` fit into the budget."""
    if not shape:
        return [()]
    row = 8 * count * max(math.prod(shape[1:]), 1)
    deep = max(1, budget // row)
    rest = tuple(slice(0, length) for length in shape[1:])
    return [(slice(k, min(k + deep, shape[0])), *rest) for k in range(0, shape[0], deep)]


def every(signal: Signal) -> list[tuple[int, ...]]:
    """Return the places of a stack's frames."""
    return [(k,) for k in range(signal.shape[0])]


def positions_of(shape: tuple[int, ...], chosen: Sequence[int]) -> list[tuple[int, ...]]:
    """Return places in a scan of positions counted in the order they were taken in."""
    return [tuple(int(k) for k in np.unravel_index(index, shape)) for index in chosen]
