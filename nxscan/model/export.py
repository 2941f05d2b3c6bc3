"""A scan as the objects of other libraries, lazily."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import MissingExtraError

if TYPE_CHECKING:
    from nxscan.model.metadata import Field
    from nxscan.model.scan import Scan


def to_xarray(scan: Scan) -> Any:
    """Return the main signal as an ``xarray.DataArray`` over a dask array.

    Every axis, reading and counter is a coordinate with its unit; the metadata's scalar
    fields are in ``attrs``. Nothing is read until it is computed.
    """
    try:
        import xarray
    except ImportError as error:
        raise MissingExtraError("to_xarray", "xarray") from error
    dims = [axis.name for axis in scan.main_axes()]
    coords: dict[str, Any] = {}
    for name, axis in scan.axes.items():
        attributes = {"units": axis.units or "", "long_name": axis.long_name or name}
        coords[name] = ((dims[axis.dimension],), axis.values, attributes)
    rank = len(scan.scan_shape)
    for prefix, group in (("", scan.counters), ("reading_", scan.readings)):
        for name, item in group.items():
            key = prefix + name if prefix + name not in coords else f"counter_{name}"
            coords[key] = (tuple(dims[:rank]), np.asarray(item.value), _attributes(item))
    signal = scan.signal
    return xarray.DataArray(
        _dask(scan),
        dims=dims,
        coords=coords,
        name=scan.detector,
        attrs={
            "units": signal.units or "",
            "long_name": signal.long_name,
            "title": scan.title,
            **_flat_metadata(scan),
        },
    )


def to_sidpy(scan: Scan) -> Any:
    """Return the main signal as a ``sidpy.Dataset``, which is a dask array with dimensions.

    Scan dimensions are of type SPATIAL where sidpy shows them as positions, the detector's
    of type RECIPROCAL; metadata are in ``metadata`` and the raw keys in
    ``original_metadata``. Nothing is read until it is computed.
    """
    try:
        import sidpy
    except ImportError as error:
        raise MissingExtraError("to_sidpy", "usid") from error
    signal = scan.signal
    dataset = sidpy.Dataset.from_array(_dask(scan), title=scan.title)
    dataset.units = signal.units or ""
    dataset.quantity = signal.long_name or "intensity"
    dataset.data_type = "UNKNOWN"
    rank = len(scan.scan_shape)
    for dimension, axis in enumerate(scan.main_axes()):
        kind = sidpy.DimensionType.SPATIAL if dimension < rank else sidpy.DimensionType.RECIPROCAL
        dataset.set_dimension(
            dimension,
            sidpy.Dimension(
                axis.values,
                name=axis.name,
                units=axis.units or "",
                quantity=axis.long_name or axis.name,
                dimension_type=kind,
            ),
        )
    dataset.metadata = _flat_metadata(scan)
    dataset.original_metadata = dict(scan.raw_metadata.values)
    return dataset


def _dask(scan: Scan) -> Any:
    """Return the main signal as a dask array in blocks of some 64 MB along its chunks."""
    try:
        import dask.array
    except ImportError as error:
        raise MissingExtraError("a lazy array", "xarray") from error
    signal = scan.signal
    blocks = dask.array.core.normalize_chunks(
        "auto",
        signal.shape,
        limit=64 * 2**20,
        dtype=signal.dtype,
        previous_chunks=signal.chunks,
    )
    empty = np.empty((0,) * signal.ndim, signal.dtype)
    return dask.array.from_array(signal, chunks=blocks, asarray=False, fancy=False, meta=empty)


def _attributes(item: Field) -> dict[str, Any]:
    return {} if item.units is None else {"units": item.units}


def _flat_metadata(scan: Scan) -> dict[str, Any]:
    """Return scalar metadata by path, with the unit behind the number in its own key."""
    flat: dict[str, Any] = {}
    for path, item in scan.metadata.walk():
        if np.ndim(item.value) == 0:
            flat[path] = item.value
            if item.units:
                flat[f"{path}@units"] = item.units
    return flat
