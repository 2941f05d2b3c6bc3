"""The EDF translator: files in, scans out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from nxscan.model import Axis
from nxscan.translate.series.reading import read_all
from nxscan.translate.series.translator import SeriesTranslator
from nxscan.translators.edf.file import is_edf, read_frames
from nxscan.translators.edf.link import linked, obstacle
from nxscan.translators.edf.signal import EdfSignal

if TYPE_CHECKING:
    from nxscan.model import Signal
    from nxscan.translate.report import Report
    from nxscan.translate.series.frame import Frame, Read
    from nxscan.translators.edf.file import Frame as EdfFrame

_PADDING = 512


class EdfTranslator(SeriesTranslator):
    """Reads EDF files, plain or packed, of one frame or many, as ESRF beamlines write them."""

    name: ClassVar[str] = "edf"
    kind: ClassVar[str] = "EDF"
    description: ClassVar[str] = "ESRF data format: .edf, .edf.gz, .edf.bz2"
    mapping: ClassVar[str] = "esrf"

    def can_open(self, path: Path) -> bool:
        """Tell whether a file is EDF: by its first bytes, else by its name."""
        return is_edf(path)

    def read_all(self, paths: Sequence[str]) -> list[Read]:
        """Read the headers of files; what is wrong with one stands where its frames would."""
        return read_all(paths, read_frames)

    def signal(self, frames: Sequence[Frame], what: str, *, link: bool) -> Signal:
        """Return frames as a signal of one scan dimension, in their order."""
        places = [frame.place for frame in _own(frames)]
        units = "counts" if np.dtype(places[0].layout.dtype).kind in "iu" else None
        make = linked if link else EdfSignal
        return make(places, (len(places),), units, what)

    def obstacle(self, frames: Sequence[Frame]) -> str:
        """Say why no file can lead to these frames: they are compressed, or elsewhere."""
        return obstacle([frame.place for frame in _own(frames)])

    def frame_axes(self, frames: Sequence[Frame]) -> list[Axis]:
        """Return the axis of frames of one dimension, which are the rows of an image."""
        (*more, length) = frames[0].place.layout.shape
        if more:
            return []
        return [Axis("x", np.arange(length, dtype=float), "pixel", "detector column", "detector")]

    def check(self, frames: Sequence[Frame], report: Report) -> None:
        """Warn of what the blocks say and the pixels that are read do not follow."""
        for frame in _own(frames):
            layout = frame.place.layout
            raster = frame.header.structure.get("RASTERCONFIGURATION", "1")
            extra = 0 if layout.packing else layout.extent - layout.needed
            if raster != "1":
                message = f"says RasterConfiguration = {raster}: pixels are kept as they are stored"
                report.warning(frame.place.path, message, "rows or columns may run the other way")
                return
            if extra >= _PADDING:
                message = (
                    f"frame {frame.place.index} is followed by {extra} bytes that are not read"
                )
                report.warning(
                    frame.place.path, message, "check Dim_1, Dim_2 and Size in its header"
                )
                return


def _own(frames: Sequence[Frame]) -> Sequence[EdfFrame]:
    return cast("Sequence[EdfFrame]", frames)
