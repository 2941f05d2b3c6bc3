"""Mosaicity: the orientations of a map in color."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nxscan.analysis.colors import Scheme, color
from nxscan.analysis.orientations import contours, density, lattice, robust_range
from nxscan.analysis.tilts import TiltParameters, TiltProcess
from nxscan.model import Axis
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

    Array = NDArray[np.float64]
    Range = tuple[float, float]

_CHANNELS = Axis("channel", np.arange(4.0), "", "red, green, blue, opacity")
_BLACK = (0, 0, 0, 255)


class MosaicityParameters(TiltParameters):
    """How orientations become colors."""

    colors: Scheme = Field(
        "oklab",
        description="'oklab': equal differences of orientation look equal; 'hsv': direction is "
        "hue, distance from the middle is saturation.",
    )
    first_range: tuple[float, float] | None = Field(
        None,
        description="Lowest and highest center along the first motor, in its unit; by default what "
        "the middle part of the pixels spans.",
    )
    second_range: tuple[float, float] | None = Field(
        None, description="The same along the second motor."
    )
    percent: float = Field(
        99.0,
        gt=0,
        le=100,
        description="Part of the pixels that a range spans if it is not given; others have the "
        "color of its end.",
    )
    key_size: int = Field(100, ge=8, le=1024, description="Cells of the key along each motor.")
    contours: tuple[float, ...] = Field(
        (50.0, 90.0),
        description="Lines in the key, each about the densest orientations that so many percent of "
        "the pixels have.",
    )


class Mosaicity(TiltProcess):
    """The orientation of every pixel as a color, with the key, and how often each one is.

    ``color`` is a picture: red, green, blue and opacity of each pixel, 0 where its orientation is
    not known. ``key`` is the color of each pair of centers, with lines about the densest
    orientations; ``distribution`` is their density, the part of the pixels in a square degree,
    which is the orientation distribution that this reflection sees.

    By the colors ``oklab`` equal differences of orientation look equal, and no two orientations
    have the same color; by ``hsv`` they do not and may.

    """

    bytes_per_value = 240
    Parameters = MosaicityParameters

    _ranges: tuple[Range, Range] = ((0.0, 1.0), (0.0, 1.0))
    _cells: tuple[Array, Array]

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the picture, its key and the distribution."""
        self.prepare_tilts(scan, least=2)
        needed = [*self._names, *(name for name in ("status",) if name in scan.signals)]
        found = self.maps_in({name: scan.signals[name].read((...,)) for name in needed})
        given = self.parameters
        wanted = (given.first_range, given.second_range)
        first, second = (
            range_ or robust_range(each.values, given.percent)
            for range_, each in zip(wanted, found, strict=True)
        )
        self._ranges = (first, second)
        self._cells = lattice(first, given.key_size), lattice(second, given.key_size)
        across, up = (
            Axis(each.motor, cells, each.units, each.motor)
            for each, cells in zip(found, self._cells, strict=True)
        )
        percent = ", ".join(f"{value:g} %" for value in given.contours)
        square = f"1/({found[0].units}*{found[1].units})"
        key = "colors of orientations" + (f"; lines: {percent} of the pixels" if percent else "")
        return [
            Output(
                "color",
                "",
                dims=(self._space.y, self._space.x, _CHANNELS),
                dtype=np.uint8,
                default=True,
                interpretation="rgba-image",
                long_name=f"orientation by {self._motors[0]} and {self._motors[1]}",
                note=f"{self._said()}; {self.note}",
            ),
            Output(
                "key",
                "",
                dims=(up, across, _CHANNELS),
                dtype=np.uint8,
                interpretation="rgba-image",
                long_name=key,
            ),
            Output(
                "distribution",
                square,
                dims=(up, across),
                interpretation="image",
                long_name="part of the pixels",
            ),
            self.status_output(),
        ]

    def compute(self, block: Block) -> Arrays:
        """Return the picture, its key and the distribution."""
        first, second = self.maps(block)
        cells = density(first.values, second.values, *self._cells)
        key = self._colored(*np.meshgrid(*self._cells))
        known = int((np.isfinite(first.values) & np.isfinite(second.values)).sum())
        key[contours(cells, self.parameters.contours, known)] = _BLACK
        return {
            "color": self._colored(first.values, second.values),
            "key": key,
            "distribution": cells,
            "status": self.status(block),
        }

    def _colored(self, first: Array, second: Array) -> NDArray[np.uint8]:
        across, up = (
            2 * (values - low) / (high - low) - 1
            for values, (low, high) in zip((first, second), self._ranges, strict=True)
        )
        return color(across, up, self.parameters.colors)

    def _said(self) -> str:
        parts = [
            f"{name} from {low:.6g} to {high:.6g} {units}"
            for name, units, (low, high) in zip(
                self._motors, self._units, self._ranges, strict=True
            )
        ]
        return f"{self.parameters.colors} colors of {', '.join(parts)}; beyond: as at the end"
