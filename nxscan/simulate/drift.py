"""A rocking scan of a sample that drifts, whose bright regions move on their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.simulate.fields import random_field
from nxscan.simulate.seeds import Purpose, generator

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ANGLES = tuple(k / 40 - 0.5 for k in range(41))
"""From -0.5 to 0.5 degrees in 41 steps."""
_WAVES = 400
_ROUGHNESS = 0.4
_VARIED_WIDTH = 0.15


@dataclass(frozen=True, eq=False)
class DriftingScan:
    """Frames of a rocking scan, and the truth.

    Attributes
    ----------
    frames : ndarray of uint16, shape (n, y, x)
        Counts.
    angles : ndarray, shape (n,)
        Of the rocking motor, in degrees.
    shifts : ndarray, shape (n, 2)
        How far the sample lies from where it lies without drift, (y, x), in pixels.

    """

    frames: NDArray[np.uint16]
    angles: NDArray[np.float64]
    shifts: NDArray[np.float64]


def drifting_scan(
    shape: tuple[int, int] = (256, 256),
    angles: ArrayLike = ANGLES,
    *,
    shifts: ArrayLike | None = None,
    jitter: float = 0.3,
    spread: float = 0.15,
    width: float = 0.06,
    counts: float = 800.0,
    background: float = 5.0,
    texture: float = 1.6,
    domains: float = 25.0,
    seed: int = 0,
) -> DriftingScan:
    """Return a rocking scan of a drifting sample.

    Every pixel of the sample has a Gaussian curve A exp(−(a − c)² / (2 σ²)) of its own: A is
    texture that stays what it is, and c and σ vary slowly, so that bright bands sweep over the
    sample during the scan. All three are sums of waves, which are taken at the drifted pixels
    themselves: nothing is interpolated.

    Parameters
    ----------
    shape : tuple of int
        Of a frame.
    angles : array_like, shape (n,)
        Of the rocking motor, in degrees.
    shifts : array_like, shape (n, 2), optional
        The drift, in pixels; by default a random walk.
    jitter : float
        Standard deviation of the steps of that walk, in pixels.
    spread : float
        Standard deviation of the centers c over the sample, in degrees; 0 makes all pixels
        light up together.
    width : float
        Mean σ of the curves, in degrees.
    counts : float
        Mean height of the curves; the noise is Poisson's.
    background : float
        Counts everywhere.
    texture, domains : float
        Correlation lengths of A, and of c and σ, in pixels.
    seed : int
        Another seed is another sample and another drift.

    Examples
    --------
    >>> scan = drifting_scan((32, 32), [-0.1, 0.0, 0.1], shifts=[[0, 0], [0.5, 0], [1, 0]])
    >>> scan.frames.shape, scan.shifts[2]
    ((3, 32, 32), array([1., 0.]))

    """
    rocked = np.asarray(angles, np.float64)
    if shifts is None:
        walk = generator(seed, Purpose.MOTORS).normal(0, jitter, (len(rocked), 2))
        moved = np.cumsum(walk, axis=0)
    else:
        moved = np.asarray(shifts, np.float64)
    frames = np.empty((len(rocked), *shape), np.uint16)
    for k, (angle, shift) in enumerate(zip(rocked, moved, strict=True)):
        y, x = (np.arange(n) - s for n, s in zip(shape, shift, strict=True))
        rng = generator(seed, Purpose.CRYSTAL)
        height = counts * np.exp(_ROUGHNESS * random_field(y, x, texture, rng, _WAVES))
        center = spread * random_field(y, x, domains, rng)
        sigma = width * np.exp(_VARIED_WIDTH * random_field(y, x, domains, rng))
        mean = height * np.exp(-(((angle - center) / sigma) ** 2) / 2) + background
        drawn = generator(seed, Purpose.FRAME, k).poisson(mean)
        frames[k] = np.minimum(drawn, np.iinfo(np.uint16).max)
    return DriftingScan(frames, rocked, moved)
