"""What a translator is: two questions, one answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nxscan.errors import SourceError

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translate.table import Table
    from nxscan.translate.where import Condition


@dataclass(frozen=True)
class ScanRef:
    """One scan that lies in a source, not yet opened.

    Attributes
    ----------
    number : str
        What ``--scan`` selects it by (``1``, ``5.1``); unique among the scans of one call.
    title : str
        What a person would call it; output files are named after it.
    frames : int
        Frames that are there.
    shape : tuple of int
        Shape of one frame.
    dtype : str
        Type of one pixel.
    detectors : tuple of str
        Names of the detectors.
    command : str
        Scan command, where the source records one.
    declared : int or None
        Frames that the source says there should be, where it does.
    size : int
        Bytes of the source files.
    modified : float
        Newest time of change, seconds since 1970.
    source : str
        Where it lies, for messages.
    started : str
        When it was begun, as the source says it.
    parts : tuple of ScanRef
        Scans that belong to it: they are not listed, and chosen by their numbers alone.
    payload : object
        Whatever the translator needs to open it.

    """

    number: str
    title: str
    frames: int
    shape: tuple[int, ...]
    dtype: str
    detectors: tuple[str, ...] = ()
    command: str = ""
    declared: int | None = None
    size: int = 0
    modified: float = 0.0
    source: str = ""
    started: str = ""
    parts: tuple[ScanRef, ...] = ()
    payload: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Options:
    """What a user may ask of a translation.

    Attributes
    ----------
    mapping : Mapping or None
        A user's mapping, which extends or replaces the translator's own.
    axes : dict of str to int
        Scan axes given by hand, slow to fast, with their lengths.
    dark : sequence of Path
        Frames to use as dark, instead of those recognized in the source.
    flat : sequence of Path
        Frames to use as flat, in the same way.
    partial : bool
        Take a scan although frames are missing; it then is a list of positions.
    detector : str or None
        The detector or counter that is the main signal; None lets the translator choose.
    link : bool or None
        Whether frames stay where they are; None is what the translator does by default.
    live : bool
        Take what is there of a scan that is still being written.
    table : Table or None
        Where the frames were taken, where that is written down elsewhere.
    where : tuple of Condition
        What must hold for each frame that is taken.

    """

    mapping: Mapping | None = None
    axes: dict[str, int] | None = None
    dark: Sequence[Path] = ()
    flat: Sequence[Path] = ()
    partial: bool = False
    detector: str | None = None
    link: bool | None = None
    live: bool = False
    table: Table | None = None
    where: tuple[Condition, ...] = ()


class Translator(ABC):
    """Turns one facility's raw files into scans.

    A class with a name and three methods, found through the entry-point group
    ``nxscan.translators``.
    """

    name: ClassVar[str]
    description: ClassVar[str] = ""
    links: ClassVar[bool] = False
    """Whether frames stay in the source unless the user asks for a copy."""
    raw: ClassVar[bool] = True
    """Whether its files are raw data, beside which nothing is ever written."""
    general: ClassVar[bool] = False
    """Whether it opens what any program may have written, such as plain NeXus: others go first, and
    a process that is run on such a file takes its default plot."""
    takes: ClassVar[frozenset[str]] = frozenset()
    """Which of the options ``table`` and ``where`` it heeds; the others are refused."""

    @abstractmethod
    def can_open(self, path: Path) -> bool:
        """Tell whether ``path``, a file, looks like this format: its first bytes, then its name."""

    @abstractmethod
    def scans(self, paths: Sequence[Path], mapping: Mapping | None = None) -> list[ScanRef]:
        """List the scans that lie in ``paths``, which are files this translator can open.

        ``mapping`` is the user's, whose keys may tell scans apart.

        Raises
        ------
        SourceError
            If a file is unreadable or damaged; the message names it.

        """

    @abstractmethod
    def open(self, ref: ScanRef, options: Options, report: Report) -> Scan | None:
        """Open one scan lazily, and put what was found into ``report``.

        Returns None only where ``report`` has errors that leave no scan to describe.
        """

    def join(self, refs: Sequence[ScanRef]) -> ScanRef:
        """Return several scans as one, which `open` opens with what moved between them as axis.

        Raises
        ------
        SourceError
            If this format has no scans that go together, or these do not.

        """
        raise SourceError(
            f"the translator {self.name!r} cannot join {len(refs)} scans",
            "translate them one by one with --scans",
        )

    def table(self, ref: ScanRef) -> Table:
        """Return one scan as a table of positions, for frames that another translator opens.

        Raises
        ------
        SourceError
            If this format has none, or it is damaged.

        """
        raise SourceError(
            f"{ref.source or ref.title}: the translator {self.name!r} reads no table of positions",
            "tables are CSV, SPEC or MDA",
        )

    def refusal(self, path: Path) -> str:
        """Say in a few words why `can_open` said no to ``path``, for the user."""
        return f"{path.name} does not look like {self.description or self.name}"
