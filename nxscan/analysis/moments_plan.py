"""What the moments of a scan's curves are taken over: places, weights, edges, noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import ProcessError
from nxscan.kernels.central import HIGHEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Axis, Scan

    Floats = NDArray[np.float64]

_EVEN = 0.01
"""Steps that differ by less than this part of the mean step are called even."""
_MIRRORED = 1e-12
"""Places that differ by less than this part of the range from their mirror image are its own."""


@dataclass(frozen=True, eq=False)
class Along:
    """One axis that moments are taken along; u = (value - origin) / scale is in -1 to 1.

    Attributes
    ----------
    axis : Axis
        The axis.
    origin, scale : float
        Middle and half of the range.
    linear, squared : ndarray of int64
        Which rows of `Curves.rows` have its powers, times the weights and their squares.
    edge : ndarray of int64, shape (5,)
        Which rows have w u^0 to w u^4 at the edge, and 0 elsewhere.

    """

    axis: Axis
    origin: float
    scale: float
    linear: NDArray[np.int64]
    squared: NDArray[np.int64]
    edge: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of a scan.

    Attributes
    ----------
    scan_shape : tuple of int
        Lengths of the scan's dimensions.
    along : tuple of Along
        The axes.
    rows : ndarray, shape (k, positions)
        Coefficients of all sums over positions: weights times powers of u. The first is that
        of the weights.
    edge_row : int
        The row that is 1 at the edge and 0 elsewhere.
    even : int or None
        How many rows, the first ones, are the same backwards, if all others change their sign
        backwards; else None.
    edge : ndarray of bool, shape (positions,)
        Which positions are at the scan's edge.
    weighted : bool
        Whether the steps are uneven.

    """

    scan_shape: tuple[int, ...]
    along: tuple[Along, ...]
    rows: Floats
    edge_row: int
    even: int | None
    edge: NDArray[np.bool_]
    weighted: bool

    def part(self, selection: Sequence[slice]) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the rows and the edge of some positions."""
        rows = self.rows.reshape(-1, *self.scan_shape)[(slice(None), *selection)]
        edge = self.edge.reshape(self.scan_shape)[tuple(selection)]
        return np.ascontiguousarray(rows.reshape(len(rows), -1)), edge.ravel()


def make_curves(scan: Scan, names: Sequence[str], edge: int | None, weights: str) -> Curves:
    """Prepare the moments of a scan.

    Parameters
    ----------
    scan : Scan
        The scan.
    names : sequence of str
        The scan axes, or none for all that were scanned.
    edge : int or None
        How many positions at each end are the edge; by default a twentieth, at least one.
    weights : {"auto", "even", "steps"}
        Whether positions are weighted by the steps between them.

    """
    axes = chosen_axes(scan, names)
    places = [places_of(scan, axis) for axis in axes]
    weight = _weights(scan, axes, places, weights)
    at_edge = _edge(scan, axes, edge)
    weighted = bool((weight != 1).any())
    scaled = [_scaled(values) for values in places]
    units = [u for u, _, _ in scaled]
    rows: list[Floats] = []
    linear = _add_powers(rows, weight, units, 4 if weighted else HIGHEST)
    squared = _add_powers(rows, weight**2, units, HIGHEST) if weighted else linear
    edges = _add_powers(rows, at_edge * weight, units, 4)
    if weighted:
        rows.append(at_edge.astype(float))
    table, place, even = _ordered(np.array(rows))
    edge_row = int(place[-1] if weighted else place[edges[0][0]])
    along = tuple(
        Along(axis, origin, scale, place[linear[k][:5]], place[squared[k]], place[edges[k]])
        for k, (axis, (_, origin, scale)) in enumerate(zip(axes, scaled, strict=True))
    )
    return Curves(scan.scan_shape, along, table, edge_row, even, at_edge, weighted)


def _add_powers(
    rows: list[Floats], weight: Floats, units: Sequence[Floats], top: int
) -> list[list[int]]:
    """Add the rows ``weight`` times u^0 to u^top; return which they are, for each axis.

    Powers are made by multiplication: numpy's power rounds the ends of an array differently.
    """
    first = len(rows)
    rows.append(weight)
    places = []
    for u in units:
        places.append([first, *range(len(rows), len(rows) + top)])
        for _ in range(top):
            rows.append(weight * u if len(rows) == places[-1][1] else rows[-1] * u)
    return places


def _ordered(rows: Floats) -> tuple[Floats, NDArray[np.int64], int | None]:
    """Put rows that are the same backwards first, if the others change their sign backwards.

    A row of zeros is added where there is an odd number: sums are taken in pairs. Returns the
    rows, where each went, and how many came first; None if there are others.
    """
    same = (rows == rows[:, ::-1]).all(axis=1)
    changed = (rows == -rows[:, ::-1]).all(axis=1)
    if not (same | changed).all():
        return _paired(rows), np.arange(len(rows)), None
    first = _paired(rows[same])
    place = np.where(same, np.cumsum(same) - 1, len(first) + np.cumsum(~same) - 1)
    return np.concatenate([first, _paired(rows[~same])]), place, len(first)


def _paired(rows: Floats) -> Floats:
    return np.concatenate([rows, np.zeros((len(rows) % 2, rows.shape[1]))])


def chosen_axes(scan: Scan, names: Sequence[str], owner: str = "moments") -> list[Axis]:
    """Return the axes that are named, or the main one of every dimension that was scanned.

    ``owner`` is the process that errors speak of.

    Raises
    ------
    ProcessError
        If a name is none of a scan axis, or an axis has fewer than two values.

    """
    rank = len(scan.scan_shape)
    known = {name: axis for name, axis in scan.axes.items() if axis.dimension < rank}
    for name in names:
        if name not in known:
            raise ProcessError(
                f"{owner}: {name!r} is no scan axis of {scan.title!r}",
                f"there are: {', '.join(known) or 'none'}",
            )
    found = [known[name] for name in names] or [
        axis for axis in scan.main_axes()[:rank] if len(axis) > 1
    ]
    flat = [axis.name for axis in found if not np.ptp(axis.values) > 0]
    if flat or not found:
        raise ProcessError(
            f"{owner}: {', '.join(flat) or scan.title!r} was not scanned: it needs an axis "
            "with two positions or more",
            "name the axes with -p axes=...",
        )
    return found


def places_of(scan: Scan, axis: Axis) -> Floats:
    """Return where each position is along an axis: as it was read, else as it was set."""
    shape = [1] * len(scan.scan_shape)
    shape[axis.dimension] = len(axis)
    asked = np.broadcast_to(axis.values.reshape(shape), scan.scan_shape).astype(float).ravel()
    reading = scan.readings.get(axis.name)
    if reading is None or (reading.units or axis.units) != (axis.units or reading.units):
        return asked
    read = np.asarray(reading.value)
    if read.shape != scan.scan_shape or read.dtype.kind not in "iuf":
        return asked
    read = read.astype(float).ravel()
    return np.where(np.isfinite(read), read, asked)


def _scaled(values: Floats) -> tuple[Floats, float, float]:
    low, high = float(values.min()), float(values.max())
    origin, scale = low + 0.5 * (high - low), 0.5 * (high - low) or 1.0
    u = (values - origin) / scale
    if np.abs(u + u[::-1]).max() < _MIRRORED:
        u = 0.5 * (u - u[::-1])
    return u, origin, scale


def _weights(scan: Scan, axes: list[Axis], places: list[Floats], kind: str) -> Floats:
    """Return the weight of each position: its cell along each axis, 1 on average.

    Places that several motors reached in no order have no cells: 1.
    """
    weight = np.ones(scan.scan_shape)
    for axis, values in zip(axes, places, strict=True):
        if kind == "even" or _is_list(scan, axis):
            continue
        along = np.moveaxis(values.reshape(scan.scan_shape), axis.dimension, -1)
        cells = np.apply_along_axis(_cells, -1, along)
        if kind == "steps" or np.abs(cells - 1).max() > _EVEN:
            weight *= np.moveaxis(cells, -1, axis.dimension)
    return weight.ravel()


def _is_list(scan: Scan, axis: Axis) -> bool:
    """Whether positions along the axis' dimension are a list of places of several motors."""
    motors = [other for other in scan.axes_along(axis.dimension) if other.role == "scan"]
    steps = np.diff(axis.values)
    return len(motors) > 1 and not ((steps > 0).all() or (steps < 0).all())


