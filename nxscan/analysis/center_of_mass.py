"""The center of mass and the intensity of every frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.reduction import good_values
from nxscan.errors import ProcessError
from nxscan.kernels.frame_center import BAND, frame_moments
from nxscan.process.contract import Process
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

_EVEN = 1e-9
"""Rows whose places differ by less than this part of the height from a line are on it."""


class CenterOfMass(Process):
    """Center of mass of every frame along the detector's two axes, and its intensity.

    ``center_y`` and ``center_x`` are in the units of the detector's slow and fast axis,
    ``intensity`` is the sum of the frame. Masked values and NaN are left out; where nothing is
    valid all three are NaN, and where the intensity is not positive the centers are.
    """

    per = "position"
    wants_valid = True
    bytes_per_value = 4

    _y = ""
    _x = ""

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the centers and the intensity."""
        if len(scan.frame_shape) != 2:
            raise ProcessError(
                f"center_of_mass needs frames of two dimensions, and those of {scan.title!r} have "
                f"{len(scan.frame_shape)}"
            )
        y, x = scan.main_axes()[-2:]
        self._y, self._x = y.name, x.name
        return [
            Output("center_y", y.units, long_name=f"center of mass of {y.long_name or y.name}"),
            Output(
                "center_x",
                x.units,
                long_name=f"center of mass of {x.long_name or x.name}",
                default=True,
            ),
            Output("intensity", scan.signal.units, long_name="intensity of the frame"),
        ]

    def compute(self, block: Block) -> Arrays:
        """Return the centers of the block's frames."""
        y, x = block.axes[self._y], block.axes[self._x]
        good = good_values(block)
        data = block.data if good is None else np.where(good, block.data, block.data.dtype.type(0))
        frames = np.ascontiguousarray(data.reshape(-1, *block.frame_shape))
        total, along_y, along_x = _sums(frames, y, x)
        if good is not None:
            total[~good.reshape(len(frames), -1).any(axis=1)] = np.nan
        divisor = np.where(total > 0, total, np.nan)
        found = {"center_y": along_y / divisor, "center_x": along_x / divisor, "intensity": total}
        return {name: values.reshape(block.scan_shape) for name, values in found.items()}


def _sums(
    frames: NDArray[Any], y: NDArray[Any], x: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of v, v y and v x of every frame."""
    dtype = _adds_in(frames.dtype)
    if frames.dtype.kind in "bf":
        frames = frames.astype(dtype, copy=False)
    out = np.empty((len(frames), 3))
    middle = float(x.mean())
    frame_moments(frames, x - middle, np.arange(BAND, dtype=dtype), out)
    total, along_x = out[:, 0].copy(), out[:, 1] + middle * out[:, 0]
    step = (y[-1] - y[0]) / max(len(y) - 1, 1)
    if np.abs(y[0] + step * np.arange(len(y)) - y).max() <= _EVEN * abs(step) * len(y):
        return total, y[0] * total + step * out[:, 2], along_x
    return total, frames.sum(axis=2, dtype=np.float64) @ y, along_x


def _adds_in(dtype: np.dtype[Any]) -> type[np.generic]:
    """Return the type that holds the sums of a band of rows."""
    if dtype.kind == "f":
        return np.float64
    if dtype.kind == "i":
        return np.int64
    return np.uint32 if dtype.itemsize <= 2 else np.uint64
