"""The sum or the mean along any axes of a scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, field_validator

from nxscan.analysis.reduction import good_values, wide
from nxscan.errors import ProcessError
from nxscan.process.contract import Process
from nxscan.process.output import Output
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from nxscan.model import Axis, Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays, Per


class ProjectionParameters(ProcessParameters):
    """What a projection goes along."""

    along: tuple[str, ...] = Field(
        min_length=1,
        description="Axes to add up, by name: 'mu', or several: 'mu,x'. The others are kept.",
    )
    kind: Literal["sum", "mean"] = Field(
        "sum", description="'sum', or 'mean' of what is valid along the axes."
    )

    @field_validator("along", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(name.strip() for name in given.split(",") if name.strip())
        return tuple(given) if isinstance(given, Sequence) else given


class Projection(Process):
    """Sum or mean of the scan along any of its axes, scan's or detector's.

    Masked values and NaN are left out; where nothing is valid, the result is NaN. Integers
    are added as 64-bit integers.

    Notes
    -----
    Along scan axes only, results belong to pixels; along detector axes only, to positions;
    else to the scan: ``per`` is set by `outputs`. A state has the sums of its block, and where
    they stand along the axes that are kept, so that blocks can be joined in any cut.

    """

    per: Per = "scan"
    wants_valid = True
    Parameters = ProjectionParameters

    _summed: tuple[int, ...] = ()

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the projection, in the unit of the signal, over the axes that are kept."""
        axes, rank = scan.main_axes(), len(scan.scan_shape)
        self._summed = tuple(sorted(_dimensions(scan, self.parameters.along)))
        if len(self._summed) == len(axes):
            raise ProcessError(
                "projection: along all axes there is one number, which is no plot",
                "keep an axis",
            )
        self.per = _per(self._summed, rank, len(axes))
        kept = [axis for d, axis in enumerate(axes) if d not in self._summed]
        names = ", ".join(self.parameters.along)
        return [
            Output(
                self.name,
                scan.signal.units,
                dims=_dims(self.per, kept, rank),
                default=True,
                long_name=f"{self.parameters.kind} along {names}",
            )
        ]

    def compute(self, block: Block) -> Arrays:
        """Return the sums of a block, their counts, and where it stands."""
        data, good = block.data, good_values(block)
        if good is not None:
            data = np.where(good, data, data.dtype.type(0))
        kept = [part for d, part in enumerate(block.selection) if d not in self._summed]
        total = np.asarray(data.sum(axis=self._summed, dtype=wide(data.dtype)))
        if good is None:
            size = int(np.prod([data.shape[d] for d in self._summed]))
            count = np.full(total.shape, size, np.int64)
        else:
            count = np.asarray(np.count_nonzero(good, axis=self._summed))
        start = np.array([part.start for part in kept], np.int64)
        return {"total": total, "count": count, "start": start}

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Add up two parts, in the smallest box along the kept axes that holds both."""
        start = np.minimum(first["start"], second["start"])
        ends = [part["start"] + part["total"].shape for part in (first, second)]
        shape = tuple(np.maximum(*ends) - start)
        joined = {name: np.zeros(shape, first[name].dtype) for name in ("total", "count")}
        for part in (first, second):
            offset = part["start"] - start
            box = tuple(slice(o, o + n) for o, n in zip(offset, part["total"].shape, strict=True))
            for name, values in joined.items():
                values[box] += part[name]
        return {**joined, "start": start}

    def finish(self, state: Arrays) -> Arrays:
        """Return the sums or means, NaN where nothing is valid."""
        total, count = state["total"].astype(np.float64), state["count"]
        if self.parameters.kind == "mean":
            total /= np.maximum(count, 1)
        return {self.name: np.where(count > 0, total, np.nan)}


def _dimensions(scan: Scan, names: Sequence[str]) -> set[int]:
    for name in names:
        if name not in scan.axes:
            raise ProcessError(
                f"projection: {name!r} is no axis of {scan.title!r}",
                f"there are: {', '.join(scan.axes)}",
            )
    return {scan.axes[name].dimension for name in names}


def _per(summed: Sequence[int], rank: int, ndim: int) -> Per:
    if all(d < rank for d in summed) and rank < ndim:
        return "pixel"
    if all(d >= rank for d in summed) and rank > 0:
        return "position"
    return "scan"


def _dims(per: Per, kept: Sequence[Axis], rank: int) -> tuple[Any, ...]:
    """Return the output's dims: ``...`` stands for what results belong to."""
    if per == "scan":
        return tuple(kept)
    if per == "pixel":
        return (*(axis for axis in kept if axis.dimension < rank), ...)
    return (..., *(axis for axis in kept if axis.dimension >= rank))
