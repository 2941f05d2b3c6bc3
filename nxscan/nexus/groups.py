"""Small pieces of NeXus that every part of the writer uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model.units import UNKNOWN_UNITS

if TYPE_CHECKING:
    from nxscan.model import Axis, Field, Group, Scan

GZIP = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
_LARGE = 4096


def make_group(parent: Any, name: str, nx_class: str, **attributes: Any) -> Any:
    """Make an HDF5 group with its NX_class and further attributes."""
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    for key, value in attributes.items():
        group.attrs[key] = value
    return group


def make_field(
    parent: Any,
    name: str,
    value: Any,
    *,
    units: str | None = None,
    long_name: str = "",
    **attributes: Any,
) -> Any:
    """Make a dataset with unit and long name; larger arrays are compressed.

    Arrays of text become fixed-length UTF-8 bytes, which HDF5 compresses; single texts stay
    of variable length, which every reader shows.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "UO":
        value = np.char.encode(value.astype(str), "utf-8")
    options = GZIP if isinstance(value, np.ndarray) and value.nbytes > _LARGE else {}
    dataset = parent.create_dataset(name, data=value, **options)
    if units is not None:
        dataset.attrs["units"] = units
    if long_name:
        dataset.attrs["long_name"] = long_name
    for key, attribute in attributes.items():
        dataset.attrs[key] = attribute
    return dataset


def write_tree(parent: Any, tree: Group) -> None:
    """Write the fields and groups of a metadata tree into an HDF5 group that exists."""
    for key, value in tree.attributes.items():
        parent.attrs[key] = value
    for name, item in tree.fields.items():
        write_field(parent, name, item)
    for name, group in tree.groups.items():
        child = parent.require_group(name)
        child.attrs["NX_class"] = group.nx_class
        write_tree(child, group)


def write_field(parent: Any, name: str, item: Field) -> Any:
    """Write one field of the model."""
    dataset = make_field(parent, name, item.value, units=item.units)
    if item.units is None and name == "value" and is_class(parent, "NXpositioner"):
        dataset.attrs["units"] = UNKNOWN_UNITS
    dataset.attrs.update(item.attributes)
    return dataset


def is_class(group: Any, nx_class: str) -> bool:
    """Tell whether an HDF5 group is of a NeXus class."""
    return bool(group.attrs.get("NX_class") == nx_class)


def known(units: str | None) -> str:
    """Return what @units says of a measured quantity, whose unit may not be known."""
    return UNKNOWN_UNITS if units is None else units


def write_axes(group: Any, axes: list[Axis], plotted: list[Axis]) -> None:
    """Write axes into an NXdata group: ``plotted`` in @axes, the others beside them."""
    group.attrs["axes"] = [axis.name for axis in plotted]
    for axis in axes:
        label = axis.long_name or axis.name
        make_field(group, axis.name, axis.values, units=known(axis.units), long_name=label)
        group.attrs[f"{axis.name}_indices"] = [axis.dimension]
        if axis.width is not None:
            width, label = f"{axis.name}_width", f"{label} width"
            make_field(group, width, axis.width, units=known(axis.units), long_name=label)
            group.attrs[f"{width}_indices"] = [axis.dimension]


def scan_axes(scan: Scan) -> tuple[list[Axis], list[Axis]]:
    """Return the scan's own axes and those of them that plots use."""
    rank = len(scan.scan_shape)
    return [a for a in scan.axes.values() if a.dimension < rank], scan.main_axes()[:rank]


def write_stack(parent: Any, name: str, shape: tuple[int, ...]) -> Any:
    """Write the NXdata of calibration frames, shape (n, y, x) or (y, x), without the frames."""
    group = make_group(parent, name, "NXdata", signal="data")
    names = ["frame", "y", "x"][-len(shape) :]
    group.attrs["axes"] = names
    for dimension, (axis, length) in enumerate(zip(names, shape, strict=True)):
        unit = "" if axis == "frame" else "pixel"
        make_field(group, axis, np.arange(length, dtype=np.float64), units=unit, long_name=axis)
        group.attrs[f"{axis}_indices"] = [dimension]
    return group
