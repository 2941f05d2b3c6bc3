"""How many points a scan has: what was asked for, what was recorded, what they have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from nxscan.hdf5.unwritten import unwritten

if TYPE_CHECKING:
    from nxscan.hdf5.virtual import VirtualSignal
    from nxscan.translate.contract import Options
    from nxscan.translate.report import Report
    from nxscan.translators.bliss.content import Content

_SHOWN = 5


def declared(content: Content) -> int | None:
    """Return how many points were asked for, where the file says."""
    described = content.described.points if content.described else None
    return content.command.points or described


def recorded(lengths: Iterable[int]) -> int:
    """Return how many points were recorded: those of the shortest column that has any.

    >>> recorded([51, 50, 0]), recorded([])
    (50, 0)
    """
    return min((length for length in lengths if length), default=0)


def common_points(
    content: Content, frames: Mapping[str, int], options: Options, report: Report
) -> int:
    """Return how many points all columns and detectors have in common.

    Numbers that contradict each other are an error, unless the user takes what is there.

    Parameters
    ----------
    content : Content
        The scan.
    frames : mapping of str to int
        How many frames each chosen detector has.
    options : Options
        ``partial`` and ``live`` take what is there.
    report : Report
        Takes what does not fit.

    """
    lengths = {name: len(content.columns[name]) for name in _counted(content)} | dict(frames)
    empty = [name for name, length in lengths.items() if not length]
    found = recorded(lengths.values())
    problems = [*_contradiction(content), *_shortage(content, lengths, found)]
    taken = options.partial or options.live
    for message in problems:
        if taken:
            report.warning(content.group.title, message, f"{found} points are taken")
        else:
            report.error(content.group.title, message, _advice(content))
    if empty and found:
        report.note(content.group.title, f"nothing was recorded of {_some(empty)}")
    return found


def _counted(content: Content) -> list[str]:
    """Return the columns with a value for each point: not what motors beside the scan said."""
    commands = (content.command, content.described)
    moved = {motor for command in commands if command for motor in command.motors}
    others = {name for name, record in content.records.items() if record.motor} - moved
    return [name for name in content.columns if name not in others]


def written_frames(
    name: str, signal: VirtualSignal, where: str, options: Options, report: Report
) -> int:
    """Return how many frames of a detector were written before the first that was not.

    HDF5 would read the others as fill values: they are an error, unless the user takes what is
    there.
    """
    lost, count = unwritten(signal), signal.shape[0]
    if not lost.size:
        return count
    if len(lost) == count:
        message = f"detector {name!r} holds nothing but fill values: none of its {count} frames"
        report.error(where, f"{message} was written", "choose another one with --detector")
        return 0
    first = int(lost[0])
    what = "are missing" if len(signal.nowhere) == len(lost) else "were never written"
    message = f"{len(lost)} of {count} frames of {name} {what}, frame {first} first"
    if options.partial or options.live:
        report.warning(where, message)
    else:
        report.error(where, message, "--partial takes the frames before")
    return first


def _contradiction(content: Content) -> list[str]:
    asked = content.command.points
    said = content.described.points if content.described else None
    if asked is None or said is None or asked == said:
        return []
    return [f"the command asks for {asked} points, fscan_parameters for {said}"]


def _shortage(content: Content, lengths: Mapping[str, int], found: int) -> list[str]:
    asked = declared(content)
    sizes = Counter(length for length in lengths.values() if length)
    if len(sizes) > 1:
        short = [name for name, length in lengths.items() if length == found]
        longest = max(sizes)
        long = [name for name, length in lengths.items() if length == longest]
        return [
            f"{found} points of {_some(short)}, but {longest} of {_some(long)}"
            + (f", and {asked} were asked for" if asked not in (None, found) else "")
        ]
    if asked is not None and found != asked:
        return [f"{found} points were recorded, but {asked} were asked for"]
    return [] if found else ["no point was recorded"]


def _advice(content: Content) -> str:
    if content.ended:
        return "--partial takes the points that all have"
    return (
        "the scan has no end: --live takes it as far as it is written, --partial if it was aborted"
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
