"""A deformed crystal: where, how wide and how bright each pixel's rocking curve is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.curves import fwhm_to_sigma, sigma_to_fwhm
from nxscan.simulate.fields import boundary_fraction, edge_rotation, edge_strain, random_field
from nxscan.simulate.microscope import Microscope
from nxscan.simulate.seeds import Purpose, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Map = NDArray[np.float32]

_FILL = 0.8
"""How much of the field of view the grain takes, along its radius."""

_TWIST = 0.4
"""The low-angle boundary's twist along chi, as a part of its tilt along mu."""

_CHI_WIDER = 1.6
"""The objective's aperture makes curves along chi wider than along mu."""


@dataclass(frozen=True, eq=False)
class Crystal:
    """The truth about a deformed crystal, one value a pixel, all maps of shape (y, x).

    Attributes
    ----------
    mu, chi : ndarray of float32
        Center of the rocking curve along each motor, degrees; NaN outside the grain.
    fwhm_mu, fwhm_chi : ndarray of float32
        Full width at half maximum along each motor, degrees; NaN outside the grain.
    correlation : ndarray of float32
        ρ between mu and chi; NaN outside the grain.
    amplitude : ndarray of float32
        Height of the curve above the background, ADU a frame; 0 outside the grain.
    background : ndarray of float32
        What is there at any angle (air and fluorescence), ADU a frame.
    illumination : ndarray of float32
        The beam seen through the objective, 1 at its center.
    grain : ndarray of bool
        Where the crystal is.
    lorentz : float
        η, the Lorentzian part of the curves; 0 is Gaussian.
    microscope : Microscope
        Through which it is seen.
    binning : int
        Pixels of the camera in one pixel of these maps, along each side.

    """

    mu: Map
    chi: Map
    fwhm_mu: Map
    fwhm_chi: Map
    correlation: Map
    amplitude: Map
    background: Map
    illumination: Map
    grain: NDArray[np.bool_]
    lorentz: float
    microscope: Microscope
    binning: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        rows, columns = self.grain.shape
        return rows, columns

    @property
    def pixel_size(self) -> float:
        """What one pixel sees of the sample, µm."""
        return self.microscope.sample_pixel(self.binning)


@dataclass(frozen=True)
class Deformation:
    """How a crystal is deformed, and how wide its rocking curves are.

    Attributes
    ----------
    bending_radius : float
        Radius of the long-range bending, m.
    boundary_angle : float
        Misorientation across the low-angle boundary, degrees.
    dislocations, pile_up : int
        How many pile-ups of edge dislocations there are, and of how many dislocations each.
    mosaic : float
        Standard deviation of the smooth random orientation, degrees.
    intrinsic_fwhm : float
        Width of undeformed lattice, from the beam's divergence and the crystal, degrees.
    broadening : float
        Median width from stored dislocations, degrees.

    """

    bending_radius: float = 0.14
    boundary_angle: float = 0.05
    dislocations: int = 6
    pile_up: int = 60
    mosaic: float = 0.008
    intrinsic_fwhm: float = 0.03
    broadening: float = 0.03


def crystal(
    shape: tuple[int, int] = (128, 128),
    seed: int = 0,
    *,
    counts: float = 4000.0,
    background: float = 12.0,
    lorentz: float = 0.0,
    deformation: Deformation | None = None,
    microscope: Microscope | None = None,
) -> Crystal:
    """Make a deformed crystal.

    The center along mu is what brings a pixel to the Bragg condition: rotation − tan θ · strain
    of a bent plate (length / radius), one low-angle boundary (p · angle), pile-ups of edge
    dislocations and a smooth mosaic. Along chi there are the anticlastic part of the bending
    (−ν / radius), the boundary's twist and a mosaic. The width is the root of the sum of
    squares of four: intrinsic, stored dislocations, the two sides of the boundary within a
    pixel (angle² p (1 − p)), and the rotation across a pixel (gradient² / 12). The area under
    the curve along mu follows the illumination.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns; up to 2048 see the same field of about 0.37 mm, binned.
    seed : int
        Same seed, same crystal.
    counts : float
        Height of the curve of undeformed lattice at the center of the beam, ADU a frame.
    background : float
        Median background, ADU a frame.
    lorentz : float
        η, the Lorentzian part of the curves, 0 to 1.
    deformation : Deformation, optional
        ``Deformation()`` by default.
    microscope : Microscope, optional
        ``Microscope()`` by default: 17 keV and the (111) of aluminum.

    Raises
    ------
    NxscanError
        If the shape is no pair of sizes of at least 2, or ``lorentz`` is not from 0 to 1.

    Examples
    --------
    >>> grain = crystal((64, 64), seed=3)
    >>> grain.mu.shape, bool(grain.grain[32, 32]), bool(grain.grain[0, 0])
    ((64, 64), True, False)

    """
    if len(shape) != 2 or min(shape) < 2:
        raise NxscanError(f"a crystal needs 2 sizes of at least 2 pixels, but shape is {shape}")
    if not 0 <= lorentz <= 1:
        raise NxscanError(f"lorentz must be from 0 to 1, but is {lorentz}")
    made = _Maker(shape, seed, microscope or Microscope(), deformation or Deformation())
    return made.crystal(counts, background, lorentz)


