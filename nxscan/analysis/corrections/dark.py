"""Subtraction of the scan's dark frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from nxscan.analysis.corrections.stacks import Stacked, combine, every
from nxscan.analysis.corrections.steps import check_frame_shape
from nxscan.analysis.corrections.subtraction import Subtraction, subtraction
from nxscan.errors import ProcessError
from nxscan.process.correction import Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from nxscan.model import Scan


class Dark(Correction):
    """Subtract the mean (or median) of the scan's dark frames.

    Nothing is clipped at zero and integers become floats: what is left of the noise averages
    to zero, and variances grow by that of the mean dark, which its frames' spread tells. (darfix
    clips at 0 and keeps unsigned integers, which makes every sum of background positive.) The
    ratio of exposure times is not guessed: ``scale`` states it.
    """

    name = "dark"

    class Parameters(ProcessParameters):
        """What a user may set."""

        statistic: Literal["mean", "median"] = Field(
            "mean", description="How the dark frames are combined; a median forgets cosmic rays."
        )
        scale: float = Field(
            1.0, gt=0, description="What the dark is multiplied by, as the ratio of exposure times."
        )

    def bind(self, scan: Scan, layout: Layout) -> Subtraction:
        """Combine the dark frames."""
        stacked = dark_frame(scan, self.parameters.statistic, f"correction {self.name}")
        check_frame_shape(stacked.frame, layout, f"the dark of {scan.title!r}")
        return subtraction(stacked, self.parameters.scale, layout)


def dark_frame(scan: Scan, statistic: Literal["mean", "median"], owner: str) -> Stacked:
    """Return the dark frames of a scan as one.

    Raises
    ------
    ProcessError
        If there are none.

    """
    if scan.dark is None or not len(scan.dark):
        raise ProcessError(
            f"{owner}: {scan.title!r} has no dark frames",
            "give them at translation (--dark), or subtract a file: "
            "-c 'background:source=file,path=FILE'",
        )
    return combine(scan.dark, every(scan.dark), statistic)
