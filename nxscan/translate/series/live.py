"""Scans that are still being written: what is not finished at their end."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from nxscan.errors import SourceError
from nxscan.translate.series.frame import AGAIN, UnfinishedError, raise_all
from nxscan.translate.series.names import split_name
from nxscan.translate.sources import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nxscan.translate.report import Report
    from nxscan.translate.series.frame import Frame, Read
    from nxscan.translate.series.sorting import Series

_YOUNG = 600.0
_SHOWN = 5


def hint_for(modified: int) -> str:
    """Say what to do about a file that ends too early, which may be because it is not finished.

    Parameters
    ----------
    modified : int
        When it was changed last (ns since 1970).

    """
    if abs(time.time() - modified / 1e9) < _YOUNG:
        return "if it is still being written, --live takes the frames before it; else " + AGAIN
    return AGAIN


def unfinished_files(paths: Sequence[str], found: Sequence[Read]) -> list[UnfinishedError]:
    """Return the files that are not finished, if they are the last ones of their names.

    Raises
    ------
    SourceError
        If there are other files that cannot be read; it names them.

    """
    named: dict[tuple[str, str], list[tuple[str, Read]]] = defaultdict(list)
    for path, read in zip(paths, found, strict=True):
        named[_group(path)].append((path, read))
    ends = [end for files in named.values() for end in _at_the_end(files)]
    raise_all([one for one in found if isinstance(one, SourceError) and one not in ends])
    if not any(isinstance(one, list) for one in found) and not any(end.frames for end in ends):
        raise_all(ends)
    return ends


def _at_the_end(files: list[tuple[str, Read]]) -> list[UnfinishedError]:
    if not any(isinstance(read, UnfinishedError) for _, read in files):
        return []
    last_first = sorted(files, key=lambda one: natural_key(one[0]), reverse=True)
    reads = takewhile(_ends_early, (read for _, read in last_first if read is not None))
    return [read for read in reads if isinstance(read, UnfinishedError)]


def _ends_early(read: Read) -> bool:
    if isinstance(read, list):
        return bool(read) and read[-1].missing > 0
    return isinstance(read, UnfinishedError)


def _group(path: str) -> tuple[str, str]:
    return str(Path(path).parent), split_name(path)[0]


def with_unfinished(found: list[Series], ends: Iterable[UnfinishedError]) -> list[Series]:
    """Give each file that is not finished to the scan that it continues."""
    ends_of: dict[int, list[UnfinishedError]] = defaultdict(list)
    for end in ends:
        for number in _owners(found, end):
            ends_of[number].append(end)
    return [replace(series, unfinished=tuple(ends_of[k])) for k, series in enumerate(found)]


def _owners(found: list[Series], end: UnfinishedError) -> list[int]:
    """Return which scan has the last file of that name, or whatever it lies beside."""
    group = _group(end.path)
    last: dict[int, str] = {}
    beside = []
    for number, series in enumerate(found):
        own = [f.place.path for f in series.frames if _group(f.place.path) == group]
        if own:
            last[number] = max(own, key=natural_key)
        if any(_group(f.place.path) == group for f in (*series.darks, *series.flats)):
            beside.append(number)
    if last:
        return [max(last, key=lambda number: natural_key(last[number]))]
    near = [number for number, series in enumerate(found) if series.folder == group[0]]
    return beside or near or list(range(len(found)))


def cut_at_the_end(frames: Iterable[Frame]) -> list[Frame]:
    """Return the last frames, by file name, that lack pixels."""
    last_first = sorted(
        frames, key=lambda one: (natural_key(one.place.path), one.place.index), reverse=True
    )
    return list(takewhile(lambda frame: frame.missing > 0, last_first))


def finished(series: Series, report: Report, *, live: bool) -> Series:
    """Return a scan without what is not finished; unless it may be live, that is an error.

    Parameters
    ----------
    series : Series
        The scan.
    report : Report
        Takes what was left out.
    live : bool
        Whether the user knows that the scan is still being written.

    """
    if not live:
        _refuse(series.unfinished, report)
        return series
    left: list[str] = [end.path for end in series.unfinished]
    kept = [_without_cut(frames, left) for frames in (series.frames, series.darks, series.flats)]
    if left:
        more = f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        report.note("live", f"left out, not finished: {', '.join(left[:_SHOWN])}{more}")
    if not kept[0]:
        report.error(series.title, "no frame is finished yet", "translate again when there is one")
    return replace(series, frames=kept[0], darks=kept[1], flats=kept[2])


def _refuse(ends: Sequence[UnfinishedError], report: Report) -> None:
    for end in ends[:_SHOWN]:
        what = end.message.removeprefix(end.path).lstrip(":, ")
        report.error(end.path, what, hint_for(end.modified))
    if len(ends) > _SHOWN:
        report.error(ends[_SHOWN].path, f"and {len(ends) - _SHOWN} more files end too early")


def _without_cut(frames: tuple[Frame, ...], left: list[str]) -> tuple[Frame, ...]:
    """Return the frames before the ones that are cut, which go to ``left``."""
    if not any(frame.missing for frame in frames):
        return frames
    cut = cut_at_the_end(frames)
    left += [f"{frame.place.path} (frame {frame.place.index})" for frame in cut]
    numbers = {id(frame) for frame in cut}
    return tuple(frame for frame in frames if id(frame) not in numbers)
