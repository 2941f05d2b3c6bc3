"""Least squares without negative coefficients, for many small problems of one matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.compiling import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(nogil=True, cache=True)
def nonnegative(
    square: NDArray[np.float64],
    products: NDArray[Any],
    found: NDArray[Any],
    most: int,
    tolerance: float,
) -> None:
    """Minimize |x - C m|² over m ≥ 0 for every row, by coordinate descent from what is found.

    One coordinate at a time is put to its minimum, m_j ← max(0, m_j + (p_j - Σ_i q_ji m_i) /
    q_jj) with q = CᵀC and p = Cᵀx (Cichocki and Phan 2009, HALS; Gillis and Glineur 2012, with
    several sweeps). The problem is convex: where C has full rank there is one minimum.

    Parameters
    ----------
    square : ndarray, shape (k, k)
        CᵀC.
    products : ndarray, shape (rows, k)
        Cᵀx of every row.
    found : ndarray, shape (rows, k)
        Where to begin; takes the coefficients.
    most : int
        Sweeps at most.
    tolerance : float
        A row is finished when a sweep changes no coefficient by more than this part of its
        largest.

    """
    rows, count = products.shape
    inverse = np.zeros(count)
    for j in range(count):
        if square[j, j] > 0:
            inverse[j] = 1.0 / square[j, j]
    now = np.empty(count)
    for row in range(rows):
        for j in range(count):
            now[j] = found[row, j]
        for _ in range(most):
            changed, largest = 0.0, 0.0
            for j in range(count):
                step = np.float64(products[row, j])
                for i in range(count):
                    step -= square[j, i] * now[i]
                new = max(0.0, now[j] + step * inverse[j]) if inverse[j] > 0 else 0.0
                changed = max(changed, abs(new - now[j]))
                largest = max(largest, new)
                now[j] = new
            if changed <= tolerance * largest:
                break
        for j in range(count):
            found[row, j] = now[j]
