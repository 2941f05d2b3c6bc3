"""Reading HDF5 trees that may be broken: nodes, links, attributes as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nxscan.nexus.seal import reason


@dataclass(frozen=True)
class Link:
    """A soft or external link: where it stands and where it leads."""

    path: str
    leads_to: h5py.SoftLink | h5py.ExternalLink


@dataclass
class Tree:
    """Everything that hard links reach from the root, each object once.

    Attributes
    ----------
    groups, datasets : list
        Objects, opened, in the order of their paths.
    links : list of Link
        Soft and external links.
    broken : list of (str, str)
        Paths of objects that cannot be opened, and why.

    """

    groups: list[h5py.Group] = field(default_factory=list)
    datasets: list[h5py.Dataset] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, file: h5py.File) -> Tree:
        """Walk a file."""
        tree = cls()
        seen: set[int] = set()
        pending: list[h5py.Group] = [file["/"]]
        while pending:
            group = pending.pop()
            address = h5py.h5o.get_info(group.id).addr
            if address not in seen:
                seen.add(address)
                tree.groups.append(group)
                pending.extend(reversed(list(tree._members(group, seen))))
        return tree

    def _members(self, group: h5py.Group, seen: set[int]) -> list[h5py.Group]:
        """Sort what a group holds; return its subgroups."""
        subgroups: list[h5py.Group] = []
        for name in _names(group, self.broken):
            path = join(group.name, name)
            try:
                link = group.get(name, getlink=True)
                if isinstance(link, h5py.SoftLink | h5py.ExternalLink):
                    self.links.append(Link(path, link))
                    continue
                item = group[name]
                if isinstance(item, h5py.Group):
                    subgroups.append(item)
                elif isinstance(item, h5py.Dataset):
                    self._add_dataset(item, seen)
            except Exception as error:  # whatever HDF5 raises on damaged metadata
                self.broken.append((path, reason(error)))
        return subgroups

    def _add_dataset(self, dataset: h5py.Dataset, seen: set[int]) -> None:
        address = h5py.h5o.get_info(dataset.id).addr
        if address not in seen:
            seen.add(address)
            self.datasets.append(dataset)


def _names(group: h5py.Group, broken: list[tuple[str, str]]) -> list[str]:
    try:
        return list(group)
    except Exception as error:  # whatever HDF5 raises on damaged metadata
        broken.append((group.name, reason(error)))
        return []


def join(parent: str, name: str) -> str:
    """Return the path of a member.

    >>> join("/", "entry"), join("/entry", "data")
    ('/entry', '/entry/data')
    """
    return f"{parent.rstrip('/')}/{name}"


def texts(value: Any) -> list[str] | None:
    """Return the texts of an attribute or dataset value; ``None`` where it is no text.

    >>> texts(b"mu"), texts(np.array(["y", "x"], dtype=object)), texts(3)
    (['mu'], ['y', 'x'], None)
    """
    items = np.asarray(value, dtype=object).ravel().tolist()
    decoded = [i.decode("utf-8", "replace") if isinstance(i, bytes) else i for i in items]
    return decoded if all(isinstance(i, str) for i in decoded) else None


def attribute(node: h5py.HLObject, name: str) -> str | None:
    """Return the one text of an attribute; ``None`` if it is missing or no single text."""
    found = attributes(node, name)
    return found[0] if found and len(found) == 1 else None


def attributes(node: h5py.HLObject, name: str) -> list[str] | None:
    """Return the texts of an attribute; ``None`` if it is missing or no text."""
    return texts(node.attrs[name]) if name in node.attrs else None


def nx_class(group: h5py.Group) -> str:
    """Return a group's NX_class, or an empty text."""
    return attribute(group, "NX_class") or ""


def member(group: h5py.Group, name: str) -> h5py.HLObject | None:
    """Return a member through any link, or ``None`` where the link leads nowhere."""
    try:
        return group.get(name)
    except Exception:  # a loop of links, or a target that is damaged
        return None


def beside(master: Path, name: str) -> Path | None:
    """Find a file that another one names, where HDF5 would: absolute, or beside the master.

    HDF5 goes on to look in the working directory, where a namesake would be taken for it;
    this does not.
    """
    named = Path(name)
    if named.is_absolute():
        return named if named.exists() else None
    for folder in (master.parent, master.resolve().parent):
        if (folder / named).exists():
            return folder / named
    return None


def signal_of(group: h5py.Group) -> str | None:
    """Return the name of an NXdata group's signal, by today's rule or the one before 2014."""
    name = attribute(group, "signal")
    if name is not None:
        return name
    for key in group:
        item = member(group, key)
        if isinstance(item, h5py.Dataset) and str(_plain(item.attrs.get("signal"))) == "1":
            return str(key)
    return None


def _plain(value: Any) -> Any:
    found = texts(value) if value is not None else None
    return found[0] if found else value
