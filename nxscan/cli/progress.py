"""The progress bar: frames, frames/s, MB/s and the time that is left, on stderr."""

import time
from typing import TYPE_CHECKING

from nxscan.cli.bar import Bar

if TYPE_CHECKING:
    from nxscan.nexus import Progress


class ProgressBar(Bar):
    """Shows what `nxscan.translate` reports, if stderr is a terminal; silent otherwise.

    It pulses while headers are read. When the count starts anew, so does the bar: that is the
    next scan.
    """

    first = "reading"

    def __init__(self) -> None:
        super().__init__()
        self._begun = 0.0
        self._done = 0

    def __call__(self, progress: "Progress") -> None:
        """Show where the writing stands."""
        if self._bar is None or self._task is None:
            return
        if progress.frames_done < self._done:
            self._task = self._bar.add_task("writing", rate="")
            self._begun = 0.0
        self._begun = self._begun or time.perf_counter()
        self._done = progress.frames_done
        self._bar.update(
            self._task,
            description="writing" if self._done < progress.frames_total else "checking",
            completed=self._done,
            total=progress.frames_total,
            rate=self._rate(progress),
        )

    def _rate(self, progress: "Progress") -> str:
        seconds = max(time.perf_counter() - self._begun, 1e-3)
        frames, megabytes = progress.frames_done / seconds, progress.bytes_done / seconds / 1e6
        return f"{frames:.0f} frames/s  {megabytes:.0f} MB/s"
