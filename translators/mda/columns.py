"""What the columns of an MDA file are called, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nxscan.translate.h5units import source_units

if TYPE_CHECKING:
    from nxscan.translators.mda.records import Info, MdaFile, Positioner

_CLOCKS = ("time",)


@dataclass(frozen=True)
class Column:
    """One positioner or detector of one level.

    Attributes
    ----------
    name : str
        Its process variable; followed by the scan record's name where several levels have it.
    level : int
        The level, 0 the outermost.
    row : int
        Which of the level's numbers are its: positioners first, then detectors.
    moved : bool
        Whether it was set at each point.
    units : str or None
        Its unit.
    label : str
        Its description.
    short : str
        What the scan record calls it: P1 … P4, D01 ….

    """

    name: str
    level: int
    row: int
    moved: bool
    units: str | None
    label: str
    short: str


@dataclass
class _Names:
    taken: set[str] = field(default_factory=set)

    def unique(self, name: str, scan: str, short: str) -> str:
        for tried in (name, f"{name} of {scan}", f"{name} {short} of {scan}"):
            if tried not in self.taken:
                break
        number = 2
        while tried in self.taken:
            tried, number = f"{name} {short} of {scan} {number}", number + 1
        self.taken.add(tried)
        return tried


def find_columns(file: MdaFile, levels: int) -> list[Column]:
    """Return the columns of the outermost ``levels``; slots without a process variable are none.

    Parameters
    ----------
    file : MdaFile
        The file.
    levels : int
        How many levels have points.

    """
    names = _Names()
    found: list[Column] = []
    for level in reversed(range(levels)):
        if file.levels[level]:
            first = file.levels[level][0]
            found += _of_level(first.info, level, first.name, names)
    return sorted(found, key=lambda column: (column.level, column.row))


def _of_level(info: Info, level: int, scan: str, names: _Names) -> list[Column]:
    found = []
    for row, one in enumerate(info.positioners):
        name, units, label = _position(one)
        short = f"P{one.number + 1}"
        if name:
            unique = names.unique(name, scan, short)
            moved = name.lower() not in _CLOCKS
            found.append(Column(unique, level, row, moved, units, label, short))
    for row, detector in enumerate(info.detectors, len(info.positioners)):
        short = f"D{detector.number + 1:02d}"
        if detector.name:
            unique = names.unique(detector.name, scan, short)
            units, label = source_units(detector.units), detector.description
            found.append(
                Column(unique, level, row, moved=False, units=units, label=label, short=short)
            )
    return found


def _position(one: Positioner) -> tuple[str, str | None, str]:
    """Return name, unit and description of what was recorded: the readback, where there is one.

    A readback called TIME has the scan record write down when each point was taken, in seconds.
    """
    if one.readback.lower() in _CLOCKS:
        return one.readback, "s", "time since the scan was begun"
    if one.readback and one.name:
        label = one.readback_description or one.description
        return one.name, source_units(one.readback_units or one.units), label
    if one.readback:
        return one.readback, source_units(one.readback_units), one.readback_description
    return one.name, source_units(one.units), one.description


def same_rows(wanted: Info, found: Info) -> Sequence[int | None]:
    """Return for each row of one scan's numbers the row of another's that is the same.

    They are told by their process variables: descriptions may change from row to row.
    """
    names, there = row_names(wanted), row_names(found)
    if names == there:
        return range(len(names))
    return [there.index(name) if name in there else None for name in names]


def row_names(info: Info) -> list[str]:
    """Return the process variables of a scan's positioners and detectors."""
    return [*(one.name for one in info.positioners), *(one.name for one in info.detectors)]
