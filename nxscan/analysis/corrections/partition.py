"""Frames that show next to nothing are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nxscan.analysis.corrections.scaling import Scaling
from nxscan.errors import ProcessError
from nxscan.process.correction import Correction, Layout
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from pathlib import Path

    from nxscan.model import Scan
    from nxscan.process.result import Result


class Partition(Correction):
    """Leave out the frames that the process ``partition`` found low: NaN, and not valid.

    All frames are there afterwards, in their places, so that the axes of the scan stay what
    they are; processes leave out what is not valid.
    """

    name = "partition"

    class Parameters(ProcessParameters):
        """What a user may set."""

        result: str = Field(
            "partition",
            description="The result of the process partition, by its name (partition_000), or "
            "'partition', the newest one.",
        )
        path: str | None = Field(
            None, description="The file it is in, if that is not the file of the scan."
        )

    _result: Result | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """The identity of the result."""
        return () if self._result is None else (self._result.identity,)

    def located(self, master: Path) -> Partition:
        """Return the correction with the result that is in the file."""
        from nxscan.process.result import Result

        given = self.parameters
        result = Result.load(given.path or master, given.result)
        if result.process != "partition":
            raise ProcessError(
                f"correction partition: {result.group} in {result.path} is a result of "
                f"{result.process}",
                "name a result of the process partition",
            )
        named = type(self)(**{**given.model_dump(), "result": result.group})
        named._result = result
        return named

    def bind(self, scan: Scan, layout: Layout) -> Scaling:
        """Take the status of every position."""
        if self._result is None:
            raise ProcessError("correction partition: there is no file to take the result from")
        status, shape = self._result["status"], layout.shape[: layout.scan_rank]
        if status.shape != shape:
            raise ProcessError(
                f"correction partition: {self._result.group} is of {status.shape} positions, but "
                f"{scan.title!r} has {shape}",
                "run partition on this scan",
            )
        return Scaling(before=layout, factors=np.where(status == 0, 1.0, np.nan))
