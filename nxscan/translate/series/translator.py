"""A translator of frames that are files of their own: files in, scans out."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nxscan.errors import SourceError
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translate.report import Problem
from nxscan.translate.series.build import DETECTOR, Parts, build
from nxscan.translate.series.frame import AGAIN, Frame, UnfinishedError, raise_all
from nxscan.translate.series.live import (
    cut_at_the_end,
    finished,
    hint_for,
    unfinished_files,
    with_unfinished,
)
from nxscan.translate.series.order import in_order, missing_numbers, repeated_files
from nxscan.translate.series.sorting import Series, find_series, kind_of, kind_text, one_kind

if TYPE_CHECKING:
    from nxscan.model import Axis, Scan, Signal
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translate.series.frame import Read
    from nxscan.translate.series.keys import Keys

_SHOWN = 5


class SeriesTranslator(Translator):
    """Reads scans whose frames are files of their own, one a file or several.

    A format says how its files are read and how their frames become a signal; what belongs
    together, in which order, and what is missing is found here.
    """

    kind: ClassVar[str]
    """What its files are called in messages (``EDF``)."""
    mapping: ClassVar[str]
    """Name of its own mapping."""
    takes: ClassVar[frozenset[str]] = frozenset({"table", "where"})

    @abstractmethod
    def read_all(self, paths: Sequence[str]) -> list[Read]:
        """Read the headers of files; what is wrong with one stands where its frames would."""

    @abstractmethod
    def signal(self, frames: Sequence[Frame], what: str, *, link: bool) -> Signal:
        """Return frames as a signal of one scan dimension, in their order.

        It has ``arranged(scan_shape, order)``. With ``link``, a master can lead to it.
        """

    def obstacle(self, frames: Sequence[Frame]) -> str:  # noqa: ARG002  one frame may be enough
        """Say why no file can lead to these frames; ``""`` where one can."""
        return ""

    def frame_axes(self, frames: Sequence[Frame]) -> list[Axis]:  # noqa: ARG002  most have none
        """Return the axes of the detector's dimensions that the format gives."""
        return []

    def complete(self, keys: Keys) -> Keys:
        """Add columns that follow from several keys."""
        return keys

    def check(self, frames: Sequence[Frame], report: Report) -> None:
        """Report what the headers say and the pixels that are read do not follow."""

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:
        """List the scans in files; files of another format are left out with a note.

        The last files of a scan may be cut, as they are while it is being written: opening it
        says so.

        Raises
        ------
        SourceError
            If another file is unreadable or its headers are damaged, or none is of the format.

        """
        absolute = _absolute(paths)
        read = self.read_all([str(path) for path in absolute])
        ends = unfinished_files([str(path) for path in absolute], read)
        frames, others = _sorted_out(absolute, read)
        if not frames:
            names = ", ".join(str(path) for path in others[:_SHOWN])
            raise SourceError(
                f"no {self.kind} file among {len(paths)} files: {names}",
                "name other files",
            )
        found = find_series(frames, merge(builtin_mapping(self.mapping), mapping))
        found = with_unfinished(found, ends) if ends else found
        if others:
            names = ", ".join(path.name for path in others[:_SHOWN])
            more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            note = Problem("note", "source", f"no {self.kind}, left out: {names}{more}")
            found = [replace(series, problems=(*series.problems, note)) for series in found]
        return [_ref(number, series) for number, series in enumerate(found, 1)]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one scan lazily, and put what was found into ``report``."""
        mapping = merge(builtin_mapping(self.mapping), options.mapping)
        complete = finished(ref.payload, report, live=options.live)
        if not complete.frames:
            return None
        series = self._with_given(complete, options, report)
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
        self._check(ordered.frames, taken, series, options, report)
        parts = Parts(series.title, ordered.frames, series.darks, series.flats)
        return build(self, parts, mapping, options, report)

    def _with_given(self, series: Series, options: Options, report: Report) -> Series:
        """Replace dark and flat frames by those given by hand, and take those out of the scan."""
        given = set(_absolute((*options.dark, *options.flat)))
        kept = tuple(f for f in series.frames if Path(f.place.path) not in given)
        darks, flats = series.darks, series.flats
        if options.dark:
            darks = self._given("dark", options.dark, series, report)
        if options.flat:
            flats = self._given("flat", options.flat, series, report)
        for role, frames in (("dark", darks), ("flat", flats)):
            if frames:
                names = dict.fromkeys(Path(frame.place.path).name for frame in frames)
                report.note(role, f"{len(frames)} {role} frame(s) from {some(list(names))}")
        return replace(series, frames=kept, darks=darks, flats=flats)

    def _given(
        self, role: str, paths: Sequence[Path], series: Series, report: Report
    ) -> tuple[Frame, ...]:
        frames, others = self._frames_of(paths)
        shape = kind_of(series.frames[0])[0]
        for path in others:
            what = self.kind
            report.error(f"--{role}", f"{path} is no {what} file", f"give {what} files only")
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

    def _frames_of(self, paths: Iterable[Path]) -> tuple[list[Frame], list[Path]]:
        """Return all frames of files, none of which may be cut, and the files of other formats."""
        absolute = _absolute(paths)
        read = self.read_all([str(path) for path in absolute])
        raise_all([one for one in read if isinstance(one, SourceError)])
        return _sorted_out(absolute, read)

    def _check(
        self,
        frames: Sequence[Frame],
        taken: Sequence[Frame],
        series: Series,
        options: Options,
        report: Report,
    ) -> None:
        """Report frames that are cut, missing or there twice."""
        _check_complete((*frames, *series.darks, *series.flats), report)
        self.check(frames, report)
        for first, second in repeated_files(taken):
            report.error(second, f"has the name and number of {first}", "leave one of the two out")
        missing = missing_numbers(taken)
        if not missing:
            return
        numbers = some([str(n) for n in missing])
        message = f"{len(missing)} file numbers are missing: {numbers}"
        if options.partial:
            report.warning(series.title, message)
        else:
            hint = "copy them, or translate what is there with --partial"
            report.error(series.title, message, hint)


def _sorted_out(paths: Sequence[Path], read: Sequence[Read]) -> tuple[list[Frame], list[Path]]:
    """Return all frames, those of files that are cut included, and the files of other formats."""
    frames: list[Frame] = []
    for found in read:
        if isinstance(found, UnfinishedError):
            frames += found.frames
        elif found is not None and not isinstance(found, SourceError):
            frames += found
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


def _check_complete(frames: Sequence[Frame], report: Report) -> None:
    cut = [frame for frame in frames if frame.missing]
    last = cut_at_the_end(frames) if cut else []
    for frame in cut[:_SHOWN]:
        extent = frame.extent
        report.error(
            frame.place.path,
            f"frame {frame.place.index} is truncated: expected {extent} bytes of pixels, found "
            f"{extent - frame.missing}",
            hint_for(frame.place.modified) if frame in last else AGAIN,
        )
    if len(cut) > _SHOWN:
        report.error(cut[_SHOWN].place.path, f"and {len(cut) - _SHOWN} more frames are truncated")


def some(names: Sequence[Any]) -> str:
    """Return the first names of many, and how many there are."""
    shown = ", ".join(map(str, names[:_SHOWN]))
    return f"{shown} … ({len(names)} in all)" if len(names) > _SHOWN else shown
