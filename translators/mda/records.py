"""What an MDA file holds: a tree of scans, each with positioners and detectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.mda.xdr import DamagedError


@dataclass(frozen=True)
class Positioner:
    """What was set at each point: its name, description, unit, and those of its readback."""

    number: int
    name: str
    description: str
    mode: str
    units: str
    readback: str
    readback_description: str
    readback_units: str


@dataclass(frozen=True)
class Detector:
    """What was read at each point."""

    number: int
    name: str
    description: str
    units: str


@dataclass(frozen=True)
class Trigger:
    """What was started at each point, and with which command."""

    number: int
    name: str
    command: float


@dataclass(frozen=True)
class ExtraPV:
    """A value that was recorded once, at the end of the scan."""

    name: str
    description: str
    units: str
    value: str | NDArray[Any]


@dataclass(frozen=True)
class Info:
    """What all scans of one level have in common.

    Attributes
    ----------
    positioners, detectors, triggers : tuple
        Its columns.

    """

    positioners: tuple[Positioner, ...]
    detectors: tuple[Detector, ...]
    triggers: tuple[Trigger, ...]

    def row_bytes(self) -> int:
        """Return the bytes of data for one point."""
        return 8 * len(self.positioners) + 4 * len(self.detectors)


@dataclass(frozen=True)
class ScanRecord:
    """One scan of the tree.

    Attributes
    ----------
    offset : int
        Where it begins.
    rank : int
        Its dimensions, those of the scans in it counted.
    requested, done : int
        Points that were asked for, and that were finished.
    lower : tuple of int
        Where the scan of each point begins; 0 where there is none.
    name, time : str
        The scan record's name, and when it was begun.
    info : Info
        Its columns.
    data : int
        Where its numbers begin: positioners in double, then detectors in single precision, each
        with all requested points.
    end : int
        Where they end.

    """

    offset: int
    rank: int
    requested: int
    done: int
    lower: tuple[int, ...]
    name: str
    time: str
    info: Info
    data: int
    end: int


@dataclass(frozen=True)
class MdaFile:
    """A file that was read, as far as it can be.

    Attributes
    ----------
    path : Path
        Where it is.
    size : int
        Bytes.
    modified : float
        Time of change, seconds since 1970.
    version : float
        Of the format.
    number : int
        The scan's.
    dims : tuple of int
        Points that were asked for along each dimension, slow to fast.
    regular : bool
        Whether all scans of a level have the same number of points.
    levels : tuple of tuple of ScanRecord
        Every scan that could be read, by level, the outermost first.
    parents : tuple of tuple of (int, int)
        For each scan of each level: which scan of the level above it belongs to, and which
        point of that; ``(-1, -1)`` for the outermost.
    extras : tuple of ExtraPV
        What was recorded at the end.
    header : bytes
        The file's header and that of its outermost scan.
    damage : DamagedError or None
        What is wrong with the rest, where anything is.

    """

    path: Path
    size: int
    modified: float
    version: float
    number: int
    dims: tuple[int, ...]
    regular: bool
    levels: tuple[tuple[ScanRecord, ...], ...]
    parents: tuple[tuple[tuple[int, int], ...], ...]
    extras: tuple[ExtraPV, ...] = ()
    header: bytes = field(default=b"", repr=False)
    damage: DamagedError | None = None

    @property
    def rank(self) -> int:
        """How many dimensions the scan has."""
        return len(self.dims)
