"""Where a scan came from: sources, program, and every raw key as it was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FrameRole = Literal["scan", "dark", "flat"]


@dataclass(frozen=True)
class Source:
    """One raw file that a scan was made from.

    Attributes
    ----------
    path : str
        Absolute path when it was read.
    size : int
        Bytes.
    modified : float
        Time of last change, seconds since 1970.
    frames : int
        How many frames it holds.
    role : {"scan", "dark", "flat"}
        What they were used as.
    checksum : str
        Checksum of the whole file, where one was asked for.

    """

    path: str
    size: int
    modified: float
    frames: int = 1
    role: FrameRole = "scan"
    checksum: str = ""


@dataclass
class Provenance:
    """How a scan was made: translator, mapping, sources, and when."""

    translator: str = ""
    mapping: str = ""
    sources: list[Source] = field(default_factory=list)
    date: str = ""
    program: str = "nxscan"
    version: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    def frames(self, role: FrameRole = "scan") -> int:
        """Count the raw frames that were used as ``role``."""
        return sum(source.frames for source in self.sources if source.role == role)


@dataclass(frozen=True)
class RawMetadata:
    """Everything that the raw files say, untouched.

    Attributes
    ----------
    headers : sequence of bytes
        The header of each frame, byte for byte, in the order the frames were taken; those of
        dark and flat frames follow. Empty where the format has none.
    values : mapping of str to str or ndarray
        Each key with its one text, or with one text or number a frame where it varies.

    """

    headers: Sequence[bytes] = ()
    values: Mapping[str, str | NDArray[Any]] = field(default_factory=dict)
