"""Other names for the files that datasets of a master read from.

HDF5 cannot change a mapping or an external name, so each dataset with one is made anew, with
its attributes; references to it are set again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import h5py
import numpy as np

Rename = Callable[[str], str]
"""Returns the new name of a file for its old one, as a mapping or slot has it."""


def rename_sources(file: Any, virtual: Rename, external: Rename, tick: Callable[[], None]) -> None:
    """Make every dataset anew that reads from a file whose name changes.

    Parameters
    ----------
    file : h5py.File
        The master, open for writing.
    virtual, external : callable
        Return the new name of a file that mappings or external storage name.
    tick : callable
        Is called after each dataset.

    """
    groups, datasets = _objects(file)
    wanted = [one for one in datasets if _changes(one, virtual, external)]
    places = [one.name for one in wanted]
    references = list(_references(file, [*groups, *datasets], set(places)))
    for dataset, place in zip(wanted, places, strict=True):
        _remake(file, dataset, place, virtual, external)
        tick()
    for holder, name, place in references:
        file[holder].attrs[name] = file[place].ref


def rename_links(file: Any, rename: Rename) -> None:
    """Make every external link anew that leads into a file whose name changes."""
    for group in _objects(file)[0]:
        for name in list(group):
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink) and rename(link.filename) != link.filename:
                del group[name]
                group[name] = h5py.ExternalLink(rename(link.filename), link.path)


def _objects(file: Any) -> tuple[list[Any], list[Any]]:
    groups: list[Any] = [file["/"]]
    datasets: list[Any] = []

    def sort(_: str, item: Any) -> None:
        (groups if isinstance(item, h5py.Group) else datasets).append(item)

    file.visititems(sort)
    return groups, datasets


def _changes(dataset: Any, virtual: Rename, external: Rename) -> bool:
    plist = dataset.id.get_create_plist()
    if dataset.is_virtual:
        names = {plist.get_virtual_filename(k) for k in range(plist.get_virtual_count())}
        return any(_virtual_name(name, virtual) != name for name in names)
    slots = {plist.get_external(k)[0] for k in range(plist.get_external_count())}
    return any(_external_name(name, external) != name for name in slots)


def _virtual_name(name: str, rename: Rename) -> str:
    plain = name.replace("%%", "%")
    return name if name == "." else rename(plain).replace("%", "%%")


def _external_name(name: bytes, rename: Rename) -> bytes:
    return os.fsencode(rename(os.fsdecode(name)))


def _references(file: Any, objects: list[Any], places: set[str]) -> Iterator[tuple[str, str, str]]:
    """Yield object, attribute and place of each reference to one of some datasets."""
    for item in objects:
        for name, value in item.attrs.items():
            if isinstance(value, h5py.Reference) and value:
                place = file[value].name
                if place in places:
                    yield item.name, name, place


def _remake(file: Any, dataset: Any, place: str, virtual: Rename, external: Rename) -> None:
    attributes = dict(dataset.attrs.items())
    properties = _properties(dataset, virtual, external)
    kind, space = dataset.id.get_type(), dataset.id.get_space()
    del file[place]
    parent, name = place.rsplit("/", 1)
    group = file[parent or "/"]
    made = h5py.Dataset(h5py.h5d.create(group.id, name.encode(), kind, space, properties))
    for key, value in attributes.items():
        made.attrs[key] = value


def _properties(dataset: Any, virtual: Rename, external: Rename) -> Any:
    old = dataset.id.get_create_plist()
    new = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if old.fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED:
        fill = np.zeros((), dataset.dtype)
        old.get_fill_value(fill)
        new.set_fill_value(fill)
    for k in range(old.get_virtual_count() if dataset.is_virtual else 0):
        name = _virtual_name(old.get_virtual_filename(k), virtual)
        new.set_virtual(
            old.get_virtual_vspace(k),
            os.fsencode(name),
            os.fsencode(old.get_virtual_dsetname(k)),
            old.get_virtual_srcspace(k),
        )
    slots = old.get_external_count()
    for k in range(slots):
        name, offset, size = old.get_external(k)
        new.set_external(_external_name(name, external), offset, size)
    if slots:
        new.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    return new
