"""Grain reference orientation deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.segments import GrainParameters, grain_means, mean_tilts, segment
from nxscan.analysis.tilts import TiltProcess

if TYPE_CHECKING:
    from nxscan.analysis.segments import Array, Labels
    from nxscan.analysis.tilts import Tilts
    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays
    from nxscan.process.output import Output


class GROD(TiltProcess):
    """Grain reference orientation deviation: how much a pixel differs from its grain's mean.

    GROD = misorientation of the pixel to the mean orientation of its grain, in degrees. Grains
    are those of the process ``grains``, by the same parameters; without a threshold, all that
    hangs together is one grain. Pixels in no grain are NaN.

    ``grod_errors`` follow from those of the centers to first order, the grain's mean included.

    """

    bytes_per_value = 190
    Parameters = GrainParameters

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the map."""
        self.prepare_tilts(scan)
        given = self.parameters
        step = (
            "gaps alone" if given.threshold is None else f"steps above {given.threshold:g} degree"
        )
        return [
            self.map_output(
                "grod",
                "degree",
                "misorientation to the grain's mean",
                default=True,
                note=f"grains parted by {step}; {self.how}",
            ),
            self.map_output(
                "grain", "", "number of the grain", errors=False, dtype=np.int32, note=""
            ),
            self.status_output(),
        ]

    def compute(self, block: Block) -> Arrays:
        """Return the map."""
        given, tilts = self.parameters, self.tilts(block)
        labels = segment(tilts, given.threshold, given.neighbors, given.least)
        found = tilts.distance(mean_tilts(tilts, labels))
        return {
            "grod": found,
            "grod_errors": _errors(tilts, labels, found),
            "grain": labels,
            "status": self.status(block),
        }


def _errors(tilts: Tilts, labels: Labels, found: Array) -> Array:
    """Return one standard deviation of pixel less mean, along the line between them."""
    away = tilts.plane - grain_means(tilts.plane, labels)
    length = np.sqrt((away**2).sum(axis=0))
    parts = len(tilts.plane)
    along = np.where(length > 0, away / np.where(length > 0, length, 1), 1 / np.sqrt(parts))
    pixels = np.bincount(labels.ravel())[labels]
    # Var(p - mean) = Var(p) (1 - 2 / n) + the mean of all variances / n
    of_mean = grain_means(tilts.variance, labels) / pixels
    spread = (along**2 * (tilts.variance * (1 - 2 / pixels) + of_mean)).sum(axis=0)
    return np.where(np.isfinite(found), np.sqrt(np.maximum(spread, 0)), np.nan)
