"""The points of an MDA file as a table of positions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import Source
from nxscan.translate.joining import numbers_frames
from nxscan.translate.rawvalues import constants
from nxscan.translate.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.mda.points import Points
    from nxscan.translators.mda.records import ExtraPV, MdaFile

_TIME = re.compile(r"([A-Za-z]{3}) (\d{1,2}), (\d{4}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?\d*\Z")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EXACT = 2.0**53


def make_table(file: MdaFile, points: Points) -> Table:
    """Return a file's points as a table, with its extra PVs as raw values."""
    columns = {column.name: points.numbers[k] for k, column in enumerate(points.columns)}
    motors = tuple(column.name for column in points.columns if column.moved)
    keys = {
        name: values.astype(np.int64)
        for name, values in columns.items()
        if numbers_frames(name) and _whole(values)
    }
    return Table(
        name=file.path.name,
        columns=columns,
        motors=motors,
        keys=keys,
        units={c.name: c.units for c in points.columns if c.units is not None},
        labels={c.name: c.label for c in points.columns if c.label},
        shape=points.shape,
        values=constants(_values(file), points.count),
        headers=[file.header],
        sources=(Source(str(file.path.absolute()), file.size, file.modified, points.count),),
    )


def _whole(values: NDArray[np.float64]) -> bool:
    found = np.isfinite(values) & (np.abs(values) < _EXACT)
    return bool(found.all() and np.all(values == np.round(values)))


def iso_start(text: str) -> str:
    """Return the time that a scan record states as ISO 8601 writes it; empty where it is none.

    >>> iso_start("OCT 28, 2015 18:22:10.589948"), iso_start("yesterday")
    ('2015-10-28T18:22:10.589948', '')
    """
    found = _TIME.match(text.strip())
    if found is None or found[1].lower() not in _MONTHS:
        return ""
    month = _MONTHS.index(found[1].lower()) + 1
    year, day, hour, minute, second = (int(found[k]) for k in (3, 2, 4, 5, 6))
    micro = int((found[7] or "0").ljust(6, "0"))
    try:
        time = datetime(year, month, day, hour, minute, second, micro)
    except ValueError:
        return ""
    return time.isoformat()


def _values(file: MdaFile) -> dict[str, str | NDArray[Any]]:
    """Return what the file says besides its points, each with its unit."""
    top = file.levels[0][0]
    said: dict[str, str | NDArray[Any]] = {
        "MDA version": f"{file.version:g}",
        "scan number": str(file.number),
        "scan dimensions": " ".join(map(str, file.dims)),
        "scan is regular": "yes" if file.regular else "no",
        "scan record": top.name,
        "scan time": top.time,
        "start_time": iso_start(top.time),
    }
    for level in file.levels:
        for scan in level[:1]:
            for one in scan.info.positioners:
                said[f"{scan.name} P{one.number + 1} step mode"] = one.mode
            for trigger in scan.info.triggers:
                said[f"{scan.name} T{trigger.number + 1}"] = f"{trigger.name} = {trigger.command:g}"
    for name, value in _extras(file.extras):
        said.setdefault(name, value)
    return {name: value for name, value in said.items() if not isinstance(value, str) or value}


def _extras(extras: tuple[ExtraPV, ...]) -> Iterator[tuple[str, str | NDArray[Any]]]:
    for one in extras:
        if not one.name:
            continue
        value = one.value
        single = not isinstance(value, str) and value.size == 1
        yield one.name, str(value[0].item()) if single and not isinstance(value, str) else value
        if one.units:
            yield f"{one.name}@units", one.units
        if one.description:
            yield f"{one.name}@description", one.description
