"""Moments about the center, and their errors, from power sums about a fixed place.

With weights w, background b and M_k = sum(w (I - b) u^k), the center is m = M_1/M_0 and the
central moments are c_k = sum(w (I - b) (u - m)^k)/M_0. Errors are first-order: what one value
I_i does to a result is a polynomial P in z = (u_i - m)/std, times w_i, less its share of
Q = sum(w P) through the background, if that is the mean of some of the values. Hence the
variance is sum(v_i w_i² P_i²) - 2 Q cov(b, w P) + Q² var(b), v_i the variance of each value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nxscan.kernels.compiling import njit
from nxscan.kernels.moments import CHUNK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]
    Places = NDArray[np.int64]

OK, WEAK, EDGE, SATURATED, MASKED = range(5)
"""What is said of a pixel."""
NONE, MIN, EDGES, DARK = range(4)
"""What is taken off: nothing, the lowest value, the mean at the edges, what is given."""
HIGHEST = 8
"""The highest power: the error of the kurtosis needs it."""
FWHM = 2.3548200450309493
"""Full width at half maximum of a Gaussian of standard deviation 1: sqrt(8 ln 2)."""
ROWS = 37
"""Rows of ``a``, in which one chunk of pixels is computed: sums of the values and their weights
times w u^0 to w u^4 (0, 5), of variances times w² u^0 to w² u^8 (10), background, its variance
and 1 over the number of values that it is the mean of (19), center, std, skewness, kurtosis,
intensity and their errors (22), variances times w u^0 to w u^4 at the edge (32)."""

_C = CHUNK
_U = np.uintp
_N = np.uintp(CHUNK)
_ERRORS = 5
_ROUNDING = 16 * 2.3e-16
_RANGE = 1.0 + 1e-9


class Rule(NamedTuple):
    """How sums become maps.

    Attributes
    ----------
    linear, squared, edge : ndarray of int64, shape (axes, 5), (axes, 9), (axes, 5)
        For each axis, which rows of the sums have w u^0 to w u^4, w² u^0 to w² u^8, and w u^0
        to w u^4 at the positions that the background is the mean of.
    edge_row : int
        Which row is 1 at those positions and 0 elsewhere.
    origin, scale : ndarray, shape (axes,)
        u = (value - origin) / scale.
    background : int
        What is taken off, see `NONE`.
    slope, floor : float
        The variance of a value I is slope I + floor, unless variances are given.
    threshold, saturation : float
        What is not weak, in standard deviations; what is saturated.

    """

    linear: Places
    squared: Places
    edge: Places
    edge_row: int
    origin: Floats
    scale: Floats
    background: int
    slope: float
    floor: float
    threshold: float
    saturation: float


class Maps(NamedTuple):
    """Where results go.

    Attributes
    ----------
    centers : ndarray of float64, shape (2 * axes, pixels)
        Center and its error, for each axis.
    others : ndarray of float32, shape (2 + 8 * axes, pixels)
        Intensity; standard deviation, full width, skewness, excess kurtosis for each axis;
        each with its error.
    status : ndarray of uint8, shape (pixels,)
        What is said of each pixel, see `OK`.

    """

    centers: Floats
    others: Singles
    status: NDArray[np.uint8]


@njit(nogil=True, cache=True)
def conclude(
    values: Floats,
    weights: Floats,
    variances: Floats,
    high: Floats,
    low: Floats,
    dark: Singles,
    linear: Places,
    squared: Places,
    edge: Places,
    edge_row: int,
    origin: Floats,
    scale: Floats,
    background: int,
    slope: float,
    floor: float,
    threshold: float,
    saturation: float,
    start: int,
    size: int,
    a: Floats,
    centers: Floats,
    others: Singles,
    status: NDArray[np.uint8],
) -> None:
    """Fill in the maps of the chunk of pixels at ``start``.

    Where the intensity is not positive, or the center outside the range, which no curve above
    its background has, all but the intensity are NaN; where the spread is not positive,
    skewness and kurtosis are. Errors that float64 cannot resolve (peaks narrower than about a
    hundredth of the range) are NaN.

    Arguments are the members of `Sums`, of a chunk; the background and its variance, shape
    (2, pixels), for `DARK`; the members of `Rule`; the place and size of the chunk; memory,
    shape (ROWS * CHUNK,); and the members of `Maps`.
    """
    row = _U(edge_row * _C)
    if background == EDGES:
        _set_mean(values, weights, row, a)
        _set_variance(weights, variances, row, slope, floor, a)
        for p in range(_N):
            a[p + 20 * _N] *= a[p + 21 * _N]
    elif background == MIN:
        _copy(low, 0, a, 19)
        _set_variance(weights, variances, _U(squared[0, 0] * _C), slope, floor, a)
    elif background == DARK:
        for p in range(_U(size)):
            a[p + 19 * _N] = dark[0, _U(start) + p]
            a[p + 20 * _N] = dark[1, _U(start) + p]
    for k in range(len(scale)):
        _set_sums(values, weights, linear, k, a)
        _set_variances(values, weights, variances, squared, edge, k, slope, floor, a)
        _chunk(a)
        _write_axis(a, origin[k], scale[k], start, size, k, centers, others)
    _write(a, 26, 1.0, others, 0, start, size)
    _write(a, 31, 1.0, others, 1, start, size)
    row = _U(squared[0, 0] * _C)
    _judge(
        weights, variances, high, row, slope, floor, threshold, saturation, a, start, size, status
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _set_mean(values: Floats, weights: Floats, row: int, a: Floats) -> None:
    """Set the background to a mean, and the share of one value in it."""
    for p in range(_N):
        count = weights[row + p]
        share = 1.0 / count if count > 0.0 else np.nan
        a[p + 19 * _N] = values[row + p] * share
        a[p + 21 * _N] = share


@njit(nogil=True, cache=True, error_model="numpy")
def _set_variance(
    weights: Floats, variances: Floats, row: int, slope: float, floor: float, a: Floats
) -> None:
    """Set the background's variance as it was propagated, else as the noise model says."""
    if len(variances):
        for p in range(_N):
            a[p + 20 * _N] = variances[row + p] / max(weights[row + p], 0.5)
    else:
        for p in range(_N):
            a[p + 20 * _N] = max(slope * a[p + 19 * _N] + floor, 0.0)


