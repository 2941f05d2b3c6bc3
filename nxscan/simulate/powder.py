"""Powder rings of a face-centered cubic metal on a flat detector, in closed formulas."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nxscan.errors import NxscanError
from nxscan.simulate.microscope import HC

GOLD_LATTICE = 4.0782
"""Lattice constant of gold at room temperature, Å (CRC Handbook of Chemistry and Physics)."""

_FCC = {(1, 1, 1): 8, (2, 0, 0): 6, (2, 2, 0): 12, (3, 1, 1): 24}
"""The first four reflections of a face-centered cubic lattice, and their multiplicities."""


@dataclass(frozen=True)
class Ring:
    """One Debye–Scherrer ring.

    Attributes
    ----------
    hkl : tuple of int
        The reflection.
    multiplicity : int
        How many planes it stands for.
    spacing : float
        d = a / √(h² + k² + l²), Å.
    two_theta : float
        Scattering angle from Bragg's law λ = 2 d sin θ, degrees.
    q : float
        4π sin θ / λ = 2π / d, 1/Å.
    radius : float
        D tan 2θ / pixel, pixels.
    intensity : float
        Relative to the strongest ring.

    """

    hkl: tuple[int, int, int]
    multiplicity: int
    spacing: float
    two_theta: float
    q: float
    radius: float
    intensity: float


def powder_rings(
    energy: float, distance: float, pixel: float, lattice: float = GOLD_LATTICE
) -> tuple[Ring, ...]:
    """Return the rings 111, 200, 220 and 311 of a face-centered cubic powder.

    Intensities are multiplicity / (sin² θ cos θ), the Lorentz factor of a powder; form factor,
    polarization and the detector's obliquity are left out.

    Parameters
    ----------
    energy : float
        Photon energy, keV.
    distance : float
        From sample to detector along the beam, mm.
    pixel : float
        Side of a pixel, µm.
    lattice : float
        Lattice constant, Å.

    Returns
    -------
    tuple of Ring
        From the smallest radius to the largest.

    Raises
    ------
    NxscanError
        If a ring is scattered backwards, or not at all: no flat detector sees it.

    Examples
    --------
    >>> first = powder_rings(energy=10.0, distance=100.0, pixel=50.0)[0]
    >>> first.hkl, round(first.two_theta, 3), round(first.radius, 1)
    ((1, 1, 1), 30.53, 1179.5)

    """
    wavelength = HC / energy
    thetas = {}
    for hkl in _FCC:
        sine = wavelength * math.hypot(*hkl) / (2 * lattice)
        if not sine < math.sqrt(0.5):
            raise NxscanError(
                f"reflection {hkl} is not scattered forwards at {energy} keV",
                "choose a higher energy",
            )
        thetas[hkl] = math.asin(sine)
    strengths = {
        hkl: _FCC[hkl] / (math.sin(theta) ** 2 * math.cos(theta)) for hkl, theta in thetas.items()
    }
    return tuple(
        Ring(
            hkl=hkl,
            multiplicity=_FCC[hkl],
            spacing=lattice / math.hypot(*hkl),
            two_theta=math.degrees(2 * theta),
            q=4 * math.pi * math.sin(theta) / wavelength,
            radius=distance * 1e3 * math.tan(2 * theta) / pixel,
            intensity=strengths[hkl] / max(strengths.values()),
        )
        for hkl, theta in thetas.items()
    )
