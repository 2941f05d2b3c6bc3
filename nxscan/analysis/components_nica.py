"""Non-negative independent components: a rotation of whitened curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import expm

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_FEW = 16384
_ENOUGH = 1e-4
"""Share of the step's angle, in radians, below which a rotation is found."""


def rotation(
    white: NDArray[Any], starts: Sequence[Array], most: int, gain: float
) -> NDArray[np.float64]:
    """Return the rotation W that makes W z non-negative, as far as any does.

    Oja and Plumbley (2004): of sources s ≥ 0 that are independent and have values near 0, the
    mixed x = A s whitened without taking the mean off, z = V x, is s but for a rotation; and the
    W that makes y = W z non-negative gives the sources back. It is found by descent of

        J(W) = ½ E |z - Wᵀ y⁺|² = ½ E |y⁻|²,  y⁺ = max(y, 0),  y⁻ = min(y, 0)

    along the gradient among rotations, W ← exp(-η E[y⁻ yᵀ - y (y⁻)ᵀ]) W. Their own steps are of
    one length η and made orthogonal afterwards; here each is a rotation, and so long that J
    becomes less.

    Parameters
    ----------
    white : ndarray, shape (k, pixels)
        Whitened curves z.
    starts : sequence of ndarray, shape (k, k)
        Rotations to begin with, of which the best is taken on a few pixels.
    most : int
        Steps at most.
    gain : float
        It is finished when a step lessens J by less than this part of it.

    """
    few = np.ascontiguousarray(white[:, :: max(1, white.shape[1] // _FEW)])
    tried = [_descended(few, start, most, gain) for start in starts]
    best = min(tried, key=lambda one: one[1])[0]
    return best if few.shape == white.shape else _descended(white, best, most, gain)[0]


def starts(count: int, seed: int, more: int = 2) -> list[Array]:
    """Return rotations to begin with: none, and some at random."""
    rng = np.random.default_rng(seed)
    turned = [np.linalg.qr(rng.standard_normal((count, count)))[0] for _ in range(more)]
    return [np.eye(count), *turned]


def _descended(white: NDArray[Any], turn: Array, most: int, gain: float) -> tuple[Array, float]:
    cost, slope = _cost(white, turn)
    length = 1.0
    for _ in range(most):
        square = float((slope * slope).sum())
        while length > _ENOUGH:
            new = expm(-length * slope) @ turn
            less, at = _cost(white, new)
            if less <= cost - 0.25 * length * square:
                break
            length *= 0.5
        else:
            break
        done = cost - less <= gain * cost
        turn, cost, slope, length = new, less, at, 2 * length
        if done:
            break
    return turn, cost


def _cost(white: NDArray[Any], turn: Array) -> tuple[float, Array]:
    """Return J, and the skew matrix E[y⁻ yᵀ - y (y⁻)ᵀ]."""
    made = turn.astype(white.dtype) @ white
    below = np.minimum(made, 0)
    both = (below @ made.T).astype(np.float64) / white.shape[1]
    return 0.5 * float(np.trace(both)), both - both.T
