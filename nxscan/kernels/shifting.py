"""Frames moved by parts of a pixel."""

from __future__ import annotations

import numpy as np

from nxscan.kernels.compiling import njit


@njit(nogil=True, cache=True)
def move(image, origin, frame, taps, firsts, corner, out):  # type: ignore[no-untyped-def]
    """Give a part of a moved frame: weighted sums of its pixels, the same weights everywhere.

    Parameters
    ----------
    image : array, shape (y, x)
        The part of the frame that was read.
    origin : tuple of int
        Where its first pixel lies in the frame.
    frame : tuple of int
        Shape of the frame.
    taps : tuple of two arrays
        The weights along y and x, those of neighbours in a row; none is 0.
    firsts : tuple of int
        Where the first of these neighbours lies, less where the pixel lies that is made.
    corner : tuple of int
        Where the part that is made lies in the frame.
    out : array of floats, shape (y, x)
        Takes it; NaN where a neighbour lies outside of the frame.

    """
    height, width = out.shape
    down, across = taps
    left = corner[1] + firsts[1]
    first = min(max(-left, 0), width)
    last = max(min(frame[1] - left - across.size + 1, width), first)
    line = np.empty(max(last - first, 0) + across.size - 1, out.dtype)
    for r in range(height):
        row, top = out[r], corner[0] + r + firsts[0]
        row[:] = np.nan
        if top < 0 or top + down.size > frame[0] or last == first:
            continue
        line[:] = 0
        start = left + first - origin[1]
        for k in range(down.size):
            given, weight = image[top + k - origin[0], start : start + line.size], down[k]
            for x in range(line.size):
                line[x] += weight * given[x]
        part = row[first:last]
        part[:] = 0
        for k in range(across.size):
            given, weight = line[k : k + part.size], across[k]
            for x in range(part.size):
                part[x] += weight * given[x]
