"""Intensity and first moments of every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.compiling import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

BAND = 256
"""Rows that are added in the narrow type: 65535 (0 + 1 + ... + 255) fits into 32 bits."""


@njit(nogil=True, cache=True)
def frame_moments(
    frames: NDArray[Any],
    x: NDArray[np.float64],
    rows: NDArray[Any],
    out: NDArray[np.float64],
) -> None:
    """Give the sums of v, of v x and of v times the row's number, for every frame.

    Columns are added first, which takes vector instructions in a narrow type; what is left is
    one row of numbers for each frame.

    Parameters
    ----------
    frames : ndarray, shape (n, height, width), in C order
        Values.
    x : ndarray of float64, shape (width,)
        Where each column is.
    rows : ndarray, shape (BAND,)
        0, 1, 2 ... in the type to add in, which must hold the sums of a band: uint32 for
        unsigned integers of up to 16 bits, uint64 or int64 for others, float64 for float64.
    out : ndarray of float64, shape (n, 3)
        Takes the sums.

    """
    count, height, width = frames.shape
    plain, ramp = np.zeros(width, rows.dtype), np.zeros(width, rows.dtype)
    for i in range(count):
        total, along_x, along_y = 0.0, 0.0, 0.0
        for top in range(0, height, BAND):
            plain[:] = 0
            ramp[:] = 0
            _add_band(frames[i], top, min(BAND, height - top), rows, plain, ramp)
            part = 0.0
            for k in range(width):
                value = np.float64(plain[k])
                part += value
                along_x += value * x[k]
                along_y += np.float64(ramp[k])
            total += part
            along_y += top * part
        out[i, 0], out[i, 1], out[i, 2] = total, along_x, along_y


@njit(nogil=True, cache=True)
def _add_band(
    frame: NDArray[Any],
    top: int,
    height: int,
    rows: NDArray[Any],
    plain: NDArray[Any],
    ramp: NDArray[Any],
) -> None:
    """Add every column of a band of rows, once plainly and once times the row's number."""
    fours = height - height % 4
    for y in range(0, fours, 4):
        a, b = frame[top + y], frame[top + y + 1]
        c, d = frame[top + y + 2], frame[top + y + 3]
        first = rows[y]
        for k in range(len(plain)):
            upper = c[k] + d[k]
            odd = b[k] + d[k]
            four = a[k] + b[k] + upper
            plain[k] += four
            ramp[k] += first * four + (odd + upper + upper)
    for y in range(fours, height):
        a, first = frame[top + y], rows[y]
        for k in range(len(plain)):
            plain[k] += a[k]
            ramp[k] += first * a[k]
