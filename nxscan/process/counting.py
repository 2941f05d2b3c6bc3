"""How many blocks of a run are finished, told to who asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nxscan.process.partition import volume
from nxscan.process.progress import OnProgress, RunProgress

if TYPE_CHECKING:
    from nxscan.process.job import Job
    from nxscan.process.journal import Written


class Counter:
    """Counts finished blocks and tells how far the run is."""

    def __init__(self, job: Job, before: int, progress: OnProgress | None, note: str = "") -> None:
        self._job, self._progress = job, progress
        self._blocks, self._bytes = before, 0
        itemsize = job.view.signal.dtype.itemsize
        self._sizes = [volume(block) * itemsize for block in job.blocks]
        self._note = note

    def done(self, unit: tuple[int, ...], written: list[Written]) -> None:
        """Count a unit."""
        self._blocks += len(written)
        self._bytes += sum(self._sizes[index] for index in unit)
        self.tell()

    def tell(self, stage: str = "compute") -> None:
        """Tell the progress to who asked for it."""
        if self._progress is None:
            return
        self._progress(
            RunProgress(
                process=self._job.process.name,
                blocks_done=self._blocks,
                blocks_total=len(self._job.blocks),
                bytes_done=self._bytes,
                bytes_total=sum(self._sizes),
                stage=stage,
                note=self._note,
            )
        )
