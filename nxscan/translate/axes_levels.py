"""What one motor did: the levels its readings fall into, and what they may mean."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translate.axes_sweep import Sweep, sweep_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Indices = NDArray[np.intp]

CLEAR = 4.0
"""Levels are told apart where the gap between them is this many times the spread within."""

_CLUSTERING = 30.0  # noise of a few frames clusters this much more often than ratio alone says

STILL = 1e-9
"""A motor that varies by less than this part of its magnitude did not move."""


@dataclass(frozen=True, eq=False)
class Levels:
    """Readings sorted into levels, numbered from the lowest.

    Attributes
    ----------
    labels : ndarray of int, shape (frames,)
        The level of each frame.
    size : int
        How many levels there are.
    ratio : float
        Smallest gap between levels over the largest spread within one; infinite where the
        readings of each level are all the same.

    """

    labels: Indices
    size: int
    ratio: float


@dataclass(frozen=True, eq=False)
class Fit:
    """One way to understand a motor's readings, and how well they bear it out.

    Attributes
    ----------
    sweep : Sweep
        How it stepped.
    ratio : float
        Gap between levels over spread within, as in `Levels`.
    ordered : bool
        The levels follow each other upwards or downwards.
    offset : float
        What sweeps backwards read more than those forwards.

    """

    sweep: Sweep
    ratio: float
    ordered: bool
    offset: float = 0.0

    def chance(self, frames: int, *, by_order: bool) -> float:
        """Return the log10 of the odds that readings without meaning look like this.

        Two things speak against a coincidence: how narrow the levels are, and how few of all
        orders of levels are sweeps. Where readings repeat to the last digit the first says
        nothing, since a motor at rest that flickers in that digit does the same; the second is
        then asked only if ``by_order``, else the odds are nil.
        """
        size = self.sweep.size
        if math.isinf(self.ratio) and not by_order:
            return -math.inf
        odds = (
            math.log(2 * max(1, frames // size)) - frames * math.log(size) + math.lgamma(size + 1)
        )
        if self.ordered:
            odds += math.log(2) - math.lgamma(size + 1)
        odds = min(odds, 0.0)
        if not math.isinf(self.ratio):
            odds -= (frames - size - (self.offset != 0)) * math.log(self.ratio)
            odds += math.log(_CLUSTERING)
        return odds / math.log(10)


@dataclass(frozen=True, eq=False)
class Reading:
    """A motor that moved, with all that its readings may mean.

    Attributes
    ----------
    name : str
        The motor.
    values : ndarray, shape (frames,)
        What it was read at.
    levels : tuple of Levels
        Ways to sort the readings into levels, coarse to fine.
    fits : tuple of Fit
        Those of them that are sweeps, perhaps cut short by the end of the scan.
    monotone : bool
        No reading is like another, and all go one way.

    """

    name: str
    values: Values
    levels: tuple[Levels, ...]
    fits: tuple[Fit, ...]
    monotone: bool

    @property
    def repeats_values(self) -> bool:
        """Some readings are the same to the last digit."""
        return bool(self.levels) and self.levels[-1].size < len(self.values)


def moves(values: Values) -> bool:
    """Tell whether readings, all finite, vary by more than rounding does."""
    return bool(np.ptp(values) > STILL * np.max(np.abs(values)))


def read_motor(name: str, values: Values) -> Reading:
    """Find out what a motor that moved may have done."""
    levels = tuple(level_sets(values))
    fits = tuple(fit for found in levels if (fit := _fit(found, values)) is not None)
    return Reading(name, values, levels, fits, is_monotone(values))


def is_monotone(values: Values) -> bool:
    """Tell whether numbers only rise or only fall, by more than rounding each time."""
    steps = np.diff(values)
    least = _rounding(values)
    return bool(np.all(steps > least) or np.all(steps < -least))


def unevenness(values: Values, *, factors: bool = True) -> float:
    """Return how much steps differ: their standard deviation over their mean, 0 if even.

    Steps that grow by the same factor each time (1, 10, 100) are even, too, with ``factors``.
    """
    if len(values) < 3:
        return 0.0
    found = [_variation(np.diff(values))]
    if factors and (np.all(values > 0) or np.all(values < 0)):
        found.append(_variation(np.diff(np.log(np.abs(values)))))
    return min(found)


def level_sets(values: Values) -> Iterator[Levels]:
    """Yield every way to sort readings into clearly separate levels, coarse to fine.

    Levels are separate if the smallest gap between them is `CLEAR` times the largest spread
    within one, so that only cuts where the sorted gaps jump by as much need to be tried.
    """
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    gaps = np.diff(ranked)
    gaps[gaps <= _rounding(values)] = 0.0
    sizes = np.sort(gaps)
    jumps = np.flatnonzero((sizes[1:] >= CLEAR * sizes[:-1]) & (sizes[1:] > 0))
    limits = [float(sizes[k]) for k in jumps[::-1]]
    if sizes[0] > 0:
        limits.append(0.0)
    for limit in limits:
        found = _cut(ranked, gaps, order, limit)
        if found is not None:
            yield found


def offset_zigzag(values: Values, run: int, size: int) -> Fit | None:
    """Recognize a zigzag whose sweeps backwards are read with a constant offset, up to a step.

    A motor that is read late while it moves does this: the offset is then half a step or one.
    A last sweep that is cut short is left out.
    """
    rows = len(values) // (run * size)
    if rows < 2 or size < 2:
        return None
    table = values[: rows * run * size].reshape(rows, size, run).copy()
    table[1::2] = table[1::2, ::-1]
    forward = table[::2].mean(axis=(0, 2))
    offset = float(np.mean(table[1::2].mean(axis=(0, 2)) - forward))
    table[1::2] -= offset
    spread = float(np.ptp(table, axis=(0, 2)).max())
    steps = np.abs(np.diff(forward))
    step = float(steps.min())
    least = _rounding(values)
    fits = is_monotone(forward) and CLEAR * spread <= step
    if not fits or not max(spread, least) < abs(offset) <= 1.1 * float(np.median(steps)):
        return None
    ratio = step / spread if spread > least else math.inf
    return Fit(Sweep(run, size, zigzag=True), ratio, ordered=True, offset=offset)


def _fit(levels: Levels, values: Values) -> Fit | None:
    if levels.size == len(values):
        return None
    sweep = sweep_of(levels.labels, levels.size)
    if sweep is None:
        return None
    first = values[: sweep.span : sweep.run]
    ordered = is_monotone(first)
    repeated = 2 * sweep.span <= len(values)
    if repeated and not (ordered or sweep.zigzag or sweep.size % 2):
        folded = offset_zigzag(values, sweep.run, sweep.size // 2)
        if folded is not None:
            return folded
    return Fit(sweep, levels.ratio, ordered)


def _cut(ranked: Values, gaps: Values, order: Indices, limit: float) -> Levels | None:
    cuts = gaps > limit
    places = np.flatnonzero(cuts)
    starts = np.concatenate(([0], places + 1))
    ends = np.concatenate((places, [len(ranked) - 1]))
    spread = float(np.max(ranked[ends] - ranked[starts]))
    gap = float(gaps[cuts].min())
    if gap < CLEAR * spread:
        return None
    labels = np.empty(len(order), dtype=np.intp)
    labels[order] = np.concatenate(([0], np.cumsum(cuts)))
    ratio = gap / spread if spread > _rounding(ranked) else math.inf
    return Levels(labels, len(starts), ratio)


def _rounding(values: Values) -> float:
    return 1e-12 * float(np.ptp(values)) + 1e-15 * float(np.max(np.abs(values)))


def _variation(steps: Values) -> float:
    mean = abs(float(steps.mean()))
    return float(steps.std()) / mean if mean > 0 else math.inf
