"""Power sums of curves, one chunk of pixels after the other.

Every sum that moments need is linear in the frames, ``sums = rows @ frames``. It is taken in
float64 of a few frames at a time, while they and the sums are in the processor's cache. Each
pixel's numbers come from the same instructions wherever it lies, so that they do not depend on
how a tile is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nxscan.kernels.compiling import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Singles = NDArray[np.float32]

CHUNK = 128
"""Pixels at once."""
AHEAD = 16 * CHUNK
"""Pixels that are brought into the processor's cache at once."""
TOGETHER = 8
"""Frames at once."""
_VALUES, _WEIGHTS, _VARIANCES = range(3)
_ONE, _OTHER, _PAIRS = range(3)
_U = np.uintp
_N = np.uintp(CHUNK)
# an unsigned index cannot count from the end, which the compiler would have to ask each time


class Values(NamedTuple):
    """The values of a block; what there is none of is an array of length 0.

    Attributes
    ----------
    frames : ndarray, shape (positions * pixels,)
        The values in C order.
    positions, pixels : int
        How many there are.
    valid : ndarray of bool, shape (positions * pixels,)
        Which values are valid, if that changes along the scan.
    seen : ndarray of bool, shape (pixels,)
        Which pixels are valid, if a pixel is so at all positions or at none.
    variance : ndarray of float32, shape (positions * pixels,)
        Variance of each value.

    """

    frames: NDArray[Any]
    positions: int
    pixels: int
    valid: Bools
    seen: Bools
    variance: NDArray[np.float32]


class Rows(NamedTuple):
    """Coefficients of the sums, an even number of rows; zeros are added to eight frames.

    Attributes
    ----------
    even, odd : ndarray of float64, shape (pairs * groups * 2 * TOGETHER,)
        If ``mirrored``, first halves of rows that are the same backwards and of rows that
        change their sign backwards, the middle of the former halved; else all rows, and none.
        For each pair of rows and group of frames, those of the one and of the other row.
    even_used, odd_used : ndarray of bool, shape (pairs, groups)
        For which there is something to add.
    total : ndarray of float64, shape (rows,)
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
    """The sums of pixels: of a block's, or of a chunk's with all in one dimension.

    Attributes
    ----------
    values, weights, variances : ndarray, shape (rows * pixels,)
        Sums of the values, of 1 and of the variances, over the values that are valid;
        ``variances`` are empty if there are none. Of a block, ``weights`` have one column if
        all values are valid.
    high : ndarray, shape (2 * pixels,)
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
def add_up(
    frames: NDArray[Any],
    positions: int,
    pixels: int,
    valid: Bools,
    seen: Bools,
    variance: Singles,
    even: Floats,
    odd: Floats,
    even_used: Bools,
    odd_used: Bools,
    total: Floats,
    edge: Bools,
    mirrored: bool,
    start: int,
    size: int,
    buffer: Floats,
    values: Floats,
    weights: Floats,
    variances: Floats,
    high: Floats,
    low: Floats,
) -> bool:
    """Give the sums of the chunk of pixels at ``start``; say whether all values are valid.

    Arguments are the members of `Values`, `Rows` and, at the end, `Sums`: taking them out of
    a tuple for every chunk takes longer than to add up. ``buffer`` is memory for frames, shape
    (2 * TOGETHER * CHUNK,).
    """
    masked = len(valid) > 0
    what = _VALUES
    while what <= _VARIANCES:
        if what == _VALUES or (masked if what == _WEIGHTS else len(variance) > 0):
            plain = what == _VALUES and not masked and not len(low)
            target = values if what == _VALUES else (weights if what == _WEIGHTS else variances)
            _fill(target, 0.0)
            if what == _VALUES:
                _fill(high, -np.inf)
                _fill(low, np.inf)
            for group in range(even_used.shape[1]):
                first = group * TOGETHER
                count = (positions + 1) // 2 if mirrored else positions
                for side in range(2 if mirrored and not plain else 1):
                    mode = _PAIRS if mirrored and plain else side
                    _read(
                        frames,
                        positions,
                        pixels,
                        mode,
                        first,
                        count,
                        start,
                        size,
                        buffer,
                        edge,
                        high,
                        plain,
                    )
                    if not plain:
                        _clean(
                            valid,
                            seen,
                            variance,
                            positions,
                            pixels,
                            edge,
                            what,
                            side,
                            first,
                            count,
                            start,
                            size,
                            buffer,
                            high,
                            low,
                        )
                if mirrored and not plain:
                    _mirror(buffer)
                _add_rows(buffer, 0, even, even_used, group, target, 0)
                if mirrored:
                    _add_rows(buffer, CHUNK, odd, odd_used, group, target, even_used.shape[0])
        if what == _VALUES and not masked:
            _weigh(seen, total, start, size, values, weights)
            if not _all_finite(values, size):
                masked = True
                continue
        what += 1
    return not masked and not len(seen)


