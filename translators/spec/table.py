"""A scan of a SPEC file as a table of positions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscan.model import Source
from nxscan.translate.joining import numbers_frames
from nxscan.translate.rawvalues import constants
from nxscan.translate.table import Table
from nxscan.translators.spec.command import read_command

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.mapping import Mapping
    from nxscan.translators.spec.index import Entry, Index
    from nxscan.translators.spec.scan import SpecScan

_EXACT = 2.0**53
_HKL = ("H", "K", "L")
_TIMES = re.compile(r"([-+.\deE]+)\s*\(seconds\)", re.IGNORECASE)


def make_table(index: Index, entry: Entry, scan: SpecScan, mapping: Mapping) -> Table:
    """Return a scan as a table: its columns, and motors that stood still as columns, too.

    SPEC states no units: what the mapping knows is the table's to say, for other frames.
    """
    columns = _columns(scan)
    motors = _motors(entry, list(columns), scan)
    rows = scan.data.shape[1]
    still = {name: np.full(rows, at) for name, at in scan.positions.items() if name not in columns}
    keys = {
        name: values.astype(np.int64)
        for name, values in columns.items()
        if numbers_frames(name) and _whole(values)
    }
    path = Path(index.path)
    return Table(
        name=f"{path.name} {entry.key}",
        columns=columns | still,
        motors=(*motors, *still),
        keys=keys,
        units=_units((*columns, *still), mapping),
        values=constants(_values(entry, scan), rows),
        headers=[entry.header, _own_header(entry)],
        sources=(Source(str(path.absolute()), index.size, index.modified, rows),),
    )


def _units(names: Iterable[str], mapping: Mapping) -> dict[str, str]:
    known = {name: mapping.motors.get(name) or mapping.counters.get(name) for name in names}
    return {name: one.units for name, one in known.items() if one and one.units is not None}


def _columns(scan: SpecScan) -> dict[str, NDArray[np.float64]]:
    """Return the columns by name; one that is there twice with the same numbers, once."""
    found: dict[str, NDArray[np.float64]] = {}
    for label, values in zip(scan.labels, scan.data, strict=True):
        name, number = label, 2
        while name in found and not np.array_equal(found[name], values, equal_nan=True):
            name, number = f"{label}_{number}", number + 1
        found[name] = values
    return found


def _motors(entry: Entry, columns: list[str], scan: SpecScan) -> tuple[str, ...]:
    """Return the columns that were moved: the first ones, and others that are motors by name."""
    asked = read_command(entry.command)
    moved = [name for name in _HKL if name in columns] if asked.hkl else []
    moved = moved or columns[: asked.columns]
    known = [name for name in columns if name in scan.positions]
    return tuple(dict.fromkeys((*moved, *known)))


def last_counter(scan: SpecScan, table: Table) -> str:
    """Return the last column that was counted: the one that SPEC plots; empty if there is none."""
    counted = [name for name in _columns(scan) if name not in table.motors]
    last = scan.labels[-1]
    return last if last in counted else counted[-1] if counted else ""


def _whole(values: NDArray[np.float64]) -> bool:
    found = np.isfinite(values) & (np.abs(values) < _EXACT)
    return bool(found.all() and np.all(values == np.round(values)))


def _own_header(entry: Entry) -> bytes:
    """Return the lines of a scan before its first row."""
    found = re.search(rb"^#L [^\r\n]*\r?\n?", entry.scan, re.MULTILINE)
    return entry.scan[: found.end()] if found else entry.scan


def _values(entry: Entry, scan: SpecScan) -> dict[str, str]:
    """Return what the header says, line by line; pairs of #H and #V by their names, too."""
    said = {key: text for key, text in scan.said.items() if text.strip()}
    time = _TIMES.search(said.get("#T", ""))
    if time:
        said["count_time"] = time[1]
    for k in range(1000):
        names = said.get(f"file #H{k}")
        if names is None:
            break
        words, places = names.split(), said.get(f"#V{k}", "").split()
        if len(words) == len(places):
            for name, place in zip(words, places, strict=True):
                said.setdefault(name, place)
    return {"command": entry.command, **said}
