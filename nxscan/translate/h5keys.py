"""Keys of a mapping looked up in an HDF5 group: datasets, attributes, wildcards."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.translate.h5source import get_node, member_names
from nxscan.translate.h5units import source_units
from nxscan.translate.h5values import attribute, text
from nxscan.translate.sources import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from nxscan.translate.mapping_model import Candidate


@dataclass(frozen=True)
class Values:
    """What a key holds.

    Attributes
    ----------
    label : str
        The key.
    numbers : ndarray of float64
        The numbers; of texts that are no numbers, how many other texts came before each for
        the first time.
    units : str or None
        Unit that the file states.
    texts : tuple of str
        The different texts in the order of their numbers; empty where there are numbers.
    said : str
        The unit as the file spells it.

    """

    label: str
    numbers: NDArray[np.float64]
    units: str | None = None
    texts: tuple[str, ...] = ()
    said: str = ""


@dataclass
class Codes:
    """Numbers for texts, the same in all scans that are joined."""

    known: dict[str, list[str]] = field(default_factory=dict)

    def numbers(self, name: str, items: Iterable[str]) -> NDArray[np.float64]:
        """Return a number for each text of one axis."""
        texts = self.known.setdefault(name, [])
        found = []
        for item in items:
            if item not in texts:
                texts.append(item)
            found.append(texts.index(item))
        return np.array(found, np.float64)


def locate(group: Any, key: str) -> list[Any]:
    """Return the datasets and groups that a key names; * stands for any text without /.

    A key that begins with / is looked up from the file's root. What wildcards find comes in
    natural order.

    Raises
    ------
    SourceError
        If a link on the way leads nowhere.

    """
    root = group.file if key.startswith("/") else group
    return list(_matching(root, key.strip("/").split("/")))


def _matching(node: Any, parts: list[str]) -> Iterator[Any]:
    if not parts:
        yield node
    elif "*" not in parts[0]:
        plain = next((k for k, part in enumerate(parts) if "*" in part), len(parts))
        found = get_node(node, "/".join(parts[:plain]))
        if found is not None:
            yield from _matching(found, parts[plain:])
    elif isinstance(node, h5py.Group):
        for name in sorted(fits(member_names(node), parts[0]), key=natural_key):
            found = get_node(node, name)
            if found is not None:
                yield from _matching(found, parts[1:])


def fits(names: Iterable[str], pattern: str) -> list[str]:
    """Return the names that a pattern fits, in which only * is special.

    >>> fits(["a1", "b1", "a[2]"], "a*")
    ['a1', 'a[2]']
    """
    plain = re.sub(r"([\[?])", r"[\1]", pattern)
    return [name for name in names if fnmatch.fnmatchcase(name, plain)]


def read_first(
    group: Any, candidates: Iterable[Candidate], name: str, codes: Codes
) -> tuple[Candidate, Values] | None:
    """Return the first candidate that holds something, and what that is."""
    for candidate in candidates:
        found = read_key(group, candidate.key, name, codes)
        if found is not None:
            return candidate, found
    return None


def read_key(group: Any, key: str, name: str, codes: Codes) -> Values | None:
    """Return what a key holds for the axis called ``name``; None where there is nothing."""
    path, at, wanted = key.rpartition("@")
    nodes = locate(group, path if at else key) if path or not at else [group]
    raw = [
        item for item in (_raw(node, wanted if at else "") for node in nodes) if item is not None
    ]
    if not raw:
        return None
    said = "" if at else attribute(nodes[0], "units")
    units = source_units(said) if said else None
    values = raw[0] if len(raw) == 1 else np.concatenate([np.ravel(item) for item in raw])
    if values.dtype.kind in "biuf":
        return Values(key, values.astype(np.float64), units, said=said)
    items = [text(item) for item in values.ravel()]
    numbers = _as_numbers(items)
    if numbers is not None:
        return Values(key, numbers.reshape(values.shape), units, said=said)
    coded = codes.numbers(name, items).reshape(values.shape)
    return Values(key, coded, None, tuple(codes.known[name]), said)


def _raw(node: Any, wanted: str) -> NDArray[Any] | None:
    if wanted:
        found = node.attrs.get(wanted)
        return None if found is None else np.asarray(found)
    if not isinstance(node, h5py.Dataset) or node.shape is None or 0 in node.shape:
        return None
    return np.asarray(node[()]) if node.dtype.kind in "biufSO" else None


def _as_numbers(items: list[str]) -> NDArray[np.float64] | None:
    try:
        return np.array([float(item) for item in items])
    except ValueError:
        return None


def read_texts(group: Any, candidates: Iterable[Candidate]) -> str:
    """Return the text of the first candidate that has one; empty where none has."""
    for candidate in candidates:
        path, at, wanted = candidate.key.rpartition("@")
        nodes = locate(group, path if at else candidate.key) if path or not at else [group]
        for node in nodes[:1]:
            raw = _raw(node, wanted if at else "")
            if raw is not None and raw.size and (said := text(raw)):
                return said
    return ""
