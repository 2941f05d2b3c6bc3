"""Which frames of a scan show next to nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field
from scipy.ndimage import uniform_filter

from nxscan.analysis.reduction import good_values
from nxscan.analysis.shifts_frames import places
from nxscan.errors import ProcessError
from nxscan.process.contract import Process
from nxscan.process.output import Output
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

    Floats = NDArray[np.float64]

KEPT, LOW, MASKED = 0, 1, 4
STATUS = "0 shows something, 1 low, 4 masked"
_ENDS = 0.05
_FEWEST = 3


class PartitionParameters(ProcessParameters):
    """When a frame is low."""

    by: Literal["variance", "mean"] = Field(
        "variance",
        description="What frames are measured by: the variance of the smoothed frame, which a "
        "uniform background does not raise, or its mean.",
    )
    smooth: int = Field(
        3,
        ge=1,
        description="Side of the square that is averaged before, so that noise counts less.",
        json_schema_extra={"units": "pixel"},
    )
    fraction: float = Field(
        0.01,
        gt=0,
        lt=1,
        description="A frame is low if its measure has not come this part of the way from the "
        "lowest frames to the highest.",
    )
    contrast: float = Field(
        4.0,
        ge=1,
        description="No frame is low if the highest frames do not have this many times the "
        "measure of the lowest.",
    )


class Partition(Process):
    """Which frames are of low intensity, and by how much the others are above them.

    ``measure`` is the variance over the pixels of each frame after averaging 3 × 3 of them, as in
    darfix (whose Gaussian of 20 pixels is cut off at 3 × 3), or its mean. The lowest frames are
    the lowest twentieth of the scan, at least three, and their measure is L, the median of
    theirs; H is the same of the highest. ``status`` is 1, low, for frames whose measure is below
    L + fraction (H - L), if H > contrast · L, else for none; 4 for frames without a valid pixel;
    and 0. A single odd frame does not move L or H.

    (darfix takes the edges of two bins of a histogram that the user looks up in a plot; in a
    variance a fraction of 0.01 is a tenth in intensity.)

    The correction ``partition`` leaves low frames out: ``-c partition``. A pattern that all
    frames have, from the detector or a background, is in L and hides weak frames: take it off
    by ``-c background`` before.

    """

    per = "scan"
    wants_valid = True
    bytes_per_value = 32
    Parameters = PartitionParameters

    _shape: tuple[int, ...] = ()

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare measure and status of every position."""
        axes = scan.main_axes()[: len(scan.scan_shape)]
        self._shape = tuple(len(axis) for axis in axes)
        if not self._shape or len(scan.frame_shape) != 2:
            raise ProcessError(
                f"partition tells images of a scan apart, and {scan.title!r} has the shape "
                f"{scan.signal.shape} with {len(self._shape)} scan dimensions"
            )
        units = scan.signal.units
        squared = None if units is None else f"{units}^2" if units else ""
        variance = self.parameters.by == "variance"
        return [
            Output(
                "measure",
                squared if variance else units,
                dims=axes,
                default=True,
                long_name="variance of the smoothed frame" if variance else "mean of the frame",
            ),
            Output("status", "", dims=axes, dtype=np.uint8, long_name="status", note=STATUS),
        ]

    def compute(self, block: Block) -> Arrays:
        """Return the measure of the block's frames, and which positions they are."""
        good = good_values(block)
        valid = None if good is None else good.reshape(block.frames.shape)
        found = [
            self._measure(frame.astype(np.float64), None if valid is None else valid[k])
            for k, frame in enumerate(block.frames)
        ]
        return {"measure": np.array(found), "place": places(block, None, self._shape)}

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Put the measures of two parts one after the other."""
        return {name: np.concatenate([first[name], second[name]]) for name in first}

    def finish(self, state: Arrays) -> Arrays:
        """Return the measures in the order of the scan, and which frames are low."""
        measure = np.empty(state["measure"].shape)
        measure[state["place"]] = state["measure"]
        given = self.parameters
        status = low_frames(measure, given.fraction, given.contrast)
        return {"measure": measure.reshape(self._shape), "status": status.reshape(self._shape)}

    def _measure(self, frame: Floats, valid: NDArray[np.bool_] | None) -> float:
        if valid is not None and not valid.any():
            return np.nan
        if self.parameters.by == "mean":
            return float(frame.mean() if valid is None else frame[valid].mean())
        return float(_smoothed(frame, valid, self.parameters.smooth).var())


def low_frames(measure: Floats, fraction: float, contrast: float) -> NDArray[np.uint8]:
    """Return the status of every frame: 0 kept, 1 low, 4 masked.

    >>> low_frames(np.array([1.0, 1, 1, 50, 99, 100, 101, np.nan]), 0.01, 4).tolist()
    [1, 1, 1, 0, 0, 0, 0, 4]
    >>> low_frames(np.array([1.0, 1, 1, 2, 2, 2]), 0.01, 4).tolist()
    [0, 0, 0, 0, 0, 0]
    """
    status = np.where(np.isfinite(measure), KEPT, MASKED).astype(np.uint8)
    known = np.sort(measure[status == KEPT])
    if known.size:
        ends = min(max(_FEWEST, round(_ENDS * known.size)), known.size)
        lowest, highest = float(np.median(known[:ends])), float(np.median(known[-ends:]))
        if highest > contrast * lowest:
            limit = lowest + fraction * (highest - lowest)
            status[(status == KEPT) & (measure < limit)] = LOW
    return status


def _smoothed(frame: Floats, valid: NDArray[np.bool_] | None, size: int) -> Floats:
    """Return the means of squares of pixels, of what is valid, in one dimension."""
    if valid is None:
        return np.asarray(uniform_filter(frame, size, mode="nearest")).ravel()
    share: Any = uniform_filter(valid.astype(np.float64), size, mode="nearest")
    total: Any = uniform_filter(np.where(valid, frame, 0.0), size, mode="nearest")
    return np.asarray(total[valid] / share[valid])
