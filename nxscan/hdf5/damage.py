"""What is said of frames that cannot be read: which, why, and what to do."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from nxscan.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Region = tuple[slice, ...]
    Range = tuple[tuple[int, ...], tuple[int, ...]]

_MOST_NAMED = 5


def damaged(name: str, frames: Iterable[Range], selection: object, error: Exception) -> SourceError:
    """Return the error for stored values that are damaged.

    Parameters
    ----------
    name : str
        The file and the dataset.
    frames : iterable of (first, last)
        Runs of frames in which something is damaged; only the first few are asked for.
    selection
        What was to be read, where no frames can be named.
    error : Exception
        Why it could not be.

    """
    what = named_frames(frames) or f"selection {selection}"
    return SourceError(
        f"{name}: {what} cannot be read, what is stored is damaged: {error}",
        "nxscan validate --data checks every frame; restore the file, or translate again",
    )


def unwritten(name: str, frames: Iterable[Range], selection: object) -> SourceError:
    """Return the error for values that the file has no place for: they never came."""
    what = named_frames(frames) or f"selection {selection}"
    return SourceError(
        f"{name}: {what} cannot be read, never written or lost: the file holds nothing there",
        "restore the file or translate again; of a scan that was cut short, "
        "select the frames before",
    )


def frames_of(regions: Iterable[Region], rank: int) -> Iterator[Range]:
    """Yield the first and last frame of each region, neighbours along one dimension as one."""
    last: Range | None = None
    for region in regions:
        scan = region[:rank]
        first, stop = tuple(p.start for p in scan), tuple(p.stop - 1 for p in scan)
        if last is not None and rank == 1 and first[0] <= last[1][0] + 1:
            last = last[0], max(last[1], stop)
            continue
        if last is not None and last != (first, stop):
            yield last
        last = first, stop
    if last is not None and rank:
        yield last


def failing(read: Callable[[Region], object], regions: Iterable[Region]) -> Iterator[Region]:
    """Yield the regions that cannot be read."""
    for region in regions:
        try:
            read(region)
        except (OSError, RuntimeError):
            yield region


def named_frames(ranges: Iterable[Range]) -> str:
    """Return runs of frames for people; empty where there are none.

    >>> named_frames([((4,), (4,))]), named_frames([((2, 0), (3, 2))])
    ('frame 4', 'frames (2, 0) to (3, 2)')
    """
    found = list(itertools.islice(ranges, _MOST_NAMED + 1))
    if not found:
        return ""
    named = ", ".join(_named(frames) for frames in found[:_MOST_NAMED])
    more = " and more" if len(found) > _MOST_NAMED else ""
    noun = "frame" if len(found) == 1 and found[0][0] == found[0][1] else "frames"
    return f"{noun} {named}{more}"


def _named(frames: Range) -> str:
    first, last = (str(index[0]) if len(index) == 1 else str(index) for index in frames)
    return first if first == last else f"{first} to {last}"
