"""Rays from the sample through the middle of the objective: what a pixel of the microscope sees.

The objective stands at d₁ = obx / cos 2θ on the optical axis, which is scattered by 2θ at η = 0. A
pixel sees one point of the sample, and, by the middle of the objective, one direction: its η and
2θ, and so one scattering vector. To first order Δ2θ = −z / d₁ and η = y / (d₁ sin 2θ), the latter a
roll of the scattering vector by −y / (2 d₁ sin θ): Poulsen et al. (2021, eqs. 43-45).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.geometry.frames import angles, scattering_vectors
from nxscan.analysis.geometry.optics import object_distance

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def ray_angles(z: ArrayLike, y: ArrayLike, obx: float, two_theta: float) -> tuple[Array, Array]:
    """Return η and 2θ of the rays that pixels see, radians.

    Parameters
    ----------
    z, y : array_like
        Points of the sample across the optical axis: upwards in the scattering plane, and to the
        left as one looks downstream; they broadcast.
    obx : float
        From the sample to the objective along the direct beam, in the unit of ``z`` and ``y``.
    two_theta : float
        2θ of the optical axis, radians.

    """
    up, left = np.broadcast_arrays(np.asarray(z, np.float64), np.asarray(y, np.float64))
    distance = object_distance(obx, two_theta)
    cosine, sine = np.cos(two_theta), np.sin(two_theta)
    return angles(np.stack([distance * cosine + up * sine, -left, distance * sine - up * cosine]))


def ray_vectors(
    z: ArrayLike, y: ArrayLike, obx: float, two_theta: float, wavelength: float
) -> Array:
    """Return the scattering vectors that pixels see, in Poulsen's laboratory frame.

    Parameters
    ----------
    z, y, obx, two_theta
        As in `ray_angles`.
    wavelength : float
        Wavelength; the result is in 1 / (its unit), 2π included.

    Returns
    -------
    ndarray, shape (3, ...)

    """
    return scattering_vectors(*ray_angles(z, y, obx, two_theta), wavelength)
