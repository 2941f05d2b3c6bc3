"""A Scan made of areaDetector files: frames by their ids, motors and counters of NDAttributes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.build import Found
from nxscan.translate.h5blocks import choose_written, joined_blocks, sources_of
from nxscan.translate.h5scan import finish
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translate.rawvalues import constants
from nxscan.translate.runs import runs_text
from nxscan.translators.areadetector.files import Series
from nxscan.translators.areadetector.reading import UNIQUE, Sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.translate.contract import Options
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report

    Taken = NDArray[np.intp]

_MAPPING = "areadetector"
_MOTOR_RECORD = re.compile(r".*(\.(VAL|RBV|DVAL|DRBV|REP)|:m\d+)", re.IGNORECASE)
_SECONDS, _NANOSECONDS = "NDArrayEpicsTSSec", "NDArrayEpicsTSnSec"
_SHOWN = 5


def build(series: Series, options: Options, report: Report) -> Scan | None:
    """Return the scan of some files; None where the report has errors that leave none."""
    _check_files(series, report)
    taken = choose_written(series.blocks, options, report)
    if taken is None:
        return None
    taken = _check_lengths(series, taken, options, report)
    numbers = np.concatenate([block.numbers for block in series.blocks])
    if all(file.has_ids for file in series.files):
        _check_ids(series, numbers[taken], options, report)
    mapping = merge(builtin_mapping(_MAPPING), options.mapping)
    signal = joined_blocks(series.blocks, taken, "intensity")
    found = Found(
        title=series.title,
        detectors={"detector": signal},
        values=constants(series.files[0].values, len(taken)),
        sources=sources_of(series.blocks, taken),
    )
    _sort_attributes(found, _columns(series, taken), mapping, options, report)
    return finish(found, options, report, "areadetector", mapping=_MAPPING, started=series.started)


def _check_files(series: Series, report: Report) -> None:
    if series.others:
        names = ", ".join(path.name for path in series.others[:_SHOWN])
        text = f"{len(series.others)} files are not areaDetector's, left out: {names}"
        report.note("source", text)


def _check_lengths(series: Series, taken: Taken, options: Options, report: Report) -> Taken:
    """Return the frames that have attributes; fewer only where the user allows it."""
    begin = 0
    lacking: list[Taken] = []
    for file in series.files:
        count = file.block.frames.count
        if file.ragged:
            fewest = min([*file.ragged.values(), count])
            names = ", ".join(f"{name} {length}" for name, length in [*file.ragged.items()][:3])
            message = f"{count} frames, but values of attributes: {names}"
            if options.partial or options.live:
                report.warning(str(file.path), f"{message}; the common {fewest} are taken")
                lacking.append(np.arange(begin + fewest, begin + count))
            else:
                hint = "translate the common part with --partial, or with --live while it runs"
                report.error(str(file.path), message, hint)
        begin += count
    return np.setdiff1d(taken, np.concatenate(lacking)) if lacking else taken


def _check_ids(series: Series, ids: NDArray[np.int64], options: Options, report: Report) -> None:
    """Report frames that were lost: ids that are left out."""
    steps = np.diff(ids)
    if not len(steps) or np.all(steps == 1):
        return
    where = str(series.files[0].path) if len(series.files) == 1 else series.title
    if np.all(steps == steps[0]) and steps[0] > 1:
        report.note(
            where,
            f"{UNIQUE} goes in steps of {steps[0]}: the camera took more frames than were kept",
        )
        return
    if np.any(steps <= 0):
        k = int(np.argmax(steps <= 0))
        message = f"{UNIQUE} goes from {ids[k]} to {ids[k + 1]} after frame {k + 1}"
        report.warning(where, message, "the order of the files and their frames is followed")
    lost = [range(int(ids[k]) + 1, int(ids[k + 1])) for k in np.flatnonzero(steps > 1)]
    if not lost:
        return
    count = sum(map(len, lost))
    what = "frame was" if count == 1 else "frames were"
    message = f"{count} {what} lost: {UNIQUE} leaves out {runs_text(lost)}"
    if options.partial or options.live:
        report.warning(where, message)
    else:
        hint = "translate the frames that are there with --partial; positions go with the frames"
        report.error(where, message, hint)


def _columns(series: Series, taken: Taken) -> dict[str, Sampled]:
    """Return the attributes that all files have, for the frames that are taken."""
    first = series.files[0].attributes
    shared = [name for name in first if all(name in file.attributes for file in series.files)]
    columns = {}
    for name in shared:
        parts = [file.attributes[name].column for file in series.files]
        if len({part.dtype.kind == "U" for part in parts}) == 1:
            one = first[name]
            column = np.concatenate(parts)[taken]
            columns[name] = Sampled(one.key, column, one.pv, one.description)
    return columns


def _sort_attributes(
    found: Found,
    columns: dict[str, Sampled],
    mapping: Mapping,
    options: Options,
    report: Report,
) -> None:
    """Put each attribute where it belongs: motors, counters, and all of them raw."""
    values: dict[str, str | NDArray[Any]] = dict(found.values)
    unknown = []
    for name, sampled in columns.items():
        values[sampled.key] = sampled.column
        if sampled.column.dtype.kind not in "iufb":
            continue
        column = sampled.column.astype(np.float64)
        if is_motor(name, sampled, mapping) or name in (options.axes or {}):
            found.motors[name] = column
        elif _varies(column) or name in mapping.counters:
            found.counters[name] = column
            if sampled.pv and not mapping.never_a_motor(name):
                unknown.append(name)
        if sampled.description and sampled.description != name:
            found.labels[name] = sampled.description
    found.values = values
    _add_time(found, columns)
    if unknown:
        report.note(
            "axes",
            f"these attributes vary and are not known as motors: {', '.join(unknown[:_SHOWN])}",
            "--axes can choose them, a mapping can name them as motors",
        )


def is_motor(name: str, sampled: Sampled, mapping: Mapping) -> bool:
    """Tell whether an attribute is a motor: by the mapping, or by its PV being a motor record's."""
    if name in mapping.motors:
        return True
    if name in mapping.counters or mapping.never_a_motor(name):
        return False
    return _MOTOR_RECORD.fullmatch(sampled.pv) is not None


def _varies(column: NDArray[np.float64]) -> bool:
    finite = column[np.isfinite(column)]
    return bool(len(finite)) and bool(np.ptp(finite) > 0)


def _add_time(found: Found, columns: dict[str, Sampled]) -> None:
    """Join EPICS' seconds and nanoseconds to one counter, from the first frame on."""
    parts = [columns.get(name) for name in (_SECONDS, _NANOSECONDS)]
    for name in (_SECONDS, _NANOSECONDS):
        found.counters.pop(name, None)
    seconds, nanoseconds = parts
    if seconds is None or nanoseconds is None or not len(seconds.column):
        return
    whole = seconds.column.astype(np.float64)
    if whole[0] > 0:
        found.counters["elapsed_time"] = (whole - whole[0]) + (
            nanoseconds.column.astype(np.float64) - float(nanoseconds.column[0])
        ) * 1e-9
        found.units["elapsed_time"] = "s"
        found.labels["elapsed_time"] = "time since the first frame, by EPICS' clock"
