"""The Eiger translator: masters in, one scan of each out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5source import said_no
from nxscan.translators.eiger.build import build
from nxscan.translators.eiger.files import Series, find_series, looks_like

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report


class EigerTranslator(Translator):
    """Reads series of DECTRIS Eiger detectors: ``*_master.h5`` with ``*_data_000001.h5`` …."""

    name: ClassVar[str] = "eiger"
    description: ClassVar[str] = "DECTRIS Eiger: *_master.h5 and its data files"
    links: ClassVar[bool] = True

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is a master of a series or one of its data files."""
        return looks_like(path) != ""

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002  no key tells series apart
        """List the series whose masters are among files.

        Raises
        ------
        SourceError
            If a master cannot be read, or data files are given without one.

        """
        return [_ref(number, series) for number, series in enumerate(find_series(paths), 1)]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one series lazily, and put what was found into ``report``."""
        return build(ref.payload, options, report)

    def refusal(self, path: Path) -> str:
        """Say why a file is no Eiger master."""
        return said_no(path, "it has no data_000001 … in /entry/data beside a detector's group")


def _ref(number: int, series: Series) -> ScanRef:
    kind = series.blocks[0].frames if series.blocks else None
    return ScanRef(
        number=str(number),
        title=series.title,
        frames=sum(block.frames.count for block in series.blocks),
        shape=kind.shape if kind else (),
        dtype=str(kind.dtype) if kind else "",
        detectors=("detector",),
        declared=series.declared,
        size=series.size + sum(block.size for block in series.blocks),
        modified=max([series.modified, *(block.modified for block in series.blocks)]),
        source=str(series.master),
        started=series.started,
        payload=series,
    )
