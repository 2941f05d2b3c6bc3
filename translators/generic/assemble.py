"""Parts of HDF5 files put together: one scan, or several that are joined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError
from nxscan.hdf5.virtual import joined
from nxscan.model import Axis, Source
from nxscan.translate.axes import find_axes
from nxscan.translate.build import Found
from nxscan.translate.h5axes import Column, Laid, lay_out
from nxscan.translate.h5frames import file_sources, frames_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.virtual import VirtualSignal
    from nxscan.model.provenance import FrameRole
    from nxscan.translate.axes import AxesFound
    from nxscan.translate.contract import Options, ScanRef
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translators.generic.content import Part


def assemble(
    ref: ScanRef, parts: Sequence[Part], mapping: Mapping, options: Options, report: Report
) -> tuple[Found, AxesFound] | None:
    """Return what was found in all parts and the scan's axes; None if ``report`` has errors."""
    try:
        if len(parts) > 1:
            laid = _joined_axes(parts, mapping, options, report)
        else:
            laid = _axes(parts[0], options, report)
        found = None if laid is None or report.errors else _found(ref, parts, laid, mapping, report)
    except NxscanError as error:
        report.error(ref.title, error.message, error.hint)
        return None
    return None if found is None or laid is None else (found, laid.axes)


def _axes(part: Part, options: Options, report: Report) -> Laid | None:
    frames = _frames(part)
    shape = _split_row(part, frames)
    given = any(column.dimension is not None for column in part.columns)
    if len(shape) > 1 or given:
        laid = lay_out(part.columns, shape, report)
        if laid is None or not options.axes:
            return laid
        return Laid(find_axes(laid.motors, frames, override=options.axes), laid.motors)
    columns = _row_columns(part, frames, options, report)
    if columns is None:
        return None
    return Laid(find_axes(columns, _frames(part), override=options.axes or None), columns)


def _frames(part: Part) -> int:
    return next(iter(part.detectors.values())).scan_shape[0]


def _split_row(part: Part, frames: int) -> tuple[int, ...]:
    """Return the shape that axes with dimensions of their own give a row of frames."""
    lengths: dict[int, int] = {}
    for column in part.columns:
        if column.dimension is not None and column.values.ndim == 1:
            lengths.setdefault(column.dimension, column.values.size)
    dense = sorted(lengths) == list(range(len(lengths)))
    if len(part.shape) == 1 and len(lengths) > 1 and dense:
        shape = tuple(lengths[k] for k in sorted(lengths))
        if math.prod(shape) == frames:
            return shape
    return part.shape


def _row_columns(
    part: Part, frames: int, options: Options, report: Report
) -> dict[str, NDArray[np.float64]] | None:
    """Return one value a frame for each column; with --partial the part that all have."""
    sizes = {c.name: c.values.size for c in part.columns if c.values.size not in (1, frames)}
    if sizes and (options.partial or options.live):
        least = min([frames, *sizes.values()])
        report.warning(
            "axes", f"{frames} frames, but {_said(sizes)}: the first {least} of all are taken"
        )
        _cut(part, least)
        frames = least
    elif sizes:
        report.error(
            "axes",
            f"{frames} frames, but {_said(sizes)}",
            "check the paths; --partial takes what all have",
        )
        return None
    return {
        column.name: np.full(frames, column.values.ravel()[0])
        if column.values.size == 1
        else column.values.ravel()[:frames]
        for column in part.columns
    }


def _said(sizes: dict[str, int]) -> str:
    return ", ".join(f"{name} has {size} values" for name, size in sizes.items())


def _cut(part: Part, frames: int) -> None:
    for name, signal in part.detectors.items():
        part.detectors[name] = signal.arranged((frames,), np.arange(frames))
    part.shape = (frames,)


