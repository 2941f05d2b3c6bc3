"""A frame that is subtracted from every frame, with its own uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.corrections.steps import as_floats, done, own_variance, pixels, room
from nxscan.kernels import corrections as kernels
from nxscan.process.correction import Bound, Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.corrections.stacks import Stacked
    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames


@dataclass(frozen=True, eq=False)
class Subtraction(Bound):
    """I − f for every frame; the variance grows by that of f.

    Attributes
    ----------
    frame : ndarray, shape of a frame
        f, in the type of what comes out.
    less_variance : ndarray of float32, shape of a frame
        Minus the variance of f.

    """

    frame: NDArray[Any]
    less_variance: NDArray[np.float32]

    @property
    def after(self) -> Layout:
        """The same shape, as floats."""
        return as_floats(self.before)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Subtract."""
        values, out, fresh = room(frames, self.frame.dtype)
        kernels.subtract(values, pixels(self.frame, region), out, fresh)
        variance = own_variance(frames)
        if variance is not None:
            kernels.subtract(variance, pixels(self.less_variance, region), variance, False)
        return done(frames, region, out, variance, missing=False)


def subtraction(stacked: Stacked, scale: float, layout: Layout) -> Subtraction:
    """Return the subtraction of ``scale`` times a frame from what comes in."""
    dtype = as_floats(layout).dtype
    return Subtraction(
        before=layout,
        frame=np.ascontiguousarray(scale * stacked.frame, dtype),
        less_variance=np.ascontiguousarray(-(scale**2) * stacked.variance, np.float32),
    )
