"""Power sums of curves, and the moments that follow from them.

Every sum that moments need is linear in the frames, ``sums = rows @ frames``, so that one
kernel adds them all while a few frames of a strip of pixels are in the processor's cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_STRIP = 256
_TOGETHER = 8


@njit(nogil=True, cache=True, fastmath={"contract"})
def power_sums(frames: NDArray[Any], start: int, rows: Floats, sums: Floats) -> None:
    """Give ``rows @ frames[:, start:start + pixels]``.

    Parameters
    ----------
    frames : ndarray, shape (n, all pixels), in C order
        Values.
    start : int
        The first pixel.
    rows : ndarray of float64, shape (k, n)
        Coefficients of each sum; a pair that is 0 for eight frames costs nothing.
    sums : ndarray of float64, shape (k, pixels)
        Takes the sums.

    """
    n, pixels = len(frames), sums.shape[1]
    padded = _padded(rows)
    used = _used(padded)
    values = np.zeros(_TOGETHER * _STRIP)
    for low in range(0, pixels, _STRIP):
        size = min(_STRIP, pixels - low)
        sums[:, low : low + size] = 0.0
        for first in range(0, n, _TOGETHER):
            for j in range(_TOGETHER):
                target = values[j * _STRIP : (j + 1) * _STRIP]
                if first + j < n:
                    source = frames[first + j, start + low : start + low + size]
                    for p in range(size):
                        target[p] = source[p]
                else:
                    target[:] = 0.0
            _add_rows(values, padded, used, first, sums, 0, len(rows), low, size)


@njit(nogil=True, cache=True, fastmath={"contract"})
def mirrored_sums(
    frames: NDArray[Any], start: int, even: Floats, odd: Floats, sums: Floats
) -> None:
    """Give what `power_sums` gives, for rows that are mirrored at their middle.

    The first and the last frame, the second and the last but one ... are added and subtracted
    first, so that there is half as much to multiply.

    Parameters
    ----------
    frames : ndarray, shape (n, all pixels), in C order
        Values.
    start : int
        The first pixel.
    even : ndarray of float64, shape (k, (n + 1) // 2)
        The first halves of rows that are the same backwards.
    odd : ndarray of float64, shape (l, (n + 1) // 2)
        The first halves of rows that change their sign backwards.
    sums : ndarray of float64, shape (k + l, pixels)
        Takes the sums, even rows first.

    """
    n, pixels, half = len(frames), sums.shape[1], even.shape[1]
    many, few = _padded(even), _padded(odd)
    if n % 2:
        many[:, half - 1] *= 0.5
    used_many, used_few = _used(many), _used(few)
    plus, minus = np.zeros(_TOGETHER * _STRIP), np.zeros(_TOGETHER * _STRIP)
    for low in range(0, pixels, _STRIP):
        size = min(_STRIP, pixels - low)
        sums[:, low : low + size] = 0.0
        for first in range(0, half, _TOGETHER):
            for j in range(_TOGETHER):
                added = plus[j * _STRIP : (j + 1) * _STRIP]
                taken = minus[j * _STRIP : (j + 1) * _STRIP]
                if first + j < half:
                    one = frames[first + j, start + low : start + low + size]
                    two = frames[n - 1 - first - j, start + low : start + low + size]
                    for p in range(size):
                        added[p] = np.float64(one[p]) + np.float64(two[p])
                        taken[p] = np.float64(one[p]) - np.float64(two[p])
                else:
                    added[:] = 0.0
                    taken[:] = 0.0
            _add_rows(plus, many, used_many, first, sums, 0, len(even), low, size)
            _add_rows(minus, few, used_few, first, sums, len(even), len(odd), low, size)


@njit(nogil=True, cache=True)
def _padded(rows: Floats) -> Floats:
    """Return the rows with zeros added, so that they come in pairs of eights."""
    n = rows.shape[1]
    padded = np.zeros((len(rows) + len(rows) % 2, n + -n % _TOGETHER))
    padded[: len(rows), :n] = rows
    return padded


@njit(nogil=True, cache=True)
def _used(padded: Floats) -> NDArray[np.bool_]:
    """Return for which pairs of rows and groups of frames there is something to add."""
    used = np.zeros((len(padded) // 2, padded.shape[1] // _TOGETHER), np.bool_)
    for k in range(len(padded)):
        for i in range(padded.shape[1]):
            if padded[k, i] != 0.0:
                used[k // 2, i // _TOGETHER] = True
    return used


@njit(nogil=True, cache=True, fastmath={"contract"})
def _add_rows(
    v: Floats,
    rows: Floats,
    used: NDArray[np.bool_],
    first: int,
    sums: Floats,
    top: int,
    count: int,
    low: int,
    size: int,
) -> None:
    """Add combinations of eight frames to ``count`` rows of sums from row ``top`` on."""
    unused = np.zeros(_STRIP)
    for k in range(0, count, 2):
        if not used[k // 2, first // _TOGETHER]:
            continue
        c = rows[k : k + 2, first : first + _TOGETHER]
        one = sums[top + k, low : low + size]
        two = sums[top + k + 1, low : low + size] if k + 1 < count else unused[:size]
        _add_two(v, c, one, two)


@njit(nogil=True, cache=True, fastmath={"contract"})
def _add_two(v: Floats, c: Floats, one: Floats, two: Floats) -> None:
    """Add two combinations of eight frames, each of which is loaded once for both.

    The frames lie one strip apart in one array: then the compiler sees that they do not
    overlap with the sums, and makes vector instructions.
    """
    a0, a1, a2, a3 = c[0, 0], c[0, 1], c[0, 2], c[0, 3]
    b0, b1, b2, b3 = c[1, 0], c[1, 1], c[1, 2], c[1, 3]
    a4, a5, a6, a7 = c[0, 4], c[0, 5], c[0, 6], c[0, 7]
    b4, b5, b6, b7 = c[1, 4], c[1, 5], c[1, 6], c[1, 7]
    for p in range(len(one)):
        x = one[p] + a0 * v[p]
        y = two[p] + b0 * v[p]
        x += a1 * v[p + _STRIP]
        y += b1 * v[p + _STRIP]
        x += a2 * v[p + 2 * _STRIP]
        y += b2 * v[p + 2 * _STRIP]
        x += a3 * v[p + 3 * _STRIP]
        y += b3 * v[p + 3 * _STRIP]
        x += a4 * v[p + 4 * _STRIP]
        y += b4 * v[p + 4 * _STRIP]
        x += a5 * v[p + 5 * _STRIP]
        y += b5 * v[p + 5 * _STRIP]
        x += a6 * v[p + 6 * _STRIP]
        y += b6 * v[p + 6 * _STRIP]
        x += a7 * v[p + 7 * _STRIP]
        y += b7 * v[p + 7 * _STRIP]
        one[p] = x
        two[p] = y


@njit(nogil=True, cache=True)
def extremes(
    frames: NDArray[Any],
    start: int,
    edge: NDArray[np.bool_],
    highest: NDArray[Any],
    lowest: NDArray[Any],
) -> None:
    """Raise ``highest`` and lower ``lowest`` to the extreme values of curves.

    Parameters
    ----------
    frames : ndarray, shape (n, all pixels), in C order
        Values.
    start : int
        The first pixel.
    edge : ndarray of bool, shape (n,)
        Which frames are at the scan's edge.
    highest : ndarray, shape (2, pixels)
        The highest value inside the scan and at its edge.
    lowest : ndarray, shape (pixels,) or (0,)
        The lowest value; not looked for if it is empty.

    """
    pixels = highest.shape[1]
    for low in range(0, pixels, 4 * _STRIP):
        high = min(low + 4 * _STRIP, pixels)
        for i in range(len(frames)):
            source = frames[i, start + low : start + high]
            most = highest[1 if edge[i] else 0, low:high]
            for p in range(len(source)):
                most[p] = max(most[p], source[p])
            if len(lowest):
                least = lowest[low:high]
                for p in range(len(source)):
                    least[p] = min(least[p], source[p])