def _joined_axes(
    parts: Sequence[Part], mapping: Mapping, options: Options, report: Report
) -> Laid | None:
    """Find the axes of scans that are joined in what every frame was read at."""
    key = mapping.scans.join
    if key is None:
        report.error("scans", f"{len(parts)} scans are to be joined", "say `join` in [scans]")
        return None
    name = key.rpartition("@")[2].rpartition("/")[2]
    columns: list[dict[str, NDArray[np.float64]]] = []
    for part in parts:
        slow = _single(part.values.get(key))
        if slow is None:
            report.error("scans", f"{key!r} is no single number in every scan", "correct `join`")
            return None
        own = lay_out([*part.columns, Column(name, np.array([slow]))], part.shape, report)
        if own is None:
            return None
        columns.append(own.motors)
    names = [name, *(column.name for column in parts[0].columns if column.name != name)]
    motors = {one: np.concatenate([own[one] for own in columns]) for one in names}
    return Laid(find_axes(motors, len(motors[name]), override=options.axes or None), motors)


def _single(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _found(
    ref: ScanRef, parts: Sequence[Part], laid: Laid, mapping: Mapping, report: Report
) -> Found | None:
    first = parts[0]
    common = [name for name in first.detectors if all(name in part.detectors for part in parts)]
    detectors = {name: joined([part.detectors[name] for part in parts]) for name in common}
    frames = next(iter(detectors.values())).scan_shape[0]
    values = _values(parts, frames)
    for name, texts in first.texts.items():
        report.note(f"axis {name}", f"its values are texts: they are numbered, {', '.join(texts)}")
        values[f"{name} texts"] = ", ".join(f"{k}: {word}" for k, word in enumerate(texts))
    return Found(
        title=ref.title,
        detectors=detectors,
        motors=laid.motors,
        counters=_counters(values, frames, mapping),
        values=values,
        units=first.units,
        labels=first.labels,
        sources=_sources(ref, parts, detectors),
        frame_axes=_frame_axes(first, report),
        dark=first.stacks.get("dark"),
        flat=first.stacks.get("flat"),
        mask=first.mask,
        integrated=first.integrated,
    )


def _values(parts: Sequence[Part], frames: int) -> dict[str, Any]:
    """Return raw values; those in which joined scans differ with one text for each frame."""
    if len(parts) == 1:
        return dict(parts[0].values)
    lengths = [next(iter(part.detectors.values())).scan_shape[0] for part in parts]
    found: dict[str, Any] = {}
    for key in parts[0].values:
        items = [part.values.get(key, "") for part in parts]
        if not all(isinstance(item, str) for item in items):
            rows = [np.atleast_1d(item) for item in items]
            if all(len(row) == n for row, n in zip(rows, lengths, strict=True)):
                found[key] = np.concatenate(rows)
        elif len(set(items)) == 1:
            found[key] = items[0]
        else:
            found[key] = np.repeat(np.array(items), lengths)[:frames]
    return found


def _counters(
    values: dict[str, Any], frames: int, mapping: Mapping
) -> dict[str, NDArray[np.float64]]:
    """Return the columns that the mapping knows as counters."""
    found = {}
    for name in mapping.counters:
        value = values.get(name)
        if (
            isinstance(value, np.ndarray)
            and value.shape == (frames,)
            and value.dtype.kind in "biuf"
        ):
            found[name] = value.astype(np.float64)
    return found


def _frame_axes(part: Part, report: Report) -> list[Axis]:
    shape = next(iter(part.detectors.values())).frame_shape
    axes = []
    for inside, name, values, units, label in part.frame_axes:
        if not 0 <= inside < len(shape) or shape[inside] != len(values):
            report.error(
                f"axis {name}",
                f"it has {len(values)} values, which contradicts the data: one frame is {shape}",
                "check its path and dimension",
            )
            continue
        axes.append(Axis(name, values, units, label or name, "detector", inside))
    return axes


def _sources(
    ref: ScanRef, parts: Sequence[Part], detectors: dict[str, VirtualSignal]
) -> list[Source]:
    """Return every file once for each of its roles, with its frames."""
    counts = frames_source(next(iter(detectors.values())))
    for seen in ref.payload:
        counts.setdefault(seen.place.path, 0)
    found = file_sources(counts)
    roles: tuple[FrameRole, ...] = ("dark", "flat")
    for role in roles:
        if role in parts[0].stacks:
            found += file_sources(frames_source(parts[0].stacks[role]), role)
    return found
