"""Groups and fields of a NeXus file as the model has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.hdf5.texts import text
from nxscan.model import Field, Group
from nxscan.model.units import UNKNOWN_UNITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from nxscan.nexus.master import Opened

_NOT_METADATA = ("NXdata", "NXprocess", "NXparameters", "")
_NOT_FIELDS = {"NXentry": ("title", "entry_identifier_uuid"), "NXdetector": ("data",)}


class LazyGroup(Group):
    """A group whose content is read when it is first asked for.

    Parameters
    ----------
    nx_class : str
        Its class, which is known.
    load : callable
        Reads and returns the group.

    """

    def __init__(self, nx_class: str, load: Callable[[], Group]) -> None:
        self.nx_class = nx_class
        self._load = load

    def __getattr__(self, name: str) -> Any:
        if name not in ("fields", "groups", "attributes"):
            raise AttributeError(name)
        loaded = self._load()
        self.fields, self.groups = loaded.fields, loaded.groups
        self.attributes = loaded.attributes
        return self.__dict__[name]


def read_group(master: Opened, group: Any, attributes: dict[str, Any] | None = None) -> Group:
    """Read the fields of a NeXus group and of those below it, results and plots left out."""
    found = _empty_group(_attributes(master, group) if attributes is None else attributes)
    skipped = _NOT_FIELDS.get(found.nx_class, ())
    for name in group:
        if name in skipped:
            continue
        item = group[name]
        attributes = _attributes(master, item)
        if isinstance(item, h5py.Dataset):
            found.fields[name] = field_of(master, item, attributes)
        elif attributes.get("NX_class", "") not in _NOT_METADATA:
            found.groups[name] = read_group(master, item, attributes)
    return found


def _empty_group(attributes: dict[str, Any]) -> Group:
    group = Group(str(attributes.get("NX_class", "")))
    group.attributes = {k: v for k, v in attributes.items() if k not in ("NX_class", "default")}
    return group


def _attributes(master: Opened, item: Any) -> dict[str, Any]:
    """Read all attributes at once: one by one costs an open each."""
    return {name: plain(value) for name, value in master.attributes(item).items()}


def field_of(master: Opened, dataset: Any, attributes: dict[str, Any] | None = None) -> Field:
    """Read a dataset with its unit and attributes."""
    found = _attributes(master, dataset) if attributes is None else attributes
    units = found.pop("units", UNKNOWN_UNITS)
    value = plain(master.value(dataset))
    return Field(value, None if units == UNKNOWN_UNITS else units, found)


def plain(value: Any) -> Any:
    """Return what h5py read as Python has it: text as str, scalars as numbers."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return np.array([text(item) for item in value.ravel()]).reshape(value.shape)
    if isinstance(value, np.generic):
        return value.item()
    return value
