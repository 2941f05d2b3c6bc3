"""A scan put together: signals, points in common, axes, counters, metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import NxscanError
from nxscan.hdf5.virtual import VirtualSignal, joined
from nxscan.translate.build import build_scan
from nxscan.translators.bliss.clocks import joined_by_epoch
from nxscan.translators.bliss.content import Content, read_content
from nxscan.translators.bliss.found import found_of
from nxscan.translators.bliss.grid import scan_axes
from nxscan.translators.bliss.joining import between, check_alike, joined_content
from nxscan.translators.bliss.metadata import (
    bliss_mapping,
    of_detector,
    set_times,
    with_attenuators,
)
from nxscan.translators.bliss.points import common_points, written_frames
from nxscan.translators.bliss.signals import main_signals

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.axes import AxesFound
    from nxscan.translate.contract import Options, ScanRef
    from nxscan.translate.report import Report
    from nxscan.translators.bliss.signals import Signals


def open_groups(ref: ScanRef, options: Options, report: Report, translator: str) -> Scan | None:
    """Open the scan of a ref's groups; several are joined.

    Returns None where ``report`` has errors that leave no scan to describe.
    """
    contents = [read_content(group) for group in ref.payload]
    check_alike(contents)
    for content in contents:
        _tell_broken(content, report)
    signals = main_signals(contents, options, report)
    if not signals:
        return None
    points = _points(contents, signals, options, report)
    if report.errors or not points:
        return None
    content = _whole(contents, points, report)
    frames = points * len(contents)
    main = {name: _together(several, points) for name, several in signals.items()}
    axes = _axes(contents, content, frames, options, report)
    report.axes = axes
    report.problems.extend(axes.problems)
    found = found_of(ref, content, main, frames)
    first, group = next(iter(main)), next(iter(found.detectors))
    mapping = bliss_mapping(options.mapping, content.units)
    mapping = of_detector(mapping, first, group, frames=bool(main[first].frame_shape))
    mapping = with_attenuators(mapping, content.attenuators)
    scan = build_scan(found, axes, mapping, report, translator)
    set_times(scan, content.values, report)
    return scan


def _tell_broken(content: Content, report: Report) -> None:
    """Name the links that lead nowhere."""
    for name, target in content.broken.items():
        report.note(content.group.title, f"{name} is a link to {target}, which is not there")


def _points(contents: Sequence[Content], signals: Signals, options: Options, report: Report) -> int:
    """Return how many points each scan has."""
    each = []
    for number, content in enumerate(contents):
        frames = {
            name: written_frames(name, several[number], content.group.title, options, report)
            for name, several in signals.items()
        }
        if report.errors:
            return 0
        each.append(common_points(content, frames, options, report))
    if len(set(each)) > 1:
        counts = ", ".join(f"{c.group.number} has {n}" for c, n in zip(contents, each, strict=True))
        report.error("join", f"the scans have different numbers of points: {counts}")
    return each[0]


def _whole(contents: Sequence[Content], points: int, report: Report) -> Content:
    """Return all that was recorded at the points of all scans."""
    parts = [_with_subscans(_first(content, points), report) for content in contents]
    return joined_content(parts, points) if len(parts) > 1 else parts[0]


def _first(content: Content, points: int) -> Content:
    """Leave out what was recorded behind the points that all have, and what has nothing."""
    columns = {n: column[:points] for n, column in content.columns.items() if len(column) >= points}
    return replace(content, columns=columns)


def _with_subscans(content: Content, report: Report) -> Content:
    """Add the counters that have a time base of their own."""
    for group in content.group.subscans:
        try:
            other = read_content(group)
        except NxscanError as error:
            report.warning(group.name, error.message, "its counters are left out")
            continue
        further = {f"{group.name}/{key}": value for key, value in other.values.items()}
        content = joined_by_epoch(content, other, report)
        content = replace(content, values=content.values | further)
    return content


def _together(signals: Sequence[VirtualSignal], points: int) -> VirtualSignal:
    """Return the first ``points`` frames of every scan, one after the other."""
    parts = [
        signal if signal.shape[0] == points else signal.part(np.arange(points))
        for signal in signals
    ]
    return joined(parts) if len(parts) > 1 else parts[0]


def _axes(
    contents: Sequence[Content], content: Content, frames: int, options: Options, report: Report
) -> AxesFound:
    slow = {}
    if len(contents) > 1 and not options.axes:
        wanted = options.mapping.scans.join if options.mapping else None
        slow = {between(contents, wanted): len(contents)}
    commands = [content.command, *([content.described] if content.described else [])]
    return scan_axes(commands, content.columns, frames, options.axes, slow, report)
