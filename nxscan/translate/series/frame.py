"""What every translator of image files says of one frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from nxscan.errors import SourceError

AGAIN = "copy the file again from where it was measured, or leave it out"


class Layout(Protocol):
    """Shape and type of one frame."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths, slow to fast."""

    @property
    def dtype(self) -> str:
        """Numpy's code with the byte order of the file (``<u2``)."""


class Place(Protocol):
    """Where the pixels of one frame lie."""

    @property
    def path(self) -> str:
        """The file."""

    @property
    def size(self) -> int:
        """Bytes of the file when it was listed."""

    @property
    def modified(self) -> int:
        """Time of its last change when it was listed (ns since 1970)."""

    @property
    def index(self) -> int:
        """Number of the frame in the file, from 0."""

    @property
    def layout(self) -> Layout:
        """Shape and type of the frame."""


class Header(Protocol):
    """The header of one frame."""

    @property
    def raw(self) -> bytes:
        """The header byte for byte; empty where the format has none of text."""

    @property
    def values(self) -> Mapping[str, str]:
        """Every key with its text; a unit that is stated is ``KEY@units``."""

    @property
    def repeated(self) -> Sequence[str]:
        """Keys that came more than once; the later ones are ``KEY_2`` …."""


class Frame(Protocol):
    """One frame: its header, the place of its pixels, how many of their bytes are missing."""

    @property
    def header(self) -> Header:
        """Its header."""

    @property
    def place(self) -> Place:
        """Where its pixels lie."""

    @property
    def missing(self) -> int:
        """Bytes of its pixels that are not there."""

    @property
    def extent(self) -> int:
        """Bytes of its pixels that the header declares."""


class UnfinishedError(SourceError):
    """A file that ends where more must follow, as one does that is still being written.

    Attributes
    ----------
    path : str
        The file.
    modified : int
        When it was changed last (ns).
    frames : sequence of Frame
        Those before its end.

    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message, AGAIN)
        self.path = path
        self.modified = 0
        self.frames: Sequence[Frame] = []


Read = Sequence[Frame] | SourceError | None
"""What reading a file gave: its frames, what is wrong with it, or that it is of another format."""


def raise_all(errors: Sequence[SourceError]) -> None:
    """Raise one error for every damaged file, up to five by name."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        shown = "\n".join(error.message for error in errors[:5])
        more = f"\n… and {len(errors) - 5} more" if len(errors) > 5 else ""
        raise SourceError(f"{len(errors)} files cannot be used:\n{shown}{more}", errors[0].hint)
