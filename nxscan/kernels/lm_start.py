"""Where a fit begins: background, height, place and width of a curve, from sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.compiling import njit
from nxscan.kernels.lm_model import INNER, OFFSET, PSEUDO_VOIGT, USE, X, Y, count_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PARTS = 8
_FEWEST = 3
_SPREADS = (5.44, 6.39, 7.35)
"""Squared half width of a Gaussian, in each of one, two and three dimensions, over the variance of
its part above half of its height, weighted by what is above."""
_NARROWEST = 0.7
_SURELY_WEAK = 0.7


@njit(**INNER)
def begin(
    m: Floats,
    p: Floats,
    low: Floats,
    high: Floats,
    steps: Floats,
    kind: int,
    dims: int,
    linear: bool,
    slope: float,
    least: float,
    threshold: float,
    positions: int,
    spread: Floats,
) -> bool:
    """Set the parameters that a fit of one peak begins with; False if the curve is surely weak.

    The background is the lowest mean of eight runs of the curve; the peak is what exceeds the
    middle between it and the highest value.

    Parameters
    ----------
    m : ndarray, shape (rows, n)
        The curve, see `nxscan.kernels.lm_model`.
    p, low, high : ndarray, shape (parameters,)
        Take the parameters; their bounds.
    steps : ndarray, shape (dims,)
        Distance of neighbouring positions along each axis.
    kind, dims, linear
        What the model is.
    slope, least : float
        As for `nxscan.kernels.lm.minimize`.
    threshold : float
        In standard deviations, what is weak; 0 to take all.
    positions : int
        How many of the n are positions.
    spread : ndarray, shape (2 * dims, dims)
        Memory.

    """
    background, count = _lowest_run(m, positions)
    top = -np.inf
    for i in range(positions):
        if m[USE, i] > 0.0 and m[Y, i] > top:
            top = m[Y, i]
    height = top - background
    if not height > 0.0:
        return False
    level = background + 0.5 * height
    total, excess, variance, number = 0.0, 0.0, 0.0, 0
    for j in range(2 * dims):
        for k in range(dims):
            spread[j, k] = 0.0
    for i in range(positions):
        if m[USE, i] > 0.0 and m[Y, i] > level:
            above = m[Y, i] - level
            total += above
            excess += m[Y, i] - background
            variance += max(slope * m[Y, i] + m[OFFSET, i], least)
            number += 1
            for j in range(dims):
                spread[0, j] += above * m[X + j, i]
    variance += number * number * max(slope * background + m[OFFSET, 0], least) / count
    if excess < _SURELY_WEAK * threshold * math.sqrt(variance):
        return False
    p[0] = height
    for j in range(dims):
        p[1 + j] = spread[0, j] / total
    for i in range(positions):
        if m[USE, i] > 0.0 and m[Y, i] > level:
            share = (m[Y, i] - level) / total
            for j in range(dims):
                for k in range(j + 1):
                    spread[dims + j, k] += (
                        share * (m[X + j, i] - p[1 + j]) * (m[X + k, i] - p[1 + k])
                    )
    each = count_of(kind, dims)
    factor = _SPREADS[dims - 1]
    for j in range(dims):
        for k in range(j + 1):
            spread[dims + j, k] *= factor
        narrowest = _NARROWEST * steps[j]
        spread[dims + j, j] = max(spread[dims + j, j], narrowest * narrowest)
    put_widths(p, 1 + dims, spread, dims)
    if kind == PSEUDO_VOIGT:
        p[each - 1] = 0.3
    p[each] = background
    if linear:
        for j in range(dims):
            p[each + 1 + j] = 0.0
    for j in range(each + 1):
        p[j] = min(max(p[j], low[j]), high[j])
    return True


@njit(**INNER)
def put_widths(p: Floats, at: int, spread: Floats, dims: int) -> None:
    """Set L of squared half widths H, L Lᵀ = H⁻¹; correlations that are none are left out.

    H is in the rows of ``spread`` from ``dims`` on, its lower triangle.
    """
    h = spread
    d = dims
    if dims == 1:
        p[at] = 1.0 / math.sqrt(h[1, 0])
        return
    for j in range(dims):
        for k in range(j):
            most = 0.9 * math.sqrt(h[d + j, j] * h[d + k, k])
            h[d + j, k] = min(max(h[d + j, k], -most), most)
    if dims == 3 and _determinant(h) < 0.01 * h[3, 0] * h[4, 1] * h[5, 2]:
        h[4, 0] = h[5, 0] = h[5, 1] = 0.0
    # L = R⁻ᵀ where H = R Rᵀ with R upper triangular: then Lᵀ = R⁻¹ and |Lᵀ d|² = dᵀ H⁻¹ d
    for back in range(dims):
        j = dims - 1 - back
        total = h[d + j, j]
        for i in range(j + 1, dims):
            total -= h[j, i] * h[j, i]
        h[j, j] = math.sqrt(total)
        for k in range(j):
            total = h[d + j, k]
            for i in range(j + 1, dims):
                total -= h[k, i] * h[j, i]
            h[k, j] = total / h[j, j]
    # rows j < dims of h now have R; its inverse X is upper triangular, and L = Xᵀ
    for j in range(dims):
        for k in range(j, -1, -1):
            total = 1.0 if j == k else 0.0
            for i in range(k + 1, j + 1):
                total -= h[k, i] * p[at + j * (j + 1) // 2 + i]
            p[at + j * (j + 1) // 2 + k] = total / h[k, k]


@njit(**INNER)
def _determinant(h: Floats) -> float:
    found: float = (
        h[3, 0] * (h[4, 1] * h[5, 2] - h[5, 1] * h[5, 1])
        - h[4, 0] * (h[4, 0] * h[5, 2] - h[5, 1] * h[5, 0])
        + h[5, 0] * (h[4, 0] * h[5, 1] - h[4, 1] * h[5, 0])
    )
    return found


@njit(**INNER)
def _lowest_run(m: Floats, positions: int) -> tuple[float, int]:
    """Return the lowest mean of eight runs of values, and how many values it is of."""
    length = max(_FEWEST, positions // _PARTS)
    lowest, found = np.inf, 1
    total, count = 0.0, 0
    for i in range(positions):
        if m[USE, i] > 0.0:
            total += m[Y, i]
            count += 1
        if count == length or (i == positions - 1 and count > 0):
            if total < lowest * count and (count == length or not np.isfinite(lowest)):
                lowest, found = total / count, count
            total, count = 0.0, 0
    return lowest, found
