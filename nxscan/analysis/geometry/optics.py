"""The microscope's objective: magnification, what a pixel sees of the sample, and where.

The image of one lens is upside down and mirrored. Points of the sample therefore lie at *minus*
the place of their pixel, whichever way rows and columns grow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Layer = Literal["projection", "perpendicular", "vertical"]


def magnification(mainx: float, obx: float) -> float:
    """Return M = (|mainx| − |obx|) / |obx|: image distance over object distance of a thin lens.

    Both are measured from the sample along the direct beam, so that the part 1 / cos 2θ of both
    cancels. Signs of the motors do not matter.

    >>> round(magnification(-5000, 263), 4)
    18.0114
    """
    return (abs(mainx) - abs(obx)) / abs(obx)


def object_distance(obx: float, two_theta: float) -> float:
    """Return d₁ = |obx| / cos 2θ, from the sample to the objective along the diffracted beam."""
    return abs(obx) / math.cos(two_theta)


@dataclass(frozen=True)
class Optics:
    """How pixels of a map and points of the sample belong together.

    Attributes
    ----------
    magnification : float
        M; of the X-ray objective alone where ``pixel`` is what the scintillator sees.
    pixel : tuple of float
        Size of the detector's pixels along rows (y) and columns (x), µm.
    two_theta : float or None
        2θ of the reflection, radians; only a layer needs it.
    layer : {"projection", "perpendicular", "vertical"}
        What lies along the rows: the projection of a volume, p / M; or a layer that a line beam
        cuts out, seen obliquely: p / (M sin 2θ) on a detector perpendicular to the optical axis,
        p / (M tan 2θ) on a vertical one.
    directions : tuple of int
        Which way rows and columns grow: 1 along the laboratory's z and y, −1 against them.
    inverted : bool
        Whether the objective turns the image upside down and mirrors it.

    """

    magnification: float
    pixel: tuple[float, float]
    two_theta: float | None = None
    layer: Layer = "projection"
    directions: tuple[int, int] = (1, 1)
    inverted: bool = True

    @property
    def signs(self) -> tuple[int, int]:
        """Which way the sample's coordinates grow along rows and columns."""
        turned = -1 if self.inverted else 1
        return turned * self.directions[0], turned * self.directions[1]

    @property
    def projected_pixel(self) -> tuple[float, float]:
        """What a pixel sees across the diffracted beam, µm."""
        return self.pixel[0] / self.magnification, self.pixel[1] / self.magnification

    @property
    def sample_pixel(self) -> tuple[float, float]:
        """What a pixel sees of the sample along rows and columns, µm."""
        across, sideways = self.projected_pixel
        if self.layer == "projection" or self.two_theta is None:
            return across, sideways
        stretch = math.sin if self.layer == "perpendicular" else math.tan
        return across / stretch(self.two_theta), sideways

    def axis(self, values: NDArray[np.float64], dimension: int) -> NDArray[np.float64]:
        """Return the sample's coordinates along rows (0) or columns (1), µm, 0 in the middle."""
        return self._scaled(values, self.signs[dimension] * self.sample_pixel[dimension])

    @staticmethod
    def _scaled(values: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
        middle = 0.5 * (values[0] + values[-1])
        return np.asarray((values - middle) * factor, np.float64)
