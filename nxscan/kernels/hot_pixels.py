"""Pixels that stand out of their neighbours: inner loops of the correction of hot pixels.

Frames come as (positions, y, x), C order, of any type. Rows are copied to floats of their own
that reach one pixel beyond either end, so that the inner loops have no branches and run on
several pixels at once.
"""

from __future__ import annotations

import numpy as np

from nxscan.kernels.compiling import njit

_FEWEST = 3
"""Neighbours that a pixel must have to be judged."""
_MIDDLE_SPREAD = 1.3206
"""Mean difference of the 6th and 7th of 8 sorted standard Gaussian values to the 2nd and 3rd."""


@njit(nogil=True, cache=True)
def _take_row(image, y, row):  # type: ignore[no-untyped-def]
    """Take a row over, with nothing (-inf) for what is missing or outside."""
    row[:] = -np.inf
    if 0 <= y < image.shape[0]:
        for x in range(image.shape[1]):
            value = row.dtype.type(image[y, x])
            row[x + 1] = value if value == value else -np.inf


@njit(nogil=True, cache=True)
def _second_largest(above, here, below, out):  # type: ignore[no-untyped-def]
    """Give the second largest of the eight neighbours of every pixel of a row."""
    for x in range(out.size):
        a, b, c = above[x], above[x + 1], above[x + 2]
        first = max(a, b)
        second = max(min(a, b), min(first, c))
        first = max(first, c)
        d, e = here[x], here[x + 2]
        second = max(second, min(first, d))
        first = max(first, d)
        second = max(second, min(first, e))
        first = max(first, e)
        f, g, h = below[x], below[x + 1], below[x + 2]
        second = max(second, min(first, f))
        first = max(first, f)
        second = max(second, min(first, g))
        first = max(first, g)
        out[x] = max(second, min(first, h))


