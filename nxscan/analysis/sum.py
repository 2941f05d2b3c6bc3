"""The sum of all frames, or of each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.reduction import Reduction, Values, where_any, wide
from nxscan.kernels.reductions import sum_frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays
    from nxscan.process.output import Output


class Sum(Reduction):
    """Sum of every pixel over all frames, or the intensity of every frame (over=pixels).

    Integers are added as 64-bit integers: the sum is exact up to 2**53.
    """

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the sum, in the unit of the signal."""
        return [self.output(scan, "sum")]

    def compute(self, block: Block) -> Arrays:
        """Return the sum of a block and how many values it has."""
        values = self.values(block)
        total, count = total_of(values), values.count()
        if self.is_reduction:
            return {"total": total, "count": count}
        return {self.name: where_any(total, count)}

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Add two sums."""
        return {name: first[name] + second[name] for name in first}

    def finish(self, state: Arrays) -> Arrays:
        """Return the sum, NaN where nothing is valid."""
        return {self.name: where_any(state["total"], state["count"])}


def total_of(values: Values) -> NDArray[Any]:
    """Return the sum over the first dimension, in 64 bits."""
    data = values.where(0)
    if data.dtype.kind == "b":
        data = data.view(np.uint8)
    kind = wide(data.dtype)
    if not data.flags.c_contiguous:
        return np.asarray(data.T.sum(axis=1, dtype=kind)).reshape(values.kept)
    total = np.zeros(data.shape[1], kind)
    sum_frames(data, total)
    return total.reshape(values.kept)
