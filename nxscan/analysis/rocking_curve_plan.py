"""What rocking curves are fitted over: places and steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.moments_plan import chosen_axes, places_of
from nxscan.errors import ProcessError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Axis, Scan

    Floats = NDArray[np.float64]

MOST_AXES = 3
"""A peak is fitted along three axes at most."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where the positions of a scan are; u = (value - origin) / scale is in -1 to 1.

    Attributes
    ----------
    axes : tuple of Axis
        What is fitted along, slow to fast.
    origin, scale : ndarray, shape (axes,)
        Middle and half of the range of each.
    units : ndarray, shape (axes, positions)
        u of each position, as it was read.
    steps : ndarray, shape (axes,)
        Distance of neighbouring positions, of u.

    """

    axes: tuple[Axis, ...]
    origin: Floats
    scale: Floats
    units: Floats
    steps: Floats

    def suffix(self, axis: Axis) -> str:
        """Return what the names of an axis' outputs end with."""
        return f"_{axis.name}" if len(self.axes) > 1 else ""


def find_places(scan: Scan, names: Sequence[str]) -> Places:
    """Return where the positions of a scan are.

    Raises
    ------
    ProcessError
        If a name is none of a scan axis, or the axes are not all that were scanned, or too many.

    """
    axes = chosen_axes(scan, names, "rocking_curve")
    _check(scan, axes)
    read = np.array([places_of(scan, axis) for axis in axes])
    low, high = read.min(axis=1), read.max(axis=1)
    origin, scale = low + 0.5 * (high - low), 0.5 * (high - low)
    units = (read - origin[:, np.newaxis]) / scale[:, np.newaxis]
    steps = np.array([2.0 / (len(np.unique(axis.values)) - 1) for axis in axes])
    return Places(tuple(axes), origin, scale, units, steps)


def _check(scan: Scan, axes: list[Axis]) -> None:
    if len(axes) > MOST_AXES:
        raise ProcessError(
            f"rocking_curve: {scan.title!r} was scanned along {len(axes)} axes, and a peak is "
            f"fitted along {MOST_AXES} at most",
            "fit the result of a projection, which adds up along an axis",
        )
    taken = {axis.dimension for axis in axes}
    left = [
        axis.name
        for axis in scan.main_axes()[: len(scan.scan_shape)]
        if len(axis) > 1 and axis.dimension not in taken
    ]
    if left:
        raise ProcessError(
            f"rocking_curve: {', '.join(left)} was scanned too, and a pixel's curve is along all "
            "that was scanned",
            f"name all of them with -p axes=..., or add up along {left[0]} first, with the process "
            "projection, and fit its result",
        )
