"""Where the scans of HDF5 files are, as a mapping says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from nxscan.errors import SourceError
from nxscan.translate.contract import ScanRef
from nxscan.translate.h5keys import locate, read_texts
from nxscan.translate.h5source import member_names, open_source
from nxscan.translate.h5values import attribute, read_text

if TYPE_CHECKING:
    from nxscan.translate.mapping import Mapping, SignalRule

_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Place:
    """A group of a file that holds one scan."""

    path: Path
    group: str


@dataclass(frozen=True)
class Seen:
    """What is seen of a scan without opening it."""

    place: Place
    title: str
    command: str
    started: str
    frames: int
    shape: tuple[int, ...]
    dtype: str


def find_places(paths: Sequence[Path], mapping: Mapping) -> list[Seen]:
    """Return every scan in some files, in the order of the files and natural order in each.

    Raises
    ------
    SourceError
        If a file cannot be read, or a pattern of ``[scans] groups`` fits nothing in any.

    """
    found = [seen for path in paths for seen in _in_file(path.absolute(), mapping)]
    if not found and mapping.scans.groups:
        names = ", ".join(path.name for path in paths[:3])
        raise SourceError(
            f"{names}: no group fits {', '.join(map(repr, mapping.scans.groups))}",
            "correct `groups` in [scans] of the mapping",
        )
    return found


def _in_file(path: Path, mapping: Mapping) -> Iterator[Seen]:
    with open_source(path) as file:
        for group in _groups(file, mapping):
            yield _seen(path, group, mapping)


def _groups(file: Any, mapping: Mapping) -> list[Any]:
    """Return the groups that the mapping names; else every NXentry, else the file itself."""
    if mapping.scans.groups:
        named = [node for pattern in mapping.scans.groups for node in locate(file, pattern)]
        groups = {node.name: node for node in named if isinstance(node, h5py.Group)}
        return list(groups.values())
    children = [file.get(name) for name in member_names(file)]
    entries = [
        node
        for node in children
        if isinstance(node, h5py.Group) and attribute(node, "NX_class") == "NXentry"
    ]
    return entries if any(_main(node, mapping) for node in entries) else [file["/"]]


def _main(group: Any, mapping: Mapping) -> list[Any]:
    """Return the datasets of the first signal that is there."""
    for rule in scan_signals(mapping):
        try:
            found = find_datasets(group, rule)
        except SourceError:
            continue
        if found:
            return found
    return []


def scan_signals(mapping: Mapping) -> list[SignalRule]:
    """Return the signals that are frames of the scan."""
    return [rule for rule in mapping.signals if rule.role == "scan"]


def find_datasets(group: Any, rule: SignalRule) -> list[Any]:
    """Return the datasets of a signal, in natural order; those of the first key that fits."""
    for candidate in rule.sources:
        found = [node for node in locate(group, candidate.key) if isinstance(node, h5py.Dataset)]
        if found:
            return found
    return []


def _seen(path: Path, group: Any, mapping: Mapping) -> Seen:
    rule = next(iter(scan_signals(mapping)), None)
    datasets = _main(group, mapping)
    rank = rule.rank if rule else 0
    frames = sum(math.prod(one.shape[: one.ndim - rank]) for one in datasets)
    first = datasets[0] if datasets else None
    return Seen(
        Place(path, group.name),
        read_texts(group, mapping.scans.title) or read_text(group, "title"),
        read_texts(group, mapping.scans.command) or read_text(group, "scan_command"),
        read_texts(group, mapping.scans.start) or read_text(group, "start_time"),
        frames,
        () if first is None else first.shape[first.ndim - rank :],
        "" if first is None else str(first.dtype),
    )


def make_refs(seen: Sequence[Seen], mapping: Mapping) -> list[ScanRef]:
    """Return a reference for each scan, or one for all where the mapping joins them."""
    detectors = tuple(rule.name for rule in scan_signals(mapping))
    if mapping.scans.join is not None and len(seen) > 1:
        return [_ref("1", seen, detectors)]
    names = [one.place.group.strip("/").rpartition("/")[2] for one in seen]
    plain = all(_NUMBER.fullmatch(name) for name in names) and len(set(names)) == len(names)
    numbers = names if plain else [str(number) for number in range(1, len(seen) + 1)]
    return [_ref(number, [one], detectors) for number, one in zip(numbers, seen, strict=True)]


def _ref(number: str, seen: Sequence[Seen], detectors: tuple[str, ...]) -> ScanRef:
    first = seen[0]
    files = {one.place.path: one.place.path.stat() for one in seen}
    return ScanRef(
        number=number,
        title=scan_title(first),
        frames=sum(one.frames for one in seen),
        shape=first.shape,
        dtype=first.dtype,
        detectors=detectors,
        command=first.command,
        size=sum(status.st_size for status in files.values()),
        modified=max(status.st_mtime for status in files.values()),
        source=str(first.place.path) if len(files) == 1 else str(first.place.path.parent),
        started=first.started,
        payload=tuple(seen),
    )


def scan_title(seen: Seen) -> str:
    """Return the title of a scan: what the file says, else the names of file and group."""
    group = seen.place.group.strip("/").replace("/", " ")
    return seen.title or f"{seen.place.path.stem} {group}".strip()
