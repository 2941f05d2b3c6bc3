"""Mean distance of every pixel's values to those of its neighbors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.kernels.compiling import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def neighbor_distances(
    field: NDArray[np.float64],
    plane: NDArray[np.float64],
    variance: NDArray[np.float64],
    valid: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    threshold: float,
    angular: bool,
    mean: NDArray[np.float64],
    error: NDArray[np.float64],
    count: NDArray[np.int64],
) -> None:
    """Give the mean distance to the neighbors, its error and the number of neighbors.

    Parameters
    ----------
    field : ndarray, shape (k, y, x)
        Values; distances are Euclidean, or, of unit vectors, angles in degrees.
    plane : ndarray, shape (m, y, x)
        Coordinates in which distances are nearly Euclidean: where they have errors.
    variance : ndarray, shape (m, y, x)
        Variances of those.
    valid : ndarray of bool, shape (y, x)
        Which pixels count.
    offsets : ndarray of int64, shape (n, 2)
        Where neighbors are, rows and columns from the pixel.
    threshold : float
        Neighbors farther away than this do not count.
    angular : bool
        Whether ``field`` is unit vectors.
    mean, error : ndarray, shape (y, x)
        Take the mean distance and its standard deviation; NaN where there is no neighbor.
    count : ndarray of int64, shape (y, x)
        Takes the number of neighbors that counted.

    """
    height, width = valid.shape
    parts = plane.shape[0]
    slope = np.zeros(parts)
    for y in range(height):
        for x in range(width):
            mean[y, x] = np.nan
            error[y, x] = np.nan
            count[y, x] = 0
            if not valid[y, x]:
                continue
            slope[:] = 0.0
            total = 0.0
            spread = 0.0
            found = 0
            for n in range(offsets.shape[0]):
                row = y + offsets[n, 0]
                column = x + offsets[n, 1]
                if row < 0 or row >= height or column < 0 or column >= width:
                    continue
                if not valid[row, column]:
                    continue
                square = 0.0
                for k in range(field.shape[0]):
                    step = field[k, y, x] - field[k, row, column]
                    square += step * step
                distance = np.sqrt(square)
                if angular:
                    distance = np.degrees(2 * np.arcsin(min(0.5 * distance, 1.0)))
                if distance > threshold:
                    continue
                found += 1
                total += distance
                norm = 0.0
                for m in range(parts):
                    step = plane[m, y, x] - plane[m, row, column]
                    norm += step * step
                for m in range(parts):
                    if norm > 0:
                        along = (plane[m, y, x] - plane[m, row, column]) / np.sqrt(norm)
                        slope[m] += along
                        spread += along * along * variance[m, row, column]
                    else:
                        # equal values: any direction, and each as likely
                        spread += variance[m, row, column] / parts
            if found == 0:
                continue
            for m in range(parts):
                spread += slope[m] * slope[m] * variance[m, y, x]
            mean[y, x] = total / found
            error[y, x] = np.sqrt(spread) / found
            count[y, x] = found
