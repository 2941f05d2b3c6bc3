"""Color limits, linear or logarithmic, and sizes that suit a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERCENT = (0.5, 99.5)
"""Percentiles of the values that get the first and the last color."""

NEAR = 0.3
"""Part of the range between the percentiles within which an extreme is no outlier."""

LOG_RANGE = 200.0
"""Ratio of bright (99.9 %) to typical (median) beyond which a linear scale shows nothing."""


def robust_limits(values: NDArray[Any], *, log: bool = False) -> tuple[float, float]:
    """Return color limits that hot pixels do not spoil.

    The percentiles `PERCENT` are the limits, but where the extreme lies near, it is the limit
    itself, so that nothing is cut off without need.

    Parameters
    ----------
    values : ndarray
        NaN and infinities are left out.
    log : bool
        For a logarithmic scale: only what is above 0 counts, and the upper limit is the maximum.

    Returns
    -------
    tuple of float
        Lower and upper limit, never equal.

    Examples
    --------
    >>> robust_limits(np.r_[np.linspace(0.0, 200.0, 201), np.nan])
    (0.0, 200.0)
    >>> robust_limits(np.r_[np.linspace(0.0, 200.0, 201), 65535.0])
    (0.0, 199.995)

    """
    finite = values[np.isfinite(values)]
    if log:
        finite = finite[finite > 0]
    if not finite.size:
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = (float(limit) for limit in np.percentile(finite, PERCENT))
    least, most = float(finite.min()), float(finite.max())
    reach = NEAR * (high - low)
    flat = low == high
    if log or flat or most <= high + reach:
        high = most
    if flat or (not log and least >= low - reach):
        low = least
    if low == high:
        return (low / 2, high * 2) if log else (low - 0.5, high + 0.5)
    return low, high


def wants_log(values: NDArray[Any]) -> bool:
    """Tell whether most of the values would look like 0 on a linear scale.

    >>> wants_log(np.linspace(100, 140, 1000)), wants_log(np.r_[np.ones(900), np.full(9, 1e5)])
    (False, True)
    """
    finite = values[np.isfinite(values)]
    positive = finite[finite > 0]
    if not positive.size or (finite.size and float(finite.min()) < 0):
        return False
    typical, bright = np.percentile(positive, (50, 99.9))
    return bool(bright > LOG_RANGE * typical)


def bin_factor(length: int, most: int) -> int:
    """Return how many neighbors to average so that at most ``most`` are left.

    >>> bin_factor(2048, 1024), bin_factor(500, 1024)
    (2, 1)
    """
    return max(1, -(-length // most))


def binned(values: NDArray[Any], factors: tuple[int, int]) -> NDArray[Any]:
    """Average blocks of a map, leaving out NaN; the last block of a row may be smaller.

    >>> binned(np.array([[1.0, 3.0, 5.0], [np.nan, 2.0, 7.0]]), (2, 2)).tolist()
    [[2.0, 6.0]]
    """
    if factors == (1, 1):
        return values
    finite = np.isfinite(values)
    total = _add_blocks(np.where(finite, values, 0.0), factors)
    count = _add_blocks(finite.astype(np.float64), factors)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _add_blocks(values: NDArray[Any], factors: tuple[int, int]) -> NDArray[Any]:
    for axis, factor in enumerate(factors):
        values = np.add.reduceat(values, np.arange(0, values.shape[axis], factor), axis=axis)
    return values
