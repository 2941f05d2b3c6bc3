"""One curve: how many peaks, where, and whether the fit can be trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.compiling import njit
from nxscan.kernels.fit_report import peak_rows, report_peak, volume_of
from nxscan.kernels.lm import invert, unlikelihood
from nxscan.kernels.lm_model import INNER, OFFSET, PSEUDO_VOIGT, USE, X, Y, count_of
from nxscan.kernels.lm_start import begin
from nxscan.kernels.peaks import add_peak

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_OK, _WEAK, _EDGE, _, _MASKED, _AT_BOUND, _DIVERGED, _FEW = range(8)
"""As in `nxscan.kernels.fit`."""
_OUTSIDE = 1.5
"""Within which a fit may look for a center; the scan lies in -1 to 1."""
_WIDEST = 0.5
"""The smallest L: a full width of two ranges."""
_NARROWEST = 2.0
"""The largest L in one dimension, times the step: a full width of one step."""
_NARROW_ACROSS = 2.5
"""In several dimensions, where L is of what is left of a width when the other places are given."""
_FAILED = 16
_PROMISING = 0.4
"""The part of the gain that one more peak needs that must be seen before it is fitted."""
_FLOOR = 0.25
"""The smallest variance, in that of the lowest part of the curve."""


@njit(**INNER)
def set_bounds(bounds: Floats, kind: int, dims: int, peaks: int, steps: Floats) -> None:
    """Set the bounds of all parameters; those of the background have none."""
    for j in range(bounds.shape[1]):
        bounds[0, j], bounds[1, j] = -np.inf, np.inf
    each = count_of(kind, dims)
    for k in range(peaks):
        at = each * k
        bounds[0, at] = 0.0
        for j in range(dims):
            bounds[0, at + 1 + j] = -_OUTSIDE
            bounds[1, at + 1 + j] = _OUTSIDE
            most = (_NARROWEST if dims == 1 else _NARROW_ACROSS) / steps[j]
            for i in range(j + 1):
                entry = at + 1 + dims + j * (j + 1) // 2 + i
                bounds[0, entry] = _WIDEST if i == j else -most
                bounds[1, entry] = most
        if kind == PSEUDO_VOIGT:
            bounds[0, at + each - 1] = 0.0
            bounds[1, at + each - 1] = 1.0


@njit(**INNER)
def fit_curve(
    m: Floats,
    p: Floats,
    bounds: Floats,
    steps: Floats,
    kind: int,
    dims: int,
    most: int,
    linear: bool,
    slope: float,
    least: float,
    known: bool,
    threshold: float,
    positions: int,
    work: Floats,
    v: Floats,
    held: Bools,
    spread: Floats,
    report: Floats,
) -> int:
    """Fit a curve, and report; return its status.

    Parameters
    ----------
    m : ndarray, shape (rows, n)
        The curve, see `nxscan.kernels.lm_model`.
    p, bounds : ndarray, shape (3, parameters), (2, parameters)
        Memory; what `set_bounds` made.
    steps : ndarray, shape (dims,)
        Distance of neighbouring positions.
    kind, dims, most, linear
        What the model is, and how many peaks there are at most.
    slope, least, known
        As for `nxscan.kernels.lm.minimize`.
    threshold : float
        In standard errors, what is weak.
    positions : int
        How many of the n are positions.
    work, v, held, spread
        Memory.
    report : ndarray, shape (2, rows)
        Takes values and errors, see `nxscan.kernels.fit_report`; left as it is where the fit
        failed.

    """
    used = _count(m, positions)
    each, tail = count_of(kind, dims), 1 + (dims if linear else 0)
    if used == 0:
        return _MASKED
    if used < each + tail:
        return _FEW
    seen = threshold if known else 0.0
    if not begin(
        m,
        p[1],
        bounds[0],
        bounds[1],
        steps,
        kind,
        dims,
        linear,
        slope,
        least,
        seen,
        positions,
        spread,
    ):
        return _WEAK
    # where a model goes below any background there can be, its variance must not come near 0
    least = max(least, _FLOOR * (slope * p[1, each] + m[OFFSET, 0]))
    peaks = min(0, most)  # not just 0, for whose own sake numba would compile everything again
    said, chi, scale, score = _DIVERGED, np.nan, 1.0, np.inf
    while peaks < most and used >= each * (peaks + 1) + tail + min(peaks, 1):
        count = each * (peaks + 1) + tail
        wanted = each * math.log(used)
        other = add_peak(
            m,
            p,
            bounds,
            steps,
            kind,
            dims,
            peaks,
            linear,
            slope,
            least,
            known,
            positions,
            _PROMISING * wanted,
            used,
            work,
            v,
            held,
            spread,
        )
        also = _DIVERGED
        wide = _scale(other, used - count, known)
        if np.isfinite(other) and invert(work[1], work[2], v, held[1], count):
            also = _judge(
                m, p[1], work[1], held[1], steps, kind, dims, peaks + 1, wide, threshold, positions
            )
        now = unlikelihood(m, slope, least) if most > 1 else 0.0
        if peaks > 0:
            gain = (score - now) / max(1.0, other / (used - count))
            if not known:
                gain = used * math.log(score / now)
            if also > _EDGE or also == _WEAK or not gain > wanted:
                break
        elif known and also != _OK and _is_flat(m, slope, least, threshold):
            return _WEAK
        _copy(p, work, held, count)
        score, scale, said, chi = now, wide, also, other
        peaks += 1
    if said > _EDGE or said == _WEAK:
        return said % _FAILED
    _report(p[0], work[0], kind, dims, peaks, most, linear, scale, v, report)
    end, free = peak_rows(kind, dims) * most + tail, used - each * peaks - tail
    report[0, end] = chi / free if free > 0 else np.nan
    report[0, end + 1] = peaks
    return said


@njit(**INNER)
def _count(m: Floats, positions: int) -> int:
    """Return how many values there are."""
    found = 0
    for i in range(positions):
        if m[USE, i] > 0.0:
            found += 1
    return found


@njit(**INNER)
def _copy(p: Floats, work: Floats, held: Bools, count: int) -> None:
    """Take what was found with one more peak."""
    for j in range(count):
        p[0, j], held[0, j] = p[1, j], held[1, j]
        for k in range(count):
            work[0, j, k] = work[1, j, k]


@njit(**INNER, error_model="numpy")
def _scale(chi: float, free: int, known: bool) -> float:
    """Return what errors are multiplied by."""
    if known:
        return 1.0
    return math.sqrt(chi / free) if free > 0 else np.nan


@njit(**INNER, error_model="numpy")
def _is_flat(m: Floats, slope: float, least: float, threshold: float) -> bool:
    """Whether the curve differs from its mean by no more than noise, whose chi-square is known."""
    total, count = 0.0, 0.0
    for i in range(m.shape[1]):
        total += m[USE, i] * m[Y, i]
        count += m[USE, i]
    mean, chi = total / count, 0.0
    for i in range(m.shape[1]):
        variance = max(slope * mean + m[OFFSET, i], least)
        chi += m[USE, i] * (m[Y, i] - mean) ** 2 / variance
    return chi <= count + threshold * math.sqrt(2.0 * count)


@njit(**INNER)
def _judge(
    m: Floats,
    p: Floats,
    covariance: Floats,
    held: Bools,
    steps: Floats,
    kind: int,
    dims: int,
    peaks: int,
    scale: float,
    threshold: float,
    positions: int,
) -> int:
    """Return the status of a fit that converged; `_FAILED` is added outside the scan."""
    each, at_edge, outside, at_bound = count_of(kind, dims), False, False, False
    for k in range(peaks):
        first = each * k
        error = scale * math.sqrt(covariance[first, first])
        if p[first] <= threshold * error or not p[first] > 0.0:
            return _WEAK
        for j in range(dims):
            center = p[first + 1 + j]
            low, high = _range(m, X + j, positions)
            half = _half_width(p, first + 1 + dims, dims, j)
            at_edge |= center - half < low or center + half > high
            outside |= center < low - 0.5 * steps[j] or center > high + 0.5 * steps[j]
            at_bound |= half > 1.0 / _WIDEST
        last = first + each - (1 if kind == PSEUDO_VOIGT else 0)
        for j in range(first + 1, last):
            at_bound |= held[j] or not covariance[j, j] > 0.0
    if outside:
        return _EDGE + _FAILED
    if at_bound:
        return _AT_BOUND
    return _EDGE if at_edge else _OK


@njit(**INNER)
def _range(m: Floats, row: int, positions: int) -> tuple[float, float]:
    """Return the lowest and highest place where a value counts."""
    low, high = np.inf, -np.inf
    for i in range(positions):
        if m[USE, i] > 0.0:
            low = min(low, m[row, i])
            high = max(high, m[row, i])
    return low, high


@njit(**INNER)
def _half_width(p: Floats, at: int, dims: int, axis: int) -> float:
    """Return √H_jj, H = (L Lᵀ)⁻¹: the norm of the solution of L z = e_j."""
    z0, z1, total = 0.0, 0.0, 0.0
    for i in range(axis, dims):
        row = at + i * (i + 1) // 2
        value = 1.0 if i == axis else 0.0
        if i > 0:
            value -= p[row] * z0
        if i > 1:
            value -= p[row + 1] * z1
        value /= p[row + i]
        if i == 0:
            z0 = value
        elif i == 1:
            z1 = value
        total += value * value
    return math.sqrt(total)


@njit(**INNER)
def _report(
    p: Floats,
    covariance: Floats,
    kind: int,
    dims: int,
    peaks: int,
    most: int,
    linear: bool,
    scale: float,
    v: Floats,
    report: Floats,
) -> None:
    """Report peaks, the largest first, and the background."""
    each, rows = count_of(kind, dims), peak_rows(kind, dims)
    for k in range(peaks):
        volume = volume_of(p, each * k, kind, dims)
        place = 0
        for other in range(peaks):
            theirs = volume_of(p, each * other, kind, dims)
            if theirs > volume or (theirs == volume and other < k):
                place += 1
        report_peak(
            p, covariance, each * k, kind, dims, scale, v, report[0], report[1], rows * place
        )
    for j in range(1 + (dims if linear else 0)):
        report[0, rows * most + j] = p[each * peaks + j]
        error = covariance[each * peaks + j, each * peaks + j]
        report[1, rows * most + j] = scale * math.sqrt(error)
