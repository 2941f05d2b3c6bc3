"""What one group of an HDF5 file holds of a scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nxscan.translate.h5axes import Column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nxscan.hdf5.virtual import VirtualSignal


@dataclass
class Part:
    """What one group holds.

    Attributes
    ----------
    detectors : dict of str to VirtualSignal
        Frames by detector, the main one first, in one row.
    shape : tuple of int
        Lengths of the scan's dimensions as the main dataset has them.
    columns : list of Column
        The axes that are scanned.
    frame_axes : list of (int, str, ndarray, str or None, str)
        Axes of the detector: dimension within a frame, name, values, unit, name for people.
    units, labels : dict of str to str
        Units and names for people.
    integrated : dict of str to tuple of (float, float)
        Motors that are swept within each frame.
    values : dict of str to str or ndarray
        Raw keys.
    texts : dict of str to tuple of str
        Of an axis of texts, what each number stands for.
    stacks : dict of str to list of VirtualSignal
        Dark and flat frames.
    mask : ndarray or None
        0 is good.

    """

    detectors: dict[str, VirtualSignal] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    columns: list[Column] = field(default_factory=list)
    frame_axes: list[tuple[int, str, NDArray[np.float64], str | None, str]] = field(
        default_factory=list
    )
    units: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    integrated: dict[str, tuple[float, float]] = field(default_factory=dict)
    values: dict[str, str | NDArray[Any]] = field(default_factory=dict)
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    stacks: dict[str, VirtualSignal] = field(default_factory=dict)
    mask: NDArray[Any] | None = None
