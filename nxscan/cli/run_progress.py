"""The progress of a run on stderr: blocks, MB/s and the time that is left."""

import time
from typing import TYPE_CHECKING

import typer

from nxscan.cli.bar import Bar

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from nxscan.process import RunProgress

_STAGES = {"compute": "", "commit": "storing "}


class RunBar(Bar):
    """Shows what `Process.run` reports, if stderr is a terminal, and remembers it.

    What the user should know (how much was there already) is written wherever stderr leads.
    A process that another one requires has a bar of its own, and so has every pass.

    Attributes
    ----------
    last : RunProgress or None
        What was reported last.

    """

    first = "planning"

    def __init__(self) -> None:
        super().__init__()
        self.last: RunProgress | None = None
        self._begun, self._bytes = 0.0, 0
        self._notes: set[tuple[str, str]] = set()

    def __call__(self, progress: "RunProgress") -> None:
        """Show where the run stands."""
        before, self.last = self.last, progress
        if progress.note and (progress.process, progress.note) not in self._notes:
            self._notes.add((progress.process, progress.note))
            self._say(f"{progress.process}: {progress.note}")
        if self._bar is None or self._task is None:
            return
        if before is None or _is_another(before, progress):
            self._begin(self._bar, progress, replace=before is None)
        self._bar.update(
            self._task,
            description=f"{_STAGES.get(progress.stage, '')}{progress.process}",
            completed=progress.blocks_done,
            rate=self._rate(progress),
        )

    def _say(self, text: str) -> None:
        if self._bar is None:
            typer.echo(text, err=True)
        else:
            self._bar.console.print(text, markup=False, highlight=False)

    def _begin(self, bar: "RichProgress", progress: "RunProgress", *, replace: bool) -> None:
        """Begin a bar where the run stands, so that what is resumed counts for no speed."""
        if replace and self._task is not None:
            bar.remove_task(self._task)
        self._begun, self._bytes = time.perf_counter(), progress.bytes_done
        self._task = bar.add_task(
            progress.process,
            total=progress.blocks_total,
            completed=progress.blocks_done,
            rate="",
        )

    def _rate(self, progress: "RunProgress") -> str:
        seconds = max(time.perf_counter() - self._begun, 1e-3)
        since = progress.bytes_done - self._bytes
        return f"blocks  {since / seconds / 1e6:.0f} MB/s" if since else "blocks"


def _is_another(before: "RunProgress", now: "RunProgress") -> bool:
    return before.process != now.process or now.blocks_done < before.blocks_done
