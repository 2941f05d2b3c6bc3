"""Axes of an NXdata read back, of a scan and of a result; what each frame integrates over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.hdf5.texts import text
from nxscan.model import Axis
from nxscan.nexus.groups import known, make_field, make_group
from nxscan.nexus.layout import INTEGRATED
from nxscan.nexus.tree import field_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nxscan.nexus.master import Opened


def read_axes(opened: Opened, group: Any) -> dict[str, Axis]:
    """Read the axes of an NXdata, of each dimension the one in @axes first."""
    attributes = opened.attributes(group)
    listed = [text(name) for name in np.ravel(attributes["axes"])]
    indices = {
        key.removesuffix("_indices"): int(np.ravel(value)[0])
        for key, value in attributes.items()
        if key.endswith("_indices")
    }
    names = [*listed, *(name for name in indices if name not in listed)]
    widths = {f"{name}_width" for name in names}
    return {n: _axis(opened, group, n, indices[n]) for n in names if n not in widths}


def with_roles(axes: dict[str, Axis], rank: int) -> dict[str, Axis]:
    """Return the axes as those of a scan of ``rank`` dimensions; all others are the detector's."""
    return {
        name: replace(axis, role="scan" if axis.dimension < rank else "detector")
        for name, axis in axes.items()
    }


def _axis(opened: Opened, group: Any, name: str, dimension: int) -> Axis:
    field = field_of(opened, group[name])
    width = opened.value(group[f"{name}_width"]) if f"{name}_width" in group else None
    return Axis(
        name=name,
        values=np.asarray(field.value, np.float64),
        units=field.units,
        long_name=str(field.attributes.get("long_name", "")),
        dimension=dimension,
        width=None if width is None else np.asarray(width, np.float64),
    )


def write_integrated(entry: Any, axes: Mapping[str, Axis]) -> None:
    """Write what each frame integrates over: where every motor begins and where it ends."""
    group = make_group(entry, INTEGRATED.rpartition("/")[2], "NXparameters")
    for name, axis in axes.items():
        half = 0.0 if axis.width is None else 0.5 * float(axis.width[0])
        for end, sign in (("start", -1), ("stop", 1)):
            value, label = float(axis.values[0]) + sign * half, axis.long_name or name
            make_field(group, f"{name}_{end}", value, units=known(axis.units), long_name=label)


def read_integrated(opened: Opened) -> dict[str, Axis]:
    """Read what each frame integrates over."""
    if INTEGRATED not in opened:
        return {}
    group = opened[INTEGRATED]
    names = [key.removesuffix("_start") for key in group if key.endswith("_start")]
    return {name: _integrated(opened, group, name) for name in names}


def _integrated(opened: Opened, group: Any, name: str) -> Axis:
    start, stop = (field_of(opened, group[f"{name}_{end}"]) for end in ("start", "stop"))
    first, last = np.float64(start.value), np.float64(stop.value)
    return Axis(
        name=name,
        values=np.array([0.5 * (first + last)]),
        units=start.units,
        long_name=str(start.attributes.get("long_name", "")),
        role="integrated",
        width=np.array([last - first]),
    )
