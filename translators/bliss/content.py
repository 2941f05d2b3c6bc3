"""What one scan's group says, read: columns, positions, raw values, the command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.model.units import is_unit
from nxscan.translate.h5source import member_names, open_source
from nxscan.translate.h5values import attribute, read_text, read_values
from nxscan.translators.bliss.command import Command, from_parameters, parse_command
from nxscan.translators.bliss.members import member
from nxscan.translators.bliss.records import Record, records_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.bliss.groups import ScanGroup

    Column = NDArray[np.float64]
    Raw = str | NDArray[Any]

PARAMETERS = "instrument/fscan_parameters"
_LONGEST = 1 << 22
"""One-dimensional datasets longer than this are no columns of a scan."""


@dataclass(frozen=True)
class Content:
    """What a scan's group holds, but for its images.

    Attributes
    ----------
    group : ScanGroup
        Where it is.
    command : Command
        What was asked for.
    described : Command or None
        The same as ``fscan_parameters`` has it, where there are any.
    records : dict of str to Record
        Every dataset with a value for each point.
    broken : dict of str to str
        Links that lead nowhere, and their targets.
    columns : dict of str to ndarray, shape (points,)
        Counters and motors; their lengths may differ where the scan was aborted.
    positions : dict of str to float
        Where the motors were that have one position.
    units : dict of str to str
        Units that the file states, of counters and motors.
    values : dict of str to str or ndarray
        Every scalar, text and column, by its path below the group.
    attenuators : tuple of str
        Groups below ``instrument`` that state a transmission.
    ended : bool
        The file says when the scan ended.

    """

    group: ScanGroup
    command: Command
    described: Command | None
    records: dict[str, Record]
    broken: dict[str, str]
    columns: dict[str, Column]
    positions: dict[str, float]
    units: dict[str, str]
    values: dict[str, Raw] = field(repr=False)
    attenuators: tuple[str, ...] = ()
    ended: bool = True


def read_content(group: ScanGroup) -> Content:
    """Read a scan's group.

    Raises
    ------
    SourceError
        If the file is damaged.

    """
    with open_source(group.path) as file:
        return _content(file[group.name], group)


def command_of(
    group: Any, where: ScanGroup, *, briefly: bool = False
) -> tuple[Command, Command | None]:
    """Return a scan's command, and the same as its ``fscan_parameters`` have it.

    Briefly, these are read only where the command does not say how many points it asks for.
    A subscan bears its scan's command, but has points of its own, one after the other in time.
    """
    title = read_text(group, "title")
    if where.part > 1:
        return Command(title, timed=True), None
    said = parse_command(title)
    parameters = None if briefly and said.points else member(group, PARAMETERS)
    if not isinstance(parameters, h5py.Group):
        return said, None
    values = {name: read_text(parameters, name) for name in member_names(parameters)}
    return said, from_parameters(title, values)


def _content(group: Any, where: ScanGroup) -> Content:
    records, broken = records_of(group)
    said, described = command_of(group, where)
    scanned = {*said.motors, *said.integrated, *(described.motors if described else ())}
    records = {
        name: replace(record, motor=True) if name in scanned else record
        for name, record in records.items()
    }
    units = {record.name: record.units for record in records.values() if is_unit(record.units)}
    units = {name: unit for name, unit in units.items() if unit}
    positions = dict(_positions(member(group, "instrument/positioners"), units))
    return Content(
        group=where,
        command=said,
        described=described,
        records=records,
        broken=broken,
        columns=dict(_columns(group, records)),
        positions=positions,
        units=units,
        values=read_values(
            group, longest=_LONGEST, attributes=("units",), linked=False, lenient=True
        ),
        attenuators=tuple(_attenuators(member(group, "instrument"))),
        ended="end_time" in group,
    )


def _columns(group: Any, records: dict[str, Record]) -> Iterator[tuple[str, Column]]:
    here = Path(group.file.filename)
    for name, record in records.items():
        if record.rank or record.dtype.kind not in "biuf":
            continue
        if record.path == here:
            yield name, np.asarray(group.file[record.place][()], np.float64)
        else:
            with open_source(record.path) as file:
                yield name, np.asarray(file[record.place][()], np.float64)


def _positions(group: Any, units: dict[str, str]) -> Iterator[tuple[str, float]]:
    for name in member_names(group):
        item = member(group, name)
        if isinstance(item, h5py.Dataset) and item.shape == () and item.dtype.kind in "biuf":
            unit = attribute(item, "units")
            if unit and is_unit(unit):
                units[name] = unit
            yield name, float(item[()])


def _attenuators(instrument: Any) -> Iterator[str]:
    for name in member_names(instrument):
        item = member(instrument, name)
        if (
            isinstance(item, h5py.Group)
            and "transmission" in item
            and attribute(item, "NX_class") == "NXattenuator"
        ):
            yield name
