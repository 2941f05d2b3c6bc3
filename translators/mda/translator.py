"""The MDA translator: files of saveData as scans, or as positions of other frames."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5units import source_units
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translate.point_scan import PointScan
from nxscan.translators.mda.columns import row_names
from nxscan.translators.mda.parse import HIGHEST_RANK, VERSIONS, read_file
from nxscan.translators.mda.points import Points, find_points, has_spectra
from nxscan.translators.mda.spectra import MdaSpectra
from nxscan.translators.mda.table import iso_start, make_table

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translate.table import Table
    from nxscan.translators.mda.records import MdaFile

_MAPPING = "mda"
_TAKE = "--partial takes the complete rows"
_LIVE = "--live does so while it is being taken"
_STARTS = {struct.pack(">f", version) for version in VERSIONS}


class MdaTranslator(Translator):
    """Reads MDA files, which the saveData of EPICS' sscan module writes at the APS."""

    name: ClassVar[str] = "mda"
    description: ClassVar[str] = "MDA of the APS (EPICS saveData): .mda"
    takes: ClassVar[frozenset[str]] = frozenset({"where"})

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is MDA: by its version and rank, which it begins with."""
        try:
            with path.open("rb") as file:
                start = file.read(12)
        except OSError:
            return False
        if start[:4] not in _STARTS:
            return path.suffix.lower() == ".mda" and not start
        return len(start) < 12 or 1 <= struct.unpack(">i", start[8:])[0] <= HIGHEST_RANK

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002
        """List the scans, one a file; files that are not MDA are left out.

        A file that is cut or damaged after its outermost scan is listed: opening it says so.

        Raises
        ------
        SourceError
            If a file is unreadable, or damaged before, or there is none.

        """
        files = [path for path in paths if self.can_open(path)]
        if not files:
            names = ", ".join(str(path) for path in paths[:3])
            raise SourceError(f"no MDA file among {len(paths)} files: {names}")
        found = [_Read.of(path) for path in files]
        numbers: dict[str, int] = {}
        refs = []
        for one in found:
            number = str(one.file.number)
            numbers[number] = again = numbers.get(number, 0) + 1
            refs.append(_ref(number if again == 1 else f"{number}.{again}", one))
        return refs

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one file as a scan, and put what was found into ``report``."""
        mapping = merge(builtin_mapping(_MAPPING), options.mapping)
        found = _Read.of(ref.payload)
        if not _is_whole(found, options, report):
            return None
        arrays = _spectra(found, report)
        if arrays is None:
            return None
        table = make_table(found.file, found.points)
        scan = PointScan(
            title=ref.title,
            table=table,
            translator=self.name,
            default=next(iter(arrays), _first_that_varies(table, found.points)),
            arrays=arrays,
            grid=_grid(found.points),
            aliases={column.short: column.name for column in found.points.columns},
        )
        return scan.open(options, mapping, report)

    def table(self, ref: ScanRef) -> Table:
        """Return a file's points as a table; of a scan that was stopped, those that are done."""
        found = _Read.of(ref.payload)
        if found.file.damage is not None:
            raise found.file.damage
        return make_table(found.file, found.points)


@dataclass(frozen=True)
class _Read:
    file: MdaFile
    points: Points

    @classmethod
    def of(cls, path: Path) -> _Read:
        file = read_file(path)
        return cls(file, find_points(file))


def _ref(number: str, found: _Read) -> ScanRef:
    file, points = found.file, found.points
    channels = points.spectra[0].requested if points.spectra else 0
    names = [one.name for one in points.spectra[0].info.detectors] if points.spectra else []
    names += [column.name for column in points.columns if not column.moved]
    return ScanRef(
        number=number,
        title=file.path.stem,
        frames=points.count,
        shape=(channels,) if channels else (),
        dtype="float32" if channels else "float64",
        detectors=tuple(names),
        declared=points.asked,
        size=file.size,
        modified=file.modified,
        source=str(file.path.absolute()),
        started=iso_start(file.levels[0][0].time),
        payload=file.path,
    )


def _is_whole(found: _Read, options: Options, report: Report) -> bool:
    """Report what is cut, damaged or was not finished; tell whether there is anything to take."""
    file, points = found.file, found.points
    taken = options.partial or options.live
    tell = report.warning if taken else report.error
    name, done = file.path.name, f"{points.count} of {points.asked} points"
    if points.left:
        done += f" in complete rows, and {points.left} in a row that was not finished"
    if file.damage is not None:
        hint = f"{points.count} points before are taken" if taken else f"{_TAKE}; it has {done}"
        tell(name, file.damage.message, hint)
    elif points.count != points.asked or points.left:
        hint = f"{points.count} points are taken" if taken else f"{_TAKE}; {_LIVE}"
        tell(name, f"the scan was stopped: it has {done}", hint)
    _tell_of_others(file, report)
    if not points.count:
        report.error(name, f"the scan has {done}", "there is nothing to translate")
        return False
    return not report.errors


def _tell_of_others(file: MdaFile, report: Report) -> None:
    """Warn of rows that recorded something else than the first: it is missing in one of them."""
    for level in file.levels[: -1 if has_spectra(file) else None]:
        others = sum(row_names(scan.info) != row_names(level[0].info) for scan in level)
        if others:
            report.warning(
                file.path.name,
                f"{others} of {len(level)} scans of {level[0].name} recorded other columns than "
                "the first",
                "what the first has and they do not is NaN; what they have besides is left out",
            )


def _grid(points: Points) -> dict[str, int]:
    """Return the axes that the file's loops are, where each moved something."""
    grid: dict[str, int] = {}
    for level, length in enumerate(points.shape):
        moved = [(k, c) for k, c in enumerate(points.columns) if c.moved and c.level == level]
        if not moved:
            return {}
        k, column = moved[0]
        if not np.isfinite(points.numbers[k]).all():
            return {}
        grid[column.name] = length
    return grid


def _first_that_varies(table: Table, points: Points) -> str:
    """Return the first detector of the innermost loop whose readings vary; else any."""
    read = [column for column in points.columns if column.short.startswith("D")]
    ordered = sorted(read, key=lambda column: (-column.level, column.row))
    varying = (c.name for c in ordered if len(np.unique(table.columns[c.name])) > 1)
    return next(varying, ordered[0].name if ordered else "")


def _spectra(found: _Read, report: Report) -> dict[str, Any] | None:
    """Return the array detectors by name; None where ``report`` says what is wrong with them."""
    records, file = found.points.spectra, found.file
    if not records:
        return {}
    lengths = sorted({record.requested for record in records})
    if len(lengths) > 1 or not lengths[0]:
        report.error(
            file.path.name,
            f"the spectra of its points have {', '.join(map(str, lengths))} channels",
            "spectra of one scan have one length, which is not 0",
        )
        return None
    first = records[0].info.detectors
    if any(row_names(record.info) != row_names(records[0].info) for record in records):
        report.error(
            file.path.name,
            "its points have different array detectors, so they are no one signal",
            "--detector cannot choose one; give it as --table to the frames it belongs to",
        )
        return None
    channels = lengths[0]
    starts = np.array([record.data for record in records], np.int64)
    shape = (len(records),)
    arrays = {}
    for row, one in enumerate(first):
        name = one.name or f"D{one.number + 1:02d}"
        offsets = starts + 4 * channels * row
        units = source_units(one.units) or "counts"
        label = one.description or name
        arrays[name] = MdaSpectra(file.path, file.size, offsets, shape, channels, units, label)
    return arrays
