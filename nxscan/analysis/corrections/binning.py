"""Pixels are joined to larger ones."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BeforeValidator, Field

from nxscan.analysis.corrections.steps import float_type
from nxscan.errors import ProcessError
from nxscan.kernels import corrections as kernels
from nxscan.process.correction import Bound, Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Axis, Scan
    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames

log = logging.getLogger(__name__)


def _parse(value: Any) -> Any:
    """Read ``"2"``, ``"2,4"``, ``"2x4"``, 2 or (2, 4)."""
    if isinstance(value, str):
        value = re.split(r"[,x×]", value)
    if isinstance(value, (list, tuple)):
        return tuple(value)
    return (value,)


@dataclass(frozen=True, eq=False)
class BinningBound(Bound):
    """Sums or means of bins of pixels.

    Attributes
    ----------
    factors : tuple of int
        Pixels in a bin along each detector dimension.
    mean : bool
        Whether a bin is the mean of its pixels, or their sum.

    """

    factors: tuple[int, ...]
    mean: bool

    @property
    def _dtype(self) -> np.dtype[Any]:
        return float_type(self.before.dtype, 1 if self.mean else math.prod(self.factors))

    @property
    def after(self) -> Layout:
        """Whole bins; axes have their centers."""
        layout, rank = self.before, self.before.scan_rank
        lengths = [n // k for n, k in zip(layout.frame_shape, self.factors, strict=True)]
        edges = list(layout.edges)
        for k, (length, factor) in enumerate(zip(lengths, self.factors, strict=True)):
            edges[rank + k] = _divided(edges[rank + k], factor, length)
        return replace(
            layout,
            shape=(*layout.shape[:rank], *lengths),
            dtype=self._dtype,
            axes={name: self._binned(axis) for name, axis in layout.axes.items()},
            edges=tuple(edges),
        )

    def _binned(self, axis: Axis) -> Axis:
        k = axis.dimension - self.before.scan_rank
        if k < 0:
            return axis
        factor = self.factors[k]
        whole = len(axis.values) // factor * factor
        width = None
        if axis.width is not None:
            width = axis.width[:whole].reshape(-1, factor).sum(axis=1)
        centers = axis.values[:whole].reshape(-1, factor).mean(axis=1)
        return replace(axis, values=centers, width=width)

    def source(self, region: Selection) -> Selection:
        """Return the pixels of the bins."""
        rank = self.before.scan_rank
        wide = tuple(
            slice(part.start * factor, part.stop * factor)
            for part, factor in zip(region[rank:], self.factors, strict=True)
        )
        return (*region[:rank], *wide)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Join pixels; the variance of n of them, scaled by s, is s² times the sum of theirs."""
        values, rank = frames.data, frames.scan_rank
        if frames.valid is not None and not frames.valid.all():
            values = np.where(frames.valid, values, float_type(values.dtype).type(np.nan))
        lengths = [n // k for n, k in zip(values.shape[rank:], self.factors, strict=True)]
        shape = (*values.shape[:rank], *lengths)
        rows, columns = (1, *self.factors)[-2:]
        wanted = 1.0 if self.mean else float(math.prod(self.factors))
        stack, out = _stack(values, rank), np.empty(shape, self._dtype)
        kernels.join(stack, rows, columns, wanted, _stack(out, rank))
        variance = None
        if frames.variance is not None:
            variance, spread = np.empty(shape, np.float32), _stack(frames.variance, rank)
            kernels.join_variance(stack, spread, rows, columns, wanted, _stack(variance, rank))
        valid = None if frames.valid is None else ~np.isnan(out)
        return replace(frames, data=out, region=region, variance=variance, valid=valid)


def _stack(values: NDArray[Any], rank: int) -> NDArray[Any]:
    """Return values as (positions, y, x), y of length 1 where there is none."""
    shape = values.shape
    tall = (1, *shape[rank:])[-2:]
    return np.ascontiguousarray(values).reshape(math.prod(shape[:rank]), *tall)


class Binning(Correction):
    """Join pixels to larger ones, by their sum or mean.

    Masked and missing pixels are left out: a bin's mean is that of its valid pixels, and its
    sum that mean times the number of pixels in a bin, so that a bin with a bad pixel does not
    look dark; its variance says that less was measured. A bin without a valid pixel is NaN.
    Pixels at the end that do not fill a bin are dropped, and that is logged. Axes have the
    bins' centers.
    """

    name = "binning"

    class Parameters(ProcessParameters):
        """What a user may set."""

        factor: Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_parse)] = Field(
            description="Pixels in a bin, for all detector dimensions (2) or each (2,4).",
            json_schema_extra={"units": "pixel"},
        )
        method: Literal["sum", "mean"] = Field("sum", description="What becomes of a bin.")

    def bind(self, scan: Scan, layout: Layout) -> BinningBound:
        """Hold the bins against the frames."""
        shape, factors = layout.frame_shape, self.parameters.factor
        if len(factors) == 1:
            factors = factors * len(shape)
        if not 1 <= len(shape) <= 2 or len(factors) != len(shape):
            raise ProcessError(
                f"correction binning: {len(factors)} factors for the {len(shape)} dimensions of "
                f"the frames of {scan.title!r}, {shape}",
                "give one factor, or one for each of the one or two dimensions",
            )
        if any(factor > length for factor, length in zip(factors, shape, strict=True)):
            raise ProcessError(
                f"correction binning: bins of {_times(factors)} pixels are larger than the "
                f"frames of {scan.title!r}, {_times(shape)}"
            )
        dropped = tuple(n % k for n, k in zip(shape, factors, strict=True))
        if any(dropped):
            log.warning(
                "correction binning: the last %s pixels of %s do not fill a bin of %s and are "
                "dropped",
                _times(dropped),
                _times(shape),
                _times(factors),
            )
        return BinningBound(
            before=layout, factors=tuple(factors), mean=self.parameters.method == "mean"
        )


def _divided(edges: NDArray[np.int64], factor: int, length: int) -> NDArray[np.int64]:
    """Return the bins that chunks begin in."""
    inside = np.minimum(edges // factor, length)
    return np.unique(np.concatenate([inside, [0, length]])).astype(np.int64)


def _times(lengths: tuple[int, ...]) -> str:
    return " × ".join(str(length) for length in lengths)
