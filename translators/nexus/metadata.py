"""Metadata of a NeXus file that are right as they are: fields that their class defines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.model import Field, Group
from nxscan.model.names import nexus_name
from nxscan.translate import nxdl
from nxscan.translate.h5source import member_names
from nxscan.translate.h5units import source_units
from nxscan.translate.h5values import attribute, text
from nxscan.translate.mapping_target import RESERVED, kind_of, unit_problems
from nxscan.translate.rawvalues import is_time
from nxscan.translate.report import MappedField

if TYPE_CHECKING:
    from nxscan.model.metadata import Value
    from nxscan.translate.report import Report

_NOT_CARRIED = frozenset(
    {
        "NXcollection", "NXdata", "NXentry", "NXlog", "NXnote", "NXobject", "NXparameters",
        "NXprocess", "NXroot", "NXsubentry", "NXtransformations",
    }
)  # fmt: skip
_NOT_FIELDS = frozenset({"depends_on", "data", "data_errors"})
_LONGEST = 16
_DEEPEST = 4


def carry_over(
    entry: Any, into: Group, detectors: dict[str, str], motors: set[str], report: Report
) -> None:
    """Take over every small field that its NeXus class defines, with a unit of its kind.

    What is there already (from a mapping) stays; what does not fit the definition is left to
    the raw metadata.

    Parameters
    ----------
    entry : h5py.Group
        The entry.
    into : Group
        The NXentry to fill.
    detectors : dict of str to str
        Names that detectors have in the scan, by their paths below the entry; others are left
        out.
    motors : set of str
        Positioners that were scanned, and are there as readings.
    report : Report
        Takes each field that was taken over.

    """
    _Carrier(entry, detectors, motors, report).fill(entry, into, "", 0)


class _Carrier:
    def __init__(
        self, entry: Any, detectors: dict[str, str], motors: set[str], report: Report
    ) -> None:
        self.entry = entry
        self.detectors = detectors
        self.motors = motors
        self.report = report

    def fill(self, group: Any, into: Group, path: str, depth: int) -> None:
        """Take over the fields and groups of one group."""
        for name in member_names(group):
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                continue
            node = group.get(name)
            if isinstance(node, h5py.Dataset):
                self._field(node, name, into, path)
            elif isinstance(node, h5py.Group) and depth < _DEEPEST:
                self._group(node, name, into, path, depth)

    def _group(self, node: Any, name: str, into: Group, path: str, depth: int) -> None:
        kind = attribute(node, "NX_class")
        if kind in _NOT_CARRIED or not kind or not nxdl.class_exists(kind):
            return
        if kind == "NXpositioner" and name in self.motors:
            return
        place = f"{path}{name}"
        if kind == "NXdetector" and place not in self.detectors:
            return
        if kind not in nxdl.groups_of(into.nx_class):
            return
        new = self.detectors.get(place) or nexus_name(name)
        if new in into.fields or (new in into.groups and into.groups[new].nx_class != kind):
            return
        made = Group(kind)
        self.fill(node, made, f"{place}/", depth + 1)
        empty = not made.fields and not made.groups
        if empty or (kind == "NXpositioner" and "value" not in made.fields):
            return
        _merge(into, new, made)

    def _field(self, node: Any, name: str, into: Group, path: str) -> None:
        if name in into.fields or name in _NOT_FIELDS or (not path and name in RESERVED):
            return
        definition = nxdl.field_definition(into.nx_class, name)
        if definition is None or definition.deprecated or definition.free == "any":
            return
        value = _value(node, definition)
        if value is None:
            return
        stated = attribute(node, "units")
        units = source_units(stated)
        if definition.units in ("NX_UNITLESS", "NX_DIMENSIONLESS") and units is None:
            units = ""
        if isinstance(value, str):
            units = None
        unknown = units is None and into.nx_class == "NXpositioner"
        if any(unit_problems(definition, units)) and not unknown:
            return
        into.set(name, Field(value, units))
        if into.nx_class != "NXpositioner":  # there may be hundreds
            place = f"{path}{name}"
            found = MappedField(place, place, text(node[()]), text(value), units)
            self.report.mapped.append(found)


def _merge(into: Group, name: str, made: Group) -> None:
    """Put a group into another one, whose own fields stay."""
    there = into.groups.get(name)
    if there is None:
        into.groups[name] = made
        return
    for field, value in made.fields.items():
        there.fields.setdefault(field, value)
    for group, child in made.groups.items():
        if group not in there.groups:
            there.groups[group] = child
        elif there.groups[group].nx_class == child.nx_class:
            _merge(there, group, child)


def _value(node: Any, definition: nxdl.FieldDefinition) -> Value | None:
    """Return a value as the definition has it, or None where it cannot be."""
    if node.shape is None or node.ndim > 1 or node.size == 0 or node.size > _LONGEST:
        return None
    return next(_fitting(node, definition), None)


def _fitting(node: Any, definition: nxdl.FieldDefinition) -> Iterator[Value]:
    kind = kind_of(definition)
    if kind in ("text", "time"):
        said = text(node[()]) if node.size == 1 and node.dtype.kind in "SO" else ""
        if not said or (definition.choices and said not in definition.choices):
            return
        if kind == "text" or is_time(said):
            yield said
        return
    if node.dtype.kind not in ("iu" if kind == "int" else "iuf"):
        return
    values = np.asarray(node[()], np.int64 if kind == "int" else np.float64)
    if not np.isfinite(values).all():
        return
    if definition.choices and text(values) not in definition.choices:
        return
    if definition.type == "NX_POSINT" and not (values > 0).all():
        return
    yield values.ravel()[0].item() if values.size == 1 else values
