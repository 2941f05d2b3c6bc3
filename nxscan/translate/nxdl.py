"""What NeXus' own definitions (NXDL) say of a class: its fields, their units, its subgroups.

The definitions are those that the installed nexusformat brings; they are read when a class is
first asked for, without importing nexusformat.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nxscan.errors import NxscanError


@dataclass(frozen=True)
class FieldDefinition:
    """One field of a NeXus class, as its NXDL defines it.

    Attributes
    ----------
    name : str
        Its name; upper-case letters stand for any text where ``free`` is not ``specified``.
    type : str
        ``NX_FLOAT``, ``NX_CHAR`` (the default), ``NX_DATE_TIME`` ...
    units : str or None
        Category of its unit (``NX_LENGTH``), or None where it has no unit.
    choices : tuple of str
        The only texts allowed; empty where any is.
    deprecated : str
        What NeXus says to use instead, where it is deprecated.
    free : {"specified", "partial", "any"}
        How much of the name is free.

    """

    name: str
    type: str = "NX_CHAR"
    units: str | None = None
    choices: tuple[str, ...] = ()
    deprecated: str = ""
    free: str = "specified"

    def matches(self, name: str) -> bool:
        """Tell whether a field called ``name`` is this one."""
        if self.free == "any":
            return True
        if self.free == "partial":
            return re.fullmatch(re.sub(r"[A-Z]+", "[A-Za-z0-9_]+", self.name), name) is not None
        return name == self.name


@dataclass(frozen=True)
class ClassDefinition:
    """A NeXus class with all that it inherits."""

    name: str
    fields: tuple[FieldDefinition, ...]
    groups: frozenset[str]
    any_group: bool = False


def class_exists(nx_class: str) -> bool:
    """Tell whether NeXus has a base class of this name.

    >>> class_exists("NXdetector"), class_exists("NXcamera")
    (True, False)
    """
    return re.fullmatch(r"NX\w+", nx_class) is not None and _file(nx_class).is_file()


def fields_of(nx_class: str) -> frozenset[str]:
    """Return the names of the fields that a class defines or inherits.

    Raises
    ------
    NxscanError
        If NeXus has no such base class.

    Examples
    --------
    >>> "count_time" in fields_of("NXdetector"), "depends_on" in fields_of("NXdetector")
    (True, True)

    """
    return frozenset(field.name for field in definition(nx_class).fields)


def groups_of(nx_class: str) -> frozenset[str]:
    """Return the classes that groups inside a class may have.

    >>> "NXsource" in groups_of("NXinstrument")
    True
    """
    return definition(nx_class).groups


def field_definition(nx_class: str, field: str) -> FieldDefinition | None:
    """Return how a class defines a field; None where it does not.

    >>> field_definition("NXdetector", "count_time").type
    'NX_NUMBER'
    >>> field_definition("NXdetector", "exposure") is None
    True
    """
    fields = definition(nx_class).fields
    exact = (found for found in fields if found.free == "specified" and found.name == field)
    return next(exact, next((found for found in fields if found.matches(field)), None))


def units_category(nx_class: str, field: str) -> str | None:
    """Return what kind of unit a field has; None where it has none or is not defined.

    >>> units_category("NXdetector", "count_time"), units_category("NXdetector", "description")
    ('NX_TIME', None)
    """
    found = field_definition(nx_class, field)
    return found.units if found else None


def nearest_fields(nx_class: str, name: str) -> list[str]:
    """Return the fields of a class whose names are closest to ``name``.

    >>> nearest_fields("NXdetector", "count_tim")
    ['count_time']
    """
    return difflib.get_close_matches(name, sorted(fields_of(nx_class)), n=2, cutoff=0.75)


@lru_cache(maxsize=256)
def definition(nx_class: str) -> ClassDefinition:
    """Read the definition of a class with all that it inherits.

    Raises
    ------
    NxscanError
        If NeXus has no such base class.

    """
    if not class_exists(nx_class):
        raise NxscanError(f"NeXus has no base class {nx_class!r}", "see manual.nexusformat.org")
    root = ET.parse(_file(nx_class)).getroot()  # noqa: S314  (NeXus' own file, from its wheel)
    parent = root.get("extends")
    inherited = definition(parent) if parent else ClassDefinition("", (), frozenset())
    own = tuple(_fields(root))
    names = {field.name for field in own}
    return ClassDefinition(
        nx_class,
        own + tuple(field for field in inherited.fields if field.name not in names),
        frozenset(_groups(root)) | inherited.groups,
        inherited.any_group or root.get("ignoreExtraGroups") in ("true", "1"),
    )


@lru_cache(maxsize=1)
def _base_classes() -> Path:
    found = importlib.util.find_spec("nexusformat")
    if found is None or not found.submodule_search_locations:
        raise NxscanError("NeXus' definitions are not installed", "pip install nexusformat")
    folder = Path(found.submodule_search_locations[0]) / "definitions" / "base_classes"
    if not folder.is_dir():
        raise NxscanError(f"nexusformat has no NeXus definitions in {folder}", "reinstall it")
    return folder


def _file(nx_class: str) -> Path:
    return _base_classes() / f"{nx_class}.nxdl.xml"


def _children(element: ET.Element, tag: str) -> Iterator[ET.Element]:
    return (child for child in element if child.tag.rpartition("}")[2] == tag)


def _fields(root: ET.Element) -> Iterator[FieldDefinition]:
    for element in _children(root, "field"):
        yield FieldDefinition(
            name=element.get("name", ""),
            type=element.get("type", "NX_CHAR"),
            units=element.get("units"),
            choices=tuple(_choices(element)),
            deprecated=element.get("deprecated", ""),
            free=element.get("nameType", "specified"),
        )


def _choices(field: ET.Element) -> Iterator[str]:
    for enumeration in _children(field, "enumeration"):
        if enumeration.get("open") not in ("true", "1"):
            yield from (item.get("value", "") for item in _children(enumeration, "item"))


def _groups(root: ET.Element) -> Iterator[str]:
    for element in _children(root, "group"):
        yield element.get("type", "")
    for choice in _children(root, "choice"):
        yield from _groups(choice)
