"""A Scan made of a series of frames: their headers as columns, where they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import PlanError
from nxscan.model import RawMetadata, Source
from nxscan.translate.axes import find_axes
from nxscan.translate.build import Found, build_scan
from nxscan.translate.h5scan import with_stated_units
from nxscan.translate.h5units import source_units
from nxscan.translate.joining import join
from nxscan.translate.series.keys import Keys, is_motor_name, read_keys
from nxscan.translate.series.names import split_name
from nxscan.translate.tabled import with_table
from nxscan.translate.where import chosen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan, Signal
    from nxscan.model.provenance import FrameRole
    from nxscan.translate.contract import Options
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translate.series.frame import Frame
    from nxscan.translate.series.translator import SeriesTranslator
    from nxscan.translate.table import Table

    Column = NDArray[np.float64]

DETECTOR = "detector"
_SHOWN = 5


@dataclass(frozen=True)
class Parts:
    """The frames of a scan in the order they were taken, and its dark and flat frames."""

    title: str
    frames: Sequence[Frame]
    darks: Sequence[Frame] = ()
    flats: Sequence[Frame] = ()

    @property
    def every(self) -> tuple[Frame, ...]:
        """All of them."""
        return (*self.frames, *self.darks, *self.flats)


def build(
    format_: SeriesTranslator, parts: Parts, mapping: Mapping, options: Options, report: Report
) -> Scan | None:
    """Return the scan, or None if ``report`` says why there is none.

    Parameters
    ----------
    format_ : SeriesTranslator
        Makes signals of frames.
    parts : Parts
        The frames.
    mapping : Mapping
        Which keys are motors, counters, NeXus fields.
    options : Options
        What the user asks for: axes, a table of positions, a choice of frames, a link.
    report : Report
        Takes axes, what the mapping finds, and problems.

    """
    rows = _rows(parts, options, report)
    if options.table is not None and rows is None:
        return None
    if rows is not None:
        parts, rows = _kept(parts, rows, np.flatnonzero(rows >= 0))
    link = bool(options.link)
    reason = format_.obstacle(parts.every) if link else ""
    if reason:
        report.error("--link", reason, "copy the frames: --copy")
        return None
    found, keys = _found(format_, parts, rows, mapping, options)
    if options.where:
        parts, rows = _kept(parts, rows, _chosen(found, len(parts.frames), options))
        found, keys = _found(format_, parts, rows, mapping, options)
    report.problems.extend(keys.problems)
    candidates = _candidates(found, mapping, options.axes or {}, report)
    axes = find_axes(candidates, len(parts.frames), override=options.axes or None)
    report.axes = axes
    report.problems.extend(axes.problems)
    if any(key.endswith("@units") for key in keys.values):
        mapping = with_stated_units(mapping, keys.values)
    if options.table is not None:
        mapping = _as_stated(mapping, options.table)
    scan = build_scan(found, axes, mapping, report, format_.name)
    # the mapping may ask for lists that are motors and counters already
    lists = keys.values.keys() - keys.raw_values.keys()
    values = {key: value for key, value in found.values.items() if key not in lists}
    scan.raw_metadata = RawMetadata(found.headers, values)
    return scan


def _rows(parts: Parts, options: Options, report: Report) -> NDArray[np.intp] | None:
    """Return the row of the table for each frame; None where there is none."""
    if options.table is None:
        return None
    names = [Path(frame.place.path).name for frame in parts.frames]
    numbers = [split_name(name)[1] for name in names]
    one_each = len(set(names)) == len(names)  # files of several frames number none of them
    return join(
        options.table,
        frames=len(parts.frames),
        numbers=None if None in numbers or not one_each else np.array(numbers, np.int64),
        names=names,
        report=report,
        partial=options.partial,
    )


def _kept(
    parts: Parts, rows: NDArray[np.intp] | None, kept: NDArray[np.intp]
) -> tuple[Parts, NDArray[np.intp] | None]:
    """Return some of the frames, and their rows."""
    frames = [parts.frames[k] for k in kept.tolist()]
    return replace(parts, frames=frames), None if rows is None else rows[kept]


def _found(
    format_: SeriesTranslator,
    parts: Parts,
    rows: NDArray[np.intp] | None,
    mapping: Mapping,
    options: Options,
) -> tuple[Found, Keys]:
    """Return what headers and table say of the frames, in the order they were taken."""
    keys = format_.complete(read_keys([frame.header for frame in parts.frames], mapping))

    def signal(frames: Sequence[Frame], what: str) -> Signal | None:
        return format_.signal(frames, what, link=bool(options.link)) if frames else None

    found = Found(
        title=_full_title(parts.title, keys),
        detectors={DETECTOR: signal(parts.frames, "intensity")},
        motors=keys.motors,
        counters=keys.counters,
        values=keys.values,
        units=_stated(keys),
        headers=[frame.header.raw for frame in parts.every if frame.header.raw],
        sources=_sources(parts),
        frame_axes=format_.frame_axes(parts.frames),
        dark=signal(parts.darks, "dark frames"),
        flat=signal(parts.flats, "flat frames"),
    )
    if options.table is not None and rows is not None:
        found = with_table(found, options.table, rows)
    return found, keys


def _as_stated(mapping: Mapping, table: Table) -> Mapping:
    """Return a mapping that takes the table's columns in the units that the table states."""
    changed = {}
    for what in ("motors", "counters"):
        known = dict(getattr(mapping, what))
        for name, units in table.units.items():
            if name in known:
                known[name] = known[name].model_copy(update={"units": units})
        changed[what] = known
    return mapping.model_copy(update=changed)


