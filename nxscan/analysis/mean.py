"""The mean of all frames, or of each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.reduction import Reduction
from nxscan.analysis.sum import total_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays
    from nxscan.process.output import Output


class Mean(Reduction):
    """Mean of every pixel over all frames, or of every frame (over=pixels)."""

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the mean, in the unit of the signal."""
        return [self.output(scan, "mean")]

    def compute(self, block: Block) -> Arrays:
        """Return the sum of a block and how many values it has."""
        values = self.values(block)
        state = {"total": total_of(values), "count": values.count()}
        return state if self.is_reduction else self.finish(state)

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Add two sums."""
        return {name: first[name] + second[name] for name in first}

    def finish(self, state: Arrays) -> Arrays:
        """Return the mean, NaN where nothing is valid."""
        return {self.name: _mean(state["total"], state["count"])}


def _mean(total: NDArray[np.generic], count: NDArray[np.int64]) -> NDArray[np.float64]:
    empty = np.full(count.shape, np.nan)
    return np.asarray(np.divide(total.astype(np.float64), count, out=empty, where=count > 0))
