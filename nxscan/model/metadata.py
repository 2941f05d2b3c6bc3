"""Metadata as a small tree of groups and fields, in NeXus' own classes and names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nxscan.errors import NxscanError
from nxscan.model.names import is_valid_name

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Value = str | int | float | bool | NDArray[np.generic]


@dataclass(frozen=True)
class Field:
    """One value with its unit.

    Attributes
    ----------
    value : str, number or ndarray
        What was measured or said.
    units : str or None
        Its unit as pint parses it; ``""`` is dimensionless, ``None`` says that it has none
        or that none is known.
    attributes : dict
        Further NeXus attributes (``depends_on``, ``vector``, ``long_name`` ...).

    """

    value: Value
    units: str | None = None
    attributes: dict[str, Value] = field(default_factory=dict)


@dataclass
class Group:
    """A NeXus group in memory: its class, fields and subgroups.

    Examples
    --------
    >>> entry = Group("NXentry")
    >>> entry.group("instrument/source", "NXinstrument", "NXsource").set("name", Field("ESRF"))
    >>> entry["instrument/source/name"].value
    'ESRF'

    """

    nx_class: str
    fields: dict[str, Field] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    attributes: dict[str, Value] = field(default_factory=dict)

    def set(self, name: str, value: Field) -> None:
        """Put a field into this group; a name that NeXus does not allow is an error."""
        _check_name(name)
        self.fields[name] = value

    def group(self, path: str, *classes: str) -> Group:
        """Return the group at ``path``, making what is missing with ``classes`` in order."""
        names = path.split("/")
        if len(names) != len(classes):
            raise NxscanError(f"group path {path!r} needs {len(names)} classes, got {classes}")
        here = self
        for name, nx_class in zip(names, classes, strict=True):
            _check_name(name)
            here = here.groups.setdefault(name, Group(nx_class))
            if here.nx_class != nx_class:
                raise NxscanError(f"group {name!r} of {path!r} is {here.nx_class}, not {nx_class}")
        return here

    def get(self, path: str) -> Field | None:
        """Return the field at ``path``, or None."""
        *names, last = path.split("/")
        here = self
        for name in names:
            if name not in here.groups:
                return None
            here = here.groups[name]
        return here.fields.get(last)

    def __getitem__(self, path: str) -> Field:
        found = self.get(path)
        if found is None:
            raise KeyError(path)
        return found

    def walk(self, prefix: str = "") -> Iterator[tuple[str, Field]]:
        """Yield every field below this group with its path."""
        for name, value in self.fields.items():
            yield prefix + name, value
        for name, group in self.groups.items():
            yield from group.walk(f"{prefix}{name}/")


def _check_name(name: str) -> None:
    if not is_valid_name(name):
        raise NxscanError(f"{name!r} is no NeXus name", "use letters, digits and underscores")
