"""Peaks fitted to the curves of a tile of pixels, in one compiled call that holds no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nxscan.kernels.compiling import njit
from nxscan.kernels.fit_curve import fit_curve, set_bounds
from nxscan.kernels.lm_model import (
    INNER,
    OFFSET,
    USE,
    X,
    Y,
    count_of,
    fill,
    first_derivative,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OK, WEAK, EDGE, SATURATED, MASKED, AT_BOUND, DIVERGED, FEW = range(8)
"""What is said of a pixel; the first five as of moments."""
TOGETHER = 8
"""Curves are padded to a multiple of this."""

_LEAST = 0.01
"""The smallest variance of counts, in those of one count: a model may come near 0."""


class Task(NamedTuple):
    """What is to be fitted, and how.

    Attributes
    ----------
    kind, dims, peaks, linear
        What the model is: its profile, its dimensions, how many peaks at most, and whether the
        background is linear.
    slope, offset, floor : float
        The variance of a value I is slope I + offset, and at least ``floor``.
    known : bool
        Whether the variance is known, or the errors are scaled by the fit's own residuals.
    threshold : float
        A peak whose height is not above this many standard errors is weak.
    saturation : float
        Values from here on do not count.

    """

    kind: int
    dims: int
    peaks: int
    linear: bool
    slope: float
    offset: float
    floor: float
    known: bool
    threshold: float
    saturation: float


@njit(nogil=True, cache=True)
def fit_tile(
    tile: Floats,
    valid: NDArray[np.bool_],
    variance: Floats,
    places: Floats,
    steps: Floats,
    task: Task,
    values: Floats,
    errors: Floats,
    status: NDArray[np.uint8],
) -> None:
    """Fit every curve of a tile.

    Parameters
    ----------
    tile : ndarray, shape (pixels, positions)
        Curves.
    valid : ndarray of bool, shape (pixels, positions) or (0, 0)
        Which values count.
    variance : ndarray, shape (pixels, positions) or (0, 0)
        Variances of the values, of data that were corrected.
    places : ndarray, shape (dims, positions)
        Where each position is, in -1 to 1.
    steps : ndarray, shape (dims,)
        Distance of neighbouring positions.
    task : Task
        What is fitted.
    values, errors : ndarray, shape (rows, pixels) or larger
        Take what is found, see `nxscan.kernels.fit_report`; NaN where the fit failed.
    status : ndarray of uint8, shape (pixels,)
        Takes what is said of each pixel.

    """
    kind, dims, most, linear = task.kind, task.dims, task.peaks, task.linear
    positions = tile.shape[1]
    count = count_of(kind, dims) * most + 1 + (dims if linear else 0)
    n = (positions + TOGETHER - 1) // TOGETHER * TOGETHER
    m = np.zeros((first_derivative(dims, most) + count, n))
    for j in range(dims):
        for i in range(positions):
            m[X + j, i] = places[j, i]
    bounds, p = np.empty((2, count)), np.zeros((3, count))
    set_bounds(bounds, kind, dims, most, steps)
    work, v = np.empty((3, count, count)), np.empty((4, max(count, 12)))
    held, spread = np.zeros((2, count), np.bool_), np.empty((2 * dims, dims))
    report = np.empty((2, len(values)))
    for pixel in range(len(tile)):
        saturated = _load(m, tile[pixel], valid, pixel, task.saturation)
        slope, least = task.slope, max(task.floor, _LEAST * task.slope**2)
        if len(variance):
            slope, least = _vary(m, variance[pixel], task.known)
        else:
            fill(m, OFFSET, task.offset)
        for k in range(len(values)):
            report[0, k] = report[1, k] = np.nan
        said = fit_curve(
            m,
            p,
            bounds,
            steps,
            kind,
            dims,
            most,
            linear,
            slope,
            least,
            task.known,
            task.threshold,
            positions,
            work,
            v,
            held,
            spread,
            report,
        )
        status[pixel] = SATURATED if saturated else said
        for k in range(len(values)):
            values[k, pixel] = report[0, k]
            errors[k, pixel] = report[1, k]


@njit(**INNER)
def _load(
    m: Floats, curve: Floats, valid: NDArray[np.bool_], pixel: int, saturation: float
) -> bool:
    """Copy what is valid, finite and not saturated; say whether anything valid is saturated."""
    saturated = False
    for i in range(len(curve)):
        value = curve[i]
        good = np.isfinite(value)
        if len(valid):
            good &= valid[pixel, i]
        saturated |= good and value >= saturation
        good &= value < saturation
        m[Y, i] = value if good else 0.0
        m[USE, i] = 1.0 if good else 0.0
    return saturated


@njit(**INNER)
def _vary(m: Floats, variance: Floats, known: bool) -> tuple[float, float]:
    """Set what is added to the model's variance; return its slope and the smallest variance.

    The variance v of a corrected value y grows with the value as that of the raw one did, by
    a slope that follows from v and y of the curve itself. Where the model says f for y, the
    variance is v + slope (f - y).
    """
    total, mean_y, mean_v, lowest = 0.0, 0.0, 0.0, np.inf
    for i in range(len(variance)):
        if m[USE, i] > 0.0:
            if not (np.isfinite(variance[i]) and variance[i] >= 0.0):
                m[Y, i] = m[USE, i] = 0.0
                continue
            total += 1.0
            mean_y += m[Y, i]
            mean_v += variance[i]
            lowest = min(lowest, variance[i])
    mean_y /= max(total, 1.0)
    mean_v /= max(total, 1.0)
    square, product = 0.0, 0.0
    for i in range(len(variance)):
        if m[USE, i] > 0.0:
            square += (m[Y, i] - mean_y) ** 2
            product += (m[Y, i] - mean_y) * (variance[i] - mean_v)
    slope = max(product / square, 0.0) if known and square > 0.0 else 0.0
    for i in range(len(variance)):
        good = m[USE, i] > 0.0
        m[OFFSET, i] = variance[i] - slope * m[Y, i] if good else mean_v - slope * mean_y
    least = max(0.5 * lowest, _LEAST * slope**2, 1e-9 * mean_v) if total else 1.0
    return slope, least if least > 0.0 else 1e-12
