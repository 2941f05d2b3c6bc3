"""What is kept about a result beside its arrays: parameters, corrections, where it came from.

Everything is there for people to read, each parameter as a field with its unit, and once
more as JSON for programs, from which it is read back exactly.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.hdf5.texts import text
from nxscan.model.names import nexus_name
from nxscan.nexus.groups import make_field, make_group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nxscan.nexus.master import Opened
    from nxscan.nexus.results import NewResult

_TEXTS = (
    "process",
    "module",
    "version",
    "identity",
    "description",
    "signal_path",
    "fingerprint",
    "partition",
    "host",
)
_JSON = ("parameters", "corrections")


@dataclass(frozen=True, eq=False)
class Record:
    """What is known about a result.

    Attributes
    ----------
    process, module, version : str
        The process: its name, ``module:Class`` and version.
    identity : str
        Hash of everything that the result depends on.
    description : str
        What the process does, in a line.
    parameters : dict
        Parameters of the process, as JSON has them.
    corrections : list of dict
        What the data were read through, in order: ``name``, ``module``, ``parameters`` each.
    signal_path : str
        Where in the file the data are that were worked on.
    fingerprint : str
        Hash of the scan that was worked on.
    duration : float
        Seconds that it took.
    host : str
        Where it ran.
    partition : str
        How the scan was cut.

    """

    process: str
    module: str
    version: str
    identity: str
    description: str
    parameters: dict[str, Any]
    corrections: list[dict[str, Any]]
    signal_path: str
    fingerprint: str
    duration: float
    host: str
    partition: str


def write_record(group: Any, new: NewResult) -> None:
    """Write the record of a result into its NXprocess group."""
    write_values(make_group(group, "parameters", "NXparameters"), new.parameters)
    for name, units in new.parameter_units.items():
        if name in group["parameters"]:
            group[f"parameters/{name}"].attrs["units"] = units
    if new.corrections:
        _write_corrections(make_group(group, "corrections", "NXparameters"), new.corrections)
    run = make_group(group, "run", "NXparameters")
    for name in _TEXTS:
        make_field(run, name, getattr(new, name))
    make_field(run, "duration", float(new.duration), units="s")
    make_field(run, "outputs", np.array([output.name for output in new.outputs]))
    make_field(run, "default", next(output.name for output in new.outputs if output.default))
    notes = {output.name: output.note for output in new.outputs if output.note}
    if notes:
        write_values(make_group(run, "notes", "NXparameters"), notes)
    for name in _JSON:
        make_field(run, f"{name}_json", json.dumps(getattr(new, name)))


def read_record(opened: Opened, group: Any) -> dict[str, Any] | None:
    """Return the record in an NXprocess group by name; None where it is no result."""
    if "run" not in group or "identity" not in group["run"]:
        return None
    run = group["run"]
    found: dict[str, Any] = {name: text(opened.value(run[name])) for name in _TEXTS}
    found["duration"] = float(opened.value(run["duration"]))
    for name in _JSON:
        found[name] = json.loads(text(opened.value(run[f"{name}_json"])))
    return found


def write_values(group: Any, values: Mapping[str, Any]) -> None:
    """Write each value as a field; a mapping becomes a group, what HDF5 has no type for, JSON."""
    for key, value in values.items():
        name = nexus_name(str(key), group)
        if isinstance(value, dict) and value:
            child = make_group(group, name, "NXparameters")
            write_values(child, value)
            continue
        more = {} if name == key else {"description": str(key)}
        make_field(group, name, _as_field(value), **more)


def _write_corrections(group: Any, corrections: list[dict[str, Any]]) -> None:
    make_field(group, "order", np.array([item["name"] for item in corrections]))
    for item in corrections:
        name = nexus_name(str(item["name"]), group)
        write_values(make_group(group, name, "NXparameters"), item)


def _as_field(value: Any) -> Any:
    """Return a value of JSON as HDF5 holds it; texts, numbers and even lists of them as such."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, str | int | float) and not _is_too_large(value):
        return value
    if isinstance(value, list) and value:
        return _as_array(value)
    return json.dumps(value)


def _as_array(values: list[Any]) -> Any:
    if all(isinstance(item, str) for item in values):
        return np.array(values)
    try:
        array = np.array(values)
    except ValueError:  # lists of different lengths
        return json.dumps(values)
    return array if array.dtype.kind in "iuf" and array.size else json.dumps(values)


def _is_too_large(value: Any) -> bool:
    return isinstance(value, int) and not -(2**63) <= value < 2**64
