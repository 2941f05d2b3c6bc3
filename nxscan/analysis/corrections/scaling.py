"""A factor for every frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.corrections.steps import as_floats, done, own_variance, positions, room
from nxscan.kernels import corrections as kernels
from nxscan.process.correction import Bound, Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames


@dataclass(frozen=True, eq=False)
class Scaling(Bound):
    """f · I for every frame; the variance grows by f².

    Attributes
    ----------
    factors : ndarray of float64, shape of the scan
        f of each position; NaN makes a frame NaN and not valid.

    """

    factors: NDArray[np.float64]

    @property
    def after(self) -> Layout:
        """The same shape, as floats."""
        return as_floats(self.before)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Multiply each frame."""
        dtype = self.after.dtype
        factors = positions(self.factors, region)
        values, out, fresh = room(frames, dtype)
        kernels.scale(values, factors.astype(dtype), out, fresh)
        variance = own_variance(frames)
        if variance is not None:
            kernels.scale(variance, (factors**2).astype(np.float32), variance, False)
        return done(frames, region, out, variance, missing=bool(np.isnan(factors).any()))
