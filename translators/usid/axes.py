"""The dimensions of a Main dataset as the axes of a scan and of its frames."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.model import Axis
from nxscan.model.names import nexus_name
from nxscan.translate.axes import AxesFound, Dimension, find_axes
from nxscan.translators.usid.tables import usid_units

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nxscan.translate.report import Report
    from nxscan.translators.usid.grid import Layout, Run
    from nxscan.translators.usid.tables import Table

    Values = NDArray[np.float64]

RESERVED = frozenset(
    {"data", "errors", "title", "frame_number", "frame", "position", "repeat", "step"}
)
_ARBITRARY = re.compile(r"arb\w*\.?|none|", re.IGNORECASE)


def unique_labels(table: Table) -> list[str]:
    """Return a name for each dimension of a table; the second of two alike gets a number."""
    found: list[str] = []
    for label in table.labels:
        name, count = label or "dimension", 1
        while name in found:
            count += 1
            name = f"{label or 'dimension'}_{count}"
        found.append(name)
    return found


def motors_of(table: Table) -> dict[str, Values]:
    """Return what each position dimension was at, for every position, by its label.

    A dimension that is there because USID asks for one, and says nothing, is left out.
    """
    return {
        name: np.asarray(values, np.float64)
        for name, values in zip(unique_labels(table), table.values, strict=True)
        if not (_ARBITRARY.fullmatch(name) and (values == values[0]).all())
    }


def scan_axes(
    table: Table, layout: Layout, given: Mapping[str, int] | None, report: Report
) -> AxesFound:
    """Return the scan's dimensions: those of the grid, or one with every position of a list.

    Parameters
    ----------
    table : Table
        The positions.
    layout : Layout
        How they lie.
    given : mapping of str to int, optional
        Axes that the user gives, slow to fast.
    report : Report
        Takes a note about what is no axis.

    """
    motors, names = motors_of(table), unique_labels(table)
    if given:
        return find_axes(motors, table.points, override=given)
    order = np.arange(table.points)
    if not layout.is_grid:
        moved = {names[run.column]: run.values for run in layout.runs if run.values is not None}
        for run in layout.runs:
            if run.values is None:
                report.warning("axes", f"{run.label} is missing at some positions: it is no axis")
        note = f"{table.points} positions that are no whole grid: a list"
        dimension = Dimension("position", table.points, moved, kind="position")
        return AxesFound((dimension,), order, (note,))
    dimensions = tuple(_dimension(run, names[run.column], report) for run in layout.runs)
    return AxesFound(dimensions, order, tuple(_evidence(run) for run in layout.runs))


def _dimension(run: Run, name: str, report: Report) -> Dimension:
    if run.values is None:
        _note_dependent(run, report)
        return Dimension("frame", run.size, kind="frame")
    # a motor that goes to and fro is no axis of a plot: its steps are counted, and it is beside
    return Dimension(name, run.size, {name: run.values}, "motor" if run.is_plain else "position")


def _evidence(run: Run) -> str:
    return f"{run.label}: {run.size} steps by its indices"


def _note_dependent(run: Run, report: Report) -> None:
    report.note(
        "axes",
        f"what {run.label} is at each of its {run.size} steps is missing somewhere or depends on "
        "other dimensions: its steps are counted; USID's ancillary datasets have the values",
    )


@dataclass(frozen=True)
class FrameAxes:
    """The axes across a frame.

    Attributes
    ----------
    main : list of Axis
        One for each dimension of a frame.
    beside : list of Axis
        Further ones; ``dimension`` counts from 0 within a frame.

    """

    main: list[Axis]
    beside: list[Axis]


def frame_axes(table: Table, layout: Layout, report: Report) -> FrameAxes:
    """Return the axes across a frame: the spectroscopic dimensions, slow to fast.

    A single dimension is plotted against what it was at, even to and fro (a force curve, a
    voltage loop). One of several that does not go one way is counted, with its values beside;
    so are those of points that are no whole grid.
    """
    names = unique_labels(table)
    if not layout.shape:
        return FrameAxes([], [])
    if not layout.is_grid:
        beside = [_axis(run, names[run.column], 0) for run in layout.runs]
        return FrameAxes([_counted("step", layout.points, 0)], [one for one in beside if one])
    found = FrameAxes([], [])
    for k, run in enumerate(layout.runs):
        axis = _axis(run, names[run.column], k)
        if axis is None:
            _note_dependent(run, report)
        if axis is not None and (run.is_plain or len(layout.runs) == 1):
            found.main.append(axis)
            continue
        found.main.append(_counted(f"{names[run.column]}_step", run.size, k))
        found.beside.extend([axis] if axis else [])
    return _apart(found)


def _apart(found: FrameAxes) -> FrameAxes:
    """Return the axes, each with a name of its own."""
    taken: set[str] = set(RESERVED)
    named: list[list[Axis]] = [[], []]
    for into, axes in zip(named, (found.main, found.beside), strict=True):
        for axis in axes:
            name = nexus_name(axis.name, taken)
            taken.add(name)
            into.append(_renamed(axis, name))
    return FrameAxes(*named)


def _renamed(axis: Axis, name: str) -> Axis:
    return Axis(name, axis.values, axis.units, axis.long_name, axis.role, axis.dimension)


def _axis(run: Run, name: str, dimension: int) -> Axis | None:
    if run.values is None:
        return None
    return Axis(name, run.values, usid_units(run.units), run.label, "detector", dimension)


def _counted(name: str, size: int, dimension: int) -> Axis:
    label = name.replace("_", " ")
    return Axis(name, np.arange(size, dtype=np.float64), "", label, "detector", dimension)
