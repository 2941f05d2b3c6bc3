"""The axes of a NeXus entry's scan, and what its motors were read at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.axes import find_axes
from nxscan.translate.axes_levels import is_monotone, moves
from nxscan.translate.h5axes import Column, Laid, lay_out
from nxscan.translate.h5values import text
from nxscan.translators.nexus.columns import Recorded, address
from nxscan.translators.nexus.entry import frame_rank
from nxscan.translators.nexus.plots import Plot, find_plots, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.nexus.entry import Entry


def scan_axes(
    entry: Entry, plot: Plot, shape: tuple[int, ...], listed: Sequence[Recorded]
) -> Laid | None:
    """Return the axes that the file gives; of a row of positions, those that are found."""
    columns = _columns(entry, plot, shape, listed)
    if entry.options.axes or (len(shape) == 1 and not _one_way(columns)):
        motors = {c.name: np.ravel(c.values) for c in columns if c.values.size == math.prod(shape)}
        tried = {c.name for c in columns if c.axis} | set(entry.options.axes or {})
        candidates = {name: values for name, values in motors.items() if name in tried}
        found = find_axes(candidates, math.prod(shape), override=entry.options.axes or None)
        return Laid(found, motors)
    return lay_out(columns, shape, entry.report)


def _one_way(columns: Sequence[Column]) -> bool:
    first = next((column for column in columns if column.axis), None)
    return first is not None and first.values.size > 1 and is_monotone(first.values.ravel())


def _columns(
    entry: Entry, plot: Plot, shape: tuple[int, ...], listed: Sequence[Recorded]
) -> list[Column]:
    columns, seen = [], set()
    axes = _moved(entry, plot, shape)
    for name, (node, dims) in axes.items():
        if node is None or not dims or min(dims) >= len(shape) or node.size == 0:
            continue
        values = _axis_values(entry, name, node)
        if values is None:
            continue
        if len(shape) != plot.signal.ndim - frame_rank(entry, plot) or values.ndim > len(shape):
            continue
        one = dims[0] if len(dims) == 1 else None
        if not _fits(values, shape, one):
            _misfit(entry, name, values, shape)
            continue
        columns.append(Column(name, values, one if values.ndim == 1 else None))
        seen.add(name)
    places = {address(node) for node, _ in axes.values() if node is not None}
    motors = [
        one for one in listed if one.motor and one.name not in seen and one.address not in places
    ]
    return columns + [
        Column(one.name, _numbered(entry, one.name, one.values), axis=False) for one in motors
    ]


def _misfit(entry: Entry, name: str, values: NDArray[np.float64], shape: tuple[int, ...]) -> None:
    """Report an axis that does not fit the scan: an error, unless the user takes what fits."""
    lengths = " × ".join(map(str, shape))
    message = f"{name} has the shape {values.shape}, but the scan is {lengths}"
    if entry.partial:
        entry.report.warning("axes", f"{message}: it is left out")
    else:
        entry.report.error("axes", message, "--partial leaves it out")


def _moved(
    entry: Entry, plot: Plot, shape: tuple[int, ...]
) -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Return the plot's axes; where that of a row stood still, what other plots call its axis."""
    if len(shape) != 1 or any(_moves(node) for node, dims in plot.axes.values() if dims == (0,)):
        return plot.axes
    for other in find_plots(entry.group):
        for name, (node, dims) in other.axes.items():
            if dims == (0,) and _moves(node) and node.shape == shape:
                still = ", ".join(plot.axes) or "nothing"
                entry.report.note(
                    "axes",
                    f"{plot.group.name} names {still} as axis, which did not move; {name} of "
                    f"{other.group.name} did, and is taken",
                )
                return {name: (node, dims)} | plot.axes
    return plot.axes


def _moves(node: Any) -> bool:
    values = None if node is None else numbers(node)
    return values is not None and values.size > 1 and moves(values.ravel())


def _fits(values: NDArray[np.float64], shape: tuple[int, ...], dimension: int | None) -> bool:
    if values.ndim != 1:
        return values.shape in ((), shape)
    lengths = shape if dimension is None else shape[dimension : dimension + 1]
    return any(len(values) in (length, length + 1) for length in lengths)


def _axis_values(entry: Entry, name: str, node: Any) -> NDArray[np.float64] | None:
    found = numbers(node)
    if found is not None or node.dtype.kind not in "SO":
        return found
    values = np.asarray(node[()])
    return _numbered(entry, name, np.array([text(v) for v in values.ravel()]).reshape(values.shape))


def _numbered(entry: Entry, name: str, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return numbers; texts are numbered in the order in which they first come."""
    if values.dtype.kind in "biuf":
        return np.asarray(values, np.float64)
    before = name in entry.codes.known
    found = entry.codes.numbers(name, values.ravel().tolist()).reshape(values.shape)
    if not before:
        words = ", ".join(f"{k}: {word}" for k, word in enumerate(entry.codes.known[name]))
        entry.report.note(f"axis {name}", f"its values are texts: they are numbered, {words}")
    return found


def cut(listed: Sequence[Recorded], frames: int) -> list[Recorded]:
    """Return what was recorded at the first positions only."""
    return [replace(one, values=one.values.ravel()[:frames]) for one in listed]


def first_frames(entry: Entry, laid: Laid, frames: int) -> Laid:
    """Find the axes of the first frames of a scan, which are a list or a smaller grid."""
    motors = {name: column[:frames] for name, column in laid.motors.items()}
    named = {name for dimension in laid.axes.dimensions for name in dimension.motors}
    candidates = {name: column for name, column in motors.items() if name in named}
    found = find_axes(candidates, frames, override=entry.options.axes or None)
    return Laid(found, motors)
