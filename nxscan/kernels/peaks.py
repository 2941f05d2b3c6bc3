"""One more peak: fits that begin at what is left over, and with the largest peak in two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.compiling import njit
from nxscan.kernels.fit_report import volume_of
from nxscan.kernels.lm import minimize, unlikelihood, weigh
from nxscan.kernels.lm_model import (
    BUFFER,
    INNER,
    MODEL,
    PSEUDO_VOIGT,
    WEIGHT,
    X,
    Y,
    count_of,
    evaluate,
    fill,
    half_to,
)
from nxscan.kernels.lm_start import put_widths

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CANDIDATES = 5
_NARROWEST, _SIZES = 1.2, 3
"""Half widths that are tried, in steps: 1.2, 2.4 and 4.8."""
_APART = 0.36
"""The part of a peak's variance along its longest axis that is made the distance of two."""


@njit(**INNER)
def add_peak(
    m: Floats,
    p: Floats,
    bounds: Floats,
    steps: Floats,
    kind: int,
    dims: int,
    peaks: int,
    linear: bool,
    slope: float,
    least: float,
    known: bool,
    positions: int,
    goal: float,
    used: int,
    work: Floats,
    v: Floats,
    held: NDArray[np.bool_],
    spread: Floats,
) -> float:
    """Fit one peak more than p[0] has; return chi-square, or NaN if no fit converges.

    The better of two fits that begin differently is left in p[1], its information in work[1] and
    what is at a bound in held[1]. ``goal`` is the square, in standard errors, that the height of
    what is left over must have to be of interest, and ``used`` the number of values; the other
    arguments are those of `nxscan.kernels.fit_curve.fit_curve`.
    """
    tail = 1 + (dims if linear else 0)
    count = count_of(kind, dims) * (peaks + 1) + tail
    best, chi = np.inf, np.nan
    for way in range(3 if peaks else 1):
        # of the first peak, p[1] has where to begin; the last way is that of the better one
        rough = way < 2 and peaks > 0
        if way == 1 and known and chi < used - count + 0.5 * math.sqrt(2.0 * used):
            continue
        row = 2 if rough else 1
        if rough:
            evaluate(m, p[0], kind, dims, peaks, linear)
            chi = weigh(m, slope, least)
            _widen(p[0], p[2], kind, dims, peaks, tail)
            if way == 1:
                _split_largest(p[2], kind, dims, peaks, spread)
            else:
                found = _add_at_rest(m, p[2], kind, dims, peaks, steps, positions)
                if found < goal * (1.0 if known else chi / used):
                    return np.nan
        for j in range(count):
            p[row, j] = min(max(p[row, j], bounds[0, j]), bounds[1, j])
        chi = minimize(
            m,
            p[row],
            bounds[0],
            bounds[1],
            kind,
            dims,
            peaks + 1,
            linear,
            slope,
            least,
            known,
            rough,
            work[1],
            work[2],
            v,
            held[1],
        )
        if rough:
            now = unlikelihood(m, slope, least)
            if now < best:
                best = now
                for j in range(count):
                    p[1, j] = p[2, j]
    return chi


@njit(**INNER)
def _widen(old: Floats, new: Floats, kind: int, dims: int, peaks: int, tail: int) -> None:
    """Copy the parameters of peaks, with room for one more before the background."""
    each = count_of(kind, dims)
    for j in range(each * peaks):
        new[j] = old[j]
    for j in range(tail):
        new[each * (peaks + 1) + j] = old[each * peaks + j]


@njit(**INNER, error_model="numpy")
def _add_at_rest(
    m: Floats, p: Floats, kind: int, dims: int, peaks: int, steps: Floats, positions: int
) -> float:
    """Put a peak where what is left over most resembles one; return how significant that is.

    Around the highest and the lowest values of what the model leaves over, in standard
    deviations, peaks of three widths are fitted by their height alone. The most significant
    positive one is taken; the square of the most significant of all is returned.
    """
    best, most, place, width, height = 0.0, 0.0, -1, _NARROWEST, 0.0
    for sign in (1.0, -1.0):
        above = np.inf
        for _ in range(_CANDIDATES):
            highest, at = 0.0, -1
            for i in range(positions):
                rest = sign * (m[Y, i] - m[MODEL, i]) * math.sqrt(m[WEIGHT, i])
                if highest < rest < above:
                    highest, at = rest, i
            if at < 0:
                break
            above = highest
            size = _NARROWEST
            for _ in range(_SIZES):
                product, square = _compare(m, dims, steps, at, size)
                significance = sign * product / math.sqrt(square) if square > 0.0 else 0.0
                most = max(most, significance)
                if sign > 0.0 and significance > best:
                    best, place = significance, at
                    width, height = size, product / square
                size *= 2.0
    first = count_of(kind, dims) * peaks
    p[first] = height
    for j in range(dims):
        p[first + 1 + j] = m[X + j, max(place, 0)]
        for k in range(j + 1):
            entry = first + 1 + dims + j * (j + 1) // 2 + k
            p[entry] = 1.0 / (width * steps[j]) if j == k else 0.0
    if kind == PSEUDO_VOIGT:
        p[first + count_of(kind, dims) - 1] = 0.3
    return most * most


