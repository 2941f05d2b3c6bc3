"""What the objective adds to angles across the field of view, to be taken off.

A ray from a point of the sample to the middle of the objective is inclined to the optical axis:
by y / d₁ sideways and by z / d₁ in the scattering plane, d₁ = obx / cos 2θ. Angles at which points
light up therefore drift across the field where the crystal does not.

Sideways, Poulsen et al. (2021, eq. 44) have the roll component of the scattering vector,
q_roll = χ − ξ / (2 sin θ) with the inclination ξ: the same lattice is found at another χ. In the
plane, a point at z is seen at 2θ less z / d₁: the objective's pitch at which it is brightest is
larger by that, and the wavelength at which it diffracts into the objective is shorter, so that the
monochromator's angle is smaller, by Bragg's law.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from nxscan.analysis.geometry.bragg import monochromator_shift
from nxscan.analysis.geometry.optics import object_distance

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Kind = Literal["chi", "two_theta", "monochromator"]


def chi_drift(y: ArrayLike, obx: float, two_theta: float) -> NDArray[np.float64]:
    """Return what is to be taken off χ: y cos 2θ / (obx · 2 sin θ), radians.

    Parameters
    ----------
    y : array_like
        Points of the sample across the diffracted beam and the scattering plane.
    obx : float
        From the sample to the objective along the direct beam, in the unit of ``y``.
    two_theta : float
        2θ, radians.

    """
    inclined = np.asarray(y, np.float64) / object_distance(obx, two_theta)
    return np.asarray(inclined / (2 * np.sin(two_theta / 2)))


def two_theta_drift(z: ArrayLike, obx: float, two_theta: float) -> NDArray[np.float64]:
    """Return what is to be taken off the objective's pitch: z cos 2θ / obx, radians.

    Parameters
    ----------
    z : array_like
        Points of the sample across the diffracted beam, in the scattering plane, upwards.
    obx, two_theta : float
        As in `chi_drift`.

    """
    return np.asarray(np.asarray(z, np.float64) / object_distance(obx, two_theta))


def monochromator_drift(
    z: ArrayLike, obx: float, two_theta: float, angle: float
) -> NDArray[np.float64]:
    """Return what is to be taken off the monochromator's angle, radians.

    It is −Δ2θ tan(ccmth₀) / (2 tan θ₀), with the Δ2θ of `two_theta_drift`.

    Parameters
    ----------
    z, obx, two_theta : array_like, float, float
        As in `two_theta_drift`.
    angle : float
        The monochromator's Bragg angle, radians.

    """
    drift = two_theta_drift(z, obx, two_theta)
    return -monochromator_shift(drift, angle, two_theta / 2)
