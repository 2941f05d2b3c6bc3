"""Which detector is the main signal, and its frames."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nxscan.errors import NxscanError, SourceError
from nxscan.hdf5.resolve import resolve
from nxscan.translate.runs import runs, runs_text

if TYPE_CHECKING:
    from nxscan.hdf5.virtual import VirtualSignal
    from nxscan.translate.contract import Options
    from nxscan.translate.report import Report
    from nxscan.translators.bliss.content import Content
    from nxscan.translators.bliss.records import Record

    Signals = dict[str, list[VirtualSignal]]

_SHOWN = 12
_FILES = 3
_KINDS = {2: "image", 1: "spectrum", 0: "counter"}


def main_signals(contents: Sequence[Content], options: Options, report: Report) -> Signals:
    """Return the frames of the main detector, and of those that have frames like it.

    Each has a list with a signal for every one of ``contents``.

    Parameters
    ----------
    contents : sequence of Content
        One scan, or several that are joined.
    options : Options
        The detector or counter that the user asks for; it alone is returned then. With
        ``partial`` or ``live``, files with frames may be missing.
    report : Report
        Takes an error for each detector that cannot be had, where none is left, and what is
        missing.

    """
    if options.detector is not None:
        return _wanted(contents, options.detector, options, report)
    records = contents[0].records
    rank = next((rank for rank in (2, 1) if _of_rank(records, rank)), None)
    if rank is None:
        message = "no image detector or spectrum was recorded"
        report.error(contents[0].group.title, message, _counters(records))
        return {}
    found: Signals = {}
    failed: list[NxscanError] = []
    for name in _of_rank(records, rank):
        try:
            found[name] = _frames(contents, name, options, report)
        except NxscanError as error:
            failed.append(error)
    for problem in failed:
        tell = report.warning if found else report.error
        tell(contents[0].group.title, problem.message, "" if found else _counters(records))
    return _alike(found, report)


def _wanted(contents: Sequence[Content], wanted: str, options: Options, report: Report) -> Signals:
    for content in contents:
        where = content.group.title
        if wanted in content.broken:
            target = content.broken[wanted]
            message = f"detector {wanted!r} is a link to {target}, which is not there"
            report.error(where, message, _counters(content.records))
            return {}
        if wanted not in content.records:
            close = difflib.get_close_matches(wanted, content.records, n=3)
            near = f"the nearest names are {', '.join(close)}; " if close else ""
            message = f"there is no detector or counter {wanted!r}"
            report.error(where, message, near + _counters(content.records))
            return {}
    try:
        return {wanted: _frames(contents, wanted, options, report)}
    except NxscanError as error:
        report.error(contents[0].group.title, error.message, error.hint)
        return {}


def _frames(
    contents: Sequence[Content], name: str, options: Options, report: Report
) -> list[VirtualSignal]:
    """Return a detector's frames in each scan, in one scan dimension."""
    missing = [content.group.title for content in contents if name not in content.records]
    if missing:
        raise SourceError(f"detector {name!r} is not in {missing[0]}")
    records = [content.records[name] for content in contents]
    signals = []
    for content, record in zip(contents, records, strict=True):
        absent: set[str] | None = set() if options.partial or options.live else None
        signals.append(_resolved(record, absent))
        if absent:
            _tell_absent(content, signals[-1], name, sorted(absent), report)
    whole = records[0].dtype.kind in "iu" and records[0].rank == 2
    for signal in signals:
        signal.units = contents[0].units.get(name) or ("counts" if whole else None)
        signal.long_name = "intensity" if records[0].rank == 2 else name
    return signals


def _tell_absent(
    content: Content, signal: VirtualSignal, name: str, absent: Sequence[str], report: Report
) -> None:
    """Warn of files that are not there, and of which frames lie in them."""
    numbers = runs_text(runs(signal.nowhere))
    named = ", ".join(absent[:_FILES]) + (" and others" if len(absent) > _FILES else "")
    are = "is" if len(absent) == 1 else "are"
    report.warning(
        content.group.title,
        f"{named} {are} not there: frames {numbers} of the {signal.shape[0]} of {name} are missing",
    )


def _resolved(record: Record, absent: set[str] | None) -> VirtualSignal:
    kind = _KINDS.get(record.rank, "detector")
    if record.dtype.kind not in "biuf" or 0 in record.shape:
        raise SourceError(
            f"{kind} {record.name!r} of {record.path} holds {record.dtype} of shape "
            f"{record.shape}, no numbers"
        )
    try:
        found = resolve(record.path, record.place, 1, absent=absent)
    except NxscanError as error:
        some = absent is None and _is_there_in_part(record)
        advice = "; --partial or --live takes the frames that are there" if some else ""
        message = f"{kind} {record.name!r}: {error.message}{advice}"
        raise SourceError(message, error.hint) from error
    if found is None:
        raise SourceError(
            f"{kind} {record.name!r} of {record.path} is put together of parts of frames"
        )
    return found


def _is_there_in_part(record: Record) -> bool:
    try:
        return resolve(record.path, record.place, 1, absent=set()) is not None
    except NxscanError:
        return False


def _alike(found: Signals, report: Report) -> Signals:
    """Return the largest detector and those of the same frames; name those left out."""
    if not found:
        return {}

    shapes = {name: signals[0].frame_shape for name, signals in found.items()}
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    ranked = sorted(found, key=lambda name: -sizes[name])
    shape = shapes[ranked[0]]
    rivals = [name for name in ranked if sizes[name] == sizes[ranked[0]]]
    if any(shapes[name] != shape for name in rivals):
        listed = ", ".join(f"{name} {shapes[name]}" for name in rivals)
        report.error("detector", f"these are equally large: {listed}", "choose with --detector")
        return {}
    chosen = [name for name in ranked if shapes[name] == shape]
    for name in ranked:
        if name not in chosen:
            message = f"left out: its frames are {shapes[name]}, not {shape}"
            report.note(name, message, f"--detector {name} translates it")
    return {name: found[name] for name in chosen}


def _of_rank(records: Mapping[str, Record], rank: int) -> list[str]:
    return [name for name, record in records.items() if record.rank == rank and not record.motor]


def _counters(records: Mapping[str, Record]) -> str:
    names = [name for name in _of_rank(records, 0) if records[name].dtype.kind in "biuf"]
    shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    if not names:
        return "there are no counters either"
    return f"--detector NAME translates one of its {len(names)} counters instead: {shown}"
