"""A multi-port CCD of SACLA: panels side by side, its gain, its noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.microscope import HC, bragg_angle
from nxscan.simulate.powder import GOLD_LATTICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Polar = tuple[NDArray[np.float64], NDArray[np.float64]]

ELECTRON_HOLE_PAIR = 3.65
"""Energy that makes one electron in silicon, eV, as SACLA's programs have it."""

ASSEMBLED = "detector_2d_assembled_1"
"""Group of the image that DataConvert makes of all panels."""

_OUTERMOST = (3, 1, 1)
_FILL = 0.9
"""Where the outermost ring lies if no distance is given, of the detector's half width."""


@dataclass(frozen=True)
class Mpccd:
    """A detector of equal panels in one or two rows, all unrotated.

    Attributes
    ----------
    panels : int
        How many; an even number from 4 stands in two rows, others in one.
    shape : (int, int)
        Rows and columns of one panel.
    gap : int
        Pixels between neighboring panels; an assembled image holds 0 there.
    pixel : float
        Side of a pixel, µm.
    energy : float
        Photon energy, keV.
    distance : float or None
        From the sample, mm; None brings the outermost gold ring to 0.9 of the half width.
    center : (float, float) or None
        Row and column where the beam meets the assembled detector, in pixels, the center of the
        first pixel being 0; None is a little beside the middle.
    gain : float
        ``absolute_gain``, electrons per ADU.
    noise : float
        Standard deviation of a dark pixel, ADU. The mean of dark pixels is 0, as after
        subtraction of the pedestal: half of them are negative.

    """

    panels: int = 1
    shape: tuple[int, int] = (1024, 512)
    gap: int = 8
    pixel: float = 50.0
    energy: float = 15.0
    distance: float | None = None
    center: tuple[float, float] | None = None
    gain: float = 16.912
    noise: float = 12.0

    def __post_init__(self) -> None:
        problems = "; ".join(_problems(self))
        if problems:
            raise NxscanError(f"no such detector: {problems}")

    @property
    def layout(self) -> tuple[int, int]:
        """Rows and columns of panels."""
        rows = 2 if self.panels >= 4 and self.panels % 2 == 0 else 1
        return rows, self.panels // rows

    @property
    def assembled_shape(self) -> tuple[int, int]:
        """Rows and columns of pixels of all panels with their gaps."""
        (rows, columns), (height, width) = self.layout, self.shape
        return rows * (height + self.gap) - self.gap, columns * (width + self.gap) - self.gap

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the panels' groups, which count from 1."""
        return tuple(f"detector_2d_{k + 1}" for k in range(self.panels))

    @property
    def wavelength(self) -> float:
        """λ = hc / E, Å."""
        return HC / self.energy

    @property
    def sample_distance(self) -> float:
        """From the sample to the detector, mm."""
        if self.distance is not None:
            return self.distance
        two_theta = 2 * math.radians(bragg_angle(GOLD_LATTICE, _OUTERMOST, self.energy))
        reach = _FILL * min(self.assembled_shape) / 2 * self.pixel * 1e-3
        return reach / math.tan(two_theta)

    @property
    def beam_center(self) -> tuple[float, float]:
        """Row and column where the beam meets the assembled detector."""
        if self.center is not None:
            return self.center
        height, width = self.assembled_shape
        return (height - 1) / 2 + 1.3, (width - 1) / 2 - 0.7

    @property
    def adu_per_photon(self) -> float:
        """E / (3.65 eV · gain)."""
        return self.energy * 1e3 / (ELECTRON_HOLE_PAIR * self.gain)

    def size_of(self, name: str) -> tuple[int, int]:
        """Return rows and columns of a panel's image, or of the assembled one."""
        return self.assembled_shape if name == ASSEMBLED else self.shape

    def corner(self, name: str) -> tuple[int, int]:
        """Return row and column of a panel's first pixel in the assembled image."""
        if name == ASSEMBLED:
            return 0, 0
        row, column = divmod(self.names.index(name), self.layout[1])
        return row * (self.shape[0] + self.gap), column * (self.shape[1] + self.gap)

    def center_on(self, name: str) -> tuple[float, float]:
        """Return row and column of the beam in a panel's own pixels; it may lie outside."""
        (row, column), (y, x) = self.corner(name), self.beam_center
        return y - row, x - column

    def polar(self, name: str) -> Polar:
        """Return radius in pixels and azimuth of every pixel of an image.

        Returns
        -------
        radius, azimuth : ndarray of float64, shape (y, x)
            The azimuth, in radians, is 0 along the fast axis and grows towards the slow one.

        """
        rows, columns = self.size_of(name)
        center_y, center_x = self.center_on(name)
        y = np.arange(rows)[:, np.newaxis] - center_y
        x = np.arange(columns)[np.newaxis, :] - center_x
        return np.hypot(y, x), np.arctan2(y, x)

    def coordinate(self, name: str) -> tuple[float, float, float]:
        """Return where a panel's first pixel lies from the beam, µm.

        x grows with columns, y against rows, as readers of Cheetah's files have it; z is 0,
        since SACLA's files do not tell how far the detector is from the sample.
        """
        center_y, center_x = self.center_on(name)
        return -center_x * self.pixel, center_y * self.pixel, 0.0


def _problems(detector: Mpccd) -> Iterator[str]:
    if not 1 <= detector.panels <= 99:
        yield f"panels must be 1 to 99, but are {detector.panels}"
    if len(detector.shape) != 2 or min(detector.shape) < 2:
        yield f"shape must be rows and columns, 2 or more, but is {detector.shape}"
    if detector.gap < 0:
        yield f"gap must be 0 pixels or more, but is {detector.gap}"
    for name in ("pixel", "energy", "gain"):
        value = getattr(detector, name)
        if not value > 0:
            yield f"{name} must be above 0, but is {value}"
    if not detector.noise >= 0:
        yield f"noise must be 0 ADU or more, but is {detector.noise}"
    if detector.distance is not None and not detector.distance > 0:
        yield f"distance must be above 0 mm, but is {detector.distance}"
