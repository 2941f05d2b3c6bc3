"""Rocking curves in one or two motors, and their widths and areas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.floating]

Number = TypeVar("Number", float, "NDArray[np.float32]", "NDArray[np.float64]")

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
"""Full width at half maximum of a Gaussian over its standard deviation: 2 √(2 ln 2)."""


def fwhm_to_sigma(fwhm: Number) -> Number:
    """Return the standard deviation of a Gaussian, σ = FWHM / (2 √(2 ln 2)).

    >>> round(fwhm_to_sigma(2.3548200450309493), 12)
    1.0
    """
    return fwhm / FWHM_PER_SIGMA


def sigma_to_fwhm(sigma: Number) -> Number:
    """Return the full width at half maximum of a Gaussian, 2 √(2 ln 2) σ."""
    return sigma * FWHM_PER_SIGMA


def profile(q: NDArray[np.float32], lorentz: float = 0.0) -> NDArray[np.float32]:
    """Return a pseudo-Voigt of height 1 at the squared distance q from its center.

    (1 − η) exp(−q/2) + η / (1 + q / (2 ln 2)): q is (x − c)²/σ², or its elliptical form in two
    motors; both parts are ½ at q = 2 ln 2, so that they share one FWHM.

    Parameters
    ----------
    q : ndarray of float32
        Squared distance in units of σ = FWHM / (2 √(2 ln 2)).
    lorentz : float
        η, the Lorentzian part, 0 to 1.

    """
    gauss: NDArray[np.float32] = np.exp(np.float32(-0.5) * q)
    if not lorentz:
        return gauss
    tail = np.float32(1) / (np.float32(1) + q / np.float32(2 * math.log(2)))
    mixed: NDArray[np.float32] = np.float32(1 - lorentz) * gauss + np.float32(lorentz) * tail
    return mixed


def elliptic_distance(
    u: NDArray[np.float32], v: NDArray[np.float32], correlation: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return q = (u² − 2ρuv + v²) / (1 − ρ²), the exponent of a correlated 2-D Gaussian."""
    numerator = u * u - np.float32(2) * correlation * u * v + v * v
    q: NDArray[np.float32] = numerator / (np.float32(1) - correlation**2)
    return q


def area(amplitude: FloatArray, fwhm: FloatArray, lorentz: float = 0.0) -> FloatArray:
    """Return the integral of a pseudo-Voigt over its motor.

    A · FWHM · [(1 − η) ½ √(π / ln 2) + η π/2], in units of A times those of the motor.
    """
    gauss = 0.5 * math.sqrt(math.pi / math.log(2))
    return amplitude * fwhm * ((1 - lorentz) * gauss + lorentz * math.pi / 2)


def volume(
    amplitude: FloatArray, fwhm_a: FloatArray, fwhm_b: FloatArray, correlation: FloatArray
) -> FloatArray:
    """Return the integral of a 2-D Gaussian over both motors, 2π A σ_a σ_b √(1 − ρ²)."""
    scale = 2 * math.pi / FWHM_PER_SIGMA**2
    return amplitude * fwhm_a * fwhm_b * np.sqrt(1 - correlation**2) * scale
