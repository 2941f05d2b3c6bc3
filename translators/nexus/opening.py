"""One entry of a NeXus file opened: signal, axes, motors, counters, metadata."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import NxscanError
from nxscan.model import Source
from nxscan.translate.build import Found, build_scan
from nxscan.translate.h5frames import file_sources, frames_source, signal_of
from nxscan.translate.h5source import find_links
from nxscan.translate.h5units import source_units
from nxscan.translate.h5values import attribute, read_values
from nxscan.translators.nexus.axes import cut, first_frames, scan_axes
from nxscan.translators.nexus.choosing import choose_plot
from nxscan.translators.nexus.columns import Recorded, address, recorded
from nxscan.translators.nexus.detector import detector_of, frame_axes, read_mask
from nxscan.translators.nexus.entry import Entry, frame_rank
from nxscan.translators.nexus.metadata import carry_over
from nxscan.translators.nexus.plots import Plot, find_plots

if TYPE_CHECKING:
    from nxscan.hdf5.virtual import VirtualSignal
    from nxscan.model import Scan
    from nxscan.translate.contract import ScanRef
    from nxscan.translate.h5axes import Laid


def open_entry(entry: Entry, ref: ScanRef, translator: str) -> Scan | None:
    """Open one entry; None where ``entry.report`` says why not."""
    plots = find_plots(entry.group)
    _note_links(entry)
    plot = choose_plot(entry, plots)
    if plot is None:
        return None
    rank = frame_rank(entry, plot)
    try:
        signal = signal_of([plot.signal], rank, partial=entry.partial)
    except NxscanError as error:
        entry.report.error(f"detector {plot.name}", error.message, error.hint)
        return None
    shape: tuple[int, ...] = plot.signal.shape[: plot.signal.ndim - rank]
    own = address(plot.signal)
    listed = [one for one in recorded(entry.group, plot, shape) if one.address != own]
    laid = scan_axes(entry, plot, shape, listed)
    if laid is None or entry.report.errors:
        return None
    frames = min(
        signal.scan_shape[0], *(len(column) for column in laid.motors.values()), math.prod(shape)
    )
    if frames < math.prod(shape):
        entry.report.warning(plot.name, f"{frames} of {math.prod(shape)} frames are taken")
        signal, listed = signal.arranged((frames,), np.arange(frames)), cut(listed, frames)
        laid = first_frames(entry, laid, frames)
    entry.report.axes = laid.axes
    entry.report.problems.extend(laid.axes.problems)
    detector, place = detector_of(entry, plot)
    found = _found(entry, ref, plot, signal, laid, listed, detector)
    found.frame_axes = frame_axes(entry, plot, len(shape))
    found.mask = read_mask(entry, place, signal.frame_shape)
    if entry.report.errors:
        return None
    scan = build_scan(found, laid.axes, entry.mapping, entry.report, translator)
    motors = {one.name for one in listed if one.motor}
    names = {place: detector} if place else {}
    carry_over(entry.group, scan.metadata, names, motors, entry.report)
    return scan


def _found(
    entry: Entry,
    ref: ScanRef,
    plot: Plot,
    signal: VirtualSignal,
    laid: Laid,
    listed: Sequence[Recorded],
    detector: str,
) -> Found:
    values = read_values(entry.group)
    frames = signal.scan_shape[0]
    counters = {}
    for one in listed:
        if one.values.dtype.kind not in "f":
            values.setdefault(one.name, one.values.ravel())
        elif not one.motor and one.values.size == frames:
            counters[one.name] = one.values.ravel()
    units = {one.name: one.units for one in listed if one.units is not None}
    for name, (node, _) in plot.axes.items():
        said = None if node is None else source_units(attribute(node, "units"))
        if said is not None:
            units.setdefault(name, said)
    labels = {
        name: f"{name}: " + ", ".join(f"{k} {word}" for k, word in enumerate(words[:8]))
        for name, words in entry.codes.known.items()
    }
    return Found(
        title=ref.title,
        detectors={detector: signal},
        motors={name: column for name, column in laid.motors.items() if name not in counters},
        counters=counters,
        values=values,
        units=units,
        labels=labels,
        sources=_sources(ref, signal),
    )


def _sources(ref: ScanRef, signal: VirtualSignal) -> list[Source]:
    counts = frames_source(signal)
    counts.setdefault(Path(ref.payload.path), 0)
    return file_sources(counts)


def _note_links(entry: Entry) -> None:
    """Note links that lead nowhere, or out of the source's folder."""
    for link in find_links(entry.group):
        if link.dangling:
            entry.report.note("links", str(link))
        elif link.outside:
            entry.report.note("links", str(link), "it is read where it lies")
