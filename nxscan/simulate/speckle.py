"""Shots of a few identical particles: rings whose angular correlation is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.powder import Ring, powder_rings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nxscan.simulate.mpccd import Mpccd

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class Speckle:
    """How bright the rings are, and how that depends on the azimuth.

    A particle at angle φ_j scatters 1 + Σ a_m cos(m (φ − φ_j)) along every ring. A shot is the
    mean over particles, each at a random angle, so along a ring

        C(Δ) = ⟨I(φ) I(φ + Δ)⟩ / ⟨I⟩² − 1 = Σ a_m² cos(mΔ) / (2 N)

    with N particles: exactly for every shot where N is 1, in the mean over shots otherwise. Every
    ring shows the same angles, so C(Δ) is the correlation between two rings as well. Photons are
    counted independently in each pixel: they add to C(0) alone. What ``background`` adds to
    ⟨I⟩ must be taken off first.

    Attributes
    ----------
    photons : float
        Per pixel and shot at the crest of the strongest ring, in a mean pulse.
    width : float
        Standard deviation of the rings along the radius, pixels.
    background : float
        Photons per pixel and shot everywhere else, in a mean pulse.
    harmonics : mapping of int to float
        a_m; the sum of their magnitudes is at most 1.
    particles : int
        N.
    pump : float
        What laser-on shots have more, as a part of the ring: rings are 1 + pump times brighter.

    """

    photons: float = 5.0
    width: float = 1.5
    background: float = 0.2
    harmonics: Mapping[int, float] = field(default_factory=lambda: {4: 0.5, 6: 0.3})
    particles: int = 1
    pump: float = 0.04

    def __post_init__(self) -> None:
        if sum(abs(a) for a in self.harmonics.values()) > 1 or any(m < 1 for m in self.harmonics):
            raise NxscanError(
                f"harmonics {dict(self.harmonics)} make negative intensities",
                "the sum of their magnitudes must be at most 1, their orders 1 or more",
            )
        if self.particles < 1:
            raise NxscanError(f"particles must be 1 or more, but are {self.particles}")

    def correlation(self, lag: ArrayLike) -> Array:
        """Return C(Δ) along a ring, for angles Δ in degrees.

        >>> Speckle(harmonics={4: 0.5}).correlation([0.0, 45.0, 90.0]).round(4).tolist()
        [0.125, -0.125, 0.125]
        """
        angle = np.radians(np.asarray(lag, np.float64))
        terms = (a**2 * np.cos(m * angle) for m, a in self.harmonics.items())
        return np.asarray(sum(terms, np.zeros(angle.shape)) / (2 * self.particles))

    def moments(self, orientations: Array) -> dict[int, complex]:
        """Return a_m ⟨exp(−i m φ_j)⟩ of a shot whose particles are at φ_j, in degrees."""
        angles = np.radians(orientations)
        return {m: a * complex(np.exp(-1j * m * angles).mean()) for m, a in self.harmonics.items()}


@dataclass(frozen=True, eq=False)
class Pattern:
    """Expected and recorded images of one panel.

    Attributes
    ----------
    detector : Mpccd
        Which detector.
    name : str
        Group of the panel.
    speckle : Speckle
        What the rings are like.

    """

    detector: Mpccd
    name: str
    speckle: Speckle

    @cached_property
    def rings(self) -> tuple[Ring, ...]:
        """The rings, the same for every panel."""
        detector = self.detector
        return powder_rings(detector.energy, detector.sample_distance, detector.pixel)

    @cached_property
    def _mean(self) -> Array:
        """Photons of the rings per pixel, averaged over orientations."""
        radius, _ = self.detector.polar(self.name)
        mean = np.zeros(radius.shape)
        for ring in self.rings:
            mean += ring.intensity * np.exp(
                -0.5 * ((radius - ring.radius) / self.speckle.width) ** 2
            )
        return mean * self.speckle.photons

    @cached_property
    def _waves(self) -> dict[int, NDArray[np.complex64]]:
        """exp(i m φ) for every pixel."""
        _, azimuth = self.detector.polar(self.name)
        return {m: np.exp(1j * m * azimuth).astype(np.complex64) for m in self.speckle.harmonics}

    def expected(self, orientations: Array, *, laser: bool, pulse: float) -> Array:
        """Return the photons that a shot brings to each pixel in the mean.

        Parameters
        ----------
        orientations : ndarray, shape (particles,)
            Angles of the particles, degrees.
        laser : bool
            Was the pump laser on?
        pulse : float
            Energy of the pulse over that of a mean one; 0 is a dark shot.

        """
        factor = np.ones(self._mean.shape)
        for m, moment in self.speckle.moments(orientations).items():
            factor += (self._waves[m] * np.complex64(moment)).real
        rings = self._mean * factor * (1 + self.speckle.pump if laser else 1.0)
        return np.asarray(pulse * (rings + self.speckle.background))

    def expose(self, photons: Array, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return an image in ADU: Poisson photons times ADU per photon, and noise around 0."""
        detector = self.detector
        counted = rng.poisson(photons).astype(np.float32)
        image = counted * np.float32(detector.adu_per_photon)
        noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(detector.noise)
        return image + noise