@njit(nogil=True, cache=True)
def fetch(frames: NDArray[Any], positions: int, pixels: int, start: int) -> float:
    """Bring the chunks from ``start`` on, `AHEAD` pixels of every frame, into the cache.

    A chunk alone is too short for the processor to see that more of the frame is wanted.
    Returns a sum of some of the values, so that the compiler does not leave it out.
    """
    step, total = 64 // frames.itemsize, 0.0
    for i in range(positions):
        first = i * pixels + start
        for k in range(first, first + min(AHEAD, pixels - start), step):
            total += np.float64(frames[_U(k)])
    return total


@njit(nogil=True, cache=True)
def _weigh(
    seen: Bools, total: Floats, start: int, size: int, values: Floats, weights: Floats
) -> None:
    """Set the weights of values that are all valid, but for pixels that never are."""
    for k in range(len(total)):
        row = _U(k * CHUNK)
        for p in range(_U(CHUNK)):
            weights[row + p] = total[k]
        if len(seen):
            at = _U(start)
            for p in range(_U(size)):
                weights[row + p] = total[k] if seen[at + p] else 0.0
                values[row + p] = values[row + p] if seen[at + p] else 0.0


@njit(nogil=True, cache=True)
def _all_finite(row: Floats, size: int) -> bool:
    for p in range(size):
        if not np.isfinite(row[p]):
            break
    else:
        return True
    return False


@njit(nogil=True, cache=True)
def _fill(row: Floats, value: float) -> None:
    for p in range(len(row)):
        row[p] = value


@njit(nogil=True, cache=True)
def _mirror(buffer: Floats) -> None:
    """Replace pairs of frames by their sums and differences."""
    for j in range(TOGETHER):
        one, two = _U(2 * j * CHUNK), _U((2 * j + 1) * CHUNK)
        for p in range(_U(CHUNK)):
            a, b = buffer[one + p], buffer[two + p]
            buffer[one + p] = a + b
            buffer[two + p] = a - b


@njit(nogil=True, cache=True)
def _read(
    values: NDArray[Any],
    positions: int,
    pixels: int,
    mode: int,
    first: int,
    count: int,
    start: int,
    size: int,
    buffer: Floats,
    edge: Bools,
    high: Floats,
    plain: bool,
) -> None:
    """Read eight frames or pairs of them, and raise the highest values if all are valid.

    Each frame has two places in ``buffer``: for the sum with its mirror image and the
    difference, or for the two of them; or one is not used.
    """
    for j in range(TOGETHER):
        i, to = first + j, _U(2 * j * CHUNK)
        other, minus = positions - 1 - i, _U((2 * j + 1) * CHUNK)
        if i >= count:
            for p in range(_U(2 * CHUNK)):
                buffer[to + p] = 0.0
        elif mode == _PAIRS:
            most = _U(CHUNK if edge[i] else 0)
            _pair(
                values,
                _U(i * pixels + start),
                _U(other * pixels + start),
                size,
                buffer,
                to,
                high,
                most,
            )
        else:
            i, to = (other, minus) if mode == _OTHER else (i, to)
            most = _U((CHUNK if edge[i] else 0) if plain else 2 * CHUNK)
            _single(values, _U(i * pixels + start), size, buffer, to, high, most)


@njit(nogil=True, cache=True)
def _pair(
    values: NDArray[Any],
    a: int,
    b: int,
    size: int,
    buffer: Floats,
    to: int,
    high: Floats,
    most: int,
) -> None:
    for p in range(_U(size)):
        one, two, before = np.float64(values[a + p]), np.float64(values[b + p]), high[most + p]
        more = one if one > two else two
        high[most + p] = more if more > before else before
        buffer[to + p] = one + two
        buffer[to + _U(CHUNK) + p] = one - two


@njit(nogil=True, cache=True)
def _single(
    values: NDArray[Any], a: int, size: int, buffer: Floats, to: int, high: Floats, most: int
) -> None:
    for p in range(_U(size)):
        one, before = np.float64(values[a + p]), high[most + p]
        high[most + p] = one if one > before else before
        buffer[to + p] = one