def _cells(values: Floats) -> Floats:
    """Return the widths of the cells around places, in units of their mean; shared by equals.

    >>> _cells(np.array([0.0, 1, 2, 4])).round(3).tolist()
    [0.727, 0.727, 1.091, 1.455]
    """
    places, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(places) < 2:
        return np.ones(len(values))
    steps = np.diff(places)
    cells = 0.5 * (np.append(steps, steps[-1]) + np.insert(steps, 0, steps[0])) / counts
    found = cells[where]
    return np.asarray(found / found.mean())


def _edge(scan: Scan, axes: list[Axis], count: int | None) -> NDArray[np.bool_]:
    """Return which positions have one of the first or last values of one of the axes.

    An axis of two or three values says nothing about an edge, unless it is the only one.
    """
    found: NDArray[Any] = np.zeros(scan.scan_shape, bool)
    long = [axis for axis in axes if len(np.unique(axis.values)) > 3] or axes
    for axis in long:
        values, where = np.unique(axis.values, return_inverse=True)
        depth = min(count or max(1, len(values) // 20), max(1, (len(values) - 1) // 2))
        ends = (where < depth) | (where >= len(values) - depth)
        shape = [1] * len(scan.scan_shape)
        shape[axis.dimension] = len(axis)
        found |= ends.reshape(shape)
    return found.ravel()
