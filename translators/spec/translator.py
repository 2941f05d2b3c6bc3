"""The SPEC translator: one scan of a file as a scan, or as positions of other frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nxscan.errors import SourceError
from nxscan.model import Axis
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translate.mapping_values import time_from_ctime
from nxscan.translate.point_scan import ColumnSignal, PointScan
from nxscan.translators.spec.command import read_command
from nxscan.translators.spec.index import Entry, Index, is_spec, read_index
from nxscan.translators.spec.scan import SpecScan, read_scan
from nxscan.translators.spec.table import last_counter, make_table

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translate.table import Table

_MAPPING = "spec"
_TAKE = "--partial takes what is there; --live does so while it is being taken"


@dataclass(frozen=True)
class _Place:
    path: Path
    key: str


class SpecTranslator(Translator):
    """Reads SPEC files through silx: motors, counters, spectra; also a file that still grows."""

    name: ClassVar[str] = "spec"
    description: ClassVar[str] = "SPEC data files, which begin with #F or #S"
    takes: ClassVar[frozenset[str]] = frozenset({"where"})

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is SPEC's: by its first line."""
        return is_spec(path)

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002
        """List the scans of all files, numbered as silx does: ``12.1``, and ``12.2`` if repeated.

        Raises
        ------
        SourceError
            If a file cannot be read or is damaged, or there is none.

        """
        files = [path for path in paths if is_spec(path)]
        if not files:
            names = ", ".join(str(path) for path in paths[:3])
            raise SourceError(f"no SPEC file among {len(paths)} files: {names}")
        found = [(index, entry) for index in map(read_index, files) for entry in index.entries]
        several = len({(entry.number, entry.order) for _, entry in found}) < len(found)
        return [_ref(index, entry, several=several) for index, entry in found]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one scan, and put what was found into ``report``."""
        mapping = merge(builtin_mapping(_MAPPING), options.mapping)
        index, entry, scan = _read(ref)
        for doubt in scan.doubts:
            report.warning(ref.title, doubt)
        if not _is_whole(ref.title, entry, scan, options, report):
            return None
        table = make_table(index, entry, scan, mapping)
        arrays = _spectra(ref.title, scan, report)
        return PointScan(
            title=ref.title,
            table=table,
            translator=self.name,
            default=last_counter(scan, table) or next(iter(arrays), ""),
            arrays=arrays,
            frame_axes={name: _channels(scan) for name in arrays},
        ).open(options, mapping, report)

    def table(self, ref: ScanRef) -> Table:
        """Return one scan as a table; of one that was aborted, the points that are there."""
        index, entry, scan = _read(ref)
        if scan.bad:
            raise SourceError(scan.bad, "correct the line in a copy of the file")
        return make_table(index, entry, scan, builtin_mapping(_MAPPING))


def _read(ref: ScanRef) -> tuple[Index, Entry, SpecScan]:
    index = read_index(ref.payload.path)
    entry = index.entry(ref.payload.key)
    return index, entry, read_scan(index.path, entry)


def _ref(index: Index, entry: Entry, *, several: bool) -> ScanRef:
    stem = index.path.stem
    rows = sum(1 for _ in entry.rows())
    asked = read_command(entry.command).points
    labels = entry.labels()
    return ScanRef(
        number=f"{stem}:{entry.key}" if several else entry.key,
        title=f"{stem}_{entry.key}",
        frames=rows,
        shape=(),
        dtype="float64",
        detectors=tuple(dict.fromkeys(reversed(labels[1:]))),
        command=entry.command,
        declared=asked,
        size=len(entry.scan),
        modified=index.modified,
        source=str(index.path.absolute()),
        started=_started(entry.header_line("D")),
        payload=_Place(index.path, entry.key),
    )


def _started(text: str) -> str:
    try:
        return time_from_ctime(text, None)
    except ValueError:
        return text


def _is_whole(title: str, entry: Entry, scan: SpecScan, options: Options, report: Report) -> bool:
    """Report rows that are bad or missing; tell whether there is anything to take."""
    rows, asked = scan.data.shape[1], read_command(entry.command).points
    taken = options.partial or options.live
    tell = report.warning if taken else report.error
    if scan.bad:
        tell(title, scan.bad, f"{rows} rows before are taken" if taken else _TAKE)
    elif asked is not None and rows != asked:
        hint = f"{rows} points are taken" if taken else _TAKE
        tell(title, f"{rows} of {asked} points that {entry.command!r} asks for", hint)
    if entry.cut:
        report.warning(title, "the file's last line is not whole: it is left out")
    if not rows:
        report.error(title, "no point was taken", "there is nothing to translate")
        return False
    return not report.errors


def _spectra(title: str, scan: SpecScan, report: Report) -> dict[str, ColumnSignal]:
    """Return the spectra of each analyzer, where every point has as many of one length."""
    points, count = scan.data.shape[1], len(scan.spectra)
    if not count:
        return {}
    lengths = {len(spectrum) for spectrum in scan.spectra}
    if count % points or len(lengths) > 1:
        text = ", ".join(map(str, sorted(lengths)))
        report.warning(title, f"{points} points, but {count} spectra of {text} channels: left out")
        return {}
    each = count // points
    every = np.array(scan.spectra).reshape(points, each, -1)
    names = ["mca"] if each == 1 else [f"mca_{k}" for k in range(each)]
    return {
        name: ColumnSignal(every[:, k], "counts", f"spectrum {name}")
        for k, name in enumerate(names)
    }


def _channels(scan: SpecScan) -> list[Axis]:
    length = len(scan.spectra[0]) if scan.spectra else 0
    if scan.channels is None or len(scan.channels) != length:
        return []
    return [Axis("channel", scan.channels, "", "channel", "detector", 0)]
