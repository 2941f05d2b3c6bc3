"""Kernel average misorientation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis.tilts import TiltParameters, TiltProcess
from nxscan.kernels.neighbors import neighbor_distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays
    from nxscan.process.output import Output

Shape = Literal["square", "disc", "cross"]


class KamParameters(TiltParameters):
    """Which neighbors count."""

    radius: int = Field(
        1, ge=1, le=50, description="How far neighbors are, along rows and columns, in pixels."
    )
    shape: Shape = Field(
        "square",
        description="'square' takes all of (2 radius + 1)² - 1; 'disc' those within the radius; "
        "'cross' those in the pixel's own row and column.",
    )
    threshold: float | None = Field(
        None,
        gt=0,
        description="Neighbors that are misoriented by more do not count: they are of another "
        "grain. By default all count.",
        json_schema_extra={"units": "degree"},
    )


class KAM(TiltProcess):
    """Kernel average misorientation: how much a pixel differs from its neighbors.

    KAM = mean over the valid neighbors j of a pixel i, within the kernel, of the misorientation of
    i and j, in degrees. An isolated pixel that is tilted by 1 has 1, and each of its eight
    neighbors, by a 3 × 3 kernel, 1/8. Neighbors that are masked, or misoriented by more than the
    threshold, do not count; a pixel that has none left is NaN.

    ``count`` is the number of neighbors that counted. Noise alone gives a KAM of about its
    own size, since misorientations are positive: see ``kam_errors``, which is to first order.

    """

    bytes_per_value = 140
    Parameters = KamParameters

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the map."""
        self.prepare_tilts(scan)
        given = self.parameters
        at = "" if given.threshold is None else f", up to {given.threshold:g} degree"
        kernel = f"{given.shape} of radius {given.radius}{at}"
        return [
            self.map_output(
                "kam",
                "degree",
                "kernel average misorientation",
                default=True,
                note=f"kernel: {kernel}; {self.how}",
            ),
            self.map_output(
                "count", "", "neighbors that counted", errors=False, dtype=np.int32, note=""
            ),
            self.status_output(),
        ]

    def compute(self, block: Block) -> Arrays:
        """Return the map."""
        tilts, status = self.tilts(block), self.status(block)
        shape = tilts.valid.shape
        mean, error, count = np.empty(shape), np.empty(shape), np.empty(shape, np.int64)
        threshold = self.parameters.threshold
        neighbor_distances(
            np.ascontiguousarray(tilts.field),
            np.ascontiguousarray(tilts.plane),
            np.ascontiguousarray(tilts.variance),
            tilts.valid,
            kernel_offsets(self.parameters.shape, self.parameters.radius),
            np.inf if threshold is None else threshold,
            tilts.angular,
            mean,
            error,
            count,
        )
        return {
            "kam": mean,
            "kam_errors": error,
            "count": count.astype(np.int32),
            "status": status,
        }


def kernel_offsets(shape: Shape, radius: int) -> NDArray[np.int64]:
    """Return rows and columns of the neighbors in a kernel, from its middle.

    >>> len(kernel_offsets("square", 1)), len(kernel_offsets("cross", 1))
    (8, 4)
    """
    rows, columns = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    inside = {
        "square": np.ones(rows.shape, bool),
        "disc": rows**2 + columns**2 <= radius**2,
        "cross": (rows == 0) | (columns == 0),
    }[shape]
    inside[radius, radius] = False
    return np.stack([rows[inside], columns[inside]], axis=1).astype(np.int64)
