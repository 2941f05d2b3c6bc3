"""A dark-field X-ray microscope: energy, reflection, lens and camera in one closed geometry."""

from __future__ import annotations

import math
from dataclasses import dataclass

HC = 12.398419843320026
"""Planck's constant times the speed of light, keV Å (CODATA 2018, exact)."""

_SILICON_LATTICE = 5.431020511
_FULL_SENSOR = 2048


@dataclass(frozen=True)
class Material:
    """A cubic crystal.

    Attributes
    ----------
    name : str
        What it is.
    lattice : float
        Lattice constant at room temperature, Å.
    burgers : float
        Length of the shortest perfect Burgers vector, Å.
    poisson : float
        Poisson's ratio of the polycrystal.

    """

    name: str
    lattice: float
    burgers: float
    poisson: float


# Lattice constants: CRC Handbook of Chemistry and Physics, "Crystal structures and lattice
# parameters of elements". Burgers vectors: a/2 <110> in fcc, a/2 <111> in bcc.
ALUMINUM = Material("aluminum", 4.0495, 4.0495 / math.sqrt(2), 0.345)
IRON = Material("iron", 2.8665, 2.8665 * math.sqrt(3) / 2, 0.293)


def wavelength(energy: float) -> float:
    """Return λ = hc / E in Å for a photon energy in keV.

    >>> round(wavelength(17.0), 4)
    0.7293
    """
    return HC / energy


def bragg_angle(lattice: float, hkl: tuple[int, int, int], energy: float) -> float:
    """Return the Bragg angle of a cubic crystal in degrees.

    λ = 2 d sin θ with d = a / √(h² + k² + l²).

    Parameters
    ----------
    lattice : float
        Lattice constant a, Å.
    hkl : tuple of int
        Miller indices.
    energy : float
        Photon energy, keV.

    Examples
    --------
    >>> round(bragg_angle(4.0495, (1, 1, 1), 17.0), 3)
    8.973

    """
    spacing = lattice / math.sqrt(sum(index**2 for index in hkl))
    return math.degrees(math.asin(wavelength(energy) / (2 * spacing)))


@dataclass(frozen=True)
class Microscope:
    """Beam, reflection, objective and camera, as the motors of the instrument say it.

    The objective stands ``obx`` downstream of the sample and the camera ``-mainx``; both lie
    on the diffracted beam, 2θ above the direct one.

    Attributes
    ----------
    energy : float
        Photon energy, keV.
    material : Material
        The crystal.
    hkl : tuple of int
        The reflection that is imaged.
    obx : float
        Sample to objective along the direct beam, mm.
    mainx : float
        Camera along the direct beam, mm; negative downstream, as on ID06.
    camera_pixel : float
        Pixel of the camera as the scintillator sees it, µm (6.5 µm behind a 2× objective).

    """

    energy: float = 17.0
    material: Material = ALUMINUM
    hkl: tuple[int, int, int] = (1, 1, 1)
    obx: float = 263.0
    mainx: float = -5000.0
    camera_pixel: float = 3.25

    @property
    def wavelength(self) -> float:
        """Wavelength, Å."""
        return wavelength(self.energy)

    @property
    def theta(self) -> float:
        """Bragg angle of the reflection, degrees."""
        return bragg_angle(self.material.lattice, self.hkl, self.energy)

    @property
    def monochromator_theta(self) -> float:
        """Bragg angle of the Si (111) monochromator, degrees."""
        return bragg_angle(_SILICON_LATTICE, (1, 1, 1), self.energy)

    @property
    def distance(self) -> float:
        """Sample to camera along the diffracted beam, mm."""
        return -self.mainx / math.cos(math.radians(2 * self.theta))

    @property
    def magnification(self) -> float:
        """Image distance over object distance of the X-ray objective."""
        return (-self.mainx - self.obx) / self.obx

    def height(self, along_beam: float) -> float:
        """Return how high the diffracted beam is, in mm, at a distance along the direct one."""
        return along_beam * math.tan(math.radians(2 * self.theta))

    def binning(self, shape: tuple[int, int]) -> int:
        """Return the binning by which a 2048-pixel sensor gives frames of about ``shape``."""
        return max(1, _FULL_SENSOR // max(shape))

    def sample_pixel(self, binning: int) -> float:
        """Return what one binned pixel sees of the sample, µm, across the diffracted beam."""
        return self.camera_pixel * binning / self.magnification
