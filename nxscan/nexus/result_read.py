"""Results read back: their arrays, and each as a scan that other processes can work on."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import LayoutError
from nxscan.hdf5.h5signal import HDF5Signal
from nxscan.model import Axis, Scan
from nxscan.model.units import UNKNOWN_UNITS
from nxscan.nexus import layout
from nxscan.nexus.axes import read_axes, with_roles
from nxscan.nexus.master import Master
from nxscan.nexus.reader import read_scan
from nxscan.nexus.tree import plain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.nexus.master import Opened


def read_output(path: Path, group: str, output: str, field: str = "data") -> NDArray[Any]:
    """Return an array of a result as a whole.

    Parameters
    ----------
    path : Path
        The master.
    group : str
        Name of the result's group in the entry.
    output : str
        Name of the output.
    field : {"data", "data_errors"}
        The values, or one standard deviation of each.

    Raises
    ------
    LayoutError
        If it is not there, or is damaged.

    """
    with Master(path).reading() as opened:
        return np.asarray(opened.value(_member(opened, group, output, field)))


def read_units(path: Path, group: str, output: str) -> str | None:
    """Return the unit of an output; ``""`` is dimensionless, None not known."""
    with Master(path).reading() as opened:
        units = opened.attributes(_member(opened, group, output, "data")).get("units")
    return None if units in (None, UNKNOWN_UNITS) else str(units)


def has_errors(path: Path, group: str, output: str) -> bool:
    """Tell whether an output has errors beside it."""
    with Master(path).reading() as opened:
        return f"{layout.ENTRY}/{group}/{output}/data_errors" in opened


def read_result_scan(path: Path, group: str, output: str, field: str = "data") -> Scan:
    """Return an output, or its errors, as a scan, lazily, for a process that works on it.

    Its scan dimensions are those before the first of the detector's, or, where the detector
    is not in it, the scan's own; what else it has is the detector. Counters, readings and
    masks of the scan come along where their dimensions are there.
    """
    scan = read_scan(path)
    place = f"/{layout.ENTRY}/{group}/{output}/{field}"
    with Master(path).reading() as opened:
        parent = _member(opened, group, output, field).parent
        axes = read_axes(opened, parent)
        title = str(plain(opened.value(parent["title"])))
    rank = _scan_rank(axes, scan)
    signal = HDF5Signal(path, place, rank)
    whole_scan = signal.shape[:rank] == scan.scan_shape and _has(axes, scan, detector=False)
    whole_frame = signal.shape[rank:] == scan.frame_shape and _has(axes, scan, detector=True)
    return dataclasses.replace(
        scan,
        title=f"{scan.title}, {title}",
        signals={output: signal},
        axes=with_roles(axes, rank),
        counters=scan.counters if whole_scan else {},
        readings=scan.readings if whole_scan else {},
        mask=scan.mask if whole_frame else None,
        dark=None,
        flat=None,
        frame_checksums=None,
    )


def _member(opened: Opened, group: str, output: str, field: str) -> Any:
    place = f"{layout.ENTRY}/{group}/{output}/{field}"
    if place not in opened:
        raise LayoutError(f"{opened.file.filename} has no {place}", "nxscan info says what it has")
    return opened[place]


def _scan_rank(axes: dict[str, Axis], scan: Scan) -> int:
    first: dict[int, Axis] = {}
    for axis in axes.values():
        first.setdefault(axis.dimension, axis)
    origins = [_origin(first[dimension], scan) for dimension in sorted(first)]
    if "detector" in origins:
        return origins.index("detector")
    return next((k for k, origin in enumerate(origins) if origin != "scan"), len(origins))


def _origin(axis: Axis, scan: Scan) -> str:
    """Tell whether an axis is the scan's, the detector's or the result's own.

    A part of the detector (a region, binned pixels) is the detector still.
    """
    found = scan.axes.get(axis.name)
    if found is None:
        return "own"
    if found.role == "detector":
        return "detector"
    return "scan" if np.array_equal(found.values, axis.values, equal_nan=True) else "own"


def _has(axes: dict[str, Axis], scan: Scan, *, detector: bool) -> bool:
    """Tell whether the plotted axes of the scan, or of its detector, are all there."""
    wanted = [axis for axis in scan.main_axes() if (axis.role == "detector") == detector]
    return all(
        axis.name in axes and np.array_equal(axes[axis.name].values, axis.values) for axis in wanted
    )
