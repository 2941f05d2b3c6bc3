"""Pixels that stand out of their neighbours in a frame are taken out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis.corrections.steps import as_floats, float_type
from nxscan.errors import ProcessError
from nxscan.kernels import hot_pixels as kernels
from nxscan.process.correction import Bound, Correction, Layout
from nxscan.process.noise import Noise, NoiseParameters
from nxscan.process.partition import inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames


@dataclass(frozen=True, eq=False)
class HotPixelsBound(Bound):
    """NaN, or the neighbours' median, for pixels that stand out.

    Attributes
    ----------
    n : float
        By how many standard deviations.
    fill : str
        ``nan`` or ``median``.

    """

    n: float
    fill: str

    @property
    def after(self) -> Layout:
        """The same shape, as floats."""
        return as_floats(self.before)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Take them out."""
        rank = frames.scan_rank
        where = inside(region, frames.region)
        out = np.array(frames.data[where], self.after.dtype)
        variance = None if frames.variance is None else np.array(frames.variance[where], np.float32)
        valid = None if frames.valid is None else np.array(frames.valid[where])
        stack = _stack(frames.data, rank)
        spread = None if frames.variance is None else _stack(frames.variance, rank)
        for k, index in enumerate(np.ndindex(out.shape[:rank])):
            frame, own = stack[k], None if spread is None else spread[k]
            marks, medians = self._found(frame)
            hot = np.nonzero(marks[where[rank:]])
            if not len(hot[0]):
                continue
            out[index][hot] = medians[where[rank:]][hot] if self.fill == "median" else np.nan
            if variance is not None:
                variance[index][hot] = self._variance(frame, own, hot, where[rank:])
            if valid is not None:
                valid[index][hot] = self.fill == "median"
        return replace(frames, data=out, region=region, variance=variance, valid=valid)

    def _found(self, frame: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[Any]]:
        """Return which pixels of a frame stand out, and the medians that take their place."""
        raise NotImplementedError

    def _variance(
        self, frame: NDArray[Any], variance: Any, hot: tuple[NDArray[Any], ...], part: Selection
    ) -> Any:
        if self.fill != "median":
            return np.nan
        corner = [piece.start for piece in part]
        return [
            kernels.median_variance(frame, variance, y + corner[0], x + corner[1])
            for y, x in zip(*hot, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class Isolated(HotPixelsBound):
    """Pixels far above the noise and the spread of their neighbours.

    Attributes
    ----------
    offset, slope, floor : float
        A value v has variance ``floor + slope · max(v - offset, 0)``.

    """

    offset: float
    slope: float
    floor: float

    def source(self, region: Selection) -> Selection:
        """Return the region with a pixel around it."""
        rank = self.before.scan_rank
        wide = tuple(
            slice(max(part.start - 1, 0), min(part.stop + 1, length))
            for part, length in zip(region[rank:], self.before.frame_shape, strict=True)
        )
        return (*region[:rank], *wide)

    def _found(self, frame: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[Any]]:
        marks, medians = np.empty(frame.shape, bool), np.empty(frame.shape, self.after.dtype)
        kernels.find_isolated(frame, self.n, self.offset, self.slope, self.floor, marks, medians)
        return marks, medians


@dataclass(frozen=True, eq=False)
class Darfix(HotPixelsBound):
    """Pixels above their median of 3 × 3 by the standard deviation of what is above it."""

    def source(self, region: Selection) -> Selection:
        """Return whole frames: the standard deviation is that of all pixels of one."""
        rank = self.before.scan_rank
        return (*region[:rank], *(slice(0, length) for length in self.before.frame_shape))

    def _found(self, frame: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[Any]]:
        values = frame.astype(float_type(frame.dtype), copy=False)
        medians = np.empty_like(values)
        kernels.median_3x3(values, medians)
        limit = self.n * kernels.difference_deviation(values, medians)
        marks: NDArray[np.bool_] = values - medians > limit
        return marks, medians


def _stack(values: NDArray[Any], rank: int) -> NDArray[Any]:
    return np.ascontiguousarray(values).reshape(-1, *values.shape[rank:])


class HotPixels(Correction):
    """Take out pixels that are far brighter than their neighbours in the same frame.

    By default (``method="isolated"``) a pixel is hot if it lies more than ``n`` standard
    deviations above the median of its eight neighbours, and more than n / 2 above all of them
    but one. The standard deviation is that of the noise model at the median, and one count at
    least, or, where it is larger, that of the neighbours themselves, from the difference of
    their 6th and 7th to their 2nd and 3rd: so noise is left alone at any level (2e-5 of the
    pixels of clean Poisson counts at most, for means of 0.1 to 10,000), and so are steep flanks and
    peaks as narrow as a lens makes them. Two hot pixels side by side are found, larger groups
    (tracks of particles) are not. Neighbours that are NaN do not count: give ``mask`` before
    this. At the detector's edge there are fewer, three at least.

    What is taken out becomes NaN, and not valid: nothing was measured there. ``fill="median"``
    puts the median of the neighbours there, with the variance that their spread tells, for
    what cannot do with gaps.

    ``method="darfix"`` is darfix's rule: brighter than the median of 3 × 3 pixels by more than
    the standard deviation, over the frame, of what pixels are above theirs (n = 1). It takes
    whole frames, and alters one clean pixel in eight (12.6 % of simulated rocking curves),
    always downwards, which lowers all sums. With ``fill="median"`` the values are darfix's own.
    """

    name = "hot_pixels"

    class Parameters(NoiseParameters):
        """What a user may set."""

        method: Literal["isolated", "darfix"] = Field(
            "isolated", description="What is hot: far above noise and neighbours, or darfix's rule."
        )
        n: float | None = Field(
            None,
            gt=0,
            description="By how many standard deviations; by default 6, and 1 for darfix's rule.",
        )
        fill: Literal["nan", "median"] = Field(
            "nan", description="What they become: NaN, or the median of their neighbours."
        )

    def bind(self, scan: Scan, layout: Layout) -> HotPixelsBound:
        """Settle the noise."""
        given = self.parameters
        if len(layout.frame_shape) != 2:
            raise ProcessError(
                f"correction hot_pixels: frames have {len(layout.frame_shape)} dimensions, "
                f"{layout.frame_shape}, but neighbours are looked for in two"
            )
        if given.method == "darfix":
            return Darfix(before=layout, n=given.n or 1.0, fill=given.fill)
        offset, slope, floor = _line(given.model(scan))
        return Isolated(layout, given.n or 6.0, given.fill, offset, slope, floor)


def _line(noise: Noise) -> tuple[float, float, float]:
    """Return offset, slope and floor of the variance; a count more is never a surprise."""
    if noise.kind == "uniform":
        return 0.0, 0.0, noise.read_noise**2 or 1.0
    one = 1 / noise.gain
    if not math.isfinite(one):
        one = 1.0
    return noise.offset, one, noise.read_noise**2 + one**2
