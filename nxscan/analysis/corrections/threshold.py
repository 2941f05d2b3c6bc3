"""Values outside two limits are taken out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis.corrections.steps import as_floats, done, own_variance, room
from nxscan.errors import ProcessError
from nxscan.kernels import corrections as kernels
from nxscan.process.correction import Bound, Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames


@dataclass(frozen=True, eq=False)
class ThresholdBound(Bound):
    """NaN, or zero, for values below ``low`` or above ``high``."""

    low: float
    high: float
    zero: bool

    @property
    def after(self) -> Layout:
        """The same shape; floats, where values become NaN."""
        return self.before if self.zero else as_floats(self.before)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Take out what is outside."""
        dtype = self.after.dtype
        values, out, fresh = room(frames, dtype)
        variance = own_variance(frames)
        if self.zero and variance is not None:
            variance[(values < self.low) | (values > self.high)] = 0
        fill = dtype.type(0) if self.zero else dtype.type(math.nan)
        low, high = _limits(self.low, self.high, dtype)
        kernels.replace_outside(values, low, high, fill, out, fresh)
        return done(frames, region, out, variance, missing=not self.zero)


def _limits(low: float, high: float, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return limits in the values' own type that part its values alike: comparing is faster."""
    if dtype.kind == "f":
        first, last = dtype.type(low), dtype.type(high)
        if float(first) < low:
            first = np.nextafter(first, dtype.type(np.inf))
        if float(last) > high:
            last = np.nextafter(last, dtype.type(-np.inf))
        return first, last
    limits = np.iinfo(dtype)
    if low > limits.max or high < limits.min:
        return dtype.type(limits.max), dtype.type(limits.min)
    first = limits.min if low <= limits.min else math.ceil(low)
    last = limits.max if high >= limits.max else math.floor(high)
    return dtype.type(first), dtype.type(last)


class Threshold(Correction):
    """Take out values below ``low`` or above ``high``: NaN, and not valid.

    With ``fill="zero"`` they become 0 and stay valid, and integers stay integers, as in
    darfix; a mean or a fit then takes those zeros for measured ones.
    """

    name = "threshold"

    class Parameters(ProcessParameters):
        """What a user may set."""

        low: float | None = Field(
            None, description="Smallest value kept.", json_schema_extra={"units": "counts"}
        )
        high: float | None = Field(
            None, description="Largest value kept.", json_schema_extra={"units": "counts"}
        )
        fill: Literal["nan", "zero"] = Field("nan", description="What the others become.")

    def bind(self, scan: Scan, layout: Layout) -> ThresholdBound:  # noqa: ARG002
        """Check the limits."""
        given = self.parameters
        low = -math.inf if given.low is None else given.low
        high = math.inf if given.high is None else given.high
        if (given.low is None and given.high is None) or not low <= high:
            raise ProcessError(
                f"correction threshold: low={given.low} and high={given.high} are no limits",
                "give low, high, or both, low the smaller one",
            )
        return ThresholdBound(before=layout, low=low, high=high, zero=given.fill == "zero")
