"""Inner loops of corrections: values of shape (positions, pixels), C order, in and out.

``out`` may be ``values`` itself. Each loop takes integers to floats and corrects them in one
pass.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def convert(values, out):  # type: ignore[no-untyped-def]
    """Take the values over as another type."""
    for p in range(values.shape[0]):
        for i in range(values.shape[1]):
            out[p, i] = values[p, i]


@njit(nogil=True, cache=True)
def subtract(values, frame, out):  # type: ignore[no-untyped-def]
    """Subtract a frame from every position."""
    for p in range(values.shape[0]):
        for i in range(values.shape[1]):
            out[p, i] = values[p, i]
            out[p, i] -= frame[i]


@njit(nogil=True, cache=True)
def multiply(values, frame, out):  # type: ignore[no-untyped-def]
    """Multiply every position by a frame."""
    for p in range(values.shape[0]):
        for i in range(values.shape[1]):
            out[p, i] = values[p, i]
            out[p, i] *= frame[i]


@njit(nogil=True, cache=True)
def scale(values, factors, out):  # type: ignore[no-untyped-def]
    """Multiply each position by its own factor."""
    for p in range(values.shape[0]):
        factor = factors[p]
        for i in range(values.shape[1]):
            out[p, i] = values[p, i]
            out[p, i] *= factor


@njit(nogil=True, cache=True)
def flatten(values, dark, gain, out):  # type: ignore[no-untyped-def]
    """Subtract a frame and multiply by another."""
    for p in range(values.shape[0]):
        for i in range(values.shape[1]):
            out[p, i] = values[p, i]
            out[p, i] = (out[p, i] - dark[i]) * gain[i]


@njit(nogil=True, cache=True)
def replace_outside(values, low, high, fill, out):  # type: ignore[no-untyped-def]
    """Put ``fill`` where a value is below ``low`` or above ``high``; NaN stays NaN."""
    for p in range(values.shape[0]):
        for i in range(values.shape[1]):
            value = values[p, i]
            out[p, i] = fill if value < low or value > high else value


@njit(nogil=True, cache=True)
def mask(values, keep, full, gap, out):  # type: ignore[no-untyped-def]
    """Keep a value, or make it NaN.

    ``keep`` is 1 for a good pixel and NaN for a bad one. ``full`` and ``gap`` are the first and
    last of two ranges of values to be masked, in the values' type; an empty one has its first
    above its last.
    """
    for p in range(values.shape[0]):
        for i in range(values.shape[1]):
            value = values[p, i]
            bad = (full[0] <= value <= full[1]) or (gap[0] <= value <= gap[1])
            out[p, i] = value
            out[p, i] = np.nan if bad else out[p, i] * keep[i]


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
            if data[p, i] != data[p, i]:
                variance[p, i] = data[p, i]


@njit(nogil=True, cache=True)
def invalidate_missing(data, valid):  # type: ignore[no-untyped-def]
    """Make a value invalid where it is NaN."""
    for p in range(data.shape[0]):
        for i in range(data.shape[1]):
            valid[p, i] = valid[p, i] and data[p, i] == data[p, i]


@njit(nogil=True, cache=True)
def bin_sums(values, rows, columns, sums, counts):  # type: ignore[no-untyped-def]
    """Add up bins of rows × columns, over what is not NaN.

    Parameters
    ----------
    values : array, shape (positions, rows · n, columns · m)
        Whole bins.
    rows, columns : int
        Size of a bin.
    sums : array of float64, shape (positions, n, m)
        Takes the sums.
    counts : array of int32, shape (positions, n, m)
        Takes how many values each is of.

    """
    for p in range(sums.shape[0]):
        for y in range(sums.shape[1]):
            for x in range(sums.shape[2]):
                total = 0.0
                count = 0
                for j in range(y * rows, (y + 1) * rows):
                    for i in range(x * columns, (x + 1) * columns):
                        value = values[p, j, i]
                        if value == value:
                            total += value
                            count += 1
                sums[p, y, x] = total
                counts[p, y, x] = count
