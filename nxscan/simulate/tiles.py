"""Noise from one tile of random numbers that is shifted for every frame: fast, nearly random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.simulate.seeds import Purpose, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.simulate.camera import Camera

    Map = NDArray[np.float32]

_SPARE = 1 << 19


@dataclass(frozen=True, eq=False)
class NoiseTile:
    """Standard normal deviates for one frame and some more, to shift the frame along.

    Attributes
    ----------
    values : ndarray of float32, 1-D
        The deviates.
    width : int
        Pixels in a row of a frame.

    """

    values: Map
    width: int

    @classmethod
    def make(cls, shape: tuple[int, int], seed: int) -> NoiseTile:
        """Draw a tile for frames of ``shape``."""
        rng = generator(seed, Purpose.NOISE_TILE)
        return cls(rng.standard_normal(shape[0] * shape[1] + _SPARE, dtype=np.float32), shape[1])

    def shift(self, rng: np.random.Generator) -> int:
        """Draw where in the tile a frame begins."""
        return int(rng.integers(_SPARE))

    def expose(self, signal: Map, camera: Camera, row: int, shift: int) -> NDArray[np.uint16]:
        """Return rows of a frame: a normal deviate with the camera's variance.

        Parameters
        ----------
        signal : ndarray of float32, shape (rows, width)
            Expected value above the offset, ADU.
        camera : Camera
            Whose offset, gain, read noise and saturation hold.
        row : int
            The first row within the frame.
        shift : int
            Where in the tile the frame begins.

        """
        start = shift + row * self.width
        deviates = self.values[start : start + signal.size].reshape(signal.shape)
        values = signal * np.float32(1 / camera.gain)
        values += np.float32(camera.added_noise**2)
        np.sqrt(values, out=values)
        values *= deviates
        values += signal
        values += np.float32(camera.offset)
        return camera.digitize(values)
