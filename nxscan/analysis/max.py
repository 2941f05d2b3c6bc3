"""The largest value of all frames, or of each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.reduction import Reduction, where_any

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays
    from nxscan.process.output import Output


class Max(Reduction):
    """Largest value of every pixel over all frames, or of every frame (over=pixels)."""

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the largest value, in the unit of the signal."""
        return [self.output(scan, "maximum")]

    def compute(self, block: Block) -> Arrays:
        """Return the largest values of a block and how many it has."""
        values = self.values(block)
        data = values.where(_least(block.data.dtype))
        most = data.max(axis=0, initial=_least(data.dtype)).reshape(values.kept)
        state = {"most": most, "count": values.count()}
        return state if self.is_reduction else self.finish(state)

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Return the larger values."""
        return {
            "most": np.maximum(first["most"], second["most"]),
            "count": first["count"] + second["count"],
        }

    def finish(self, state: Arrays) -> Arrays:
        """Return the largest value, NaN where nothing is valid."""
        return {self.name: where_any(state["most"], state["count"])}


def _least(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "b":
        return False
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min