class _Maker:
    """Makes the maps of a crystal one after the other, all from one stream of randomness."""

    def __init__(
        self, shape: tuple[int, int], seed: int, optics: Microscope, form: Deformation
    ) -> None:
        self.optics, self.form = optics, form
        self.rng = generator(seed, Purpose.CRYSTAL)
        self.binning = optics.binning(shape)
        self.pixel = optics.sample_pixel(self.binning)
        self.half_y, self.half_x = (self.pixel * n / 2 for n in shape)
        self.size = min(self.half_y, self.half_x)
        self.y = _centered(shape[0], self.pixel)[:, None]
        self.x = _centered(shape[1], self.pixel)[None, :]

    def crystal(self, counts: float, background: float, lorentz: float) -> Crystal:
        """Make all maps and put them together."""
        form = self.form
        solid, side = self.grain(), self.boundary()
        mu, chi = self.orientation(side)
        stored = fwhm_to_sigma(form.broadening) * np.exp(0.45 * self.field(0.25))
        fwhm_mu = self.width(mu, stored, form.boundary_angle, side)
        fwhm_chi = _CHI_WIDER * self.width(chi, stored, _TWIST * form.boundary_angle, side)
        light = self.illumination()
        inside = solid > 0

        def within(values: Array) -> Map:
            return np.where(inside, values, np.nan).astype(np.float32)

        return Crystal(
            mu=within(mu),
            chi=within(chi),
            fwhm_mu=within(fwhm_mu),
            fwhm_chi=within(fwhm_chi),
            correlation=within(0.6 * np.tanh(self.field(0.5))),
            amplitude=(counts * solid * light * form.intrinsic_fwhm / fwhm_mu).astype(np.float32),
            background=(background * np.exp(0.15 * self.field(0.8))).astype(np.float32),
            illumination=light.astype(np.float32),
            grain=inside,
            lorentz=lorentz,
            microscope=self.optics,
            binning=self.binning,
        )

    def field(self, length: float) -> Array:
        """Draw a smooth field whose length is a part of the field of view."""
        return random_field(self.y[:, 0], self.x[0], length * self.size, self.rng)

    def grain(self) -> Array:
        """Part of each pixel that is crystal: a rounded grain with a lobed outline."""
        y, x = self.y / self.half_y, self.x / self.half_x
        angle = np.arctan2(y, x)
        outline = np.full_like(angle, _FILL)
        for lobes, depth in ((2, 0.06), (3, 0.05), (5, 0.025)):
            outline += _FILL * depth * np.cos(lobes * angle + self.rng.uniform(0, 2 * math.pi))
        edge = (outline - np.hypot(y, x)) * self.size / self.pixel
        return np.asarray(np.clip(0.5 + edge, 0, 1), dtype=np.float64)

    def boundary(self) -> Array:
        """Part of each pixel that lies beyond a slightly wavy line near the middle."""
        across, along = _turned(self.y, self.x, self.rng.uniform(0.3, 1.2))
        phase, place = self.rng.uniform(0, 2 * math.pi), self.rng.uniform(-0.25, 0.25)
        wave = 0.08 * self.size * np.sin(2.5 * along / self.size + phase)
        return boundary_fraction(across - place * self.size - wave, 0.6 * self.pixel)

    def orientation(self, side: Array) -> tuple[Array, Array]:
        """Centers along mu and chi, degrees."""
        form = self.form
        along, across = _turned(self.y, self.x, self.rng.uniform(-0.4, 0.4))
        radius = form.bending_radius * 1e6
        step = form.boundary_angle * (side - 0.5)
        bent, saddle = along / radius, -self.optics.material.poisson * across / radius
        mu = np.degrees(bent + self.pile_ups()) + step + form.mosaic * self.field(0.3)
        return mu, np.degrees(saddle) + _TWIST * step + form.mosaic * self.field(0.3)

    def pile_ups(self) -> Array:
        """Rotation − tan θ · strain of edge dislocations of either sign, radians."""
        material = self.optics.material
        slope = math.tan(math.radians(self.optics.theta))
        total = np.zeros((self.y.size, self.x.size))
        for _ in range(self.form.dislocations):
            y0, x0 = self.rng.uniform(-0.55, 0.55, 2) * (self.half_y, self.half_x)
            burgers = self.rng.choice([-1e-4, 1e-4]) * self.form.pile_up * material.burgers
            y, x = self.y - y0, self.x - x0
            total += edge_rotation(y, x, burgers, self.pixel)
            total -= slope * edge_strain(y, x, burgers, material.poisson, self.pixel)
        return total

    def width(self, tilt: Array, stored: Array, step: float, side: Array) -> Array:
        """Full width at half maximum, from the sum of all variances within a pixel."""
        # the boundary's own slope is left out of the gradient: its term is step² p (1 − p)
        slope_y, slope_x = np.gradient(tilt - step * side)
        variance = fwhm_to_sigma(self.form.intrinsic_fwhm) ** 2 + stored**2
        variance += (slope_y**2 + slope_x**2) / 12 + step**2 * side * (1 - side)
        return sigma_to_fwhm(np.sqrt(variance))

    def illumination(self) -> Array:
        """Beam and objective's pupil, both Gaussian: 1 at the center."""
        y, x = self.y / self.half_y, self.x / self.half_x
        return np.asarray(np.exp(-0.5 * ((y / 0.9) ** 2 + (x / 1.1) ** 2)), dtype=np.float64)


def _centered(length: int, step: float) -> Array:
    return np.asarray((np.arange(length) - (length - 1) / 2) * step, dtype=np.float64)


def _turned(y: Array, x: Array, angle: float) -> tuple[Array, Array]:
    cosine, sine = math.cos(angle), math.sin(angle)
    return y * cosine + x * sine, -y * sine + x * cosine
