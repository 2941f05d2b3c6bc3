"""Moments of a block's curves, in one compiled call that holds no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from nxscan.kernels.central import MIN, ROWS, Maps, Rule, conclude
from nxscan.kernels.moments import CHUNK, TOGETHER, Rows, Sums, Values, add_up

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
    height = len(rows.total)
    noted = height if len(values.variance) or state.variances.shape[1] else 0
    sums = Sums(
        np.zeros((height, CHUNK)),
        np.zeros((height, CHUNK)),
        np.zeros((noted, CHUNK)),
        np.zeros((2, CHUNK)),
        np.zeros(CHUNK if rule.background == MIN else 0),
    )
    buffer = np.zeros(2 * TOGETHER * CHUNK)
    memory = np.zeros(ROWS * CHUNK)
    complete = True
    for start in range(0, values.pixels, CHUNK):
        size = min(CHUNK, values.pixels - start)
        if task == CONCLUDE:
            _fetch(state, start, size, sums)
        elif not add_up(values, rows, start, size, buffer, sums):
            complete = False
        if task == ADD_UP:
            _keep(state, start, size, sums)
        else:
            conclude(sums, dark, rule, start, size, memory, maps)
    return complete


@njit(nogil=True, cache=True)
def _keep(state: Sums, start: int, size: int, sums: Sums) -> None:
    """Copy the sums of a chunk to those of all pixels."""
    _put(sums.values, state.values, start, size)
    _put(sums.weights, state.weights, start, size)
    _put(sums.variances, state.variances, start, size)
    _put(sums.high, state.high, start, size)
    for p in range(size if len(sums.low) else 0):
        state.low[start + p] = sums.low[p]


@njit(nogil=True, cache=True)
def _fetch(state: Sums, start: int, size: int, sums: Sums) -> None:
    """Copy the sums of a chunk from those of all pixels."""
    _get(state.values, start, size, sums.values)
    _get(state.weights, start, size, sums.weights)
    _get(state.variances, start, size, sums.variances)
    _get(state.high, start, size, sums.high)
    for p in range(size if len(sums.low) else 0):
        sums.low[p] = state.low[start + p]


@njit(nogil=True, cache=True)
def _put(chunk: Floats, whole: Floats, start: int, size: int) -> None:
    for k in range(len(chunk)):
        if whole.shape[1] == 1:
            whole[k, 0] = chunk[k, 0]
        else:
            for p in range(size):
                whole[k, start + p] = chunk[k, p]


@njit(nogil=True, cache=True)
def _get(whole: Floats, start: int, size: int, chunk: Floats) -> None:
    step = 0 if whole.shape[1] == 1 else 1
    for k in range(len(chunk)):
        for p in range(size):
            chunk[k, p] = whole[k, step * (start + p)]
