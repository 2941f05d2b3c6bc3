"""Moments about the center, and their errors, from power sums about a fixed place.

With weights w, background b and M_k = sum(w (I - b) u^k), the center is m = M_1/M_0 and the
central moments are c_k = sum(w (I - b) (u - m)^k)/M_0. Errors are first-order: what one value
I_i does to a result is a polynomial P in z = (u_i - m)/std, times w_i, less its share of
Q = sum(w P) through the background, if that is the mean of some of the values. Hence the
variance is sum(v_i w_i² P_i²) - 2 Q cov(b, w P) + Q² var(b), v_i the variance of each value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

CENTER, STD, SKEWNESS, KURTOSIS, INTENSITY = range(5)
"""Rows of what `moments` gives; their errors follow in the same order."""
OK, WEAK, EDGE, SATURATED, MASKED = range(5)
"""What `judge` says of a pixel."""
OUTCOMES = 10
"""How many rows `moments` gives."""
HIGHEST = 8
"""The highest power: the error of the kurtosis needs it."""

_C = 128
_ROWS = 5 + 5 + 9 + 3 + OUTCOMES + 5
_ROUNDING = 16 * 2.3e-16


@njit(nogil=True, cache=True)
def moments(
    sums: Floats,
    weights: Floats,
    variances: Floats,
    linear: Places,
    squared: Places,
    edge: Places,
    noise: tuple[float, float],
    background: Floats,
    out: Floats,
) -> None:
    """Give center, standard deviation, skewness, excess kurtosis, intensity and their errors.

    Where the intensity is not positive, all but it are NaN; where the spread is not, skewness
    and kurtosis are. Errors that float64 cannot resolve (peaks narrower than about a
    hundredth of the range) are NaN.

    Parameters
    ----------
    sums, weights, variances : ndarray, shape (k, pixels), or (k, 1) for ``weights``
        Sums of I, of 1 and of v times powers of u, over the values that are valid.
    linear : ndarray of int64, shape (5,)
        Which rows of them have w u^0 to w u^4.
    squared : ndarray of int64, shape (9,)
        Which rows of them have w² u^0 to w² u^8.
    edge : ndarray of int64, shape (5,)
        Which rows of them have w u^0 to w u^4 at the positions that the background is the
        mean of.
    noise : (a, b)
        v is a times ``variances`` plus b times ``weights``.
    background : ndarray, shape (3, pixels)
        The background, its variance, and 1 over the number of values that it is the mean of;
        0 if it is none of values of the curve.
    out : ndarray, shape (10, pixels)
        Takes the results, with u as the unit of length.

    """
    # one array with rows at constant distances: the compiler sees that they do not overlap
    a = np.empty(_ROWS * _C)
    for low in range(0, sums.shape[1], _C):
        size = min(_C, sums.shape[1] - low)
        high = low + size
        for k in range(5):
            _set(a[k * _C : k * _C + size], sums[linear[k], low:high])
            _copy(weights, linear[k], low, a[(5 + k) * _C : (5 + k) * _C + size])
        for k in range(9):
            row = a[(10 + k) * _C : (10 + k) * _C + size]
            _copy(weights, squared[k], low, row)
            _mix(noise[0], variances[squared[k], low:high], noise[1], row)
        for k in range(5):
            row = a[(32 + k) * _C : (32 + k) * _C + size]
            _copy(weights, edge[k], low, row)
            _mix(noise[0], variances[edge[k], low:high], noise[1], row)
        for k in range(3):
            _set(a[(19 + k) * _C : (19 + k) * _C + size], background[k, low:high])
        _chunk(a, size)
        for k in range(OUTCOMES):
            _set(out[k, low:high], a[(22 + k) * _C : (22 + k) * _C + size])


@njit(nogil=True, cache=True)
def _copy(weights: Floats, k: int, low: int, row: Floats) -> None:
    if weights.shape[1] == 1:
        value = weights[k, 0]
        for p in range(len(row)):
            row[p] = value
    else:
        _set(row, weights[k, low : low + len(row)])


@njit(nogil=True, cache=True)
def _set(row: Floats, values: Floats) -> None:
    for p in range(len(row)):
        row[p] = values[p]


@njit(nogil=True, cache=True)
def _mix(by: float, values: Floats, other: float, row: Floats) -> None:
    for p in range(len(row)):
        row[p] = by * values[p] + other * row[p]


@njit(nogil=True, cache=True, fastmath={"contract"})
def _third(m0: float, m1: float, m2: float, m3: float, d: float) -> float:
    """Return the third moment about a place that lies -d away; those below, the fourth ..."""
    return m3 + d * (3 * m2 + d * (3 * m1 + d * m0))


@njit(nogil=True, cache=True, fastmath={"contract"})
def _fourth(m0: float, m1: float, m2: float, m3: float, m4: float, d: float) -> float:
    return m4 + d * (4 * m3 + d * (6 * m2 + d * (4 * m1 + d * m0)))


@njit(nogil=True, cache=True, fastmath={"contract"})
def _fifth(m0: float, m1: float, m2: float, m3: float, m4: float, m5: float, d: float) -> float:
    return m5 + d * (5 * m4 + d * (10 * m3 + d * (10 * m2 + d * (5 * m1 + d * m0))))


@njit(nogil=True, cache=True, fastmath={"contract"})
def _sixth(
    m0: float, m1: float, m2: float, m3: float, m4: float, m5: float, m6: float, d: float
) -> float:
    inner = 20 * m3 + d * (15 * m2 + d * (6 * m1 + d * m0))
    return m6 + d * (6 * m5 + d * (15 * m4 + d * inner))


@njit(nogil=True, cache=True, fastmath={"contract"})
def _eighth(
    m0: float,
    m1: float,
    m2: float,
    m3: float,
    m4: float,
    m5: float,
    m6: float,
    m7: float,
    m8: float,
    d: float,
) -> float:
    inner = 70 * m4 + d * (56 * m3 + d * (28 * m2 + d * (8 * m1 + d * m0)))
    return m8 + d * (8 * m7 + d * (28 * m6 + d * (56 * m5 + d * inner)))


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _chunk(a: Floats, size: int) -> None:
    """Compute one row of pixels; see the module for the formulas."""
    nan = np.nan
    for p in range(size):
        s0, w0, w1 = a[p], a[p + 5 * _C], a[p + 6 * _C]
        w2, w3, w4 = a[p + 7 * _C], a[p + 8 * _C], a[p + 9 * _C]
        b, vb, share = a[p + 19 * _C], a[p + 20 * _C], a[p + 21 * _C]
        m0 = s0 - b * w0
        rounding = _ROUNDING * (abs(s0) + abs(b) * w0)
        r = 1.0 / m0 if m0 > rounding else nan
        q1 = (a[p + _C] - b * w1) * r
        q2 = (a[p + 2 * _C] - b * w2) * r
        q3 = (a[p + 3 * _C] - b * w3) * r
        q4 = (a[p + 4 * _C] - b * w4) * r
        d = -q1
        c2 = q2 - q1 * q1
        least = rounding * r
        std = np.sqrt(c2) if c2 > least else (0.0 if c2 >= -least else nan)
        g = 1.0 / std if std > 0.0 else nan
        gg, ggg, gggg = g * g, g * g * g, (g * g) * (g * g)
        g3, g4 = _third(1.0, q1, q2, q3, d) * ggg, _fourth(1.0, q1, q2, q3, q4, d) * gggg
        t0, t1, t2 = a[p + 10 * _C], a[p + 11 * _C], a[p + 12 * _C]
        t3, t4, t5 = a[p + 13 * _C], a[p + 14 * _C], a[p + 15 * _C]
        t6, t7, t8 = a[p + 16 * _C], a[p + 17 * _C], a[p + 18 * _C]
        z1, z2 = (t1 + d * t0) * g, (t2 + d * (2 * t1 + d * t0)) * gg
        z3, z4 = _third(t0, t1, t2, t3, d) * ggg, _fourth(t0, t1, t2, t3, t4, d) * gggg
        z5 = _fifth(t0, t1, t2, t3, t4, t5, d) * (ggg * gg)
        z6 = _sixth(t0, t1, t2, t3, t4, t5, t6, d) * (ggg * ggg)
        z8 = _eighth(t0, t1, t2, t3, t4, t5, t6, t7, t8, d) * (gggg * gggg)
        y1, y2 = (w1 + d * w0) * g, (w2 + d * (2 * w1 + d * w0)) * gg
        y3, y4 = _third(w0, w1, w2, w3, d) * ggg, _fourth(w0, w1, w2, w3, w4, d) * gggg
        f0, f1, f2 = share * a[p + 32 * _C], share * a[p + 33 * _C], share * a[p + 34 * _C]
        f3, f4 = share * a[p + 35 * _C], share * a[p + 36 * _C]
        e1, e2 = (f1 + d * f0) * g, (f2 + d * (2 * f1 + d * f0)) * gg
        e3, e4 = _third(f0, f1, f2, f3, d) * ggg, _fourth(f0, f1, f2, f3, f4, d) * gggg
        reach = (1.0 + abs(d)) * (1.0 + abs(d)) * gg
        noise = 10 * _ROUNDING * abs(t0) * reach

        v = t0 + w0 * (w0 * vb - 2 * f0)
        a[p + 31 * _C] = np.sqrt(max(v, 0.0))

        v = z2 + y1 * (y1 * vb - 2 * e1)
        a[p + 27 * _C] = std * r * np.sqrt(v) if v >= noise else nan

        q, e = y2 - w0, e2 - f0
        v = z4 - 2 * z2 + t0 + q * (q * vb - 2 * e)
        noise *= reach
        a[p + 28 * _C] = 0.5 * std * r * np.sqrt(v) if v >= noise else nan

        p0, p2 = 0.5 * g3, -1.5 * g3
        q = y3 + p2 * y2 - 3 * y1 + p0 * w0
        e = e3 + p2 * e2 - 3 * e1 + p0 * f0
        v = z6 + 2 * p2 * z5 + (p2 * p2 - 6) * z4 + 2 * (p0 - 3 * p2) * z3
        v += (9 + 2 * p0 * p2) * z2 - 6 * p0 * z1 + p0 * p0 * t0 + q * (q * vb - 2 * e)
        noise *= reach
        a[p + 29 * _C] = r * np.sqrt(v) if v >= noise else nan

        p1, p2 = -4 * g3, -2 * g4
        q = y4 + p2 * y2 + p1 * y1 + g4 * w0
        e = e4 + p2 * e2 + p1 * e1 + g4 * f0
        v = z8 + 2 * p2 * z6 + 2 * p1 * z5 + (p2 * p2 + 2 * g4) * z4 + 2 * p1 * p2 * z3
        v += (p1 * p1 + 2 * g4 * p2) * z2 + 2 * g4 * p1 * z1 + g4 * g4 * t0
        v += q * (q * vb - 2 * e)
        noise *= reach
        a[p + 30 * _C] = r * np.sqrt(v) if v >= noise else nan

        a[p + 22 * _C] = q1
        a[p + 23 * _C] = std
        a[p + 24 * _C] = g3
        a[p + 25 * _C] = g4 - 3.0
        a[p + 26 * _C] = m0


@njit(nogil=True, cache=True)
def judge(
    high: NDArray[Any],
    weight: Floats,
    result: Floats,
    background: Floats,
    variance: Floats,
    noise: tuple[float, float],
    threshold: float,
    saturation: float,
    status: NDArray[np.uint8],
) -> None:
    """Say of every pixel whether it is ok, weak, highest at the edge, saturated or masked.

    A peak that the scan cuts off raises its own background and may have no intensity left: it
    is at the edge, and not weak, if its highest value stands out from the background.

    Parameters
    ----------
    high : ndarray, shape (2, pixels)
        The highest value inside the scan and at its edge.
    weight : ndarray, shape (pixels,) or (1,)
        0 where nothing is valid.
    result : ndarray, shape (10, pixels)
        What `moments` gives.
    background : ndarray, shape (3, pixels)
        As for `moments`.
    variance : ndarray, shape (pixels,) or (0,)
        Mean variance of a value; else it follows from ``noise``.
    noise : (a, b)
        The variance of a value I is a I + b.
    threshold, saturation : float
        What is not weak, in standard deviations; what is saturated.
    status : ndarray of uint8, shape (pixels,)
        Takes the numbers, in the order above.

    """
    for p in range(len(status)):
        inside, edge = np.float64(high[0, p]), np.float64(high[1, p])
        weak = not result[INTENSITY, p] > threshold * result[INTENSITY + 5, p]
        found = WEAK if weak else OK
        if edge > inside:
            spread = variance[p] if len(variance) else max(noise[0] * edge + noise[1], 0.0)
            if not weak or edge - background[0, p] > threshold * np.sqrt(spread):
                found = EDGE
        if max(inside, edge) >= saturation:
            found = SATURATED
        if weight[p if len(weight) > 1 else 0] == 0:
            found = MASKED
        status[p] = found
