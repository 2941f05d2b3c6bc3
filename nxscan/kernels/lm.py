"""Levenberg-Marquardt for one curve, weighted by the variance of the model itself.

The weights of a step are 1 / V of the model before it, with V = slope f + offset, and are
renewed after it: the fixed point solves sum(J (y - f) / V(f)) = 0, which for counts is maximum
likelihood. Weights from the counts themselves would pull every curve down by about a count.

A step is good if chi-square with the weights of before becomes less. Where a model is far from
the data that may go in circles, so that after a few steps it is the quasi-likelihood that must
become better (Wedderburn 1974), -2 ∫ (y - f) / V(f) df, whose minimum is the same fixed point.

Damping is Marquardt's, a multiple of the diagonal of JᵀWJ; a parameter at its bound that would go
farther is held (its row of the system is left out). Systems are scaled to a unit diagonal and
solved by Cholesky's factorization. See Madsen, Nielsen and Tingleff, *Methods for Non-Linear
Least Squares Problems* (2004), section 3.2.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.compiling import njit
from nxscan.kernels.lm_model import (
    BUFFER,
    INNER,
    MODEL,
    OFFSET,
    USE,
    WEIGHT,
    Y,
    count_of,
    differentiate,
    evaluate,
    first_derivative,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_U = np.uintp
_STEPS, _ROUGH_STEPS = 100, 25
_CLOSE, _ROUGH_CLOSE = 1e-6, 1e-2
"""Squared: a step of 1e-3 standard errors is the last; what is left after it is far smaller."""
_TRIES = 12
_SIMPLE = 8
"""Steps that are judged by chi-square."""
_GENTLE = 1
_EVEN = 0.05
"""In the first steps no variance is below this part of the largest: where a peak begins too narrow,
what it does not cover would have all the weight."""
_EXACT = 1e-22
_DAMPED = 1e-2
_FIRST_DAMPING = 1e-4


@njit(**INNER)
def minimize(
    m: Floats,
    p: Floats,
    low: Floats,
    high: Floats,
    kind: int,
    dims: int,
    peaks: int,
    linear: bool,
    slope: float,
    least: float,
    known: bool,
    rough: bool,
    a: Floats,
    b: Floats,
    v: Floats,
    held: Bools,
) -> float:
    """Fit a model to a curve; return its chi-square, or NaN if it does not converge.

    Parameters
    ----------
    m : ndarray, shape (rows, n)
        The curve, see `nxscan.kernels.lm_model`. Afterwards it has the model and its weights.
    p, low, high : ndarray, shape (parameters,)
        Where to begin, replaced by what is found; and bounds.
    kind, dims, peaks, linear
        What the model is.
    slope, least : float
        The variance is slope times the model plus the row `OFFSET`, and not below ``least``.
    known : bool
        Whether the variance is known, or only what it is proportional to.
    rough : bool
        Whether few steps that come near are enough.
    a, b : ndarray, shape (parameters, parameters) or larger
        Afterwards ``a`` has the information JᵀWJ; ``b`` is memory.
    v : ndarray, shape (4, parameters) or larger
        Memory.
    held : ndarray of bool, shape (parameters,) or larger
        Afterwards says which parameters are at a bound that they would cross.

    """
    count = count_of(kind, dims) * peaks + 1 + (dims if linear else 0)
    rows = first_derivative(dims, peaks)
    evaluate(m, p, kind, dims, peaks, linear)
    floor = max(least, _EVEN * _largest(m, slope))
    chi: float = weigh(m, slope, floor)
    size, free = _total(m), _used(m) - count
    damping, before = _FIRST_DAMPING, 0.0
    close = _ROUGH_CLOSE if rough else _CLOSE
    for step in range(_ROUGH_STEPS if rough else _STEPS):
        simple = step < _SIMPLE
        if not simple:
            before = unlikelihood(m, slope, least)
        differentiate(m, p, kind, dims, peaks, linear)
        _normal(m, rows, count, a, v)
        for j in range(count):
            gradient = v[0, j]
            held[j] = (p[j] <= low[j] and gradient < 0.0) or (p[j] >= high[j] and gradient > 0.0)
        better, gain = False, 0.0
        for _ in range(_TRIES):
            if not _solve(a, b, v, held, count, damping):
                damping = max(damping, 1e-8) * 10.0
                continue
            for j in range(count):
                v[2, j] = p[j]
                p[j] = min(max(p[j] + v[1, j], low[j]), high[j])
                v[1, j] = p[j] - v[2, j]
            gain = _square(a, v, count)
            evaluate(m, p, kind, dims, peaks, linear)
            if simple:
                better = _chi_square(m) <= chi * (1.0 + 1e-12) + _EXACT * size
            else:
                better = unlikelihood(m, slope, least) <= before + 1e-14 * abs(before)
            if better:
                break
            for j in range(count):
                p[j] = v[2, j]
            damping *= 10.0
        scale = 1.0 if known else chi / max(free, 1)
        enough = gain <= close * scale or gain <= _EXACT * size
        if not better:
            evaluate(m, p, kind, dims, peaks, linear)
        floor = least
        chi = weigh(m, slope, floor)
        if step >= _GENTLE:
            if not better:
                return chi if enough else np.nan
            if enough and damping <= _DAMPED:
                return chi
        damping *= 0.1
    return np.nan


@njit(**INNER)
def invert(a: Floats, b: Floats, v: Floats, held: Bools, count: int) -> bool:
    """Replace the information by the covariance, with 0 for what is held; False if singular."""
    if not _factorize(a, b, v, held, count, 0.0):
        return False
    # b becomes the inverse of its lower triangle, row by row
    for j in range(count):
        b[j, j] = 1.0 / b[j, j]
        for i in range(j + 1, count):
            total = 0.0
            for k in range(j, i):
                total -= b[i, k] * b[k, j]
            b[i, j] = total / b[i, i]
    for i in range(count):
        for j in range(i + 1):
            total = 0.0
            for k in range(i, count):
                total += b[k, i] * b[k, j]
            if held[i] or held[j]:
                total = 0.0
            a[i, j] = a[j, i] = total * v[3, i] * v[3, j]
    return True


@njit(**INNER, fastmath={"reassoc", "contract"}, error_model="numpy")
def weigh(m: Floats, slope: float, least: float) -> float:
    """Set the weights from the model; return chi-square."""
    total = 0.0
    for i in range(_U(m.shape[1])):
        variance = slope * m[_U(MODEL), i] + m[_U(OFFSET), i]
        weight = m[_U(USE), i] / (variance if variance > least else least)
        rest = m[_U(Y), i] - m[_U(MODEL), i]
        m[_U(WEIGHT), i] = weight
        total += weight * rest * rest
    return total


@njit(**INNER)
def _largest(m: Floats, slope: float) -> float:
    """Return the largest variance that the model says."""
    found = 0.0
    for i in range(m.shape[1]):
        if m[USE, i] > 0.0:
            found = max(found, slope * m[MODEL, i] + m[OFFSET, i])
    return found


@njit(**INNER, error_model="numpy")
def unlikelihood(m: Floats, slope: float, least: float) -> float:
    """Return minus twice the quasi-likelihood of the model, but for what depends on data alone.

    With F and Y for slope f + offset and slope y + offset it is the sum of (F - Y ln F) 2/slope²;
    where F is below the least variance v, F - Y ln F goes on as (F - Y)² / (2 v) does.
    """
    total = 0.0
    for i in range(m.shape[1]):
        if m[USE, i] > 0.0:
            if slope > 0.0:
                f = slope * m[MODEL, i] + m[OFFSET, i]
                y = slope * m[Y, i] + m[OFFSET, i]
                if f >= least:
                    total += f - y * math.log(f)
                else:
                    total += least - y * math.log(least)
                    total += (least - f) * (2.0 * y - f - least) / (2.0 * least)
            else:
                rest = m[Y, i] - m[MODEL, i]
                total += rest * rest / max(m[OFFSET, i], least)
    return total * 2.0 / (slope * slope) if slope > 0.0 else total


@njit(**INNER, fastmath={"reassoc", "contract"})
def _chi_square(m: Floats) -> float:
    total = 0.0
    for i in range(_U(m.shape[1])):
        rest = m[_U(Y), i] - m[_U(MODEL), i]
        total += m[_U(WEIGHT), i] * rest * rest
    return total


@njit(**INNER, fastmath={"reassoc", "contract"})
def _total(m: Floats) -> float:
    total = 0.0
    for i in range(_U(m.shape[1])):
        total += m[_U(WEIGHT), i] * m[_U(Y), i] * m[_U(Y), i]
    return total


@njit(**INNER, fastmath={"reassoc", "contract"})
def _used(m: Floats) -> float:
    total = 0.0
    for i in range(_U(m.shape[1])):
        total += m[_U(USE), i]
    return total


@njit(**INNER)
def _normal(m: Floats, rows: int, count: int, a: Floats, v: Floats) -> None:
    """Set the information JᵀWJ, both halves, and the gradient JᵀW (y - f)."""
    for j in range(count):
        v[0, j] = _weighted(m, rows + j)
        k = 0
        while k + 3 <= j:
            a[j, k], a[j, k + 1], a[j, k + 2], a[j, k + 3] = _products(m, rows + k)
            k += 4
        while k <= j:
            a[j, k] = _product(m, rows + k)
            k += 1
    for j in range(count):
        for k in range(j):
            a[k, j] = a[j, k]


@njit(**INNER, fastmath={"reassoc", "contract"})
def _weighted(m: Floats, of: int) -> float:
    row, total = _U(of), 0.0
    for i in range(_U(m.shape[1])):
        value = m[_U(WEIGHT), i] * m[row, i]
        m[_U(BUFFER), i] = value
        total += value * (m[_U(Y), i] - m[_U(MODEL), i])
    return total


@njit(**INNER, fastmath={"reassoc", "contract"})
def _product(m: Floats, of: int) -> float:
    row, total = _U(of), 0.0
    for i in range(_U(m.shape[1])):
        total += m[_U(BUFFER), i] * m[row, i]
    return total


@njit(**INNER, fastmath={"reassoc", "contract"})
def _products(m: Floats, of: int) -> tuple[float, float, float, float]:
    row, r0, r1, r2, r3 = _U(of), 0.0, 0.0, 0.0, 0.0
    for i in range(_U(m.shape[1])):
        value = m[_U(BUFFER), i]
        r0 += value * m[row, i]
        r1 += value * m[row + _U(1), i]
        r2 += value * m[row + _U(2), i]
        r3 += value * m[row + _U(3), i]
    return r0, r1, r2, r3


@njit(**INNER)
def _square(a: Floats, v: Floats, count: int) -> float:
    """Return the square of a step in standard errors, δᵀ JᵀWJ δ."""
    total = 0.0
    for j in range(count):
        part = 0.0
        for k in range(count):
            part += a[j, k] * v[1, k]
        total += part * v[1, j]
    return total


@njit(**INNER)
def _factorize(a: Floats, b: Floats, v: Floats, held: Bools, count: int, damping: float) -> bool:
    """Set the lower triangle of b to the factor of the scaled system; scales go to v[3]."""
    for j in range(count):
        v[3, j] = 1.0 / math.sqrt(a[j, j]) if a[j, j] > 0.0 else 0.0
    for i in range(count):
        for j in range(i + 1):
            if i == j:
                total = 1.0 + damping
            elif held[i] or held[j]:
                total = 0.0
            else:
                total = a[i, j] * v[3, i] * v[3, j]
            for k in range(j):
                total -= b[i, k] * b[j, k]
            if i != j:
                b[i, j] = total * b[j, j]
            elif total > 1e-14:
                b[i, i] = 1.0 / math.sqrt(total)
            else:
                return False
    for j in range(count):
        b[j, j] = 1.0 / b[j, j]
    return True


@njit(**INNER)
def _solve(a: Floats, b: Floats, v: Floats, held: Bools, count: int, damping: float) -> bool:
    """Set v[1] to the step; False if the system is singular."""
    if not _factorize(a, b, v, held, count, damping):
        return False
    for i in range(count):
        total = 0.0 if held[i] else v[0, i] * v[3, i]
        for k in range(i):
            total -= b[i, k] * v[1, k]
        v[1, i] = total / b[i, i]
    for back in range(count):
        i = count - 1 - back
        total = v[1, i]
        for k in range(i + 1, count):
            total -= b[k, i] * v[1, k]
        v[1, i] = total / b[i, i]
    for i in range(count):
        v[1, i] *= v[3, i]
    return True
