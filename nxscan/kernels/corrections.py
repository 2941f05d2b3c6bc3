"""Inner loops of corrections: values of shape (positions, pixels), C order, in and out.

Each works on ``out``, floats, in pieces that stay in the fastest cache, and takes a piece over
from ``values`` first where ``fresh`` says that ``out`` is still empty: one pass over memory.
Where it is not, ``out`` is ``values``. (Loops that read one array and write another which may be
the same are not vectorized.)
"""

from __future__ import annotations

import numpy as np

from nxscan.kernels.compiling import njit

_PIECE = 4096


@njit(nogil=True, cache=True)
def _take(values, out):  # type: ignore[no-untyped-def]
    """Take a piece of values over, as floats."""
    for i in range(out.size):
        out[i] = values[i]


@njit(nogil=True, cache=True)
def subtract(values, frame, out, fresh):  # type: ignore[no-untyped-def]
    """Subtract a frame from every position."""
    for p in range(out.shape[0]):
        for first in range(0, out.shape[1], _PIECE):
            piece = out[p, first : first + _PIECE]
            if fresh:
                _take(values[p, first : first + _PIECE], piece)
            part = frame[first : first + _PIECE]
            for i in range(piece.size):
                piece[i] -= part[i]


@njit(nogil=True, cache=True)
def multiply(values, frame, out, fresh):  # type: ignore[no-untyped-def]
    """Multiply every position by a frame."""
    for p in range(out.shape[0]):
        for first in range(0, out.shape[1], _PIECE):
            piece = out[p, first : first + _PIECE]
            if fresh:
                _take(values[p, first : first + _PIECE], piece)
            part = frame[first : first + _PIECE]
            for i in range(piece.size):
                piece[i] *= part[i]


@njit(nogil=True, cache=True)
def scale(values, factors, out, fresh):  # type: ignore[no-untyped-def]
    """Multiply each position by its own factor."""
    for p in range(out.shape[0]):
        factor = factors[p]
        for first in range(0, out.shape[1], _PIECE):
            piece = out[p, first : first + _PIECE]
            if fresh:
                _take(values[p, first : first + _PIECE], piece)
            for i in range(piece.size):
                piece[i] *= factor


@njit(nogil=True, cache=True)
def replace_outside(values, low, high, fill, out, fresh):  # type: ignore[no-untyped-def]
    """Put ``fill`` where a value is below ``low`` or above ``high``; NaN stays NaN."""
    for p in range(out.shape[0]):
        for first in range(0, out.shape[1], _PIECE):
            piece = out[p, first : first + _PIECE]
            if fresh:
                _take(values[p, first : first + _PIECE], piece)
            for i in range(piece.size):
                value = piece[i]
                piece[i] = fill if (value < low) | (value > high) else value


@njit(nogil=True, cache=True)
def mask(values, keep, full, gap, missing, out, fresh):  # type: ignore[no-untyped-def]
    """Make a value ``missing`` (NaN) where it is in one of two ranges; multiply by ``keep``.

    ``keep`` is 1 for a good pixel and NaN for a bad one. ``full`` and ``gap`` are the first and
    last value of each range; an empty one has its first above its last.
    """
    for p in range(out.shape[0]):
        for first in range(0, out.shape[1], _PIECE):
            piece = out[p, first : first + _PIECE]
            if fresh:
                _take(values[p, first : first + _PIECE], piece)
            part = keep[first : first + _PIECE]
            for i in range(piece.size):
                value = piece[i]
                is_full = (value >= full[0]) & (value <= full[1])
                is_gap = (value >= gap[0]) & (value <= gap[1])
                piece[i] = (missing if is_full | is_gap else value) * part[i]


@njit(nogil=True, cache=True)
def relative_variance(variance, data, relative):  # type: ignore[no-untyped-def]
    """Add what a factor's own relative variance, a frame, brings: relative · data²."""
    for p in range(variance.shape[0]):
        for i in range(variance.shape[1]):
            variance[p, i] += relative[i] * data[p, i] * data[p, i]


@njit(nogil=True, cache=True)
def drop_missing(data, variance):  # type: ignore[no-untyped-def]
    """Make the variance NaN where the value is."""
    for p in range(data.shape[0]):
        for i in range(data.shape[1]):
            value = data[p, i]
            variance[p, i] = variance[p, i] if value == value else value


@njit(nogil=True, cache=True)
def invalidate_missing(data, valid):  # type: ignore[no-untyped-def]
    """Make a value invalid where it is NaN."""
    for p in range(data.shape[0]):
        for i in range(data.shape[1]):
            valid[p, i] &= data[p, i] == data[p, i]


@njit(nogil=True, cache=True)
def join(values, rows, columns, wanted, out):  # type: ignore[no-untyped-def]
    """Join bins of rows × columns to the mean of what is not NaN, times ``wanted``.

    Parameters
    ----------
    values : array, shape (positions, rows · n, columns · m)
        Whole bins; what is more is left out.
    rows, columns : int
        Size of a bin.
    wanted : float
        1 for means, the number of pixels in a bin for sums.
    out : array of floats, shape (positions, n, m)
        Takes them; NaN where every value is NaN.

    """
    width = out.shape[2] * columns
    sums, counts = np.empty(width), np.empty(width, np.int64)
    for p in range(out.shape[0]):
        for y in range(out.shape[1]):
            sums[:] = 0.0
            counts[:] = 0
            for j in range(y * rows, (y + 1) * rows):
                row = values[p, j]
                for i in range(width):
                    value = row[i]
                    there = value == value
                    sums[i] += value if there else 0.0
                    counts[i] += there
            for x in range(out.shape[2]):
                total, count = 0.0, 0
                for i in range(x * columns, (x + 1) * columns):
                    total += sums[i]
                    count += counts[i]
                out[p, y, x] = total * wanted / count if count else np.nan


@njit(nogil=True, cache=True)
def join_variance(values, variance, rows, columns, wanted, out):  # type: ignore[no-untyped-def]
    """Join variances as `join` joins the values: (wanted / n)² times the sum of the n there."""
    for p in range(out.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                total, count = 0.0, 0
                for j in range(y * rows, (y + 1) * rows):
                    for i in range(x * columns, (x + 1) * columns):
                        if values[p, j, i] == values[p, j, i]:
                            total += variance[p, j, i]
                            count += 1
                out[p, y, x] = total * (wanted / count) ** 2 if count else np.nan
