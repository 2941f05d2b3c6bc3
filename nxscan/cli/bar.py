"""A bar on stderr: what all bars have in common."""

import sys
from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID


class Bar:
    """A bar that is there within a ``with``, if stderr is a terminal; else there is none.

    Attributes
    ----------
    first : str
        What it says until something is reported; it pulses meanwhile.

    """

    first: ClassVar[str]

    def __init__(self) -> None:
        self._bar: RichProgress | None = _rich_bar() if sys.stderr.isatty() else None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self.first, total=None, rate="")
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _rich_bar() -> "RichProgress":
    """Return a bar on stderr whose tasks have a text, ``rate``."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
