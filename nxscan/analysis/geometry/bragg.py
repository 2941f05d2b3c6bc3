"""Bragg's law, and strain along the scattering vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

HC = 12.398419843320026
"""Planck's constant times the speed of light, keV Å (CODATA 2018, exact)."""


def wavelength(energy: float) -> float:
    """Return λ = hc / E in Å for a photon energy in keV.

    >>> round(wavelength(17.0), 4)
    0.7293
    """
    return HC / energy


def spacing(two_theta: float, wavelength: float) -> float:
    """Return d = λ / (2 sin θ) in the unit of the wavelength; ``two_theta`` is in radians."""
    return float(wavelength / (2 * np.sin(two_theta / 2)))


def scattering_vector(two_theta: float, wavelength: float) -> float:
    """Return |Q| = 4π sin θ / λ, which is 2π / d."""
    return float(4 * np.pi * np.sin(two_theta / 2) / wavelength)


def strain_of_two_theta(delta: ArrayLike, two_theta: ArrayLike) -> NDArray[np.float64]:
    """Return ε = −½ cot θ₀ Δ2θ: from λ = 2 d sin θ with λ held.

    Parameters
    ----------
    delta : array_like
        2θ less that of the reference, radians.
    two_theta : array_like
        2θ of the reference, radians.

    """
    half = 0.5 * np.asarray(two_theta, np.float64)
    return np.asarray(-0.5 * np.asarray(delta, np.float64) / np.tan(half))


def strain_of_monochromator(delta: ArrayLike, angle: ArrayLike) -> NDArray[np.float64]:
    """Return ε = cot(ccmth₀) Δccmth: from λ = 2 d_m sin(ccmth) = 2 d sin θ with θ held.

    Parameters
    ----------
    delta : array_like
        Bragg angle of the monochromator less that of the reference, radians.
    angle : array_like
        Bragg angle of the monochromator for the reference, radians.

    """
    return np.asarray(np.asarray(delta, np.float64) / np.tan(angle))


def strain_of_energy(delta: ArrayLike, energy: ArrayLike) -> NDArray[np.float64]:
    """Return ε = −ΔE / E₀: from hc / E = 2 d sin θ with θ held; both in one unit."""
    return np.asarray(-np.asarray(delta, np.float64) / np.asarray(energy, np.float64))


def monochromator_shift(delta: ArrayLike, angle: float, theta: float) -> NDArray[np.float64]:
    """Return Δccmth = Δ2θ tan(ccmth₀) / (2 tan θ₀), by Bragg's law at the sample and before it.

    Both see one wavelength: cot θ Δθ = Δλ/λ = cot(ccmth) Δccmth.

    Parameters
    ----------
    delta : array_like
        Change of 2θ, radians.
    angle, theta : float
        Bragg angles of the monochromator and of the sample, radians.

    """
    return np.asarray(np.asarray(delta, np.float64) * np.tan(angle) / (2 * np.tan(theta)))