@njit(**INNER)
def _compare(m: Floats, dims: int, steps: Floats, at: int, size: float) -> tuple[float, float]:
    """Return the weighted product of the rest with a peak of height 1, and of that with itself."""
    fill(m, BUFFER, 0.0)
    for j in range(dims):
        _add_squares(m, X + j, m[X + j, at], 1.0 / (size * steps[j]))
    found: tuple[float, float] = _products(m)
    return found


@njit(**INNER)
def _add_squares(m: Floats, of: int, center: float, factor: float) -> None:
    row = np.uintp(of)
    for i in range(np.uintp(m.shape[1])):
        distance = (m[row, i] - center) * factor
        m[np.uintp(BUFFER), i] += distance * distance


@njit(**INNER, fastmath={"reassoc", "contract"}, error_model="numpy")
def _products(m: Floats) -> tuple[float, float]:
    product, square = 0.0, 0.0
    for i in range(np.uintp(m.shape[1])):
        value = half_to(m[np.uintp(BUFFER), i])
        weighted = m[np.uintp(WEIGHT), i] * value
        product += weighted * (m[np.uintp(Y), i] - m[np.uintp(MODEL), i])
        square += weighted * value
    return product, square


@njit(**INNER, error_model="numpy")
def _split_largest(p: Floats, kind: int, dims: int, peaks: int, spread: Floats) -> None:
    """Make two of the largest peak, apart along its longest axis; together they are as wide.

    Parameters
    ----------
    p : ndarray
        The parameters, see `_widen`.
    kind, dims, peaks : int
        What the model was.
    spread : ndarray, shape (2 * dims, dims)
        Memory.

    """
    each, first, most = count_of(kind, dims), 0, -np.inf
    for k in range(peaks):
        volume = volume_of(p, each * k, kind, dims)
        if volume > most:
            first, most = each * k, volume
    new = each * peaks
    for j in range(each):
        p[new + j] = p[first + j]
    widths = first + 1 + dims
    w, h, e = np.zeros((3, 3)), np.zeros((3, 3)), np.ones(3)
    for j in range(dims):
        for k in range(j, -1, -1):
            total = 1.0 if j == k else 0.0
            for i in range(k + 1, j + 1):
                total -= p[widths + i * (i + 1) // 2 + k] * w[i, j]
            w[k, j] = total / p[widths + k * (k + 1) // 2 + k]
    for j in range(dims):
        for k in range(dims):
            for i in range(dims):
                h[j, k] += w[j, i] * w[k, i]
    longest = _longest(h, e, dims)
    apart = math.sqrt(_APART * longest)
    for j in range(dims):
        p[first + 1 + j] -= apart * e[j]
        p[new + 1 + j] += apart * e[j]
        for k in range(j + 1):
            spread[dims + j, k] = h[j, k] - _APART * longest * e[j] * e[k]
    put_widths(p, widths, spread, dims)
    size = dims * (dims + 1) // 2
    for j in range(size):
        p[new + 1 + dims + j] = p[widths + j]
    p[first] *= 0.6
    p[new] *= 0.6


@njit(**INNER, error_model="numpy")
def _longest(h: Floats, e: Floats, dims: int) -> float:
    """Set e to the direction of the largest eigenvalue of h, by its powers; return that."""
    found = 0.0
    for j in range(dims):
        e[j] = math.sqrt(h[j, j]) if h[j, 0] >= 0.0 else -math.sqrt(h[j, j])
    for _ in range(20):
        n0, n1, n2 = 0.0, 0.0, 0.0
        for k in range(dims):
            n0 += h[0, k] * e[k]
            n1 += h[1, k] * e[k]
            n2 += h[2, k] * e[k]
        found = math.sqrt(n0 * n0 + n1 * n1 + n2 * n2)
        e[0], e[1], e[2] = n0 / found, n1 / found, n2 / found
    return found