def _stated(keys: Keys) -> dict[str, str]:
    """Return units that headers state, as ``KEY@units``."""
    found = {}
    for name in (*keys.motors, *keys.counters):
        said = keys.values.get(f"{name}@units")
        units = source_units(said) if isinstance(said, str) else None
        if units is not None:
            found[name] = units
    return found


def _chosen(found: Found, frames: int, options: Options) -> NDArray[np.intp]:
    rows = np.flatnonzero(chosen(options.where, {**found.motors, **found.counters}, frames))
    if not len(rows):
        said = " and ".join(str(one) for one in options.where)
        raise PlanError(f"none of {frames} frames has {said}", "ask for another")
    return rows


def _candidates(
    found: Found, mapping: Mapping, axes: dict[str, int], report: Report
) -> dict[str, Column]:
    """Return what may be an axis: motors, and what the user names."""
    motors = {name: column for name, column in found.motors.items() if is_motor_name(name, mapping)}
    for name in axes:
        if name in found.counters:
            motors[name] = found.motors[name] = found.counters.pop(name)
        elif name in found.motors:
            motors[name] = found.motors[name]
    varying = [
        name
        for name in found.counters
        if isinstance(found.values.get(name), np.ndarray) and is_motor_name(name, mapping)
    ]
    if varying:
        shown = ", ".join(varying[:_SHOWN])
        more = f" … ({len(varying)} in all)" if len(varying) > _SHOWN else ""
        report.note(
            "axes",
            f"these keys vary and are not known as motors: {shown}{more}",
            "--axes can choose them, a mapping can name them as motors",
        )
    return motors


def _full_title(title: str, keys: Keys) -> str:
    said = (keys.values.get(key) for key in ("title", "Title"))
    own = next((text for text in said if isinstance(text, str) and text.strip()), "")
    return f"{title}: {own}" if own else title


def _sources(parts: Parts) -> list[Source]:
    roles: tuple[tuple[FrameRole, Sequence[Frame]], ...] = (
        ("scan", parts.frames),
        ("dark", parts.darks),
        ("flat", parts.flats),
    )
    return [source for role, frames in roles for source in _files(frames, role)]


def _files(frames: Sequence[Frame], role: FrameRole) -> list[Source]:
    places = {frame.place.path: frame.place for frame in frames}
    counts = Counter(frame.place.path for frame in frames)
    return [
        Source(path, place.size, place.modified / 1e9, counts[path], role)
        for path, place in places.items()
    ]
