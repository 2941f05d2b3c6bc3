"""The Main datasets of a USID file, and what else lies in it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py

from nxscan.translate.h5values import attribute, decode

REFERENCES = (
    "Position_Indices",
    "Position_Values",
    "Spectroscopic_Indices",
    "Spectroscopic_Values",
)
_OWN = "entry/translation/parameters/layout_version"
_LOOKED_AT = 500
_PLACE = re.compile(r"Measurement_(\d+)/Channel_(\d+)/(.+)")


@dataclass(frozen=True)
class Place:
    """A Main dataset of a file.

    Attributes
    ----------
    file : str
        The file, absolute.
    name : str
        Where the dataset is in it.

    """

    file: str
    name: str


def has_main(file: Any) -> bool:
    """Tell whether a file has a Main dataset, or one that was meant to be: the first are looked at.

    Masters of nxscan have one, too, but are no source of this kind.
    """
    if _OWN in file:
        return False
    measured = any(isinstance(name, str) and name.startswith("Measurement_") for name in file)
    most = None if measured else _LOOKED_AT
    return any(is_candidate(node) for node in _datasets(file, most))


def find_mains(file: Any) -> tuple[list[Any], list[Any]]:
    """Return the Main datasets of a file, also those that lack something, and all others.

    Ancillary datasets of a Main dataset are neither.
    """
    mains, others, ancillary = [], [], set()
    for node in _datasets(file):
        if is_candidate(node):
            mains.append(node)
            ancillary |= {_address(found) for found in _referenced(node)}
        else:
            others.append(node)
    return mains, [node for node in others if _address(node) not in ancillary]


def is_candidate(node: Any) -> bool:
    """Tell whether a dataset is, or was meant to be, a Main dataset."""
    if node.ndim != 2:
        return False
    if any(name in node.attrs for name in REFERENCES):
        return True
    said = "quantity" in node.attrs and "units" in node.attrs
    return said and node.name.startswith("/Measurement_")


def numbers(mains: list[Any]) -> list[str]:
    """Return what each Main dataset is selected by: ``000/001`` for the first of a channel.

    Others of a channel, those of its results groups above all, have their place in it behind it;
    those that are in no channel their whole path.
    """
    found: list[str] = []
    for main in mains:
        path = main.name.strip("/")
        place = _PLACE.fullmatch(path)
        number = path
        if place is not None:
            short = f"{place[1]}/{place[2]}"
            direct = "/" not in place[3]
            number = short if direct and short not in found else f"{short}/{place[3]}"
        found.append(number)
    return found


def group_of(main: Any) -> str:
    """Return the name of the results group that a Main dataset is in; empty for raw data."""
    group = main.parent
    tool = "tool" in group.attrs or "source_000" in group.attrs
    return str(group.name.rpartition("/")[2]) if tool else ""


def source_of(main: Any) -> str:
    """Return the path of the dataset that a result was computed from, where its group says."""
    reference = main.parent.attrs.get("source_000")
    if isinstance(reference, h5py.Reference) and reference:
        try:
            return str(main.file[reference].name or "")
        except (ValueError, KeyError, RuntimeError, OSError):
            return ""
    return attribute(main.parent, "source_dataset_path")


def _datasets(file: Any, most: int | None = None) -> Iterator[Any]:
    """Yield every dataset that hard links reach, each once, groups one after the other.

    Of a file with more than ``most`` groups and datasets, the first are looked at.
    """
    seen: set[Any] = set()
    pending = deque([file["/"]])
    while pending:
        group = pending.popleft()
        for raw in group.id:
            if most is not None and len(seen) >= most:
                return
            if group.id.links.get_info(raw).type != h5py.h5l.TYPE_HARD:
                continue
            node = h5py.h5o.open(group.id, raw)
            place = h5py.h5o.get_info(node).addr
            if place in seen:
                continue
            seen.add(place)
            if isinstance(node, h5py.h5g.GroupID):
                pending.append(h5py.Group(node))
            elif isinstance(node, h5py.h5d.DatasetID) and node.shape is not None:
                yield h5py.Dataset(node)


def _address(node: Any) -> int:
    return int(h5py.h5o.get_info(node.id).addr)


def _referenced(main: Any) -> Iterator[Any]:
    for name in REFERENCES:
        reference = main.attrs.get(name)
        if isinstance(reference, h5py.Reference) and reference:
            try:
                found = main.file[reference]
            except (ValueError, KeyError, RuntimeError, OSError):
                continue
            if isinstance(found, h5py.Dataset):
                yield found


def named(nodes: list[Any]) -> str:
    """Return the paths of some datasets as a message lists them."""
    shown = [decode(str(node.name).encode("utf-8", "surrogateescape")) for node in nodes[:8]]
    more = f" and {len(nodes) - len(shown)} more" if len(nodes) > len(shown) else ""
    return ", ".join(shown) + more