@njit(nogil=True, cache=True)
def _set_sums(values: Floats, weights: Floats, linear: Places, axis: int, a: Floats) -> None:
    for k in range(5):
        _copy(values, linear[axis, k], a, k)
        _copy(weights, linear[axis, k], a, 5 + k)


@njit(nogil=True, cache=True)
def _set_variances(
    values: Floats,
    weights: Floats,
    variances: Floats,
    squared: Places,
    edge: Places,
    axis: int,
    slope: float,
    floor: float,
    a: Floats,
) -> None:
    for k in range(14):
        source = squared[axis, k] if k < 9 else edge[axis, k - 9]
        row, to = _U(source * _C), _U((10 + k if k < 9 else 23 + k) * _C)
        if len(variances):
            for p in range(_N):
                a[to + p] = variances[row + p]
        else:
            for p in range(_N):
                a[to + p] = slope * values[row + p] + floor * weights[row + p]


@njit(nogil=True, cache=True)
def _copy(source: Floats, row: int, target: Floats, to: int) -> None:
    one, two = _U(row * _C), _U(to * _C)
    for p in range(_N):
        target[two + p] = source[one + p]


@njit(nogil=True, cache=True)
def _write_axis(
    a: Floats,
    origin: float,
    scale: float,
    start: int,
    size: int,
    axis: int,
    centers: Floats,
    others: Singles,
) -> None:
    at, row = _U(start), _U(2 * axis)
    for p in range(_U(size)):
        centers[row, at + p] = a[p + 22 * _N] * scale + origin
        centers[row + _U(1), at + p] = a[p + 27 * _N] * scale
    for k in range(2):
        first, to = 23 + _ERRORS * k, 2 + 8 * axis + k
        _write(a, first, scale, others, to, start, size)
        _write(a, first, FWHM * scale, others, to + 2, start, size)
        _write(a, first + 1, 1.0, others, to + 4, start, size)
        _write(a, first + 2, 1.0, others, to + 6, start, size)


