"""The scans of BLISS masters: which groups they are, and what they are called."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py

from nxscan.translate.h5source import member_names, open_source
from nxscan.translate.h5values import text
from nxscan.translators.bliss.members import is_damaged, member

_log = logging.getLogger(__name__)
_NAME = re.compile(r"(?:(?P<prefix>.+)_)?(?P<scan>\d+)\.(?P<part>\d+)")
_LOOKED_AT = 5


@dataclass(frozen=True)
class ScanGroup:
    """The group of one scan.

    Attributes
    ----------
    path : Path
        The file that holds it, absolute.
    name : str
        Its name in that file, without the first slash.
    label : str
        Its name in the master, which may be that of a link to it.
    number : str
        What it is selected by: ``20.1``, or the whole name where that is not unique.
    key : tuple of (str, int)
        What comes before the number, and the scan's number.
    part : int
        The number behind the dot.
    subscans : tuple of ScanGroup
        Groups of the same scan with a time base of their own (``20.2``).

    """

    path: Path
    name: str
    label: str
    number: str
    key: tuple[str, int]
    part: int
    subscans: tuple[ScanGroup, ...] = ()

    @property
    def title(self) -> str:
        """What a person would call it."""
        prefix, _ = self.key
        return self.label if prefix else f"{self.path.stem} {self.name}"


def is_master(file: h5py.File) -> bool:
    """Tell whether an open file is a BLISS master: BLISS says so, or its groups are scans."""
    creator = file.attrs.get("creator", "")
    if isinstance(creator, str | bytes) and text(creator).lower() == "bliss":
        return True
    scans = [name for name in member_names(file) if _NAME.fullmatch(name)]
    return any(_is_scan(member(file, name)) for name in scans[:_LOOKED_AT])


def find_groups(paths: Sequence[Path]) -> list[ScanGroup]:
    """Return the scans of masters in the order they were taken, each with its subscans.

    A group that lies in another file is found through its link; a link that leads nowhere is
    left out.

    Raises
    ------
    SourceError
        If a file is no HDF5, or damaged.

    """
    found = [group for path in paths for group in _groups(path)]
    # a master may be given beside one that links to its scans
    found.sort(key=lambda group: group.label != group.name)
    once = {(group.path, group.name): group for group in reversed(found)}
    whole = _with_subscans(list(once.values()))
    count = Counter(group.number for group in whole)
    return [_numbered(group, count, len(paths) > 1) for group in whole]


def _groups(path: Path) -> Iterator[ScanGroup]:
    with open_source(path) as file:
        for name in member_names(file):
            match = _NAME.fullmatch(name)
            if match is None:
                continue
            link = file.get(name, getlink=True)
            where, place = path, name
            if isinstance(link, h5py.ExternalLink):
                where = Path(os.path.normpath(path.parent / link.filename))
                place = link.path.strip("/")
                if not where.is_file():
                    continue
            elif not _is_scan(member(file, name)):
                if is_damaged(file, name):
                    _log.warning("%s: scan %s is damaged, and left out: copy the file", path, name)
                elif isinstance(member(file, name), h5py.Group):
                    told = "%s: %s has no title or no measurement, and is left out"
                    _log.warning(told, path, name)
                continue
            key = (match["prefix"] or "", int(match["scan"]))
            number = f"{match['scan']}.{match['part']}"
            yield ScanGroup(where, place, name, number, key, int(match["part"]))


def _is_scan(item: Any) -> bool:
    return isinstance(item, h5py.Group) and (
        "title" in item and ("instrument" in item or "measurement" in item)
    )


def _with_subscans(groups: Sequence[ScanGroup]) -> list[ScanGroup]:
    """Put the parts of a scan together: the first is the scan, the others its subscans."""
    scans: dict[tuple[Path, tuple[str, int]], list[ScanGroup]] = {}
    for group in groups:
        scans.setdefault((group.path, group.key), []).append(group)
    parts = [sorted(found, key=lambda group: group.part) for found in scans.values()]
    whole = [replace(first, subscans=tuple(rest)) for first, *rest in parts]
    return sorted(whole, key=lambda group: (str(group.path), _natural(group.key[0]), group.key[1]))


def _natural(name: str) -> list[tuple[int, str]]:
    pieces = re.split(r"(\d+)", name)
    return [(int(piece) if piece.isdecimal() else -1, piece) for piece in pieces]


def _numbered(group: ScanGroup, count: Counter[str], several: bool) -> ScanGroup:
    if count[group.number] == 1:
        return group
    number = f"{group.path.stem}:{group.label}" if several else group.label
    parts = (replace(part, number=part.label) for part in group.subscans)
    return replace(group, number=number, subscans=tuple(parts))
