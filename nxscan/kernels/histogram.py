"""Values added up in the cells of a grid in reciprocal space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.compiling import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def add_to_cells(
    values: NDArray[np.float64],
    weights: NDArray[np.int64],
    vectors: NDArray[np.float64],
    turns: NDArray[np.float64],
    lengths: NDArray[np.float64],
    rows: NDArray[np.int64],
    low: NDArray[np.float64],
    step: NDArray[np.float64],
    total: NDArray[np.float64],
    count: NDArray[np.int64],
) -> None:
    """Add every value to the cell that its scattering vector lies in.

    The vector of pixel p at position n is ``lengths[n] * turns[n] @ vectors[:, p]`` less
    (0, 0, 1). What lies outside the grid is left out.

    Parameters
    ----------
    values, weights : ndarray, shape (positions, pixels)
        Values, and how many values of the detector each is the sum of; 0 where it does not count.
    vectors : ndarray, shape (3, pixels)
        Scattering vectors in units of the reference's length.
    turns : ndarray, shape (positions, 3, 3)
        Rotations into the sample.
    lengths : ndarray, shape (positions,)
        By what they are longer.
    rows : ndarray of int64, shape (3,)
        Which component each dimension of the grid is.
    low, step : ndarray, shape (3,)
        Where the grid begins, and the size of its cells.
    total, count : ndarray, shape (a, b, c)
        Take the sums and the number of values.

    """
    cell = np.zeros(3, np.int64)
    for n in range(values.shape[0]):
        for p in range(values.shape[1]):
            if weights[n, p] == 0:
                continue
            inside = True
            for d in range(3):
                row = rows[d]
                q = 0.0
                for k in range(3):
                    q += turns[n, row, k] * vectors[k, p]
                q *= lengths[n]
                if row == 2:
                    q -= 1.0
                index = int(np.floor((q - low[d]) / step[d]))
                if index < 0 or index >= total.shape[d]:
                    inside = False
                    break
                cell[d] = index
            if inside:
                total[cell[0], cell[1], cell[2]] += values[n, p]
                count[cell[0], cell[1], cell[2]] += weights[n, p]