@njit(nogil=True, cache=True)
def _write(
    a: Floats, row: int, factor: float, others: Singles, to: int, start: int, size: int
) -> None:
    source, target, at = _U(row * _C), _U(to), _U(start)
    for p in range(_U(size)):
        others[target, at + p] = np.float32(factor * a[source + p])


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
def _chunk(a: Floats) -> None:
    """Compute one row of pixels; see the module for the formulas."""
    nan = np.nan
    for p in range(_N):
        s0, w0, w1 = a[p], a[p + 5 * _N], a[p + 6 * _N]
        w2, w3, w4 = a[p + 7 * _N], a[p + 8 * _N], a[p + 9 * _N]
        b, vb, share = a[p + 19 * _N], a[p + 20 * _N], a[p + 21 * _N]
        m0 = s0 - b * w0
        rounding = _ROUNDING * (abs(s0) + abs(b) * w0)
        r = 1.0 / m0 if m0 > rounding else nan
        q1 = (a[p + _N] - b * w1) * r
        r = r if abs(q1) <= _RANGE else nan
        q1 = q1 if abs(q1) <= _RANGE else nan
        q2 = (a[p + 2 * _N] - b * w2) * r
        q3 = (a[p + 3 * _N] - b * w3) * r
        q4 = (a[p + 4 * _N] - b * w4) * r
        d = -q1
        c2 = q2 - q1 * q1
        least = rounding * r
        std = np.sqrt(c2) if c2 > least else (0.0 if c2 >= -least else nan)
        g = 1.0 / std if std > 0.0 else nan
        gg, ggg, gggg = g * g, g * g * g, (g * g) * (g * g)
        g3, g4 = _third(1.0, q1, q2, q3, d) * ggg, _fourth(1.0, q1, q2, q3, q4, d) * gggg
        t0, t1, t2 = a[p + 10 * _N], a[p + 11 * _N], a[p + 12 * _N]
        t3, t4, t5 = a[p + 13 * _N], a[p + 14 * _N], a[p + 15 * _N]
        t6, t7, t8 = a[p + 16 * _N], a[p + 17 * _N], a[p + 18 * _N]
        z1, z2 = (t1 + d * t0) * g, (t2 + d * (2 * t1 + d * t0)) * gg
        z3, z4 = _third(t0, t1, t2, t3, d) * ggg, _fourth(t0, t1, t2, t3, t4, d) * gggg
        z5 = _fifth(t0, t1, t2, t3, t4, t5, d) * (ggg * gg)
        z6 = _sixth(t0, t1, t2, t3, t4, t5, t6, d) * (ggg * ggg)
        z8 = _eighth(t0, t1, t2, t3, t4, t5, t6, t7, t8, d) * (gggg * gggg)
        y1, y2 = (w1 + d * w0) * g, (w2 + d * (2 * w1 + d * w0)) * gg
        y3, y4 = _third(w0, w1, w2, w3, d) * ggg, _fourth(w0, w1, w2, w3, w4, d) * gggg
        f0, f1, f2 = share * a[p + 32 * _N], share * a[p + 33 * _N], share * a[p + 34 * _N]
        f3, f4 = share * a[p + 35 * _N], share * a[p + 36 * _N]
        e1, e2 = (f1 + d * f0) * g, (f2 + d * (2 * f1 + d * f0)) * gg
        e3, e4 = _third(f0, f1, f2, f3, d) * ggg, _fourth(f0, f1, f2, f3, f4, d) * gggg
        reach = (1.0 + abs(d)) * (1.0 + abs(d)) * gg
        noise = 10 * _ROUNDING * abs(t0) * reach

        v = t0 + w0 * (w0 * vb - 2 * f0)
        a[p + 31 * _N] = np.sqrt(max(v, 0.0))

        v = z2 + y1 * (y1 * vb - 2 * e1)
        a[p + 27 * _N] = std * r * np.sqrt(v) if v >= noise else nan

        q, e = y2 - w0, e2 - f0
        v = z4 - 2 * z2 + t0 + q * (q * vb - 2 * e)
        noise *= reach
        a[p + 28 * _N] = 0.5 * std * r * np.sqrt(v) if v >= noise else nan

        p0, p2 = 0.5 * g3, -1.5 * g3
        q = y3 + p2 * y2 - 3 * y1 + p0 * w0
        e = e3 + p2 * e2 - 3 * e1 + p0 * f0
        v = z6 + 2 * p2 * z5 + (p2 * p2 - 6) * z4 + 2 * (p0 - 3 * p2) * z3
        v += (9 + 2 * p0 * p2) * z2 - 6 * p0 * z1 + p0 * p0 * t0 + q * (q * vb - 2 * e)
        noise *= reach
        a[p + 29 * _N] = r * np.sqrt(v) if v >= noise else nan

        p1, p2 = -4 * g3, -2 * g4
        q = y4 + p2 * y2 + p1 * y1 + g4 * w0
        e = e4 + p2 * e2 + p1 * e1 + g4 * f0
        v = z8 + 2 * p2 * z6 + 2 * p1 * z5 + (p2 * p2 + 2 * g4) * z4 + 2 * p1 * p2 * z3
        v += (p1 * p1 + 2 * g4 * p2) * z2 + 2 * g4 * p1 * z1 + g4 * g4 * t0
        v += q * (q * vb - 2 * e)
        noise *= reach
        a[p + 30 * _N] = r * np.sqrt(v) if v >= noise else nan

        a[p + 22 * _N] = q1
        a[p + 23 * _N] = std
        a[p + 24 * _N] = g3
        a[p + 25 * _N] = g4 - 3.0
        a[p + 26 * _N] = m0


@njit(nogil=True, cache=True, error_model="numpy")
def _judge(
    weights: Floats,
    variances: Floats,
    high: Floats,
    row: int,
    slope: float,
    floor: float,
    threshold: float,
    saturation: float,
    a: Floats,
    start: int,
    size: int,
    status: NDArray[np.uint8],
) -> None:
    """Say of every pixel whether it is ok, weak, highest at the edge, saturated or masked.

    A peak that the scan cuts off raises its own background and may have no intensity left: it
    is at the edge, and not weak, if its highest value stands out from the background.
    """
    at = _U(start)
    for p in range(_U(size)):
        inside, edge = high[p], high[p + _N]
        if len(variances):
            spread = variances[row + p] / max(weights[row + p], 0.5)
        else:
            spread = max(slope * edge + floor, 0.0)
        weak = not a[p + 26 * _N] > threshold * a[p + 31 * _N]
        above = edge - a[p + 19 * _N]
        # squared: a root costs as much as all the rest
        stands_out = above > 0.0 and above * above > threshold * threshold * spread
        found = WEAK if weak else OK
        found = EDGE if edge > inside and (stands_out or not weak) else found
        found = SATURATED if max(inside, edge) >= saturation else found
        status[at + p] = MASKED if weights[p] == 0.0 else found
