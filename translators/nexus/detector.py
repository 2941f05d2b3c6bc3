"""The detector of a NeXus entry: its name, the axes across it, its mask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.model import Axis
from nxscan.model.names import nexus_name
from nxscan.translate.h5source import member_names
from nxscan.translate.h5units import source_units
from nxscan.translate.h5values import attribute
from nxscan.translators.nexus.columns import address
from nxscan.translators.nexus.plots import Plot, children, is_class, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.nexus.entry import Entry


def detector_of(entry: Entry, plot: Plot) -> tuple[str, str]:
    """Return the detector's name, and its path below the entry where it is an NXdetector."""
    own = address(plot.signal)
    instrument = next(children(entry.group, "NXinstrument"), None)
    if instrument is None:
        return nexus_name(plot.name if plot.name != "data" else "detector"), ""
    for name in member_names(instrument):
        group = instrument.get(name)
        if not is_class(group, "NXdetector"):
            continue
        place = f"{instrument.name.rpartition('/')[2]}/{name}"
        node = None if _leaves(group, "data") else group.get("data")
        if isinstance(node, h5py.Dataset) and (address(node) == own or _same(node, plot)):
            return nexus_name(name), place
        if name == plot.name:
            return nexus_name(name), place
    return nexus_name(plot.name if plot.name != "data" else "detector"), ""


def _leaves(group: Any, name: str) -> bool:
    return isinstance(group.get(name, getlink=True), h5py.ExternalLink)


def _same(node: Any, plot: Plot) -> bool:
    """Tell whether a detector's only data of the signal's shape and type are a copy of it."""
    signal = plot.signal
    return bool(node.shape == signal.shape and node.dtype == signal.dtype and signal.ndim > 1)


def frame_axes(entry: Entry, plot: Plot, scan_rank: int) -> list[Axis]:
    """Return the axes across the detector that the file gives, such as channels' energies."""
    found: dict[int, Axis] = {}
    shape = plot.signal.shape
    for name, (node, dims) in plot.axes.items():
        if node is None or len(dims) != 1 or dims[0] < scan_rank or node.ndim != 1:
            continue
        values = numbers(node)
        length = shape[dims[0]]
        if (
            values is None
            or len(values) not in (length, length + 1)
            or not np.isfinite(values).all()
        ):
            entry.report.note("axes", f"{name} does not fit dimension {dims[0]}: it is left out")
            continue
        if len(values) == length + 1:
            values = 0.5 * (values[1:] + values[:-1])
        units = source_units(attribute(node, "units"))
        label = attribute(node, "long_name") or name
        inside = dims[0] - scan_rank
        found.setdefault(inside, Axis(nexus_name(name), values, units, label, "detector", inside))
    return list(found.values())


def read_mask(entry: Entry, place: str, frame: tuple[int, ...]) -> NDArray[Any] | None:
    """Return the detector's ``pixel_mask``, 0 is good; None where it has none that fits."""
    node = entry.group.get(f"{place}/pixel_mask") if place else None
    if not isinstance(node, h5py.Dataset) or node.shape != frame or node.dtype.kind not in "biu":
        return None
    mask = np.asarray(node[()], np.uint32)
    if float(np.mean(mask != 0)) > 0.5:
        entry.report.warning(
            "pixel_mask", f"{100 * np.mean(mask != 0):.0f} % of the pixels are masked", "check it"
        )
    return mask
