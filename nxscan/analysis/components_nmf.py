"""Non-negative matrix factorization of curves by alternating least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.components import nonnegative

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_AT_ONCE = 4096
"""Pixels that are worked on at once: their curves stay in the processor's cache."""
_ROUGH, _FINAL, _OF_CURVES = (8, 1e-3), (500, 1e-7), (50, 1e-3)
"""Sweeps at most, and the part of the largest coefficient that ends them."""
_FEW = 8192
"""Pixels from which the start is chosen, and most of the way is gone."""
_TRIAL_STEPS, _FEW_STEPS, _FEW_GAIN = 60, 400, 1e-6
_LEAST_STEPS = 4


@dataclass(frozen=True, eq=False)
class Sums:
    """What the curves' next step needs, added up over pixels.

    Attributes
    ----------
    square : ndarray, shape (k, k)
        Σ m mᵀ of the coefficients m of each pixel.
    products : ndarray, shape (positions, k)
        Σ x mᵀ.
    error : float or ndarray of shape ()
        Σ |x - C m|² less Σ |x|².
    intensity : ndarray, shape (k,)
        Σ m.

    """

    square: Array
    products: Array
    error: Any
    intensity: Array


def sums_of(
    curves: NDArray[Any], components: Array, found: NDArray[Any], *, final: bool = False
) -> Sums:
    """Find the coefficients of pixels for given components, and add up what they say of these.

    Parameters
    ----------
    curves : ndarray, shape (pixels, positions)
        Their curves.
    components : ndarray, shape (positions, k)
        C, nowhere negative.
    found : ndarray, shape (pixels, k)
        Where to begin; takes the coefficients.
    final : bool
        Whether to find them to convergence, in place of a few sweeps.

    """
    gram, used = components.T @ components, components.astype(found.dtype)
    square, products = np.zeros(gram.shape), np.zeros(components.shape)
    error, intensity = 0.0, np.zeros(len(gram))
    for start in range(0, len(curves), _AT_ONCE):
        some, mine = curves[start : start + _AT_ONCE], found[start : start + _AT_ONCE]
        seen = np.ascontiguousarray(some @ used)
        nonnegative(gram, seen, mine, *(_FINAL if final else _ROUGH))
        own = (mine.T @ mine).astype(np.float64)
        square += own
        products += some.T @ mine
        error += float((gram * own).sum()) - 2 * float(np.vdot(seen, mine))
        intensity += np.ones(len(mine), mine.dtype) @ mine
    return Sums(square, products, error, intensity)


def coefficients(curves: Array, components: Array) -> tuple[Array, Sums]:
    """Return the non-negative coefficients of pixels, shape (pixels, k), and their sums."""
    gram, seen = components.T @ components, curves @ components
    begun = seen @ np.linalg.pinv(gram, hermitian=True)
    found = np.ascontiguousarray(np.maximum(begun, 0.0))
    return found, sums_of(curves, components, found, final=True)


def stepped(components: Array, sums: Sums) -> Array:
    """Return the components that fit best to the coefficients which the sums were made with.

    Each position is a least-squares problem of its own, Σ m mᵀ that of all of them.
    """
    found = components.copy()
    nonnegative(sums.square, np.ascontiguousarray(sums.products), found, *_OF_CURVES)
    lost = ~found.any(axis=0)
    found[:, lost] = components[:, lost]
    return found


def factorized(
    curves: NDArray[Any], starts: Sequence[Array], squares: float, most: int, gain: float
) -> Array:
    """Return components of curves: the best of several starts on a few of them, then on all.

    Parameters
    ----------
    curves : ndarray, shape (pixels, positions)
        In an order that does not matter.
    starts : sequence of ndarray, shape (positions, k)
        Where to begin.
    squares : float
        Σ |x|² of all curves.
    most : int
        Steps at most, on all curves.
    gain : float
        It is finished when a step lessens the sum of squared differences by less than this
        part of it.

    """
    few = np.ascontiguousarray(curves[:: max(1, len(curves) // _FEW)])
    own = float(np.vdot(few.astype(np.float64), few.astype(np.float64)))
    best, finer = starts[0], min(gain, _FEW_GAIN)
    if len(starts) > 1:
        tried = [_descended(few, start, own, _TRIAL_STEPS, finer) for start in starts]
        best = min(tried, key=lambda one: one[1])[0]
    if len(few) < len(curves):
        best = _descended(few, best, own, _FEW_STEPS, finer)[0]
    return _descended(curves, best, squares, most, gain)[0]


def _descended(
    curves: NDArray[Any], components: Array, squares: float, most: int, gain: float
) -> tuple[Array, float]:
    """Return components after some steps, and the sum of squared differences before the last."""
    found = np.zeros((len(curves), components.shape[1]), curves.dtype)
    error = np.inf
    for step in range(most):
        sums = sums_of(curves, components, found)
        before, error = error, squares + sums.error
        if step >= _LEAST_STEPS and before - error <= gain * max(error, 1e-12 * squares):
            break
        components = stepped(components, sums)
    return components, error


def split_signs(vectors: Array, scores: Array) -> Array:
    """Return components to begin with: the better half of each principal component.

    Of each outer product of a curve and its map, the part where both are positive, or both
    negative, whichever is the larger (Boutsidis and Gallopoulos 2008, NNDSVD).

    Parameters
    ----------
    vectors : ndarray, shape (positions, k)
        Principal curves, of products that are not centered.
    scores : ndarray, shape (pixels, k)
        Their coefficients in some pixels.

    """
    found = np.empty(vectors.shape)
    for j, (curve, scored) in enumerate(zip(vectors.T, scores.T, strict=True)):
        halves = [(np.maximum(s * curve, 0), np.maximum(s * scored, 0)) for s in (1, -1)]
        sizes = [np.linalg.norm(a) * np.linalg.norm(b) for a, b in halves]
        found[:, j] = halves[int(np.argmax(sizes))][0]
    return found
