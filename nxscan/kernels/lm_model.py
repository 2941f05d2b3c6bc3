"""Peaks on a background, in one to three dimensions, and their derivatives.

A peak is A S(q) with q = |Lᵀ (x - c)|² and L lower triangular, so that every L with a positive
diagonal is a peak. All profiles are ½ at q = 1:

- Gaussian: S = 2^-q
- Lorentzian: S = 1 / (1 + q)
- pseudo-Voigt: S = (1 - η) 2^-q + η / (1 + q)

In one dimension 1 / L is the half width at half maximum; in several, (L Lᵀ)⁻¹ is the covariance
times 2 ln 2. The parameters of a peak are A, c, the rows of L and, of a pseudo-Voigt, η; those of
the background, after all peaks, its value at x = 0 and, if it is linear, its slope along each axis.

All that belongs to one curve are the rows of one array, each as long as the curve, whose length
is a multiple of eight: then loops over it become vector instructions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from nxscan.kernels.compiling import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

GAUSSIAN, LORENTZIAN, PSEUDO_VOIGT = range(3)
"""Profiles."""
Y, USE, OFFSET, WEIGHT, MODEL, BUFFER, X = range(7)
"""Rows: values, 1 where they count and 0 elsewhere, what is added to the model's variance, weights,
the model, memory, and the first of the places, one row for each dimension."""
LN2 = math.log(2)
INNER: dict[str, Any] = {
    "nogil": True,
    "cache": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""How what only kernels call is compiled: without what Python would need to call it."""

