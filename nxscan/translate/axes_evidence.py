"""Levels along a dimension, and sentences for people about what the motors did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translate.axes_levels import is_monotone, unevenness

if TYPE_CHECKING:
    from nxscan.translate.axes_levels import Reading, Values
    from nxscan.translate.axes_sweep import Indices, Sweep

EVEN_STEPS = 0.01
"""Steps that differ by less than this part of their mean are called even."""

_REGULAR = 0.001
_NAMED = {0.5: "half a step", 1.0: "a full step"}


def level_means(values: Values, sweep: Sweep) -> Values:
    """Return the mean reading of each level of a sweep, shape (size,); NaN is left out.

    Readings that are all the same give exactly that number, not one rounded in its last digit.
    """
    found = np.isfinite(values)
    index, values = sweep.index(len(values))[found], values[found]
    levels, first = np.unique(index, return_index=True)
    base = np.zeros(sweep.size)
    base[levels] = values[first]
    sums = np.bincount(index, weights=values - base[index], minlength=sweep.size)
    return np.asarray(base + sums / np.maximum(np.bincount(index, minlength=sweep.size), 1))


def primary_first(names: Iterable[str], means: dict[str, Values]) -> list[str]:
    """Sort motors that move together: the most regularly stepped first, others as they come."""

    def irregularity(name: str) -> float:
        found = unevenness(means[name])
        return float(np.round(4 * np.log10(min(max(found, _REGULAR), 1e6))))

    return sorted(names, key=irregularity)


def roughness(reading: Reading) -> int:
    """Return how far a motor went, forth and back, for its range: 0 if one way, in powers of 2."""
    way = float(np.sum(np.abs(np.diff(reading.values))))
    return int(np.log2(way / float(np.ptp(reading.values)) + 1e-9))


def follows(reading: Reading, index: Indices) -> bool:
    """Tell whether a motor's level depends on nothing but the place along one dimension."""
    places, first = np.unique(index, return_index=True)
    for levels in reading.levels:
        if len(places) < len(index) and levels.size < len(index):
            expected = levels.labels[first]
            if np.array_equal(expected[index], levels.labels):
                return True
    return False


def repeat_evidence(name: str, sweep: Sweep, frames: int) -> str:
    """Say what a dimension without motors is."""
    if name != "repeat":
        return f"{name}: {sweep.size} frames each, along which no motor moved"
    if sweep.run == 1:
        return f"repeat: {sweep.size} frames at each point"
    if sweep.span >= frames:
        return f"repeat: the whole was taken {sweep.size} times"
    return f"repeat: each row of {sweep.run} frames was taken {sweep.size} times"


def motor_evidence(name: str, values: Values, sweep: Sweep, leader: str = "") -> str:
    """Say how a motor stepped along a dimension, perhaps together with ``leader``."""
    means = level_means(values, sweep)
    low, high = float(means[0]), float(means[-1])
    if not is_monotone(means):
        low, high = float(means.min()), float(means.max())
    text = f"{name}: moves with {leader}, " if leader else f"{name}: "
    if sweep.size == len(values):
        return f"{text}from {low:g} to {high:g} in {_steps(values)}"
    text += f"{sweep.size} levels from {low:g} to {high:g}"
    if sweep.run > 1:
        text += f", each held for {sweep.run} frames"
    if len(values) > sweep.span:
        text += f", gone through {-(-len(values) // sweep.span)} times"
    if sweep.zigzag:
        text += " to and fro (zigzag)"
    return text + _errors(values, sweep, means)


def other_evidence(reading: Reading) -> str:
    """Say what a motor did that is no axis of the scan."""
    varies = f"{reading.name}: varies by {np.ptp(reading.values):.3g}"
    if len(reading.values) < 3:
        return f"{varies}: kept as readings"
    if reading.monotone:
        return f"{varies}, all one way: kept as readings"
    return f"{varies} without order: kept as readings"


def _steps(values: Values) -> str:
    count = len(values) - 1
    if count == 1:
        return "1 step"
    text = f"{count} steps"
    if unevenness(values, factors=False) < EVEN_STEPS:
        return f"{text} of {(values[-1] - values[0]) / count:g}"
    return f"{text} that grow evenly" if unevenness(values) < EVEN_STEPS else text


def _errors(values: Values, sweep: Sweep, means: Values) -> str:
    """Say what the readings differ by from their levels, and backward rows from forward ones."""
    text = ""
    rest = values - means[sweep.index(len(values))]
    step = float(np.median(np.abs(np.diff(means)))) if sweep.size > 1 else 0.0
    if sweep.zigzag:
        backward = sweep.backward(len(values))
        offset = float(rest[backward].mean() - rest[~backward].mean())
        rest = rest - np.where(backward, rest[backward].mean(), rest[~backward].mean())
        if abs(offset) > max(0.05 * step, 4 * float(np.abs(rest).max())):
            text = f"; rows taken backwards are read {abs(offset):g} "
            text += f"{'higher' if offset > 0 else 'lower'} ({_part_of(abs(offset) / step)})"
    error = float(np.nanmax(np.abs(rest)))
    if error > 1e-12 * float(np.nanmax(np.abs(values))):
        text += f"; reading error {error:.1g}"
    return text


def _part_of(ratio: float) -> str:
    for exact, name in _NAMED.items():
        if abs(ratio - exact) < 0.1:
            return name
    return f"{ratio:.2g} of a step"
