"""Moments of a block's curves, in one compiled call that holds no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.central import MIN, ROWS, Maps, Rule, conclude
from nxscan.kernels.compiling import njit
from nxscan.kernels.moments import AHEAD, CHUNK, TOGETHER, Rows, Sums, Values, add_up, fetch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

WHOLE, ADD_UP, CONCLUDE = range(3)
"""What is to be done: all, only the sums, or what follows from sums."""


@njit(nogil=True, cache=True)
def run(
    task: int, values: Values, rows: Rows, rule: Rule, state: Sums, dark: Singles, maps: Maps
) -> bool:
    """Do a task; say whether all values are valid.

    It is one function for all tasks, types and layouts, so that it is compiled once.

    Parameters
    ----------
    task : int
        `WHOLE` makes ``maps`` of ``values``, `ADD_UP` makes ``state`` of ``values``,
        `CONCLUDE` makes ``maps`` of ``state``.
    values : Values
        What is added up.
    rows : Rows
        The coefficients.
    rule : Rule
        How sums become maps.
    state : Sums
        The sums of all pixels. If its weights have one column, they are those of values that
        are all valid.
    dark : ndarray of float32, shape (2, pixels) or (2, 0)
        A background that is given, and its variance.
    maps : Maps
        The results.

    """
    frames, positions, pixels = values.frames, values.positions, values.pixels
    valid, seen, variance = values.valid, values.seen, values.variance
    even, odd, even_used, odd_used = rows.even, rows.odd, rows.even_used, rows.odd_used
    total, edge, mirrored = rows.total, rows.edge, rows.mirrored
    linear, squared, edges, scale = rule.linear, rule.squared, rule.edge, rule.scale
    origin, edge_row, background = rule.origin, rule.edge_row, rule.background
    slope, floor, threshold, most = rule.slope, rule.floor, rule.threshold, rule.saturation
    centers, others, status = maps.centers, maps.others, maps.status
    height = len(total)
    v, w = np.zeros(height * CHUNK), np.zeros(height * CHUNK)
    d = np.zeros(height * CHUNK if len(variance) or len(state.variances) else 0)
    # a third row of the highest values takes those that may not be valid
    high, low = np.zeros(3 * CHUNK), np.zeros(CHUNK if background == MIN else 0)
    buffer, a = np.zeros(2 * TOGETHER * CHUNK), np.zeros(ROWS * CHUNK)
    complete = True
    for start in range(0, pixels, CHUNK):
        size = min(CHUNK, pixels - start)
        if start % AHEAD == 0:
            a[0] = fetch(frames, positions, pixels, start)
        if task == CONCLUDE:
            _fetch(state, pixels, start, size, Sums(v, w, d, high[: 2 * CHUNK], low))
        elif not add_up(
            frames,
            positions,
            pixels,
            valid,
            seen,
            variance,
            even,
            odd,
            even_used,
            odd_used,
            total,
            edge,
            mirrored,
            start,
            size,
            buffer,
            v,
            w,
            d,
            high,
            low,
        ):
            complete = False
        if task == ADD_UP:
            _keep(state, pixels, start, size, Sums(v, w, d, high[: 2 * CHUNK], low))
        else:
            conclude(
                v,
                w,
                d,
                high,
                low,
                dark,
                linear,
                squared,
                edges,
                edge_row,
                origin,
                scale,
                background,
                slope,
                floor,
                threshold,
                most,
                start,
                size,
                a,
                centers,
                others,
                status,
            )
    return complete


@njit(nogil=True, cache=True)
def _keep(state: Sums, pixels: int, start: int, size: int, sums: Sums) -> None:
    """Copy the sums of a chunk to those of all pixels."""
    _put(sums.values, state.values, pixels, start, size)
    _put(sums.weights, state.weights, pixels, start, size)
    _put(sums.variances, state.variances, pixels, start, size)
    _put(sums.high, state.high, pixels, start, size)
    _put(sums.low, state.low, pixels, start, size)


@njit(nogil=True, cache=True)
def _fetch(state: Sums, pixels: int, start: int, size: int, sums: Sums) -> None:
    """Copy the sums of a chunk from those of all pixels."""
    _get(state.values, pixels, start, size, sums.values)
    _get(state.weights, pixels, start, size, sums.weights)
    _get(state.variances, pixels, start, size, sums.variances)
    _get(state.high, pixels, start, size, sums.high)
    _get(state.low, pixels, start, size, sums.low)


@njit(nogil=True, cache=True)
def _put(chunk: Floats, whole: Floats, pixels: int, start: int, size: int) -> None:
    """Copy rows of a chunk; if there is one column only, all chunks have the same."""
    height = len(chunk) // CHUNK
    for k in range(height):
        if len(whole) == height:
            whole[k] = chunk[k * CHUNK]
        else:
            one, two = np.uintp(k * pixels + start), np.uintp(k * CHUNK)
            for p in range(np.uintp(size)):
                whole[one + p] = chunk[two + p]


@njit(nogil=True, cache=True)
def _get(whole: Floats, pixels: int, start: int, size: int, chunk: Floats) -> None:
    height = len(chunk) // CHUNK
    for k in range(height):
        to = np.uintp(k * CHUNK)
        if len(whole) == height:
            for p in range(np.uintp(size)):
                chunk[to + p] = whole[k]
        else:
            at = np.uintp(k * pixels + start)
            for p in range(np.uintp(size)):
                chunk[to + p] = whole[at + p]