_U = np.uintp
_FARTHEST = 1000.0
_ROUNDER = 6755399441055744.0
"""1.5 2^52: what is added to it is rounded to a whole number, in the lowest bits."""
_C = [LN2**k / math.factorial(k) for k in range(12)]
_C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11 = _C[1:]


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _to_bits(_: Any, value: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.bitcast(arguments[0], ir.IntType(64))

    return (types.int64(types.float64), make) if value == types.float64 else None


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def _from_bits(_: Any, value: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.bitcast(arguments[0], ir.DoubleType())

    return (types.float64(types.int64), make) if value == types.int64 else None


@njit(**INNER, error_model="numpy")
def half_to(q: float) -> float:
    """Return 2^-q for q >= 0, to 1e-14 of it, in a way that vectorizes.

    2^-q = 2^k 2^r with k whole and |r| <= ½; 2^r is its power series, and k is added to the
    exponent's bits.
    """
    t = -q if q < _FARTHEST else -_FARTHEST
    shifted = t + _ROUNDER
    r = t - (shifted - _ROUNDER)
    high = _C7 + r * (_C8 + r * (_C9 + r * (_C10 + r * _C11)))
    series = 1.0 + r * (_C1 + r * (_C2 + r * (_C3 + r * (_C4 + r * (_C5 + r * (_C6 + r * high))))))
    found: float = _from_bits(_to_bits(series) + (_to_bits(shifted) << 52))
    return found


@njit(nogil=True, cache=True)
def count_of(kind: int, dims: int) -> int:
    """Return how many parameters a peak has."""
    return 1 + dims + dims * (dims + 1) // 2 + (1 if kind == PSEUDO_VOIGT else 0)


@njit(nogil=True, cache=True)
def first_derivative(dims: int, peaks: int) -> int:
    """Return the row of the first derivative: after places, distances and profiles."""
    return X + dims + peaks * (dims + 2)


@njit(nogil=True, cache=True)
def evaluate(m: Floats, p: Floats, kind: int, dims: int, peaks: int, linear: bool) -> None:
    """Set the model and, of each peak, its distances Lᵀ (x - c) and its profiles."""
    each = count_of(kind, dims)
    base = each * peaks
    fill(m, MODEL, p[base])
    if linear:
        for j in range(dims):
            _add(m, MODEL, p[base + 1 + j], X + j, 0.0)
    for k in range(peaks):
        first = each * k
        u, s = X + dims + k * dims, X + dims + peaks * dims + 2 * k
        widths = first + 1 + dims
        for a in range(dims):
            fill(m, u + a, 0.0)
            for j in range(a, dims):
                entry = p[widths + j * (j + 1) // 2 + a]
                _add(m, u + a, entry, X + j, p[first + 1 + j])
        fill(m, s, 0.0)
        for a in range(dims):
            _add_square(m, s, u + a)
        if kind == LORENTZIAN:
            _lorentzian(m, s, s)
            _add(m, MODEL, p[first], s, 0.0)
        elif kind == GAUSSIAN:
            _gaussian(m, s)
            _add(m, MODEL, p[first], s, 0.0)
        else:
            eta = p[first + each - 1]
            _lorentzian(m, s, s + 1)
            _gaussian(m, s)
            _add(m, MODEL, p[first] * (1.0 - eta), s, 0.0)
            _add(m, MODEL, p[first] * eta, s + 1, 0.0)


@njit(nogil=True, cache=True)
def differentiate(m: Floats, p: Floats, kind: int, dims: int, peaks: int, linear: bool) -> None:
    """Set the model's derivatives to all parameters, after `evaluate`."""
    each = count_of(kind, dims)
    start = first_derivative(dims, peaks)
    for k in range(peaks):
        first = each * k
        row = start + first
        u, s = X + dims + k * dims, X + dims + peaks * dims + 2 * k
        widths = first + 1 + dims
        eta = p[first + each - 1] if kind == PSEUDO_VOIGT else 0.0
        _slope(m, s, kind, p[first], eta, row)
        for j in range(dims):
            # BUFFER holds 2 A dS/dq
            fill(m, row + 1 + j, 0.0)
            for a in range(j + 1):
                entry = widths + j * (j + 1) // 2 + a
                _add_product(m, row + 1 + j, -p[entry], u + a, BUFFER, 0.0)
                fill(m, start + entry, 0.0)
                _add_product(m, start + entry, 1.0, X + j, BUFFER, p[first + 1 + j])
                _times(m, start + entry, u + a)
        if kind == PSEUDO_VOIGT:
            fill(m, row + each - 1, 0.0)
            _add(m, row + each - 1, p[first], s + 1, 0.0)
            _add(m, row + each - 1, -p[first], s, 0.0)
    last = start + each * peaks
    fill(m, last, 1.0)
    if linear:
        for j in range(dims):
            fill(m, last + 1 + j, 0.0)
            _add(m, last + 1 + j, 1.0, X + j, 0.0)


@njit(**INNER)
def fill(m: Floats, to: int, value: float) -> None:
    """Set a row to one value."""
    row = _U(to)
    for i in range(_U(m.shape[1])):
        m[row, i] = value


@njit(**INNER)
def _add(m: Floats, to: int, factor: float, of: int, less: float) -> None:
    """Add factor (row - less)."""
    row, other = _U(to), _U(of)
    for i in range(_U(m.shape[1])):
        m[row, i] += factor * (m[other, i] - less)


@njit(**INNER)
def _add_square(m: Floats, to: int, of: int) -> None:
    row, other = _U(to), _U(of)
    for i in range(_U(m.shape[1])):
        m[row, i] += m[other, i] * m[other, i]


@njit(**INNER)
def _add_product(m: Floats, to: int, factor: float, one: int, two: int, less: float) -> None:
    """Add factor (one - less) two."""
    row, a, b = _U(to), _U(one), _U(two)
    for i in range(_U(m.shape[1])):
        m[row, i] += factor * (m[a, i] - less) * m[b, i]


@njit(**INNER)
def _times(m: Floats, to: int, by: int) -> None:
    row, other = _U(to), _U(by)
    for i in range(_U(m.shape[1])):
        m[row, i] *= m[other, i]


@njit(**INNER, error_model="numpy")
def _lorentzian(m: Floats, of: int, to: int) -> None:
    q, row = _U(of), _U(to)
    for i in range(_U(m.shape[1])):
        m[row, i] = 1.0 / (1.0 + m[q, i])


@njit(**INNER, error_model="numpy")
def _gaussian(m: Floats, to: int) -> None:
    row = _U(to)
    for i in range(_U(m.shape[1])):
        m[row, i] = half_to(m[row, i])


@njit(**INNER)
def _slope(m: Floats, of: int, kind: int, height: float, eta: float, to: int) -> None:
    """Set a row to the profile, and `BUFFER` to 2 A dS/dq."""
    s, row = _U(of), _U(to)
    z = s + _U(1)
    n = _U(m.shape[1])
    if kind == GAUSSIAN:
        for i in range(n):
            m[row, i] = m[s, i]
            m[_U(BUFFER), i] = -2.0 * LN2 * height * m[s, i]
    elif kind == LORENTZIAN:
        for i in range(n):
            m[row, i] = m[s, i]
            m[_U(BUFFER), i] = -2.0 * height * m[s, i] * m[s, i]
    else:
        for i in range(n):
            tail = m[z, i]
            m[row, i] = (1.0 - eta) * m[s, i] + eta * tail
            m[_U(BUFFER), i] = -2.0 * height * ((1.0 - eta) * LN2 * m[s, i] + eta * tail * tail)
