"""The Lambda translator: files of modules and parts in, one scan of each series out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nxscan.translate.contract import Options, ScanRef, Translator
from nxscan.translate.h5source import said_no
from nxscan.translators.lambda_xspectrum.build import build
from nxscan.translators.lambda_xspectrum.files import Series, find_series, looks_like
from nxscan.translators.lambda_xspectrum.geometry import corners_of, frame_shape

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report


class LambdaTranslator(Translator):
    """Reads series of X-Spectrum Lambda detectors: ``*_m01_part00001.nxs`` …."""

    name: ClassVar[str] = "lambda"
    description: ClassVar[str] = "X-Spectrum Lambda: *_m01_part00001.nxs, modules and parts"
    links: ClassVar[bool] = True

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is of a Lambda detector, by what it says of itself."""
        return looks_like(path)

    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:  # noqa: ARG002  no key tells series apart
        """List the series among files, those of one name together.

        Raises
        ------
        SourceError
            If no file is of a Lambda detector, or files of one series do not go together.

        """
        return [_ref(number, series) for number, series in enumerate(find_series(paths), 1)]

    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one series lazily, and put what was found into ``report``."""
        return build(ref.payload, options, report)

    def refusal(self, path: Path) -> str:
        """Say why a file is none of a Lambda detector."""
        return said_no(path, "its /entry/instrument/detector/description is not Lambda")


def _ref(number: int, series: Series) -> ScanRef:
    blocks = series.blocks
    modules = series.modules
    return ScanRef(
        number=str(number),
        title=series.title,
        frames=max((len(module.numbers) for module in series.modules), default=0),
        shape=frame_shape(modules, corners_of(modules)) if modules else (),
        dtype=str(blocks[0].frames.dtype) if blocks else "",
        detectors=("detector",),
        declared=series.declared,
        size=sum(block.size for block in blocks),
        modified=max((block.modified for block in blocks), default=0.0),
        source=str(blocks[0].path if len(blocks) == 1 else series.folder),
        started=series.started,
        payload=series,
    )
