"""Principal components of curves, from the sum of their products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.contract import Arrays

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Principal:
    """Principal components of all curves x.

    Attributes
    ----------
    mean : ndarray, shape (positions,)
        Mean curve that was taken off; zeros if none was.
    vectors : ndarray, shape (positions, n)
        Orthonormal curves; the one of the largest variance first. Of each, the value that is
        largest without its sign is positive.
    variances : ndarray, shape (n,)
        Mean over the pixels of the square of what each one explains.
    total : float
        What all of them explain together, those that are not here included.

    """

    mean: Array
    vectors: Array
    variances: Array
    total: float


def principal(state: Arrays, *, about_mean: bool) -> Principal:
    """Return the principal components: eigenvectors of Σ x xᵀ, or of the covariance.

    Parameters
    ----------
    state : mapping
        What was gathered; with ``basis`` where products are in one.
    about_mean : bool
        Whether the mean curve over the pixels is taken off.

    """
    count, gram, total = int(state["count"]), state["gram"], state["total"]
    basis = state.get("basis")
    mean = total / max(count, 1) if about_mean else np.zeros(total.shape)
    seen = mean if basis is None else basis.T @ mean
    covariance = gram / max(count, 1) - np.outer(seen, seen)
    values, vectors = eigh(covariance)
    vectors = vectors[:, ::-1] if basis is None else basis @ vectors[:, ::-1]
    everything = float(state["squares"]) / max(count, 1) - float(mean @ mean)
    return Principal(mean, signed(vectors), np.maximum(values[::-1], 0), max(everything, 0.0))


def signed(vectors: Array) -> Array:
    """Return vectors, one in each column, turned such that their largest value is positive.

    >>> signed(np.array([[1.0, 2.0], [-3.0, 1.0]])).tolist()
    [[-1.0, 2.0], [3.0, 1.0]]
    """
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return np.asarray(vectors * np.where(largest < 0, -1.0, 1.0))
