"""Which components of two scans, two layers say, are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from nxscan.errors import ProcessError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Match:
    """Components of two scans in pairs, the most alike first.

    Attributes
    ----------
    first, second : ndarray of int, shape (n,)
        Which component of either scan, from 0.
    correlation : ndarray, shape (n,)
        How alike they are, from -1 to 1; of components with signs (pca), a negative one says
        that one is to be turned.

    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    correlation: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    def __str__(self) -> str:
        pairs = zip(self.first, self.second, self.correlation, strict=True)
        return "\n".join(f"{a + 1} - {b + 1}: correlation {c:+.3f}" for a, b, c in pairs)


def match_components(first: Any, second: Any, *, signed: bool = True) -> Match:
    """Match the components of two scans by their correlation.

    Of all ways to pair them, the one with the largest sum of correlations (Kuhn 1955); where one
    scan has more, those that are left over match none.

    Parameters
    ----------
    first, second : array_like, shape (components, ...)
        Curves, of scans along the same positions; or maps, of the same pixels. NaN in either is
        left out.
    signed : bool
        False for principal components, whose signs mean nothing: pairs are made by the
        correlation without its sign.

    Raises
    ------
    ProcessError
        If the shapes do not fit, or less than two values are valid in both.

    Examples
    --------
    >>> import numpy as np
    >>> curves = np.array([[4.0, 1, 0, 0], [0, 0, 1, 3]])
    >>> print(match_components(curves, [[0, 0, 1, 4], [0, 3, 0, 0], [3, 2, 0, 0]]))
    2 - 1: correlation +0.996
    1 - 3: correlation +0.910

    """
    a, b = _rows(first), _rows(second)
    if a.shape[1:] != b.shape[1:]:
        raise ProcessError(
            f"match_components: components have the shapes {a.shape[1:]} and {b.shape[1:]}",
            "give curves of the same positions, or maps of the same pixels",
        )
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    good = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    if np.count_nonzero(good) < 2:
        raise ProcessError("match_components: less than two values are valid in all components")
    alike = _standard(a[:, good]) @ _standard(b[:, good]).T
    rows, columns = linear_sum_assignment(alike if signed else np.abs(alike), maximize=True)
    found = alike[rows, columns]
    order = np.argsort(-(found if signed else np.abs(found)), kind="stable")
    return Match(rows[order], columns[order], found[order])


def _rows(values: Any) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.ndim < 2:
        raise ProcessError(
            f"match_components: an array of shape {array.shape} is no set of components",
            "give the maps or the curves of a result, components first",
        )
    return array


def _standard(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values without their means, of unit length; zeros where all are the same."""
    away = values - values.mean(axis=1, keepdims=True)
    size = np.linalg.norm(away, axis=1, keepdims=True)
    return np.asarray(away / np.where(size > 0, size, 1))
