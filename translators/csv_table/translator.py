"""The CSV translator: tables of text as scans of a point detector, or beside other frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nxscan.errors import SourceError
from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translate.point_scan import PointScan
from nxscan.translators.csv_table.known import is_table
from nxscan.translators.csv_table.reader import read_table

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translate.table import Table

_MAPPING = "csv"


class CsvTranslator(Translator):
    """Reads tables of text: a header, then one row for each point."""

    name: ClassVar[str] = "csv"
    description: ClassVar[str] = "tables of text with a header: .csv, .tsv, .txt, .dat"
    general: ClassVar[bool] = True
    takes: ClassVar[frozenset[str]] = frozenset({"where"})

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is a table: by its name, and a header with rows under it."""
        return is_table(path)

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:
        """List the tables, each one a scan; files of other names are left out.

        Raises
        ------
        SourceError
            If one is damaged, or there is none.

        """
        merged = merge(builtin_mapping(_MAPPING), mapping)
        tables = [path for path in paths if is_table(path)] or list(paths[:1])
        return [_ref(number, read_table(path, merged)) for number, path in enumerate(tables, 1)]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one table as a scan, and put what was found into ``report``."""
        mapping = merge(builtin_mapping(_MAPPING), options.mapping)
        table = _again(ref, mapping)
        _tell_of_units(table, report)
        counted = _counted(table)
        default = next(iter(reversed(counted)), "")
        scan = PointScan(title=ref.title, table=table, translator=self.name, default=default)
        return scan.open(options, mapping, report)

    def table(self, ref: ScanRef) -> Table:
        """Return a table of positions, for frames that another translator opens."""
        return _again(ref, builtin_mapping(_MAPPING))


def _again(ref: ScanRef, mapping: Mapping) -> Table:
    if not isinstance(ref.payload, Path):
        raise SourceError(f"{ref.source}: no table was listed by this name", "list its scans first")
    return read_table(ref.payload, mapping)


def _tell_of_units(table: Table, report: Report) -> None:
    for name in table.columns:
        said = table.values.get(f"{name}@units")
        if isinstance(said, str) and said and name not in table.units:
            hint = "a mapping can say what it is: [motors] or [counters]"
            report.warning(table.name, f"the unit {said!r} of {name!r} is not known", hint)


def _counted(table: Table) -> list[str]:
    """Return the columns that were counted or measured, not set."""
    return [name for name in table.columns if name not in table.motors]


def _ref(number: int, table: Table) -> ScanRef:
    source = table.sources[0]
    path = Path(source.path)
    counted = _counted(table)
    whole = bool(counted) and counted[-1] in table.keys
    return ScanRef(
        number=str(number),
        title=path.stem,
        frames=table.rows,
        shape=(),
        dtype="int64" if whole else "float64",
        detectors=tuple(counted),
        size=source.size,
        modified=source.modified,
        source=source.path,
        payload=path,
    )
