"""One entry of a NeXus file that is being read, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscan.translate.h5keys import Codes
from nxscan.translate.h5values import read_text

if TYPE_CHECKING:
    from nxscan.translate.contract import Options
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translators.nexus.plots import Plot


@dataclass
class Entry:
    """What one entry is read with.

    Attributes
    ----------
    group : h5py.Group
        The NXentry or NXsubentry.
    options : Options
        What the user asks for.
    mapping : Mapping
        Units, names and fields.
    report : Report
        Takes what is found.
    scan_shape : tuple of int or None
        Lengths of the scan's dimensions, where the file states them.
    fallback : bool
        Whether another detector may be taken where that of the default plot is not there.

    """

    group: Any
    options: Options
    mapping: Mapping
    report: Report
    scan_shape: tuple[int, ...] | None = None
    fallback: bool = False
    codes: Codes = field(default_factory=Codes)

    @property
    def partial(self) -> bool:
        """Whether frames may be missing at the end."""
        return self.options.partial or self.options.live


def frame_rank(entry: Entry, plot: Plot) -> int:
    """Return how many dimensions one frame of a plot has."""
    stated = entry.scan_shape
    if stated is not None and plot.signal.shape[: len(stated)] == stated:
        return int(plot.signal.ndim) - len(stated)
    return plot.frame_rank()


def entry_title(group: Any, path: Path) -> str:
    """Return an entry's title: what it says, else file and group."""
    said = read_text(group, "title")
    return said or f"{path.stem} {group.name.strip('/').replace('/', ' ')}"
