"""Axes fit their signal: n values (centers) or n + 1 (edges) along each dimension."""

from __future__ import annotations

import re
from collections.abc import Iterator

import h5py
import numpy as np

from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.tree import attributes, join, member, signal_of

_RULE = "axis length"


def axis_lengths(target: Target) -> Iterator[Finding]:
    """Check that every axis of every NXdata has n values, or n + 1 edges."""
    for group in target.plots:
        name = signal_of(group)
        signal = member(group, name) if name else None
        if isinstance(signal, h5py.Dataset) and signal.shape is not None:
            for axis, dimensions in sorted(_axes(group, signal.ndim).items()):
                yield from _fits(group, axis, dimensions, signal.shape)


def _axes(group: h5py.Group, rank: int) -> dict[str, list[int]]:
    """Return which dimensions each axis belongs to: by place in @axes, else by its _indices."""
    listed = attributes(group, "axes") or []
    if len(listed) == 1:
        listed = [name for name in re.split(r"[\s,:\[\]]+", listed[0]) if name]
    scatter = rank == 1 and len(listed) > 1
    axes = {
        name: [0 if scatter else place]
        for place, name in enumerate(listed)
        if name not in (".", "")
    }
    for key in group.attrs:
        if key.endswith("_indices"):
            indices = np.atleast_1d(group.attrs[key])
            if indices.dtype.kind in "iu":
                axes[key.removesuffix("_indices")] = [int(index) for index in indices]
    return axes


def _fits(
    group: h5py.Group, name: str, dimensions: list[int], shape: tuple[int, ...]
) -> Iterator[Finding]:
    axis = member(group, name)
    if not isinstance(axis, h5py.Dataset):
        return  # that an axis is missing is said by nexusformat and punx
    path = join(group.name, name)
    if axis.shape is None:
        message = "holds nothing at all (a null dataspace, h5py.Empty)"
        yield Finding("error", path, _RULE, message, "write the values of the axis")
        return
    if any(not 0 <= dimension < len(shape) for dimension in dimensions):
        message = f"belongs to dimensions {dimensions}, but the signal has {len(shape)}"
        yield Finding("error", path, _RULE, message, f"correct @{name}_indices or @axes")
        return
    wanted = tuple(shape[dimension] for dimension in dimensions)
    if axis.shape == () and wanted in ((), (1,)):
        return
    fits = len(axis.shape) == len(wanted) and all(
        have in (want, want + 1) for have, want in zip(axis.shape, wanted, strict=True)
    )
    if not fits:
        where = f"dimension {dimensions[0]}" if len(dimensions) == 1 else f"dimensions {dimensions}"
        message = f"has shape {axis.shape}, but {where} of the signal has length {_plain(wanted)}"
        hint = "give one value for each signal value, or one more where they are bin edges"
        yield Finding("error", path, _RULE, message, hint)


def _plain(lengths: tuple[int, ...]) -> str:
    return " × ".join(str(length) for length in lengths)
