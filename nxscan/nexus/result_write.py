"""A result as an NXprocess with an NXdata for each output."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import h5py
import hdf5plugin
import numpy as np

from nxscan.nexus import layout
from nxscan.nexus.chunks import CHUNK_BYTES
from nxscan.nexus.entry import now, nxscan_version
from nxscan.nexus.groups import known, make_field, make_group
from nxscan.nexus.result_record import write_record

if TYPE_CHECKING:
    from nxscan.model import Axis
    from nxscan.nexus.results import NewResult, OutputSpec

_SMALL = 64 * 1024
"""Arrays of up to this many bytes are stored in one piece."""


def write_result(entry: Any, name: str, new: NewResult, index: int) -> dict[str, Any]:
    """Write a result without the values of its outputs.

    Parameters
    ----------
    entry : h5py.Group
        The entry.
    name : str
        Name of the result's group.
    new : NewResult
        What is known about it.
    index : int
        Its place in the order of processes, from 1.

    Returns
    -------
    dict of str to h5py.Dataset
        For each output and its errors, where the values go.

    """
    default = next(output.name for output in new.outputs if output.default)
    group = make_group(entry, name, "NXprocess", default=default)
    make_field(group, "program", "nxscan")
    make_field(group, "version", nxscan_version())
    make_field(group, "date", now())
    make_field(group, "sequence_index", index)
    write_record(group, new)
    datasets: dict[str, Any] = {}
    for output in new.outputs:
        datasets |= _write_output(group, output, new.process)
    return datasets


def _write_output(process: Any, output: OutputSpec, title: str) -> dict[str, Any]:
    group = make_group(process, output.name, "NXdata", signal="data")
    label = output.long_name or output.name.replace("_", " ")
    make_field(group, "title", f"{title}: {label}")
    found = {output.name: _create(group, "data", output, label)}
    linked = _write_axes(group, output.axes)
    found[output.name].attrs["interpretation"] = output.interpretation or _interpretation(linked)
    if output.errors:
        found[f"{output.name}_errors"] = _create(
            group, "data_errors", output, f"{label}, one standard deviation"
        )
    return found


def _create(group: Any, name: str, output: OutputSpec, label: str) -> Any:
    shape, dtype = output.shape, np.dtype(output.dtype).newbyteorder("<")
    options: dict[str, Any] = {}
    if math.prod(shape) * dtype.itemsize > _SMALL:
        options = {"chunks": _chunks(shape, dtype.itemsize), "fletcher32": True}
        options |= hdf5plugin.Bitshuffle(cname="lz4")
    if dtype.kind == "f":
        options["fillvalue"] = np.nan
    dataset = group.create_dataset(name, shape, dtype, **options)
    dataset.attrs["units"] = known(output.units)
    dataset.attrs["long_name"] = label
    return dataset


def _chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return chunks of at most 0.5 MB, whose edges are powers of two like those of blocks.

    >>> _chunks((2048, 2048), 8), _chunks((41, 3), 4)
    ((256, 256), (41, 3))
    """
    edges = [1 << (n - 1).bit_length() for n in shape]
    while math.prod(edges) * itemsize > CHUNK_BYTES and max(edges) > 1:
        largest = edges.index(max(edges))
        edges[largest] //= 2
    return tuple(min(edge, n) for edge, n in zip(edges, shape, strict=True))


def _write_axes(group: Any, axes: tuple[Axis, ...]) -> list[bool]:
    """Write axes; those of the scan are linked. Return which ones those are."""
    # a single value has an empty list: without @axes nexusformat warns, with "." it and silx do
    group.attrs["axes"] = [axis.name for axis in axes]
    linked = [_link_axis(group, axis, k) for k, axis in enumerate(axes)]
    for k, (axis, is_linked) in enumerate(zip(axes, linked, strict=True)):
        if is_linked:
            _link_companions(group, axis, k)
    return linked


def _link_axis(group: Any, axis: Axis, dimension: int) -> bool:
    """Link an axis of the scan, or write one that the scan has not; return whether linked."""
    group.attrs[f"{axis.name}_indices"] = [dimension]
    found = _own_dataset(group.file, axis.name)
    if found is not None and _is_same(found, axis):
        group[axis.name] = found
        return True
    label = axis.long_name or axis.name
    make_field(group, axis.name, axis.values, units=known(axis.units), long_name=label)
    if axis.width is not None:
        width = f"{axis.name}_width"
        make_field(group, width, axis.width, units=known(axis.units), long_name=f"{label} width")
        group.attrs[f"{width}_indices"] = [dimension]
    return False


def _link_companions(group: Any, axis: Axis, dimension: int) -> None:
    """Link what else runs along an axis of the scan: motors that move together, widths."""
    attributes = group.file[layout.DATA].attrs
    mine = _indices(attributes, axis.name)
    for key in attributes:
        name = key.removesuffix("_indices")
        if name == key or name in group or _indices(attributes, name) != mine:
            continue
        found = _own_dataset(group.file, name)
        if found is not None:
            group[name] = found
            group.attrs[f"{name}_indices"] = [dimension]


def _indices(attributes: Any, name: str) -> list[int]:
    found: list[int] = np.atleast_1d(attributes.get(f"{name}_indices", [])).tolist()
    return found


def _own_dataset(file: Any, name: str) -> Any:
    """Return a field of the scan's plot that lies in the file itself."""
    group = file[layout.DATA]
    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
        return None
    found = group[name]
    return found if isinstance(found, h5py.Dataset) else None


def _is_same(dataset: Any, axis: Axis) -> bool:
    return (
        dataset.shape == axis.values.shape
        and dataset.attrs.get("units") == known(axis.units)
        and dataset.attrs.get("long_name") == (axis.long_name or axis.name)
        and np.array_equal(dataset[()], axis.values, equal_nan=True)
    )


def _interpretation(linked: list[bool]) -> str:
    """Return what a viewer shall draw: images, but spectra where an axis of its own is last."""
    if len(linked) < 2:
        return ("scalar", "spectrum")[len(linked)]
    return "spectrum" if len(linked) > 2 and not linked[-1] else "image"