@njit(nogil=True, cache=True)
def _clean(
    valid: Bools,
    seen: Bools,
    variance: Singles,
    positions: int,
    pixels: int,
    edge: Bools,
    what: int,
    other: int,
    first: int,
    count: int,
    start: int,
    size: int,
    buffer: Floats,
    high: Floats,
    low: Floats,
) -> None:
    """Replace what is not valid by 0, and the rest by what is wanted of it."""
    for j in range(min(TOGETHER, count - first)):
        i = positions - 1 - first - j if other else first + j
        row, at = _U((2 * j + other) * CHUNK), _U(i * pixels + start)
        for p in range(_N):
            buffer[row + p] = buffer[row + p] if np.isfinite(buffer[row + p]) else np.nan
        if len(valid):
            _leave_out(valid, at, size, buffer, row)
        if len(seen):
            _leave_out(seen, _U(start), size, buffer, row)
        if what == _VALUES:
            _find_extremes(buffer, row, high, _U(CHUNK if edge[i] else 0), low)
        if what == _VARIANCES:
            for p in range(_U(size)):
                value = np.float64(variance[at + p])
                buffer[row + p] = 0.0 if np.isnan(buffer[row + p]) else value
        else:
            factor, plus = (1.0, 0.0) if what == _VALUES else (0.0, 1.0)
            for p in range(_N):
                value = buffer[row + p] * factor + plus
                buffer[row + p] = 0.0 if np.isnan(value) else value


@njit(nogil=True, cache=True)
def _leave_out(valid: Bools, at: int, size: int, buffer: Floats, row: int) -> None:
    for p in range(_U(size)):
        buffer[row + p] = buffer[row + p] if valid[at + p] else np.nan


@njit(nogil=True, cache=True)
def _find_extremes(buffer: Floats, row: int, high: Floats, most: int, low: Floats) -> None:
    """Raise the highest and lower the lowest values; NaN do neither."""
    for p in range(_N):
        value, before = buffer[row + p], high[most + p]
        high[most + p] = value if value > before else before
    if len(low):
        for p in range(_N):
            value, before = buffer[row + p], low[p]
            low[p] = value if value < before else before


@njit(nogil=True, cache=True, fastmath={"contract"})
def _add_rows(
    v: Floats, at: int, rows: Floats, used: Bools, group: int, sums: Floats, top: int
) -> None:
    """Add combinations of eight frames to pairs of sums; a frame is loaded once for both.

    The frames lie two chunks apart in one array, and so do the sums in another: then the
    compiler sees what does not overlap, and makes vector instructions.
    """
    for k in range(len(used)):
        if not used[k, group]:
            continue
        c = _U((k * used.shape[1] + group) * 2 * TOGETHER)
        to, f = _U(2 * (top + k) * CHUNK), _U(at)
        a0, a1, a2, a3 = rows[c], rows[c + _U(1)], rows[c + _U(2)], rows[c + _U(3)]
        a4, a5, a6, a7 = rows[c + _U(4)], rows[c + _U(5)], rows[c + _U(6)], rows[c + _U(7)]
        b0, b1, b2, b3 = rows[c + _U(8)], rows[c + _U(9)], rows[c + _U(10)], rows[c + _U(11)]
        b4, b5, b6, b7 = rows[c + _U(12)], rows[c + _U(13)], rows[c + _U(14)], rows[c + _U(15)]
        for p in range(_N):
            x = sums[to + p] + a0 * v[f + p]
            y = sums[to + _N + p] + b0 * v[f + p]
            x += a1 * v[f + 2 * _N + p]
            y += b1 * v[f + 2 * _N + p]
            x += a2 * v[f + 4 * _N + p]
            y += b2 * v[f + 4 * _N + p]
            x += a3 * v[f + 6 * _N + p]
            y += b3 * v[f + 6 * _N + p]
            x += a4 * v[f + 8 * _N + p]
            y += b4 * v[f + 8 * _N + p]
            x += a5 * v[f + 10 * _N + p]
            y += b5 * v[f + 10 * _N + p]
            x += a6 * v[f + 12 * _N + p]
            y += b6 * v[f + 12 * _N + p]
            x += a7 * v[f + 14 * _N + p]
            y += b7 * v[f + 14 * _N + p]
            sums[to + p] = x
            sums[to + _N + p] = y
