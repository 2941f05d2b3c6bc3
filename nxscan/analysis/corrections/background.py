"""Subtraction of a background frame: of a file, of the dark, or of frames of the scan."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nxscan.analysis.corrections.dark import dark_frame
from nxscan.analysis.corrections.files import read_file
from nxscan.analysis.corrections.stacks import Stacked, combine, every, positions_of
from nxscan.analysis.corrections.steps import check_frame_shape, check_untouched
from nxscan.analysis.corrections.subtraction import Subtraction, subtraction
from nxscan.errors import ProcessError
from nxscan.model import ArraySignal
from nxscan.process.correction import Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from nxscan.model import Scan


class Background(Correction):
    """Subtract a background frame, which a file, the scan's dark or its own frames give.

    From the scan's own frames, the first and last positions are taken in the order of the scan
    (three and three, where sxdm's published method looks), or every k-th one. sxdm itself cuts
    the last row at the wrong place, and takes none of it when the map has more rows than
    columns (3 + 0 images for 40 × 60): here it is always the last positions, ``[-last:]``.

    ``every=1`` with ``statistic="median"`` is the median of the whole scan, darfix's default: a
    background that the sample lights up in less than half of the frames. The scan is read tile
    by tile for it, never as a whole: about 256 MB at once. Where its chunks are whole frames
    and there are more of them than that, they are read several times: ``every=10`` makes it
    once, and as good a median in practice.

    Nothing is clipped at zero, and integers become floats (darfix does both otherwise).
    """

    name = "background"

    class Parameters(ProcessParameters):
        """What a user may set."""

        source: Literal["frames", "dark", "file"] = Field(
            "frames", description="Where the background comes from."
        )
        statistic: Literal["mean", "median"] = Field(
            "mean", description="How several frames are combined."
        )
        first: int = Field(
            3,
            ge=0,
            description="How many of the scan's first positions are taken.",
            json_schema_extra={"units": "positions"},
        )
        last: int = Field(
            3,
            ge=0,
            description="How many of the scan's last positions are taken.",
            json_schema_extra={"units": "positions"},
        )
        every: int | None = Field(
            None,
            ge=1,
            description="Take every k-th position of the scan, not first and last.",
            json_schema_extra={"units": "positions"},
        )
        path: Path | None = Field(
            None, description="The file: a frame or a stack, of EDF, TIFF, CBF, HDF5, npy."
        )
        dataset: str | None = Field(None, description="Where the frames are in an HDF5 file.")
        scale: float = Field(1.0, description="What the background is multiplied by.")

    def bind(self, scan: Scan, layout: Layout) -> Subtraction:
        """Combine the background's frames."""
        what, stacked = {
            "frames": self._of_frames,
            "dark": self._of_dark,
            "file": self._of_file,
        }[self.parameters.source](scan, layout)
        check_frame_shape(stacked.frame, layout, what)
        return subtraction(stacked, self.parameters.scale, layout)

    def _of_frames(self, scan: Scan, layout: Layout) -> tuple[str, Stacked]:
        check_untouched(scan, layout, "correction background of the scan's own frames")
        chosen = self.chosen(math.prod(scan.scan_shape))
        places = positions_of(scan.scan_shape, chosen)
        return "the background", combine(scan.signal, places, self.parameters.statistic)

    def chosen(self, count: int) -> list[int]:
        """Return which of ``count`` positions, in the scan's order, make the background.

        Raises
        ------
        ProcessError
            If none are asked for.

        """
        given = self.parameters
        if given.every is not None:
            return list(range(0, count, given.every))
        first = range(min(given.first, count))
        last = range(max(len(first), count - given.last), count)
        if not [*first, *last]:
            raise ProcessError("correction background: first=0 and last=0 leave no frame")
        return [*first, *last]

    def _of_dark(self, scan: Scan, layout: Layout) -> tuple[str, Stacked]:  # noqa: ARG002
        return "the dark", dark_frame(scan, self.parameters.statistic, "correction background")

    def _of_file(self, scan: Scan, layout: Layout) -> tuple[str, Stacked]:  # noqa: ARG002
        given = self.parameters
        if given.path is None:
            raise ProcessError("correction background: source=file needs path=FILE")
        values = read_file(given.path, given.dataset, "correction background")
        if values.ndim == len(layout.frame_shape):
            values = values[None]
        if values.ndim != len(layout.frame_shape) + 1 or not len(values):
            raise ProcessError(
                f"correction background: {given.path} holds an array of shape {values.shape}, "
                f"but a frame of {layout.frame_shape}, or several, is needed"
            )
        stack = ArraySignal(values)
        return f"background {given.path}", combine(stack, every(stack), given.statistic)
