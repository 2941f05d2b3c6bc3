"""How the sample drifted across the detector during a scan."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis import shifts_frames as kept
from nxscan.analysis.shifts_curves import MOST_FRAMES, by_curves
from nxscan.analysis.shifts_pairs import Spectra, all_pairs
from nxscan.analysis.shifts_solve import Found, joined, line, solve
from nxscan.errors import ProcessError
from nxscan.process import Output, Process, ProcessParameters
from nxscan.process.cpus import usable_cpus

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process import Block
    from nxscan.process.contract import Arrays

LAGS = (1, 2, 4)
"""How far apart in the scan the frames are that are held against one another."""
_SMALLEST = 32
_SURE = 0.015
"""Error in pixels of the shifts of pairs, below which curves would tell nothing more."""
_MOST_ERROR = 0.5
"""Error in pixels above which a frame has no shift."""
OK, NOT_FOUND = 0, 1
NOBODY, PAIRS, CURVES, LINE = 0, 1, 2, 3


class ShiftsParameters(ProcessParameters):
    """What a user may set."""

    method: Literal["auto", "pairs", "curves"] = Field(
        "auto",
        description="'pairs': cross-correlation of the texture of frames near one another; "
        "'curves': starting from that, the shifts that make the curves of the sample's pixels "
        "smooth, for contrast that moves; 'auto': both where pairs alone are not sure.",
    )
    model: Literal["frames", "linear"] = Field(
        "frames",
        description="'frames': a shift of its own for every position; 'linear': so many pixels "
        "from each position to the next, as in darfix, fitted to those.",
    )
    axis: str | None = Field(
        None,
        description="A scan axis that the sample drifts along: frames are added up over the "
        "others, and there is a shift for each of its values.",
    )
    binning: int | None = Field(
        None,
        ge=1,
        description="Pixels that are averaged before, in both directions; by default so many "
        "that frames have at most 512 and all of them take at most 128 MB.",
        json_schema_extra={"units": "pixel"},
    )


class Shifts(Process):
    """Shift of every frame: how far the sample has moved, in pixels, against the brightest one.

    A feature that lies at p in the reference frame lies at p + shift in this one. (darfix gives
    what is to be done about it, which is the opposite sign.) The correction ``shifts`` undoes
    what is found: ``-c shifts:result=shifts``.

    Frames near one another in the scan, 1, 2 and 4 positions along each axis, are held against
    one another by the cross-correlation of their local contrast, which is the same in bright
    and dark regions; the shifts of all frames are those that agree best with the pairs', of
    which outliers count little. So no frame needs to look like a common reference: in a rocking
    curve none does. Where bright regions pass over the sample, their own motion is in the
    pairs; then the shifts are refined such that every pixel of the sample has a smooth curve
    along the scan (``method="curves"``; scans, or an ``axis``, of one dimension, of up to 400
    positions). What both say is averaged by its errors. darfix correlates the sum of the first
    half of the frames with that of the second, and finds (8.0, 15.9) pixels per frame for
    simulated rocking curves that drift by (0.35, -0.20).

    The errors are one standard deviation, found by leaving out parts of the frames in turn, so
    that they know of contrast that moves, too; those of curves are doubled. Frames too dark or
    too unlike their neighbours have no shift: NaN, and ``status`` is 1. ``found_by`` is 1
    for a shift from pairs, 2 from curves as well, and 3 on the line of ``model="linear"``.

    What is fixed to the detector, hot pixels and a pattern of its own, says that nothing moved:
    give the corrections ``hot_pixels``, ``flat`` or ``background`` where it shows.

    Notes
    -----
    Each frame is read once. What is kept of it is averaged to at most 512 pixels, and less in
    long scans: 128 MB in all. Finding the shifts takes about six times that.

    """

    per = "scan"
    wants_valid = True
    bytes_per_value = 8
    Parameters = ShiftsParameters

    _shape: tuple[int, ...] = ()
    _along: int | None = None
    _binning: int = 1

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the shifts, in pixels, over the scan's axes or the one that was chosen."""
        rank, frame = len(scan.scan_shape), scan.frame_shape
        if len(frame) != 2 or min(frame) < _SMALLEST:
            raise ProcessError(
                f"process shifts: frames of {scan.title!r} have the shape {frame}, but images "
                f"of at least {_SMALLEST} × {_SMALLEST} pixels are needed"
            )
        if not rank:
            raise ProcessError(
                f"process shifts: {scan.title!r} is one frame", "drift is found along a scan"
            )
        axes = list(scan.main_axes()[:rank])
        self._along = None
        if self.parameters.axis is not None:
            names = [axis.name for axis in axes]
            if self.parameters.axis not in names:
                raise ProcessError(
                    f"process shifts: {scan.title!r} has no scan axis {self.parameters.axis!r}",
                    f"there are: {', '.join(names) or 'none'}",
                )
            self._along = names.index(self.parameters.axis)
            axes = [axes[self._along]]
        self._shape = tuple(len(axis) for axis in axes)
        count = math.prod(self._shape)
        self._binning = self.parameters.binning or kept.binning(frame, count)
        note = (
            "where a feature of the sample lies, less where it lies in the reference frame, "
            "whose shift is 0"
        )
        return [
            Output("shift_y", "pixel", dims=axes, default=True, errors=True, note=note,
                   long_name="shift along y"),
            Output("shift_x", "pixel", dims=axes, errors=True, note=note,
                   long_name="shift along x"),
            Output("status", "", dims=axes, dtype=np.int8, long_name="status of the shift",
                   note="0 found, 1 not found"),
            Output("found_by", "", dims=axes, dtype=np.int8, long_name="what the shift is from",
                   note="0 nothing, 1 pairs of frames, 2 curves as well, 3 a line through them"),
        ]  # fmt: skip

    def compute(self, block: Block) -> Arrays:
        """Return the block's frames, as small as they are kept, and where they belong."""
        frames = kept.averaged(block.frames, _valid(block), self._binning)
        place = kept.places(block, self._along, self._shape)
        state = {"frames": frames, "place": place}
        return state if self._along is None else kept.added({}, state)

    def merge(self, first: Arrays, second: Arrays) -> Arrays:
        """Put the frames of two parts one after the other, or add them up along the axis."""
        if self._along is not None:
            return kept.added(first, second)
        return {name: np.concatenate([first[name], second[name]]) for name in first}

    def finish(self, state: Arrays) -> Arrays:
        """Find the shifts."""
        frames = state["frames"][np.argsort(state["place"], kind="stable")]
        with ThreadPoolExecutor(usable_cpus()) as threads:
            found, by = self._found(frames, threads)
        unsure = (found.errors > _MOST_ERROR).any(axis=1)
        found.shifts[unsure] = found.errors[unsure] = np.nan
        by[unsure] = NOBODY
        if self.parameters.model == "linear":
            found = line(found, np.arange(len(frames), dtype=np.float64))
            by = np.where(found.known, LINE, NOBODY)
        status = np.where(found.known, OK, NOT_FOUND)
        made: dict[str, NDArray[Any]] = {
            name: values.astype(np.int8).reshape(self._shape)
            for name, values in (("status", status), ("found_by", by))
        }
        for axis, name in enumerate(("shift_y", "shift_x")):
            made[name] = self._binning * found.shifts[:, axis].reshape(self._shape)
            made[f"{name}_errors"] = self._binning * found.errors[:, axis].reshape(self._shape)
        return made

    def _found(
        self, frames: NDArray[Any], threads: ThreadPoolExecutor
    ) -> tuple[Found, NDArray[np.int8]]:
        light = np.array(list(threads.map(kept.light, frames)))
        pairs = all_pairs(Spectra(frames, threads), wanted(self._shape), threads)
        found = solve(pairs, light)
        by = np.where(found.known, PAIRS, NOBODY)
        method, possible = self.parameters.method, len(frames) <= MOST_FRAMES
        if method == "curves" and (len(self._shape) != 1 or not possible):
            raise ProcessError(
                f"process shifts: method=curves takes scans of one dimension of up to "
                f"{MOST_FRAMES} positions, but this one is {self._shape}",
                "give axis=, or method=pairs",
            )
        sure = method == "pairs" or (method == "auto" and found.typical < _SURE)
        if sure or len(self._shape) != 1 or not possible or found.known.sum() < len(LAGS):
            return found, by
        curves = by_curves(frames, found, light, threads)
        found = curves if method == "curves" else joined(found, curves)
        return found, np.where(curves.known, CURVES, np.where(found.known, PAIRS, NOBODY))


def wanted(shape: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the pairs of positions that are held against one another.

    >>> wanted((3,))
    [(0, 1), (1, 2), (0, 2)]
    """
    number = np.arange(math.prod(shape)).reshape(shape)
    pairs = []
    for axis, length in enumerate(shape):
        for lag in LAGS:
            if lag < length:
                first = np.take(number, np.arange(length - lag), axis).ravel()
                second = np.take(number, np.arange(lag, length), axis).ravel()
                pairs += list(zip(first.tolist(), second.tolist(), strict=True))
    return pairs


def _valid(block: Block) -> NDArray[np.bool_] | None:
    if block.valid is None:
        return None
    return np.broadcast_to(block.valid, block.data.shape).reshape(block.frames.shape)
