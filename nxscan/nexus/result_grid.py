"""A picture of a result of a list of positions: what two motors say where each value belongs.

A scan that is a list is never padded into a grid; its results are lists as well. So that they
can be looked at, the default plot of one with two motors is a rendering beside it: a grid of
cells, each the mean of the values at the positions in it, NaN where there is none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.model.names import nexus_name
from nxscan.nexus import layout
from nxscan.nexus.groups import make_field, make_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.nexus.results import OutputSpec

_EVEN = 1e-3
"""Values of a motor that are closer than this part of its range are one level."""


def write_grid(process: Any, output: OutputSpec) -> str | None:
    """Write the rendering of an output, if it is one value for each position of a list.

    Parameters
    ----------
    process : h5py.Group
        The result; the output's values are there.
    output : OutputSpec
        The output.

    Returns
    -------
    str or None
        Name of the rendering; None where the output is no list over two motors.

    """
    plot = process[output.name]
    motors = _motors(plot, output)
    if len(motors) != 2:
        return None
    slow, fast = sorted(motors, key=_travel)
    cells = [_centers(motor[()].astype(np.float64)) for motor in (slow, fast)]
    picture = rendered(plot["data"][()], slow[()], fast[()], *cells)
    name = nexus_name(f"{output.name}_grid", process)
    names = [motor.name.rpartition("/")[2] for motor in (slow, fast)]
    group = make_group(process, name, "NXdata", signal="data", axes=names)
    title = plot["title"][()].decode()
    size = " × ".join(str(len(values)) for values in cells)
    make_field(group, "title", f"{title}, drawn on {size} cells (means of {len(slow)} positions)")
    data = make_field(group, "data", picture, interpretation="image")
    for key in ("units", "long_name"):
        data.attrs[key] = plot["data"].attrs[key]
    for k, (motor, values) in enumerate(zip((slow, fast), cells, strict=True)):
        field = make_field(group, names[k], values)
        field.attrs.update({key: motor.attrs[key] for key in ("units", "long_name")})
        group.attrs[f"{names[k]}_indices"] = [k]
    return name


def rendered(
    values: NDArray[Any],
    slow: NDArray[Any],
    fast: NDArray[Any],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the mean of the values in each cell, NaN where there is none.

    Parameters
    ----------
    values, slow, fast : ndarray, shape (n,)
        Value and motors of each position; values that are NaN do not count.
    rows, columns : ndarray
        Centers of the cells, ascending.

    """
    shape = len(rows), len(columns)
    cell = np.ravel_multi_index((_nearest(rows, slow), _nearest(columns, fast)), shape)
    known = np.isfinite(values)
    weights = np.asarray(values[known], np.float64)
    sums = np.bincount(cell[known], weights, minlength=math.prod(shape))
    counts = np.bincount(cell[known], minlength=math.prod(shape))
    means = np.full(math.prod(shape), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means.reshape(shape)


def _motors(plot: Any, output: OutputSpec) -> list[Any]:
    """Return the motors that vary along a list of positions; none where the axis is a motor."""
    scan = plot.file[layout.DATA]
    names = [axis.name for axis in output.axes]
    if len(names) != 1 or names[0] != "position" or plot[names[0]] != scan.get(names[0]):
        return []
    beside = [key.removesuffix("_indices") for key in plot.attrs if key.endswith("_indices")]
    widths = {f"{name}_width" for name in beside}
    fields = [plot[name] for name in beside if name != names[0] and name not in widths]
    return [field for field in fields if isinstance(field, h5py.Dataset) and _varies(field)]


def _varies(field: Any) -> bool:
    values = field[()]
    return bool(np.isfinite(values).all() and np.ptp(values) > 0)


def _travel(motor: Any) -> float:
    """Return how far a motor goes in all, in units of its range: the fast one goes farther."""
    values = motor[()]
    return float(np.abs(np.diff(values)).sum() / np.ptp(values))


def _centers(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the levels that a motor was at, if they are few, else even cells."""
    ordered = np.sort(values)
    starts = np.flatnonzero(np.diff(ordered, prepend=-np.inf) > _EVEN * np.ptp(ordered))
    count = math.ceil(math.sqrt(len(values)))
    if len(starts) <= 2 * count:
        return np.array([part.mean() for part in np.split(ordered, starts[1:])])
    return np.linspace(ordered[0], ordered[-1], count)


def _nearest(centers: NDArray[np.float64], values: NDArray[Any]) -> NDArray[np.intp]:
    edges = 0.5 * (centers[1:] + centers[:-1])
    return np.searchsorted(edges, values)
