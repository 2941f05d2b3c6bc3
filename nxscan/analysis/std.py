"""The standard deviation of all frames, or of each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.reduction import Reduction
from nxscan.analysis.sum import total_of
from nxscan.kernels.reductions import squares_about

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.reduction import Values
    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays
    from nxscan.process.output import Output


class Std(Reduction):
    """Standard deviation of every pixel over all frames, or of every frame (over=pixels).

    Squared differences are taken from each block's own mean, and blocks are joined by the
    formula of Chan, Golub and LeVeque (1983), so that a large offset does no harm. Divided
    by n, as numpy's ``std`` does.
    """

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the standard deviation, in the unit of the signal."""
        return [self.output(scan, "standard deviation")]

    def compute(self, block: Block) -> Arrays:
        """Return count, mean and sum of squared differences of a block."""
        values = self.values(block)
        count = values.count()
        mean = total_of(values).astype(np.float64) / np.maximum(count, 1)
        state = {"count": count, "mean": mean, "squares": _squares(values, mean)}
        return state if self.is_reduction else self.finish(state)

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Join two parts."""
        count = first["count"] + second["count"]
        step = second["mean"] - first["mean"]
        share = second["count"] / np.maximum(count, 1)
        return {
            "count": count,
            "mean": first["mean"] + step * share,
            "squares": first["squares"] + second["squares"] + step**2 * first["count"] * share,
        }

    def finish(self, state: Arrays) -> Arrays:
        """Return the standard deviation, NaN where nothing is valid."""
        count, squares = state["count"], state["squares"]
        empty = np.full(count.shape, np.nan)
        return {self.name: np.sqrt(np.divide(squares, count, out=empty, where=count > 0))}


def _squares(values: Values, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sums of squared differences from the mean of the values that are valid."""
    flat = mean.reshape(-1)
    if values.good is None and values.data.flags.c_contiguous:
        total = np.zeros(flat.shape)
        squares_about(values.data, flat, total)
        return total.reshape(values.kept)
    difference = values.where(0).T - flat[:, np.newaxis]
    if values.good is not None:
        difference[~values.good.T] = 0
    return np.asarray(np.square(difference, out=difference).sum(axis=1)).reshape(values.kept)
