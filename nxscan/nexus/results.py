"""Results of processes in a master: added, listed, found by their identity.

A result is an NXprocess under the entry (``/entry/moments_000``) with one NXdata for each
output. The default one of the newest result of a process is also linked as
``/entry/<process>``, and is the entry's default plot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError, ProcessError
from nxscan.model.names import is_valid_name
from nxscan.nexus import layout
from nxscan.nexus.master import Master
from nxscan.nexus.replace import replace_master
from nxscan.nexus.result_grid import write_grid
from nxscan.nexus.result_record import Record, read_record
from nxscan.nexus.result_usid import write_usid_results
from nxscan.nexus.result_write import write_result

if TYPE_CHECKING:
    from nxscan.model import Axis
    from nxscan.nexus.master import Opened

    Fill = Callable[[Mapping[str, Any]], None]

_RESERVED = (
    *("data", "dark", "flat", "mask", "counters", "translation", "raw_metadata"),
    *("instrument", "sample", "title", "user", "control", "monitor", "definition", "notes"),
    *("start_time", "end_time", "duration", "collection_time", "run_cycle", "program_name"),
    *("experiment_identifier", "entry_identifier", "entry_identifier_uuid", "features"),
)
"""What stands in an entry, or may: the reader would take a result of that name for it."""
_LONGEST = 59


@dataclass(frozen=True, eq=False)
class OutputSpec:
    """One array of a result.

    Attributes
    ----------
    name : str
        What it is called.
    dtype : dtype
        Type of its values; floats say NaN where a value is missing.
    axes : tuple of Axis
        One for each dimension.
    units : str or None
        Unit of the values; ``""`` is dimensionless, None not known.
    long_name : str
        What the values are, for the color bar.
    interpretation : str or None
        What a viewer shall draw; None leaves that to the shape.
    default : bool
        Whether it is the result's default plot.
    errors : bool
        Whether it has one standard deviation of each value beside it.
    note : str
        What is to be said of it beside its name.

    """

    name: str
    dtype: np.dtype[Any]
    axes: tuple[Axis, ...] = ()
    units: str | None = None
    long_name: str = ""
    interpretation: str | None = None
    default: bool = False
    errors: bool = False
    note: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(len(axis) for axis in self.axes)


@dataclass(frozen=True, eq=False)
class NewResult(Record):
    """A result that is to be added.

    Attributes
    ----------
    parameter_units : dict of str to str
        Units of those parameters that have one.
    outputs : tuple of OutputSpec
        What it gives; one is the default.

    """

    parameter_units: dict[str, str]
    outputs: tuple[OutputSpec, ...]


@dataclass(frozen=True)
class StoredResult(Record):
    """A result that is in a master.

    Attributes
    ----------
    path : Path
        The master.
    group : str
        Name of its group in the entry (``moments_000``).
    sequence_index : int
        Its place in the order in which results came; the translation is 1.
    date : str
        When it was added.
    outputs : tuple of str
        Names of its arrays, errors left out.
    default : str
        The array of its default plot; that is a rendering of it, where it is a list of
        positions over two motors.

    """

    path: Path
    group: str
    sequence_index: int
    date: str
    outputs: tuple[str, ...]
    default: str


def add_result(
    master: Path,
    new: NewResult,
    fill: Fill,
    check: Callable[[Path], None] | None = None,
) -> StoredResult:
    """Add a result to a master, which is replaced as a whole, and make it the default plot.

    Parameters
    ----------
    master : Path
        The master. The caller holds the lock that keeps others from adding to it meanwhile.
    new : NewResult
        What is known about the result.
    fill : callable
        Is given a dataset for each output and ``<name>_errors``, by name, and writes all of
        their values, part by part.
    check : callable, optional
        Is called with the finished file, and raises if it is not valid.

    Returns
    -------
    StoredResult
        The result as it is in the file.

    Raises
    ------
    ProcessError
        If the outputs cannot be a result, or its name would hide something in the entry.
    OutputError
        If the master cannot be replaced; it is then as it was.
    LayoutError
        If the master is damaged.

    """
    _check_outputs(new)
    groups: list[str] = []

    def append(file: Any, tick: Callable[[], None]) -> Iterable[str]:
        entry = file[layout.ENTRY]
        _refuse_hiding(entry, new.process)
        group = _free_name(entry, new.process)
        groups[:] = [group]
        datasets = write_result(entry, group, new, _next_index(entry))
        tick()
        fill(datasets)
        tick()
        default = next(output for output in new.outputs if output.default)
        shown = write_grid(entry[group], default) or default.name
        entry[group].attrs["default"] = shown
        if new.process in entry:
            del entry[new.process]
        entry[new.process] = entry[f"{group}/{shown}"]
        entry.attrs["default"] = new.process
        write_usid_results(file, group, new)
        return [f"/{layout.ENTRY}/{new.process}"]

    replace_master(master, append, check)
    return next(result for result in results(master) if result.group == groups[0])


def results(master: Path) -> list[StoredResult]:
    """Return the results in a master, in the order in which they came.

    Raises
    ------
    LayoutError
        If the file cannot be read, or what it says about a result is damaged.

    """
    path = master.absolute()
    with Master(path).reading() as opened:
        found = list(_stored(path, opened)) if layout.ENTRY in opened else []
    return sorted(found, key=lambda result: result.sequence_index)


def find_result(master: Path, identity: str) -> StoredResult | None:
    """Return the newest result of this identity, or None."""
    found = [result for result in results(master) if result.identity == identity]
    return found[-1] if found else None


def check_name(master: Path, process: str) -> None:
    """See that results of a process can be called by its name in this master.

    Raises
    ------
    ProcessError
        If ``/entry/<process>`` is, or is kept for, something that is no result of it.

    """
    with Master(master.absolute()).reading() as opened:
        if layout.ENTRY not in opened:
            raise LayoutError(f"{master} is no nxscan master: it has no {layout.ENTRY}")
        _refuse_hiding(opened[layout.ENTRY], process)


def _stored(path: Path, opened: Opened) -> Iterator[StoredResult]:
    entry = opened[layout.ENTRY]
    for name, group in _processes(entry):
        record = read_record(opened, group)
        if record is not None:
            yield StoredResult(
                **record,
                path=path,
                group=name,
                sequence_index=int(opened.value(group["sequence_index"])),
                date=_text(opened.value(group["date"])),
                outputs=tuple(_plots(group)),
                default=_text(opened.value(group["run/default"])),
            )


def _processes(entry: Any) -> Iterator[tuple[str, Any]]:
    """Yield the NXprocess groups of an entry."""
    for name in entry:
        if isinstance(entry.get(name, getlink=True), h5py.HardLink):
            item = entry[name]
            if isinstance(item, h5py.Group) and item.attrs.get("NX_class") == "NXprocess":
                yield name, item


def _plots(group: Any) -> Iterator[str]:
    """Yield the outputs of a result in the order in which they were declared."""
    listed = [_text(name) for name in group["run/outputs"][()]]
    yield from (name for name in listed if name in group)


def _next_index(entry: Any) -> int:
    taken = [
        int(group["sequence_index"][()])
        for _, group in _processes(entry)
        if "sequence_index" in group
    ]
    return max(taken, default=1) + 1


def _free_name(entry: Any, process: str) -> str:
    count = 0
    while f"{process}_{count:03d}" in entry:
        count += 1
    return f"{process}_{count:03d}"


def _refuse_hiding(entry: Any, process: str) -> None:
    if not is_valid_name(process) or len(process) > _LONGEST:
        raise ProcessError(
            f"a process cannot be called {process!r}",
            f"use letters, digits and _, begin with a letter, at most {_LONGEST} in all",
        )
    reserved = process in _RESERVED or process.startswith("data_")
    if reserved or (process in entry and not _is_link_to_result(entry, process)):
        raise ProcessError(
            f"a process cannot be called {process!r}: its result would hide "
            f"{entry.name}/{process}, which is something else",
            "give the process another name",
        )


def _is_link_to_result(entry: Any, process: str) -> bool:
    if not isinstance(entry.get(process, getlink=True), h5py.HardLink):
        return False
    linked = entry[process]
    return any(
        "run/process" in group
        and _text(group["run/process"][()]) == process
        and any(group[name] == linked for name in group)
        for _, group in _processes(entry)
    )


def _check_outputs(new: NewResult) -> None:
    defaults = sum(output.default for output in new.outputs)
    if defaults != 1:
        raise ProcessError(
            f"the result of process {new.process!r} has {defaults} default outputs, expected one"
        )
    for output in new.outputs:
        taken = ["data", "data_errors", "title"]
        for axis in output.axes:
            if axis.name in taken:
                raise ProcessError(
                    f"process {new.process!r}: output {output.name!r} cannot have an axis that "
                    f"is called {axis.name!r}",
                    "give the axis another name",
                )
            taken.append(axis.name)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
