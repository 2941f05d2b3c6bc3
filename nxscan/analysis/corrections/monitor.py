"""Normalization by a monitor of the beam."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nxscan.analysis.corrections.scaling import Scaling
from nxscan.analysis.corrections.steps import per_position
from nxscan.errors import ProcessError
from nxscan.process.correction import Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from nxscan.model import Scan


class Monitor(Correction):
    """Multiply each frame by ⟨m⟩ / m, m being what a monitor counted for it.

    ⟨m⟩ is the mean over all positions of the scan where m is positive, so that values keep
    their size. Where m is not positive, or missing, the frame is NaN and not valid. The
    monitor's own noise is not added to the variances.
    """

    name = "monitor"

    class Parameters(ProcessParameters):
        """What a user may set."""

        counter: str = Field(description="Name of the counter (or reading) in the scan.")

    def bind(self, scan: Scan, layout: Layout) -> Scaling:
        """Find the counter and make factors of it."""
        name = self.parameters.counter
        counted = per_position(scan, name, layout, self.name)
        good = np.isfinite(counted) & (counted > 0)
        if not good.any():
            raise ProcessError(
                f"correction monitor: {name!r} is nowhere positive in {scan.title!r}"
            )
        factors = np.full(counted.shape, np.nan)
        np.divide(counted[good].mean(), counted, out=factors, where=good)
        return Scaling(before=layout, factors=factors)
