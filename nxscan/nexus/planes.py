"""Tables of all indices or values of a grid, as HDF5 stores them, without going value by value.

A detector of 2048 × 2048 pixels has 100 MB of them, which compress to nothing. With the shuffle
filter, HDF5 stores the first byte of all values, then the second, and so on: each of these
planes is one short row again and again, or its elements one after the other.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from h5py._objects import phil
from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def rows_in_chunk(lengths: Sequence[int], most: int) -> int:
    """Return how many rows (along the fastest axis) a chunk of a table takes; 0 if none fits."""
    rows = math.prod(lengths[:-1])
    return min(rows, most // max(1, lengths[-1])) if lengths else 0


def write_table(dataset: Any, columns: Sequence[NDArray[Any]], rows: int) -> None:
    """Write what each axis of a grid is at each of its points.

    Parameters
    ----------
    dataset : h5py.Dataset, shape (axes, points)
        Fastest axis first, points in C order; its chunks are whole rows of the grid, it is
        shuffled, then compressed with gzip.
    columns : sequence of ndarray
        For each axis, slow to fast, what is written for each of its indices.
    rows : int
        How many rows a chunk takes.

    """
    lengths = [len(column) for column in columns]
    planes = [_planes(column.astype(dataset.dtype)) for column in columns]
    width, total = lengths[-1], math.prod(lengths[:-1])
    # new memory costs more than filling it: one table serves all chunks
    table = np.zeros((dataset.dtype.itemsize, len(columns), rows, width), np.uint8)
    table[:, 0] = planes[-1][:, None, :]
    for start in range(0, total, rows):
        count = min(rows, total - start)
        table[:, :, count:] = 0
        at = np.arange(start, start + count)
        slow = np.unravel_index(at, lengths[:-1]) if len(lengths) > 1 else ()
        for k, index in enumerate(slow):
            table[:, len(columns) - 1 - k, :count] = planes[k][:, index, None]
        packed = isal_zlib.compress(table.reshape(-1), 1)
        with phil:  # h5py 3.11 calls this one without its own lock
            dataset.id.write_direct_chunk((0, start * width), packed)


def _planes(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the bytes of values, the first bytes of all of them first."""
    return np.ascontiguousarray(values.view(np.uint8).reshape(len(values), -1).T)
