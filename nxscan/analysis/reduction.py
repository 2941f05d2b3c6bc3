"""What sum, mean, max and std share: over frames they give a map, over pixels a curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.process.contract import Process
from nxscan.process.output import Output
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block


class ReductionParameters(ProcessParameters):
    """Over what a reduction goes."""

    over: Literal["frames", "pixels"] = Field(
        "frames",
        description="'frames' gives a map, a value for each pixel; 'pixels' gives a value for "
        "each frame.",
    )


class Reduction(Process):
    """A reduction over all frames, or over all pixels of each frame.

    Masked values and NaN are left out; where nothing is valid, the result is NaN. Over
    frames the scan may be cut anywhere; frames are never cut.
    """

    wants_valid = True
    Parameters = ReductionParameters

    def __init__(self, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.per = "pixel" if self.parameters.over == "frames" else "position"

    @property
    def is_reduction(self) -> bool:
        """Whether partial states are merged: over frames."""
        return self.per == "pixel"

    def values(self, block: Block) -> Values:
        """Return the block's values with what is reduced in the first dimension."""
        rank = block.scan_rank
        kept = block.frame_shape if self.per == "pixel" else block.scan_shape
        return Values(
            data=_arranged(block.data, rank, self.per),
            good=_arranged(good_values(block), rank, self.per),
            kept=kept,
        )

    def output(self, scan: Scan, text: str) -> Output:
        """Return the one output, in the unit of the signal."""
        of = "every frame" if self.per == "position" else "every pixel"
        return Output(self.name, scan.signal.units, default=True, long_name=f"{text} of {of}")


@dataclass(frozen=True, eq=False)
class Values:
    """The values of a block, arranged for a reduction over the first dimension.

    Attributes
    ----------
    data : ndarray, shape (n, results)
        Values.
    good : ndarray of bool, shape (n, results), or None
        Which are valid; None if all are.
    kept : tuple of int
        The shape of the results.

    """

    data: NDArray[Any]
    good: NDArray[np.bool_] | None
    kept: tuple[int, ...]

    def where(self, other: float) -> NDArray[Any]:
        """Return the values with ``other`` in place of those that are not valid."""
        if self.good is None:
            return self.data
        return np.where(self.good, self.data, self.data.dtype.type(other))

    def count(self) -> NDArray[np.int64]:
        """Return how many values each result has."""
        if self.good is None:
            return np.full(self.kept, len(self.data), np.int64)
        return np.asarray(np.count_nonzero(self.good, axis=0)).reshape(self.kept)


def wide(dtype: np.dtype[Any]) -> type[np.generic]:
    """Return the type that sums are made in: integers stay integers.

    >>> wide(np.dtype("uint16")).__name__, wide(np.dtype("float32")).__name__
    ('uint64', 'float64')
    """
    return {"u": np.uint64, "b": np.uint64, "i": np.int64}.get(dtype.kind, np.float64)


def where_any(values: NDArray[Any], count: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return values as float64, NaN where none was counted."""
    return np.where(count > 0, values.astype(np.float64), np.nan)


def good_values(block: Block) -> NDArray[np.bool_] | None:
    """Return which values are neither masked nor NaN, in the shape of the data; None if all."""
    good = None if block.valid is None else np.broadcast_to(block.valid, block.data.shape)
    if block.data.dtype.kind == "f":
        missing = np.isnan(block.data)
        if missing.any():
            good = ~missing if good is None else good & ~missing
    return None if good is None or good.all() else good


def _arranged(array: Any, rank: int, per: str) -> Any:
    if array is None:
        return None
    rows = array.reshape(int(np.prod(array.shape[:rank])), -1)
    return rows if per == "pixel" else rows.T