@njit(nogil=True, cache=True)
def _neighbours(rows, x, found):  # type: ignore[no-untyped-def]
    """Sort the neighbours that there are into ``found``, and return their number."""
    count = 0
    for k in range(9):
        value = rows[k // 3, x + k % 3]
        if k == 4 or value == -np.inf:
            continue
        at = count
        while at > 0 and found[at - 1] > value:
            found[at] = found[at - 1]
            at -= 1
        found[at] = value
        count += 1
    return count


@njit(nogil=True, cache=True)
def _spread(found, count):  # type: ignore[no-untyped-def]
    """Return a standard deviation of sorted values that forgets the largest and the smallest."""
    if count < 6:
        return (found[count - 1] - found[0]) / 2 if count < 4 else (found[count - 2] - found[1])
    upper = (found[count - 2] + found[count - 3]) / 2
    return (upper - (found[1] + found[2]) / 2) / _MIDDLE_SPREAD


@njit(nogil=True, cache=True)
def find_isolated(image, n, offset, slope, floor, marks, medians):  # type: ignore[no-untyped-def]
    """Mark the pixels of a frame that stand out of their neighbours.

    Parameters
    ----------
    image : array, shape (y, x)
        A frame, or a part of it with a pixel around what is wanted.
    n : float
        By how many standard deviations.
    offset, slope, floor : float
        A value v has variance ``floor + slope · max(v - offset, 0)``.
    marks : array of bool, shape (y, x)
        Takes whether a pixel stands out.
    medians : array of floats, shape (y, x)
        Takes, where it does, the median of its neighbours; elsewhere it is left alone.

    """
    rows = np.empty((3, image.shape[1] + 2), medians.dtype)
    second, found = np.empty(image.shape[1], medians.dtype), np.empty(8)
    limit = medians.dtype.type(0.25 * n * n)
    off, steep, least = (
        medians.dtype.type(offset), medians.dtype.type(slope), medians.dtype.type(floor),
    )  # fmt: skip
    zero = medians.dtype.type(0)
    _take_row(image, -1, rows[0])
    _take_row(image, 0, rows[1])
    for y in range(image.shape[0]):
        _take_row(image, y + 1, rows[2])
        _second_largest(rows[0], rows[1], rows[2], second)
        here, mark, any_mark = rows[1], marks[y], False
        for x in range(second.size):
            more = here[x + 1] - second[x]
            noise = least + steep * max(second[x] - off, zero)
            mark[x] = (more > zero) & (more * more > limit * noise)
            any_mark |= mark[x]
        if any_mark:
            for x in range(second.size):
                if mark[x]:
                    mark[x] = _judge(rows, x, n, offset, slope, floor, found, medians[y])
        rows[0, :] = rows[1]
        rows[1, :] = rows[2]


@njit(nogil=True, cache=True)
def _judge(rows, x, n, offset, slope, floor, found, medians):  # type: ignore[no-untyped-def]
    """Return whether a pixel is n standard deviations above the median of its neighbours."""
    count = _neighbours(rows, x, found)
    if count < _FEWEST:
        return False
    median = (found[(count - 1) // 2] + found[count // 2]) / 2
    noise = floor + slope * max(median - offset, 0.0)
    local = _spread(found, count)
    if rows[1, x + 1] - median <= n * np.sqrt(max(noise, local * local)):
        return False
    medians[x] = median
    return True


@njit(nogil=True, cache=True)
def median_variance(image, variance, y, x):  # type: ignore[no-untyped-def]
    """Return the variance of the median of a pixel's neighbours.

    That of the mean of as many, from their variances or their spread, whichever is larger,
    times what a median's is more for Gaussian noise: π n / (2 (n + π/2 - 1)).
    """
    count, total, square, noise = 0, 0.0, 0.0, 0.0
    for j in range(max(y - 1, 0), min(y + 2, image.shape[0])):
        for i in range(max(x - 1, 0), min(x + 2, image.shape[1])):
            value = np.float64(image[j, i])
            if (j == y and i == x) or value != value:
                continue
            count += 1
            total += value
            square += value * value
            noise += variance[j, i]
    if count < 2:
        return np.nan
    spread = max(square - total * total / count, 0.0) / (count - 1)
    more = count * np.pi / (2 * (count + np.pi / 2 - 1))
    return more * max(spread, noise / count) / count


@njit(nogil=True, cache=True)
def median_3x3(image, out):  # type: ignore[no-untyped-def]
    """Give the median of every pixel and its neighbours; the frame's edge pixels go on outside.

    Columns of three are sorted once for the three pixels that they serve: the median of nine
    is that of the largest of the smallest, the median of the middle ones, and the smallest of
    the largest (A. Paeth, Graphics Gems, 1990, p. 171).
    """
    height, width = image.shape
    low, mid = np.empty(width + 2, out.dtype), np.empty(width + 2, out.dtype)
    high = np.empty(width + 2, out.dtype)
    for y in range(height):
        above, here, below = image[max(y - 1, 0)], image[y], image[min(y + 1, height - 1)]
        for x in range(width):
            a, b, c = above[x], here[x], below[x]
            least, most = min(a, b), max(a, b)
            low[x + 1] = min(least, c)
            mid[x + 1] = max(least, min(most, c))
            high[x + 1] = max(most, c)
        for part in (low, mid, high):
            part[0], part[width + 1] = part[1], part[width]
        row = out[y]
        for x in range(width):
            a = max(low[x], max(low[x + 1], low[x + 2]))
            b = max(min(mid[x], mid[x + 1]), min(max(mid[x], mid[x + 1]), mid[x + 2]))
            c = min(high[x], min(high[x + 1], high[x + 2]))
            row[x] = max(min(a, b), min(max(a, b), c))


@njit(nogil=True, cache=True, fastmath={"reassoc"})
def difference_deviation(image, median):  # type: ignore[no-untyped-def]
    """Return the standard deviation of a frame minus its median, over what is not NaN."""
    count, total, square = 0.0, 0.0, 0.0
    for y in range(image.shape[0]):
        row, middle = image[y], median[y]
        for x in range(row.size):
            more = np.float64(row[x]) - np.float64(middle[x])
            there = more == more
            more = more if there else np.float64(0)
            count += 1.0 if there else 0.0
            total += more
            square += more * more
    if count == 0:
        return np.inf
    return np.sqrt(max(square - total * total / count, 0.0) / count)
