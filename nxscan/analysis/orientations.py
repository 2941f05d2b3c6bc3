"""The distribution of pairs of centers: on which cells, how dense, and lines about the densest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_LEAST_SMOOTH = 1.0
"""Cells."""


def robust_range(values: Array, percent: float) -> tuple[float, float]:
    """Return the range of the middle ``percent`` of the values, never of no extent.

    >>> robust_range(np.arange(101.0), 98)
    (1.0, 99.0)
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, 1.0
    low, high = np.percentile(known, [50 - percent / 2, 50 + percent / 2])
    if not high > low:
        room = max(abs(float(low)) * 1e-6, 1e-9)
        return float(low) - room, float(low) + room
    return float(low), float(high)


def lattice(limits: tuple[float, float], count: int) -> Array:
    """Return the centers of ``count`` cells that fill a range.

    >>> lattice((0.0, 4.0), 4)
    array([0.5, 1.5, 2.5, 3.5])
    """
    low, high = limits
    return low + (np.arange(count) + 0.5) * (high - low) / count


def density(first: Array, second: Array, columns: Array, rows: Array) -> Array:
    """Return the part of all known pairs in each cell, by the cell's area.

    Parameters
    ----------
    first, second : ndarray
        Pairs; those with NaN are not counted.
    columns, rows : ndarray
        Centers of even cells, along the first and the second of a pair.

    Returns
    -------
    ndarray, shape (rows, columns)
        NaN if nothing is known. Its integral is the part of the pairs within the cells.

    """
    known = np.isfinite(first) & np.isfinite(second)
    steps = columns[1] - columns[0], rows[1] - rows[0]
    if not known.any():
        return np.full((len(rows), len(columns)), np.nan)
    edges = [
        np.append(centers - step / 2, centers[-1] + step / 2)
        for centers, step in zip((columns, rows), steps, strict=True)
    ]
    counts, _, _ = np.histogram2d(second[known], first[known], bins=(edges[1], edges[0]))
    return np.asarray(counts / (known.sum() * steps[0] * steps[1]), np.float64)


def contours(cells: Array, percents: Sequence[float], count: int) -> NDArray[np.bool_]:
    """Return where lines are about the densest cells that hold so many percent of all.

    For the lines alone the density is smoothed, by Scott's rule (D. W. Scott, 1992, "Multivariate
    Density Estimation"): few pairs would make them ragged.

    Parameters
    ----------
    cells : ndarray
        Density.
    percents : sequence of float
        A line for each.
    count : int
        Pairs that the density is of.

    """
    found = np.zeros(cells.shape, bool)
    if not np.isfinite(cells).all() or not cells.sum() > 0:
        return found
    width = [max(_LEAST_SMOOTH, _spread(cells, k) * count ** (-1 / 6)) for k in (0, 1)]
    smooth = gaussian_filter(cells, width, mode="constant")
    ordered = np.sort(smooth, axis=None)[::-1]
    held = np.cumsum(ordered) / ordered.sum()
    for percent in percents:
        index = min(int(np.searchsorted(held, percent / 100)), held.size - 1)
        inside = smooth >= ordered[index]
        found[:, 1:] |= inside[:, 1:] != inside[:, :-1]
        found[1:] |= inside[1:] != inside[:-1]
    return found


def _spread(cells: Array, axis: int) -> float:
    """Return the standard deviation along an axis, in cells."""
    weights = cells.sum(axis=1 - axis) / cells.sum()
    places = np.arange(len(weights))
    return float(np.sqrt((weights * (places - (weights * places).sum()) ** 2).sum()))
