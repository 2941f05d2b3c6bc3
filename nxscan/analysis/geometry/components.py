"""The scattering vector's small deviations, along the directions in which motors move it.

In the crystal system of Poulsen et al. (2021, eqs. 43-45), in units of |Q|:

- q_rock: tilt in the scattering plane, Δµ (or Δφ) less half of the inclinations;
- q_roll: tilt out of it, Δχ;
- q_par: along Q, −ε, which is cot θ Δθ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.geometry.rotations import goniometer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def components(q: ArrayLike, reference: ArrayLike) -> Array:
    """Return (q_rock, q_roll, q_par) of vectors, in units of |reference|; components first.

    Parameters
    ----------
    q : array_like, shape (3, ...)
        Scattering vectors.
    reference : array_like, shape (3,)
        The one of the undeformed lattice, in the same frame, not along y.

    """
    vectors, mean = np.asarray(q, np.float64), np.asarray(reference, np.float64)
    size = np.linalg.norm(mean)
    along = mean / size
    roll = np.cross(along, [1.0, 0.0, 0.0])
    roll /= np.linalg.norm(roll)
    rock = np.cross(roll, along)
    base = np.stack([rock, roll, along])
    found = np.tensordot(base, vectors, 1) / size
    found[2] -= 1
    return np.asarray(found)


def in_sample(q: ArrayLike, motors: Mapping[str, float]) -> Array:
    """Return vectors of the laboratory in the sample's frame, Γ⁻¹ Q; motors in radians."""
    vectors = np.asarray(q, np.float64)
    return np.asarray(np.tensordot(goniometer(**motors).T, vectors, 1))
