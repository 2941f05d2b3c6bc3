"""The areaDetector translator: files of NDFileHDF5 in, scans out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5source import said_no
from nxscan.translators.areadetector.build import build
from nxscan.translators.areadetector.files import Series, find_series, joined_series
from nxscan.translators.areadetector.reading import looks_like

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report


class AreaDetectorTranslator(Translator):
    """Reads HDF5 files of EPICS areaDetector's NDFileHDF5, of one frame or many."""

    name: ClassVar[str] = "areadetector"
    description: ClassVar[str] = "EPICS areaDetector: HDF5 files of NDFileHDF5"
    links: ClassVar[bool] = True

    def can_open(self, path: Path) -> bool:
        """Tell whether a file holds frames with NDAttributes."""
        return looks_like(path)

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002  no key tells scans apart
        """List the scans among files: one for each, but numbered files of one frame together.

        Raises
        ------
        SourceError
            If no file is areaDetector's, or one cannot be opened.

        """
        return [_ref(number, series) for number, series in enumerate(find_series(paths), 1)]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one scan lazily, and put what was found into ``report``."""
        return build(ref.payload, options, report)

    def join(self, refs: Sequence[ScanRef]) -> ScanRef:
        """Return several files' scans as one, in the order given."""
        whole = joined_series([ref.payload for ref in refs])
        return replace(_ref(1, whole), number=refs[0].number)

    def refusal(self, path: Path) -> str:
        """Say why a file is not areaDetector's."""
        return said_no(path, "it has no NDAttributes beside /entry/data/data")


def _ref(number: int, series: Series) -> ScanRef:
    blocks = series.blocks
    frames = blocks[0].frames
    folder = blocks[0].path.parent
    return ScanRef(
        number=str(number),
        title=series.title,
        frames=sum(block.frames.count for block in blocks),
        shape=frames.shape,
        dtype=str(frames.dtype),
        detectors=("detector",),
        size=sum(block.size for block in blocks),
        modified=max(block.modified for block in blocks),
        source=str(blocks[0].path if len(blocks) == 1 else folder),
        started=series.started,
        payload=series,
    )
