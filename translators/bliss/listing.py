"""The scans of BLISS masters as a user chooses between them, at little cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.contract import ScanRef
from nxscan.translate.h5source import open_source
from nxscan.translate.h5values import read_text
from nxscan.translators.bliss.content import command_of
from nxscan.translators.bliss.points import recorded
from nxscan.translators.bliss.sketches import Sketch, sketches

if TYPE_CHECKING:
    from nxscan.translators.bliss.groups import ScanGroup


def scan_refs(groups: Sequence[ScanGroup]) -> list[ScanRef]:
    """Describe scans; each file is opened once.

    Raises
    ------
    SourceError
        If a file is damaged.

    """
    return [ref for path, some in groupby(groups, lambda g: g.path) for ref in _refs(path, some)]


def _refs(path: Any, groups: Any) -> Iterator[ScanRef]:
    found = path.stat()
    ranks: dict[str, int] = {}
    with open_source(path) as file:
        for group in groups:
            parts = [
                _ref(part, file[part.name], found.st_size, found.st_mtime, {})
                for part in group.subscans
            ]
            ref = _ref(group, file[group.name], found.st_size, found.st_mtime, ranks)
            yield replace(ref, parts=tuple(parts))


def _ref(group: ScanGroup, item: Any, size: int, modified: float, ranks: dict[str, int]) -> ScanRef:
    command, described = command_of(item, group, briefly=True)
    asked = command.points or (described.points if described else None)
    moved = {*command.motors, *command.integrated, *(described.motors if described else ())}
    found = sketches(item, asked, ranks)
    detectors = sorted((one for one in found if one.name not in moved), key=_rank)
    main = detectors[0] if detectors else Sketch("", (0,))
    held = recorded(one.points for one in found if not one.virtual)
    return ScanRef(
        number=group.number,
        title=group.title,
        frames=held or recorded(one.points for one in found),
        shape=main.shape[1:],
        dtype=str(main.dtype or np.dtype(np.float64)),
        detectors=tuple(one.name for one in detectors),
        command=command.text,
        declared=asked,
        size=size,
        modified=modified,
        source=f"{group.path}::/{group.name}",
        started=read_text(item, "start_time"),
        payload=(group,),
    )


def _rank(one: Sketch) -> tuple[int, int]:
    """Return what detectors are sorted by: images, the largest first, spectra, counters."""
    if len(one.shape) == 1:  # most of tens of thousands
        return 2, 0
    order = {3: 0, 2: 1}.get(len(one.shape), 3)
    return order, -math.prod(one.shape[1:])
