"""The EDF translator: files in, scans out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.axes import find_axes
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translate.report import Problem
from nxscan.translators.edf.build import DETECTOR, Parts
from nxscan.translators.edf.file import Frame, UnfinishedError, is_edf, raise_all, read_all
from nxscan.translators.edf.keys import Keys, is_motor_name, read_keys
from nxscan.translators.edf.live import (
    AGAIN,
    cut_at_the_end,
    finished,
    hint_for,
    unfinished_files,
    with_unfinished,
)
from nxscan.translators.edf.order import in_order, missing_numbers, repeated_files
from nxscan.translators.edf.series import Series, find_series, kind_of, kind_text, one_kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translators.edf.file import Read

_MAPPING = "esrf"
_SHOWN = 5
_PADDING = 512


class EdfTranslator(Translator):
    """Reads EDF files, plain or packed, of one frame or many, as ESRF beamlines write them."""

    name: ClassVar[str] = "edf"
    description: ClassVar[str] = "ESRF data format: .edf, .edf.gz, .edf.bz2"

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is EDF: by its first bytes, else by its name."""
        return is_edf(path)

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:
        """List the scans in files; files that are not EDF are left out with a note.

        The last files of a scan may be cut, as they are while it is being written: opening it
        says so.

        Raises
        ------
        SourceError
            If another file is unreadable or its headers are damaged, or none is EDF.

        """
        absolute = _absolute(paths)
        read = read_all([str(path) for path in absolute])
        ends = unfinished_files([str(path) for path in absolute], read)
        frames, others = _sorted_out(absolute, read)
        if not frames:
            names = ", ".join(str(path) for path in others[:_SHOWN])
            raise SourceError(f"no EDF file among {len(paths)} files: {names}")
        found = find_series(frames, merge(builtin_mapping(_MAPPING), mapping))
        found = with_unfinished(found, ends) if ends else found
        if others:
            names = ", ".join(path.name for path in others[:_SHOWN])
            more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            note = Problem("note", "source", f"no EDF, left out: {names}{more}")
            found = [replace(series, problems=(*series.problems, note)) for series in found]
        return [_ref(number, series) for number, series in enumerate(found, 1)]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one scan lazily, and put what was found into ``report``."""
        mapping = merge(builtin_mapping(_MAPPING), options.mapping)
        complete = finished(ref.payload, report, live=options.live)
        if not complete.frames:
            return None
        series = _with_given(complete, options, report)
        report.problems.extend(series.problems)
        if series.told_apart:
            report.note("scan", f"told apart from others by {series.told_apart}")
        if not series.frames:
            report.error(series.title, "no frame is left besides those given as dark or flat")
            return None
        ordered = in_order(series.frames, mapping)
        report.note("order", ordered.evidence)
        if ordered.conflict:
            report.warning("order", ordered.conflict, "the times are followed; check the clock")
        taken = (*complete.frames, *complete.odd)
        _check(ordered.frames, taken, series, options, report)
        keys = read_keys([frame.header for frame in ordered.frames], mapping)
        report.problems.extend(keys.problems)
        candidates = _candidates(keys, mapping, options.axes or {}, report)
        found = find_axes(candidates, len(ordered.frames), override=options.axes or None)
        report.axes = found
        report.problems.extend(found.problems)
        title = _full_title(series.title, keys)
        parts = Parts(title, ordered.frames, keys, series.darks, series.flats, bool(options.link))
        return parts.build(found, mapping, report)


def _frames_of(paths: Iterable[Path]) -> tuple[list[Frame], list[Path]]:
    """Return all frames of files, none of which may be cut, and the files that are not EDF."""
    absolute = _absolute(paths)
    read = read_all([str(path) for path in absolute])
    raise_all([one for one in read if isinstance(one, SourceError)])
    return _sorted_out(absolute, read)


def _sorted_out(paths: Sequence[Path], read: Sequence[Read]) -> tuple[list[Frame], list[Path]]:
    """Return all frames, those of files that are cut included, and the files that are not EDF."""
    frames: list[Frame] = []
    for found in read:
        frames += found.frames if isinstance(found, UnfinishedError) else []
        frames += found if isinstance(found, list) else []
    return frames, [path for path, found in zip(paths, read, strict=True) if found is None]


def _absolute(paths: Iterable[Path]) -> list[Path]:
    """Return absolute paths, asking the disk once for each folder."""
    folders: dict[Path, Path] = {}
    found = []
    for path in paths:
        folder = folders.get(path.parent)
        if folder is None:
            folder = folders[path.parent] = path.parent.resolve()
        found.append(folder / path.name)
    return found


def _ref(number: int, series: Series) -> ScanRef:
    shape, dtype = kind_of(series.frames[0])
    files = {frame.place.path: frame.place for frame in series.frames}
    return ScanRef(
        number=str(number),
        title=series.title,
        frames=len(series.frames),
        shape=shape,
        dtype=dtype,
        detectors=(DETECTOR,),
        size=sum(place.size for place in files.values()),
        modified=max(place.modified for place in files.values()) / 1e9,
        source=next(iter(files)) if len(files) == 1 else series.folder,
        payload=series,
    )


def _with_given(series: Series, options: Options, report: Report) -> Series:
    """Replace dark and flat frames by those given by hand, and take those out of the scan."""
    given = set(_absolute((*options.dark, *options.flat)))
    kept = tuple(f for f in series.frames if Path(f.place.path) not in given)
    darks = _given("dark", options.dark, series, report) if options.dark else series.darks
    flats = _given("flat", options.flat, series, report) if options.flat else series.flats
    for role, frames in (("dark", darks), ("flat", flats)):
        if frames:
            names = dict.fromkeys(Path(frame.place.path).name for frame in frames)
            report.note(role, f"{len(frames)} {role} frame(s) from {_some(list(names))}")
    return replace(series, frames=kept, darks=darks, flats=flats)


def _given(role: str, paths: Sequence[Path], series: Series, report: Report) -> tuple[Frame, ...]:
    frames, others = _frames_of(paths)
    shape = kind_of(series.frames[0])[0]
    for path in others:
        report.error(f"--{role}", f"{path} is no EDF file", "give EDF files only")
    odd = [frame for frame in frames if kind_of(frame)[0] != shape]
    fitting = [frame for frame in frames if kind_of(frame)[0] == shape]
    chosen = one_kind(fitting)
    odd += [frame for frame in fitting if kind_of(frame) != kind_of(chosen[0])]
    for frame in odd:
        expected = kind_text(kind_of(chosen[0])) if chosen else " × ".join(map(str, shape))
        report.error(
            f"--{role}",
            f"{frame.place.path} is {kind_text(kind_of(frame))}, expected {expected}",
            "give frames of the scan's shape and of one type",
        )
    _check_complete(chosen, report)
    return chosen


def _check(
    frames: Sequence[Frame],
    taken: Sequence[Frame],
    series: Series,
    options: Options,
    report: Report,
) -> None:
    """Report frames that are cut, missing or there twice."""
    _check_complete((*frames, *series.darks, *series.flats), report)
    _check_blocks(frames, report)
    for first, second in repeated_files(taken):
        report.error(second, f"has the name and number of {first}", "leave one of the two out")
    missing = missing_numbers(taken)
    if not missing:
        return
    message = f"{len(missing)} file numbers are missing: {_some([str(n) for n in missing])}"
    if options.partial:
        report.warning(series.title, message)
    else:
        report.error(series.title, message, "copy them, or translate what is there with --partial")


def _check_blocks(frames: Sequence[Frame], report: Report) -> None:
    """Warn of what the blocks say and the pixels that are read do not follow."""
    for frame in frames:
        layout, raster = frame.place.layout, frame.header.structure.get("RASTERCONFIGURATION", "1")
        extra = 0 if layout.packing else layout.extent - layout.needed
        if raster != "1":
            message = f"says RasterConfiguration = {raster}: pixels are kept as they are stored"
            report.warning(frame.place.path, message, "rows or columns may run the other way")
            return
        if extra >= _PADDING:
            message = f"frame {frame.place.index} is followed by {extra} bytes that are not read"
            report.warning(frame.place.path, message, "check Dim_1, Dim_2 and Size in its header")
            return


def _check_complete(frames: Sequence[Frame], report: Report) -> None:
    cut = [frame for frame in frames if frame.missing]
    last = cut_at_the_end(frames) if cut else []
    for frame in cut[:_SHOWN]:
        extent = frame.place.layout.extent
        report.error(
            frame.place.path,
            f"frame {frame.place.index} is truncated: expected {extent} bytes of pixels, found "
            f"{extent - frame.missing}",
            hint_for(frame.place.modified) if frame in last else AGAIN,
        )
    if len(cut) > _SHOWN:
        report.error(cut[_SHOWN].place.path, f"and {len(cut) - _SHOWN} more frames are truncated")


def _candidates(
    keys: Keys, mapping: Mapping, axes: dict[str, int], report: Report
) -> dict[str, NDArray[np.float64]]:
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
        report.note(
            "axes",
            f"these keys vary and are not known as motors: {_some(varying)}",
            "--axes can choose them, a mapping can name them as motors",
        )
    return motors


def _full_title(title: str, keys: Keys) -> str:
    said = (keys.values.get(key) for key in ("title", "Title"))
    own = next((text for text in said if isinstance(text, str) and text.strip()), "")
    return f"{title}: {own}" if own else title


def _some(names: Sequence[Any]) -> str:
    shown = ", ".join(map(str, names[:_SHOWN]))
    return f"{shown} … ({len(names)} in all)" if len(names) > _SHOWN else shown
