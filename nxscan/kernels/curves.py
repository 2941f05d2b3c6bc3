"""Moments of a block's curves, in one compiled call that holds no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from nxscan.kernels.central import ROWS, Maps, Rule, conclude
from nxscan.kernels.moments import CHUNK, TOGETHER, Rows, Sums, Values, add_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        np.zeros(CHUNK),
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
    end = start + size
    state.values[:, start:end] = sums.values[:, :size]
    if state.weights.shape[1] > 1:
        state.weights[:, start:end] = sums.weights[:, :size]
    else:
        state.weights[:, 0] = sums.weights[:, 0]
    if len(sums.variances):
        state.variances[:, start:end] = sums.variances[:, :size]
    state.high[:, start:end] = sums.high[:, :size]
    state.low[start:end] = sums.low[:size]


@njit(nogil=True, cache=True)
def _fetch(state: Sums, start: int, size: int, sums: Sums) -> None:
    """Copy the sums of a chunk from those of all pixels."""
    end = start + size
    sums.values[:, :size] = state.values[:, start:end]
    for k in range(len(sums.weights)):
        if state.weights.shape[1] > 1:
            sums.weights[k, :size] = state.weights[k, start:end]
        else:
            sums.weights[k, :size] = state.weights[k, 0]
    if len(sums.variances):
        sums.variances[:, :size] = state.variances[:, start:end]
    sums.high[:, :size] = state.high[:, start:end]
    sums.low[:size] = state.low[start:end]
