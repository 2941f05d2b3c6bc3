"""A camera: offset, gain, read noise, saturation and hot pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.seeds import Purpose, generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

_QUANTIZATION = 1 / 12
_LARGEST = 65535


@dataclass(frozen=True)
class Camera:
    """A 16-bit camera with the noise model variance = read_noise² + (I − offset) / gain.

    The defaults are near those of a scientific CMOS camera of 0.46 electrons per ADU.

    Attributes
    ----------
    offset : float
        Mean of a dark frame, ADU.
    gain : float
        Electrons per ADU.
    read_noise : float
        Standard deviation of a dark frame, ADU; that of rounding, 1/√12, is part of it.
    saturation : int
        Largest value a pixel can have, ADU.
    hot_pixels : float
        Fraction of pixels that add counts of their own to every frame, dark ones included.
    hot_counts : float
        Mean of what they add, ADU; it is exponentially distributed and at least a tenth of it.

    Examples
    --------
    >>> Camera(offset=100, gain=0.5, read_noise=3).variance(1000.0)
    2009.0
    >>> Camera.ideal().variance(1000.0)
    1000.0

    """

    offset: float = 100.0
    gain: float = 0.46
    read_noise: float = 3.0
    saturation: int = _LARGEST
    hot_pixels: float = 2e-4
    hot_counts: float = 2000.0

    def __post_init__(self) -> None:
        problems = "; ".join(_problems(self))
        if problems:
            raise NxscanError(f"no such camera: {problems}")

    @classmethod
    def ideal(cls) -> Camera:
        """Return a camera that counts photons and adds nothing: pure Poisson counts."""
        return cls(offset=0.0, gain=1.0, read_noise=0.0, hot_pixels=0.0)

    def variance(self, signal: float) -> float:
        """Return the variance in ADU² at ``signal`` ADU above the offset."""
        return self.read_noise**2 + signal / self.gain

    def hot_map(self, shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
        """Return what the hot pixels add to every frame, ADU; 0 where a pixel is good."""
        rng = generator(seed, Purpose.HOT_PIXELS)
        hot = rng.random(shape) < self.hot_pixels
        extra = np.zeros(shape, np.float32)
        extra[hot] = self.hot_counts * (0.1 + 0.9 * rng.standard_exponential(int(hot.sum())))
        return extra

    def expose(self, signal: ArrayLike, rng: np.random.Generator) -> NDArray[np.uint16]:
        """Return one frame of the camera.

        Parameters
        ----------
        signal : array_like
            Expected value above the offset, ADU.
        rng : Generator
            Where the noise comes from.

        Returns
        -------
        ndarray of uint16
            offset + Poisson(gain · signal) / gain + read noise, rounded and clipped.

        """
        values = rng.poisson(np.asarray(signal, np.float64) * self.gain) / self.gain
        if self.added_noise:
            values += self.added_noise * rng.standard_normal(values.shape, dtype=np.float32)
        return self.digitize(values + self.offset)

    @property
    def added_noise(self) -> float:
        """The read noise less that of rounding, ADU: what is added before rounding."""
        return math.sqrt(max(0.0, self.read_noise**2 - _QUANTIZATION))

    def digitize(self, values: NDArray[np.floating]) -> NDArray[np.uint16]:
        """Return values in ADU as the camera gives them: whole, from 0 to saturation."""
        whole: NDArray[np.uint16] = np.rint(values).clip(0, self.saturation).astype(np.uint16)
        return whole


def _problems(camera: Camera) -> Iterator[str]:
    if not camera.gain > 0:
        yield f"gain must be above 0 electrons per ADU, but is {camera.gain}"
    if not 1 <= camera.saturation <= _LARGEST:
        yield f"saturation must be 1 to {_LARGEST} ADU, but is {camera.saturation}"
    if not 0 <= camera.hot_pixels <= 1:
        yield f"hot_pixels must be a fraction from 0 to 1, but is {camera.hot_pixels}"
    for name in ("offset", "read_noise", "hot_counts"):
        value = getattr(camera, name)
        if not value >= 0:
            yield f"{name} must be 0 ADU or more, but is {value}"
