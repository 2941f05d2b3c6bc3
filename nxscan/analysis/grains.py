"""Segmentation of a map into grains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.segments import GrainParameters, grain_means, segment
from nxscan.analysis.tilts import TiltProcess
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays


class Grains(TiltProcess):
    """Grains: connected pixels without a step in orientation above the threshold.

    Neighboring pixels belong together if they are misoriented by no more than the threshold; a
    grain is all that hangs together so. It may be bent by much more than the threshold: only
    steps part grains.

    Outputs are ``grain``, its number at each pixel (1 is the largest, 0 none), ``size`` of the
    pixel's grain, the mean center along each motor, ``number`` of grains, and ``status``.

    """

    bytes_per_value = 180
    Parameters = GrainParameters

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the maps."""
        self.prepare_tilts(scan)
        given = self.parameters
        step = (
            "gaps alone" if given.threshold is None else f"steps above {given.threshold:g} degree"
        )
        units = "" if self._space.optics is None else "um^2"
        plain = {"errors": False}
        found = [
            self.map_output(
                "grain",
                "",
                "number of the grain",
                default=True,
                dtype=np.int32,
                errors=False,
                note=f"parted by {step}; {self.how}",
            ),
            self.map_output("size", units, "size of the grain", **plain),
        ]
        found += [
            self.map_output(f"mean_{name}", units, f"mean {name} of the grain", **plain)
            for name, units in zip(self._motors, self._units, strict=True)
        ]
        number = Output("number", "", dims=(), dtype=np.int32, long_name="number of grains")
        return [*found, number, self.status_output()]

    def compute(self, block: Block) -> Arrays:
        """Return the maps."""
        given, maps = self.parameters, self.maps(block)
        labels = segment(self.tilts(block), given.threshold, given.neighbors, given.least)
        means = grain_means(np.stack([each.values for each in maps]), labels)
        found: dict[str, NDArray[np.generic]] = {
            "grain": labels,
            "size": self._sizes(labels),
            "number": np.array(labels.max(), np.int32),
            "status": self.status(block),
        }
        for each, mean in zip(maps, means, strict=True):
            found[f"mean_{each.motor}"] = mean
        return found

    def _sizes(self, labels: NDArray[np.int32]) -> NDArray[np.float64]:
        optics = self._space.optics
        area = 1.0 if optics is None else float(np.prod(optics.sample_pixel))
        pixels = np.bincount(labels.ravel())[labels]
        return np.where(labels > 0, pixels * area, np.nan)
