"""Power sums of curves, one chunk of pixels after the other.

Every sum that moments need is linear in the frames, ``sums = rows @ frames``. It is taken in
float64 of a few frames at a time, while they and the sums are in the processor's cache. Each
pixel's numbers come from the same instructions wherever it lies, so that they do not depend on
how a tile is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Places = NDArray[np.int64]

CHUNK = 128
"""Pixels at once."""
TOGETHER = 8
"""Frames at once."""
KINDS = ("u1", "u2", "i2", "u4", "i4", "f4", "f8")
"""Types that values are read as; others are converted first."""

_VALUES, _WEIGHTS, _VARIANCES = range(3)


class Values(NamedTuple):
    """The values of a block; what there is none of is an array of length 0.

    Attributes
    ----------
    raw : ndarray of uint8, shape (positions * pixels * size of a value,)
        The values, in C order, as bytes: all types share one compiled kernel.
    kind : int
        Their type's place in `KINDS`.
    positions, pixels : int
        How many there are.
    valid : ndarray of bool, shape (positions, pixels)
        Which values are valid, if that changes along the scan.
    seen : ndarray of bool, shape (pixels,)
        Which pixels are valid, if a pixel is so at all positions or at none.
    variance : ndarray of float32, shape (positions, pixels)
        Variance of each value.

    """

    raw: NDArray[np.uint8]
    kind: int
    positions: int
    pixels: int
    valid: Bools
    seen: Bools
    variance: NDArray[np.float32]


class Rows(NamedTuple):
    """Coefficients of the sums; with zeros added to an even number of rows, and to eight frames.

    Attributes
    ----------
    even, odd : ndarray of float64, shape (k, n), (l, n)
        If ``mirrored``, first halves of rows that are the same backwards and of rows that
        change their sign backwards, the middle of the former halved; else all rows, and none.
    even_used, odd_used : ndarray of bool, shape (k / 2, n / 8), (l / 2, n / 8)
        For which pairs of rows and groups of frames there is something to add.
    total : ndarray of float64, shape (k + l,)
        Each row's sum.
    edge : ndarray of bool, shape (positions,)
        Which positions are at the scan's edge.
    mirrored : bool
        Whether the first and the last frame, the second and the last but one ... are added
        and subtracted first, so that there is half as much to multiply.

    """

    even: Floats
    odd: Floats
    even_used: Bools
    odd_used: Bools
    total: Floats
    edge: Bools
    mirrored: bool


class Sums(NamedTuple):
    """The sums of a chunk of pixels, or of a block's.

    Attributes
    ----------
    values, weights, variances : ndarray, shape (rows, pixels)
        Sums of the values, of 1 and of the variances, over the values that are valid. Of a
        block, ``weights`` have one column if all values are valid.
    high : ndarray, shape (2, pixels)
        The highest value inside the scan and at its edge.
    low : ndarray, shape (pixels,) or (0,)
        The lowest value, if it is wanted.

    """

    values: Floats
    weights: Floats
    variances: Floats
    high: Floats
    low: Floats


@njit(nogil=True, cache=True)
def add_up(values: Values, rows: Rows, start: int, size: int, buffer: Floats, sums: Sums) -> bool:
    """Give the sums of the chunk of pixels at ``start``; say whether all values are valid.

    ``buffer`` is memory for frames, shape (2 * TOGETHER * CHUNK,).
    """
    masked = len(values.valid) > 0
    what = _VALUES
    while what <= _VARIANCES:
        if what == _VALUES or (masked if what == _WEIGHTS else len(values.variance) > 0):
            _add(values, rows, what, masked, start, size, buffer, sums)
        if what == _VALUES and not masked:
            _weigh(values, rows, start, size, sums)
            masked = not _all_finite(sums.values[0], size)
            what -= masked
        what += 1
    return not masked and not len(values.seen)


@njit(nogil=True, cache=True)
def _weigh(values: Values, rows: Rows, start: int, size: int, sums: Sums) -> None:
    """Set the weights of values that are all valid, but for pixels that never are."""
    for k in range(len(rows.total)):
        _fill(sums.weights[k], rows.total[k])
        if len(values.seen):
            for p in range(size):
                if not values.seen[start + p]:
                    sums.weights[k, p] = 0.0
                    sums.values[k, p] = 0.0


@njit(nogil=True, cache=True)
def _all_finite(row: Floats, size: int) -> bool:
    for p in range(size):
        if not np.isfinite(row[p]):
            return False
    return True


@njit(nogil=True, cache=True)
def _add(
    values: Values,
    rows: Rows,
    what: int,
    masked: bool,
    start: int,
    size: int,
    buffer: Floats,
    sums: Sums,
) -> None:
    """Add up values, weights or variances."""
    flat = _target(sums, what)
    _fill(flat, 0.0)
    if what == _VALUES:
        _fill(sums.high.reshape(-1), -np.inf)
        _fill(sums.low, np.inf)
    count = (values.positions + 1) // 2 if rows.mirrored else values.positions
    for first in range(0, count, TOGETHER):
        for j in range(TOGETHER):
            i, pair = first + j, buffer[2 * j * CHUNK : (2 * j + 2) * CHUNK]
            if i >= count:
                _fill(pair, 0.0)
            elif rows.mirrored and what == _VALUES and not masked and not len(sums.low):
                _take_pair(values, i, start, size, pair, sums.high[1 if rows.edge[i] else 0])
            else:
                for k in range(2 if rows.mirrored else 1):
                    row = pair[k * CHUNK : (k + 1) * CHUNK]
                    at = values.positions - 1 - i if k else i
                    _take(values, rows, what, masked, at, start, size, row, sums)
                if rows.mirrored:
                    _mirror(pair)
        _add_rows(buffer, rows.even, rows.even_used, first, flat)
        _add_rows(buffer[CHUNK:], rows.odd, rows.odd_used, first, flat[len(rows.even) * CHUNK :])


@njit(nogil=True, cache=True)
def _fill(row: Floats, value: float) -> None:
    for p in range(len(row)):
        row[p] = value


@njit(nogil=True, cache=True)
def _target(sums: Sums, what: int) -> Floats:
    if what == _VALUES:
        return sums.values.reshape(-1)
    return sums.weights.reshape(-1) if what == _WEIGHTS else sums.variances.reshape(-1)


@njit(nogil=True, cache=True)
def _mirror(pair: Floats) -> None:
    """Replace two frames by their sum and their difference."""
    for p in range(CHUNK):
        one, two = pair[p], pair[p + CHUNK]
        pair[p] = one + two
        pair[p + CHUNK] = one - two


@njit(nogil=True, cache=True)
def _take_pair(values: Values, i: int, start: int, size: int, pair: Floats, high: Floats) -> None:
    """Read the sum and the difference of the frame ``i`` from the start and from the end."""
    kind, item = values.kind, (1, 2, 2, 4, 4, 4, 8)[values.kind]
    one = item * (i * values.pixels + start)
    two = item * ((values.positions - 1 - i) * values.pixels + start)
    a, b = values.raw[one : one + item * size], values.raw[two : two + item * size]
    if kind == 0:
        _pair(a, b, pair, high)
    elif kind == 1:
        _pair(a.view(np.uint16), b.view(np.uint16), pair, high)
    elif kind == 2:
        _pair(a.view(np.int16), b.view(np.int16), pair, high)
    elif kind == 3:
        _pair(a.view(np.uint32), b.view(np.uint32), pair, high)
    elif kind == 4:
        _pair(a.view(np.int32), b.view(np.int32), pair, high)
    elif kind == 5:
        _pair(a.view(np.float32), b.view(np.float32), pair, high)
    else:
        _pair(a.view(np.float64), b.view(np.float64), pair, high)


@njit(nogil=True, cache=True)
def _pair(a: NDArray[Any], b: NDArray[Any], pair: Floats, high: Floats) -> None:
    for p in range(len(a)):
        one, two = np.float64(a[p]), np.float64(b[p])
        most, before = one if one > two else two, high[p]
        high[p] = most if most > before else before
        pair[p] = one + two
        pair[p + CHUNK] = one - two


@njit(nogil=True, cache=True)
def _take(
    values: Values,
    rows: Rows,
    what: int,
    masked: bool,
    i: int,
    start: int,
    size: int,
    row: Floats,
    sums: Sums,
) -> None:
    """Read a chunk of a frame; what is not valid is 0."""
    _load(values.raw, values.kind, i * values.pixels + start, size, row)
    if masked:
        _mark(values, i, start, size, row)
    if what == _VALUES:
        _extremes(row, sums.high[1 if rows.edge[i] else 0], sums.low)
    if masked or what != _VALUES:
        _replace(values, what, i, start, size, row)


@njit(nogil=True, cache=True)
def _load(raw: NDArray[np.uint8], kind: int, at: int, size: int, row: Floats) -> None:
    end = at + size
    if kind == 0:
        _copy(raw[at:end], row)
    elif kind == 1:
        _copy(raw[2 * at : 2 * end].view(np.uint16), row)
    elif kind == 2:
        _copy(raw[2 * at : 2 * end].view(np.int16), row)
    elif kind == 3:
        _copy(raw[4 * at : 4 * end].view(np.uint32), row)
    elif kind == 4:
        _copy(raw[4 * at : 4 * end].view(np.int32), row)
    elif kind == 5:
        _copy(raw[4 * at : 4 * end].view(np.float32), row)
    else:
        _copy(raw[8 * at : 8 * end].view(np.float64), row)


@njit(nogil=True, cache=True)
def _copy(source: NDArray[Any], row: Floats) -> None:
    for p in range(len(source)):
        row[p] = source[p]


@njit(nogil=True, cache=True)
def _mark(values: Values, i: int, start: int, size: int, row: Floats) -> None:
    """Make values that are not valid NaN."""
    for p in range(size):
        row[p] = row[p] if np.isfinite(row[p]) else np.nan
    if len(values.valid):
        for p in range(size):
            row[p] = row[p] if values.valid[i, start + p] else np.nan
    if len(values.seen):
        for p in range(size):
            row[p] = row[p] if values.seen[start + p] else np.nan


@njit(nogil=True, cache=True)
def _replace(values: Values, what: int, i: int, start: int, size: int, row: Floats) -> None:
    """Replace what is not valid by 0, and the rest by what is wanted of it."""
    if what == _VARIANCES:
        for p in range(size):
            row[p] = 0.0 if np.isnan(row[p]) else values.variance[i, start + p]
    else:
        for p in range(size):
            one = row[p] if what == _VALUES else 1.0
            row[p] = 0.0 if np.isnan(row[p]) else one


@njit(nogil=True, cache=True)
def _extremes(row: Floats, high: Floats, low: Floats) -> None:
    """Raise the highest and lower the lowest values; NaN do neither."""
    for p in range(CHUNK):
        value, most = row[p], high[p]
        high[p] = value if value > most else most
    for p in range(len(low)):
        value, least = row[p], low[p]
        low[p] = value if value < least else least


@njit(nogil=True, cache=True)
def _add_rows(frames: Floats, rows: Floats, used: Bools, first: int, sums: Floats) -> None:
    """Add combinations of eight frames to rows of sums."""
    for k in range(0, len(rows), 2):
        if used[k // 2, first // TOGETHER]:
            one, two = rows[k, first : first + TOGETHER], rows[k + 1, first : first + TOGETHER]
            _add_two(frames, one, two, sums[k * CHUNK : (k + 2) * CHUNK])


@njit(nogil=True, cache=True, fastmath={"contract"})
def _add_two(v: Floats, a: Floats, b: Floats, sums: Floats) -> None:
    """Add two combinations of eight frames, each of which is loaded once for both.

    The frames lie two chunks apart in one array, and so do the sums in another: then the
    compiler sees what does not overlap, and makes vector instructions.
    """
    a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
    b0, b1, b2, b3 = b[0], b[1], b[2], b[3]
    a4, a5, a6, a7 = a[4], a[5], a[6], a[7]
    b4, b5, b6, b7 = b[4], b[5], b[6], b[7]
    for p in range(CHUNK):
        x = sums[p] + a0 * v[p]
        y = sums[p + CHUNK] + b0 * v[p]
        x += a1 * v[p + 2 * CHUNK]
        y += b1 * v[p + 2 * CHUNK]
        x += a2 * v[p + 4 * CHUNK]
        y += b2 * v[p + 4 * CHUNK]
        x += a3 * v[p + 6 * CHUNK]
        y += b3 * v[p + 6 * CHUNK]
        x += a4 * v[p + 8 * CHUNK]
        y += b4 * v[p + 8 * CHUNK]
        x += a5 * v[p + 10 * CHUNK]
        y += b5 * v[p + 10 * CHUNK]
        x += a6 * v[p + 12 * CHUNK]
        y += b6 * v[p + 12 * CHUNK]
        x += a7 * v[p + 14 * CHUNK]
        y += b7 * v[p + 14 * CHUNK]
        sums[p] = x
        sums[p + CHUNK] = y
