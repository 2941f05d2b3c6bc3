"""Division by the scan's flat field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis.corrections.dark import dark_frame
from nxscan.analysis.corrections.stacks import combine, every
from nxscan.analysis.corrections.steps import (
    as_floats,
    check_frame_shape,
    done,
    own_variance,
    pixels,
    room,
)
from nxscan.errors import ProcessError
from nxscan.kernels import corrections as kernels
from nxscan.process.correction import Bound, Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames


@dataclass(frozen=True, eq=False)
class FlatBound(Bound):
    """I / f for every frame.

    Attributes
    ----------
    gain : ndarray, shape of a frame
        1 / f, NaN where the flat cannot be used.
    gain_squared, relative : ndarray of float32, shape of a frame
        1 / f², and variance of f over f².

    """

    gain: NDArray[Any]
    gain_squared: NDArray[np.float32]
    relative: NDArray[np.float32]

    @property
    def after(self) -> Layout:
        """The same shape, as floats."""
        return as_floats(self.before)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Divide; var(I/f) = var(I)/f² + (I/f)² · var(f)/f²."""
        values, out, fresh = room(frames, self.gain.dtype)
        gain = pixels(self.gain, region)
        kernels.multiply(values, gain, out, fresh)
        variance = own_variance(frames)
        if variance is not None:
            kernels.multiply(variance, pixels(self.gain_squared, region), variance, False)
            kernels.relative_variance(variance, out, pixels(self.relative, region))
        return done(frames, region, out, variance, missing=bool(np.isnan(gain).any()))


class Flat(Correction):
    """Divide by the scan's flat field, normalized to a mean of 1 over the good pixels.

    The scan's dark is subtracted from the flat first, where there is one; it belongs to the
    same exposure. Where the flat is not positive, the value is NaN and not valid. Variances
    take up that of the flat, as its frames' spread tells it; a single flat frame is taken as
    exact, since what pixels differ by in it is what it is for.
    """

    name = "flat"

    class Parameters(ProcessParameters):
        """What a user may set."""

        statistic: Literal["mean", "median"] = Field(
            "mean", description="How the flat frames are combined."
        )
        subtract_dark: bool = Field(
            True, description="Whether the scan's dark, if there is one, is taken off the flat."
        )

    def bind(self, scan: Scan, layout: Layout) -> FlatBound:
        """Combine and normalize the flat frames."""
        flat, variance = self._flat(scan, layout)
        good = np.isfinite(flat) & (flat > 0)
        if scan.mask is not None and scan.mask.shape == flat.shape:
            counted = good & (scan.mask == 0)
        else:
            counted = good
        if not counted.any():
            raise ProcessError(f"correction flat: the flat of {scan.title!r} has no positive pixel")
        gain = np.full(flat.shape, np.nan)
        np.divide(flat[counted].mean(), flat, out=gain, where=good)
        relative = np.zeros(flat.shape)
        np.divide(variance, flat**2, out=relative, where=good)
        return FlatBound(
            before=layout,
            gain=gain.astype(as_floats(layout).dtype),
            gain_squared=(gain**2).astype(np.float32),
            relative=relative.astype(np.float32),
        )

    def _flat(self, scan: Scan, layout: Layout) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if scan.flat is None or not len(scan.flat):
            raise ProcessError(
                f"correction flat: {scan.title!r} has no flat frames",
                "give them at translation: --flat FILE",
            )
        statistic = self.parameters.statistic
        stacked = combine(scan.flat, every(scan.flat), statistic)
        check_frame_shape(stacked.frame, layout, f"the flat of {scan.title!r}")
        variance = stacked.variance if stacked.count > 1 else np.zeros(stacked.frame.shape)
        if scan.dark is None or not self.parameters.subtract_dark:
            return stacked.frame, variance
        dark = dark_frame(scan, statistic, "correction flat")
        check_frame_shape(dark.frame, layout, f"the dark of {scan.title!r}")
        return stacked.frame - dark.frame, variance + dark.variance
