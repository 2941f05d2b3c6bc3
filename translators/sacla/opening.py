"""A scan put together: detectors, tags in common, columns, axes, metadata."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import Source
from nxscan.translate.build import Found, build_scan
from nxscan.translate.calibration import calibrated
from nxscan.translate.h5frames import frames_source
from nxscan.translators.sacla.axes import shot_axes
from nxscan.translators.sacla.choosing import alike, choose
from nxscan.translators.sacla.content import detectors_of, joined_content, read_content
from nxscan.translators.sacla.joining import common_tags
from nxscan.translators.sacla.metadata import column_called, derived, sacla_mapping
from nxscan.translators.sacla.panels import require_images
from nxscan.translators.sacla.positions import join_table
from nxscan.translators.sacla.selecting import TAG, select
from nxscan.translators.sacla.units import split_unit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.translate.contract import Options
    from nxscan.translate.mapping import Mapping as KeyMapping
    from nxscan.translate.report import Report
    from nxscan.translators.sacla.content import Content
    from nxscan.translators.sacla.groups import Run
    from nxscan.translators.sacla.panels import Panel

    Tags = NDArray[np.int64]
    Column = NDArray[np.float64]

_UNITS = {"time_stamp": "s", "temperature": "degC"}
"""Units that no name says: seconds since 1970; MPCCDs are cooled to some -20 degrees."""


def open_runs(
    runs: Sequence[Run], options: Options, report: Report, translator: str
) -> Scan | None:
    """Open a run, or several that are joined.

    Returns None where ``report`` has errors that leave no scan to describe.
    """
    _refuse_calibrations(options, report, translator)
    names = choose(detectors_of(runs[0]), options.detector, report)
    if report.errors:
        return None
    content = joined_content([read_content(run, names) for run in runs])
    panels = alike(content.panels, report, named=options.detector is not None)
    if not panels:
        return None
    _tell_absent(content, report)
    tags, apart = common_tags(content, panels, report)
    if not len(tags):
        return None
    found = _found(content, panels, tags, apart)
    if options.table is not None:
        found, tags = join_table(found, options.table, tags, content.run.title, report)
    mapping = sacla_mapping(options.mapping, list(panels), [*found.motors, *found.counters])
    _take_motors(found, mapping)
    found = select(calibrated(found, mapping), options.where)
    found.sources = _counted(found.sources, next(iter(found.detectors.values())))
    found.values = {**found.values, **derived(found.counters | found.motors, found.labels)}
    axes = shot_axes(found, options)
    report.axes = axes
    report.problems.extend(axes.problems)
    return build_scan(found, axes, mapping, report, translator)


def _refuse_calibrations(options: Options, report: Report, translator: str) -> None:
    for role, paths in (("dark", options.dark), ("flat", options.flat)):
        if paths:
            message = f"the translator {translator!r} takes no {role} frames from other files"
            hint = "dark shots are in the run: choose them with --where"
            report.error(f"--{role}", message, hint)


def _tell_absent(content: Content, report: Report) -> None:
    if content.absent:
        listed = ", ".join(map(str, content.absent))
        message = f"file_info lists runs that are not there: {listed}"
        report.note(str(content.run.path), message, "they may be in other files")


def _found(
    content: Content, panels: Mapping[str, Panel], tags: Tags, apart: dict[str, str]
) -> Found:
    """Return images and columns of the scan's tags, each found by its tag."""
    found = Found(title=content.run.title.replace("_", " "), detectors={}, parameters=dict(apart))
    found.counters[TAG] = tags.astype(np.float64)
    found.units[TAG] = ""
    found.labels[TAG] = "tag number"
    texts: dict[str, Any] = {}
    if content.events is not None:
        rows = np.searchsorted(content.events.tags, tags)
        for path, column in content.events.columns.items():
            _add(found, path, column[rows].astype(np.float64))
        texts = {f"event_info/{p}": column[rows] for p, column in content.events.texts.items()}
    for name, panel in panels.items():
        places = np.searchsorted(panel.tags, tags)
        frames = require_images(panel, content.run.path)
        found.detectors[name] = frames.arranged((len(tags),), places)
        for column_name, column in panel.columns.items():
            _add(found, f"{name}/{column_name}", column[places])
    found.values = {**content.values, **_others(content), **texts}
    found.mask = content.mask
    found.sources = [
        Source(str(run.path), run.size, run.modified)
        for run in {run.path: run for run in content.runs}.values()
    ]
    if len(content.runs) > 1:
        found.parameters["runs"] = ", ".join(str(run.number) for run in content.runs)
    return found


def _add(found: Found, path: str, column: Column) -> None:
    """Add a column under its name without the unit, which the file's name for it keeps."""
    name, units = split_unit(path)
    if name in found.counters:
        name = path
    found.counters[name] = column
    found.labels[name] = path
    last = path.rpartition("/")[2]
    if units is None:
        units = "" if last.endswith("_status") else _UNITS.get(last)
    if units is not None:
        found.units[name] = units


def _others(content: Content) -> dict[str, str]:
    """Return what event_info holds besides columns, lists as texts."""
    if content.events is None:
        return {}
    return {
        f"event_info/{path}": value
        if isinstance(value, str)
        else " ".join(str(item) for item in np.ravel(value))
        for path, value in content.events.others.items()
    }


def _counted(sources: Sequence[Source], signal: Any) -> list[Source]:
    """Return the files with how many of the scan's frames lie in each."""
    frames = {str(path): count for path, count in frames_source(signal).items()}
    return [replace(source, frames=frames.get(source.path, 0)) for source in sources]


def _take_motors(found: Found, mapping: KeyMapping) -> None:
    """Take the columns for motors that the mapping says are some."""
    for name in mapping.motors:
        column = None if name in found.motors else column_called(name, found.counters)
        if column is not None and column != TAG:
            found.motors[column] = found.counters.pop(column)
