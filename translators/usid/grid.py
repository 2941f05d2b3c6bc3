"""Whether the points of a USID table are a grid, in which order its dimensions run, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.axes_levels import is_monotone

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.usid.tables import Table

_NEAR = 0.3
"""Largest distance from a grid's levels, in steps, of values that are still taken for it."""


@dataclass(frozen=True, eq=False)
class Run:
    """A dimension of more than one step.

    Attributes
    ----------
    column : int
        Its place in the table.
    label, units : str
        As the table has them.
    values : ndarray of float64, or None
        What it is at each of its steps; None where that depends on other dimensions, or is
        missing somewhere.

    """

    column: int
    label: str
    units: str
    size: int
    values: NDArray[np.float64] | None

    @property
    def is_plain(self) -> bool:
        """Whether its values can be the axis of a plot: they are there, and go one way."""
        return self.values is not None and is_monotone(self.values)


@dataclass(frozen=True, eq=False)
class Layout:
    """How the points of a table lie.

    Attributes
    ----------
    runs : tuple of Run
        The dimensions of more than one step: slow to fast for a grid, else in the table's order,
        each with one value for every point.
    is_grid : bool
        Whether points are a whole grid in C order over the runs; else they are a list.
    still : tuple of int
        Columns of the dimensions that have one step.
    points : int
        How many points there are.

    """

    runs: tuple[Run, ...]
    is_grid: bool
    still: tuple[int, ...]
    points: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions that the points become."""
        return tuple(run.size for run in self.runs) if self.is_grid else (self.points,)


def lay_out(table: Table, *, partial: bool = False) -> Layout:
    """Find how the points of a table lie: its indices say so, and nothing is assumed.

    Parameters
    ----------
    table : Table
        Positions, or spectroscopic dimensions, in any order.
    partial : bool
        Take points of which two have the same indices, as a list.

    Raises
    ------
    SourceError
        If two points have the same indices.

    """
    moving = [k for k, row in enumerate(table.indices) if (row != row[0]).any()]
    still = tuple(k for k in range(len(table.labels)) if k not in moving)
    order = _grid(table.indices, moving)
    if order is not None:
        sizes = [len(np.unique(table.indices[k])) for k in order]
        runs = [_run(table, k, axis, sizes) for axis, k in enumerate(order)]
        return Layout(tuple(runs), True, still, table.points)
    if not partial:
        _refuse_twins(table)
    columns = [k for k in range(len(table.labels)) if k in moving or _varies(table, k)]
    listed = tuple(_listed(table, k) for k in columns)
    return Layout(listed, False, tuple(k for k in still if k not in columns), table.points)


def _grid(indices: NDArray[np.int64], moving: list[int]) -> list[int] | None:
    """Return the columns slow to fast if points go through a whole grid in C order; else None."""
    points = indices.shape[1]
    if not moving:
        return [] if points == 1 else None
    stride = {k: int(np.argmax(indices[k] != indices[k, 0])) for k in moving}
    size = {k: len(np.unique(indices[k])) for k in moving}
    order = sorted(moving, key=lambda k: -stride[k])
    if math.prod(size.values()) != points:
        return None
    faster = 1
    counted = np.arange(points)
    for k in reversed(order):
        if stride[k] != faster:
            return None
        levels = indices[k, : faster * size[k] : faster]
        if (levels[counted // faster % size[k]] != indices[k]).any():
            return None
        faster *= size[k]
    return order


def _run(table: Table, column: int, axis: int, sizes: list[int]) -> Run:
    """Return a dimension of a grid, with what its values are at each step."""
    values = np.asarray(table.values[column], np.float64).reshape(sizes)
    rows = np.moveaxis(values, axis, 0).reshape(sizes[axis], -1)
    found: NDArray[np.float64] | None = None
    if np.isfinite(rows).all():
        means = rows.mean(axis=1)
        exact = (rows == rows[:, :1]).all()
        steps = np.abs(np.diff(means))
        spread = float(np.abs(rows - means[:, None]).max())
        if exact:
            found = rows[:, 0].copy()
        elif steps.size and spread <= _NEAR * float(np.median(steps)):
            found = means
    return Run(column, table.labels[column], table.units[column], sizes[axis], found)


def _varies(table: Table, column: int) -> bool:
    values = table.values[column]
    return bool((values != values[0]).any())


def _listed(table: Table, column: int) -> Run:
    values = np.asarray(table.values[column], np.float64)
    whole = values if np.isfinite(values).all() else None
    return Run(column, table.labels[column], table.units[column], len(values), whole)


def _refuse_twins(table: Table) -> None:
    order = np.lexsort(table.indices)
    ordered = table.indices[:, order]
    same = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).all(axis=0))
    if same.size:
        first, second = sorted((int(order[same[0]]), int(order[same[0] + 1])))
        place = ", ".join(
            f"{label} {index}"
            for label, index in zip(table.labels, table.indices[:, first].tolist(), strict=True)
        )
        raise SourceError(
            f"{table.name}: points {first} and {second} have the same indices ({place})",
            "correct them; --partial takes the points as a list as they stand",
        )
