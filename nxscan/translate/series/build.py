"""A Scan made of a series of frames: their headers as columns, where they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    parts, tabled = _tabled(parts, options, report)
    if not parts.frames:
        return None
    keys = _keys(format_, parts, mapping, tabled)
    if options.where:
        rows = _chosen(keys, len(parts.frames), options)
        parts = replace(parts, frames=[parts.frames[k] for k in rows.tolist()])
        tabled = tabled.taken(rows)
        keys = _keys(format_, parts, mapping, tabled)
    report.problems.extend(keys.problems)
    candidates = _candidates(keys, mapping, options.axes or {}, report)
    axes = find_axes(candidates, len(parts.frames), override=options.axes or None)
    report.axes = axes
    report.problems.extend(axes.problems)
    link = bool(options.link)
    reason = format_.obstacle(parts.every) if link else ""
    if reason:
        report.error("--link", reason, "copy the frames: --copy")
        return None

    def signal(frames: Sequence[Frame], what: str) -> Signal | None:
        return format_.signal(frames, what, link=link) if frames else None

    headers = [frame.header.raw for frame in parts.every if frame.header.raw]
    found = Found(
        title=_full_title(parts.title, keys),
        detectors={DETECTOR: signal(parts.frames, "intensity")},
        motors=keys.motors,
        counters=keys.counters,
        values=keys.values,
        units={**_stated(keys), **tabled.units},
        labels=tabled.labels,
        headers=headers,
        sources=_sources(parts),
        frame_axes=format_.frame_axes(parts.frames),
        dark=signal(parts.darks, "dark frames"),
        flat=signal(parts.flats, "flat frames"),
    )
    if any(key.endswith("@units") for key in keys.values):
        mapping = with_stated_units(mapping, keys.values)
    scan = build_scan(found, axes, mapping, report, format_.name)
    # the mapping may ask for lists that are motors and counters already
    scan.raw_metadata = RawMetadata(headers, {**keys.raw_values, **tabled.values})
    return scan


@dataclass(frozen=True, eq=False)
class _Tabled:
    """What a table of positions says of each frame."""

    motors: dict[str, Column]
    counters: dict[str, Column]
    units: dict[str, str]
    labels: dict[str, str]
    values: dict[str, Any]

    def taken(self, rows: NDArray[np.intp]) -> _Tabled:
        """Return that of some frames."""
        return replace(
            self,
            motors={name: column[rows] for name, column in self.motors.items()},
            counters={name: column[rows] for name, column in self.counters.items()},
        )


def _tabled(parts: Parts, options: Options, report: Report) -> tuple[Parts, _Tabled]:
    """Join the table's rows to the frames; frames without a row are left out with --partial."""
    table = options.table
    if table is None:
        return parts, _Tabled({}, {}, {}, {}, {})
    names = [Path(frame.place.path).name for frame in parts.frames]
    numbers = [split_name(name)[1] for name in names]
    one_each = len(set(names)) == len(names)  # files of several frames number none of them
    rows = join(
        table,
        frames=len(parts.frames),
        numbers=None if None in numbers or not one_each else np.array(numbers, np.int64),
        names=names,
        report=report,
        partial=options.partial,
    )
    if rows is None:
        return replace(parts, frames=()), _Tabled({}, {}, {}, {}, {})
    kept = np.flatnonzero(rows >= 0)
    frames = [parts.frames[k] for k in kept.tolist()]
    columns = {name: column[rows[kept]] for name, column in table.columns.items()}
    motors = {name: column for name, column in columns.items() if name in table.motors}
    counters = {name: column for name, column in columns.items() if name not in table.motors}
    tabled = _Tabled(motors, counters, table.units, table.labels, dict(table.values))
    return replace(parts, frames=frames), tabled


def _keys(format_: SeriesTranslator, parts: Parts, mapping: Mapping, tabled: _Tabled) -> Keys:
    """Return the frames' headers as columns, with those of the table."""
    read = read_keys([frame.header for frame in parts.frames], mapping)
    return _with_table(format_.complete(read), tabled)


def _with_table(keys: Keys, tabled: _Tabled) -> Keys:
    """Return keys with the table's columns, which go before what the headers say."""
    motors = {name: column for name, column in keys.motors.items() if name not in tabled.counters}
    counters = {name: column for name, column in keys.counters.items() if name not in tabled.motors}
    return replace(
        keys, motors={**motors, **tabled.motors}, counters={**counters, **tabled.counters}
    )


def _stated(keys: Keys) -> dict[str, str]:
    """Return units that headers state, as ``KEY@units``."""
    found = {}
    for name in (*keys.motors, *keys.counters):
        said = keys.values.get(f"{name}@units")
        units = source_units(said) if isinstance(said, str) else None
        if units is not None:
            found[name] = units
    return found


def _chosen(keys: Keys, frames: int, options: Options) -> NDArray[np.intp]:
    numbers = {
        name: np.full(frames, column[0]) if len(column) == 1 else column
        for name, column in {**keys.motors, **keys.counters}.items()
    }
    rows = np.flatnonzero(chosen(options.where, numbers, frames))
    if not len(rows):
        said = " and ".join(str(one) for one in options.where)
        raise PlanError(f"none of {frames} frames has {said}", "ask for another")
    return rows


def _candidates(
    keys: Keys, mapping: Mapping, axes: dict[str, int], report: Report
) -> dict[str, Column]:
    """Return what may be an axis: motors, and what the user names."""
    motors = {name: column for name, column in keys.motors.items() if is_motor_name(name, mapping)}
    for name in axes:
        if name in keys.counters:
            motors[name] = keys.motors[name] = keys.counters.pop(name)
        elif name in keys.motors:
            motors[name] = keys.motors[name]
    varying = [
        name
        for name in keys.counters
        if isinstance(keys.values.get(name), np.ndarray) and is_motor_name(name, mapping)
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
