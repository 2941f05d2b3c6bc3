"""A scan without images: one of a table's columns is the signal, the others go with it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import PlanError
from nxscan.model import ArraySignal, Axis
from nxscan.model.names import nexus_name
from nxscan.translate.axes import find_axes
from nxscan.translate.build import Found, build_scan
from nxscan.translate.where import chosen, take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.translate.axes import AxesFound
    from nxscan.translate.contract import Options
    from nxscan.translate.mapping import Mapping as KeyMapping
    from nxscan.translate.report import Report
    from nxscan.translate.table import Table

_SHOWN = 12
_TAKEN = frozenset({"name", "source", "beam", "monochromator", "attenuator", "undulator"})
"""What else an NXinstrument may hold."""


class ColumnSignal(ArraySignal):
    """A number or a spectrum for each point, in memory."""

    def arranged(self, scan_shape: tuple[int, ...], order: NDArray[np.intp]) -> ColumnSignal:
        """Return the points in another order and shape.

        Parameters
        ----------
        scan_shape : tuple of int
            Lengths of the scan's dimensions.
        order : ndarray of int
            Which point is stored at each position, in C order.

        """
        values = self.values[order].reshape(*scan_shape, *self.values.shape[1:])
        return ColumnSignal(values, self.units, self.long_name)


@dataclass(frozen=True, kw_only=True)
class PointScan:
    """A table that is a scan of its own.

    Attributes
    ----------
    title : str
        The scan's title.
    table : Table
        Its motors are candidates for axes; its other columns are counters.
    translator : str
        Who read it.
    default : str
        The column that is the signal unless the user asks for another; empty if there is none.
    arrays : dict of str to Signal
        Detectors with more than a number for each point, by name: anything with ``arranged``.
    frame_axes : dict of str to list of Axis
        Axes of those detectors' frames, by the detector's name.
    grid : dict of str to int
        Axes that the table states, slow to fast; empty where they are found from readings.
    aliases : dict of str to str
        What else columns are called by, for ``--detector``.
    parameters : dict of str to str
        What else the provenance should say.

    """

    title: str
    table: Table
    translator: str
    default: str = ""
    arrays: Mapping[str, Any] = field(default_factory=dict)
    frame_axes: Mapping[str, list[Axis]] = field(default_factory=dict)
    grid: Mapping[str, int] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    def open(self, options: Options, mapping: KeyMapping, report: Report) -> Scan | None:
        """Return the scan; None where ``report`` says why there is none."""
        refuse_frames(options, report)
        name = self._chosen(options, report)
        if name is None:
            return None
        found = self._found(name, options)
        if options.where:
            found = self._where(found, name, options)
        points = len(next(iter(found.detectors.values())))
        found.sources = [
            replace(one, frames=0 if k else points) for k, one in enumerate(found.sources)
        ]
        axes = self._axes(found, points, options)
        report.axes = axes
        report.problems.extend(axes.problems)
        return build_scan(found, axes, mapping, report, self.translator)

    def _where(self, found: Found, name: str, options: Options) -> Found:
        """Return the points for which the conditions hold; the signal may be in one, too."""
        own = {name: self.table.columns[name]} if name in self.table.columns else {}
        known = {**found.motors, **found.counters, **own}
        rows = np.flatnonzero(chosen(options.where, known, self.table.rows))
        if not len(rows):
            said = " and ".join(str(one) for one in options.where)
            raise PlanError(f"none of {self.table.rows} points has {said}", "ask for another")
        return take(found, rows)

    def _axes(self, found: Found, points: int, options: Options) -> AxesFound:
        """Return the axes: those asked for, those the table states, else those seen in it."""
        if self.grid and not options.axes and points == self.table.rows:
            stated = find_axes(found.motors, points, override=self.grid)
            if not stated.problems:
                return stated
        return find_axes(found.motors, points, override=options.axes or None)

    def _chosen(self, options: Options, report: Report) -> str | None:
        """Return the column or detector that is the signal."""
        table = self.table
        there = [*self.arrays, *(name for name in table.columns if name not in table.motors)]
        wanted = self.aliases.get(options.detector or "", options.detector)
        if wanted is None and self.default:
            if len(there) > 1:
                hint = f"--detector takes another: {_some(there, self.default)}"
                report.note("signal", f"{self.default!r} is the main signal", hint)
            return self.default
        if wanted in there or wanted in table.columns:
            return wanted
        known = f"there are: {_some(there, '')}" if there else "all its columns are positions"
        if wanted is None:
            hint = "give it as --table with the frames that it belongs to"
            report.error(table.name, "no column was counted or measured", hint)
        else:
            near = ", ".join(difflib.get_close_matches(wanted, there, n=3))
            said = f"; the nearest names are {near}" if near else ""
            report.error("--detector", f"{table.name} has no column {wanted!r}{said}", known)
        return None

    def _found(self, name: str, options: Options) -> Found:
        table = self.table
        asked = [axis for axis in options.axes or {} if axis in table.columns]
        names = [one for one in dict.fromkeys((*table.motors, *asked)) if one != name]
        others = [one for one in table.columns if one not in names and one != name]
        counters: dict[str, Any] = {one: table.keys.get(one, table.columns[one]) for one in others}
        values: dict[str, Any] = dict(table.values)
        return Found(
            title=self.title,
            detectors={nexus_name(name, _TAKEN): self._signal(name)},
            motors={one: table.columns[one] for one in names},
            counters=counters,
            values=values | table.texts,
            headers=table.headers,
            units=table.units,
            labels=table.labels,
            sources=list(table.sources),
            frame_axes=list(self.frame_axes.get(name, ())),
            parameters=dict(self.parameters),
        )

    def _signal(self, name: str) -> Any:
        if name in self.arrays:
            return self.arrays[name]
        table = self.table
        values: NDArray[Any] = table.keys.get(name, table.columns[name])
        return ColumnSignal(values, table.units.get(name), table.labels.get(name, name))


def refuse_frames(options: Options, report: Report) -> None:
    """Report that a scan without images takes no dark and no flat frames."""
    for role, given in (("dark", options.dark), ("flat", options.flat)):
        if given:
            report.error(f"--{role}", "the scan has no images", "leave the option out")


def _some(names: Sequence[str], but: str) -> str:
    shown = [name for name in names if name != but]
    return ", ".join(shown[:_SHOWN]) + (" …" if len(shown) > _SHOWN else "")
