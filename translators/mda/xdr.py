"""XDR (RFC 1014), big-endian, with every length checked before anything is read or allocated."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from nxscan.errors import SourceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST_TEXT = 4096
"""Bytes of the longest text that is believed; EPICS' own have 40, its long strings 1024."""


class DamagedError(SourceError):
    """A file that does not go on as its format has it, or ends before."""


class Cursor:
    """Reads one thing after the other from a file.

    Parameters
    ----------
    file : binary file
        It is open for reading.
    path : Path
        Its name, for messages.
    size : int
        Its bytes.

    Attributes
    ----------
    position : int
        Where the next thing begins.

    """

    def __init__(self, file: BinaryIO, path: Path, size: int) -> None:
        self.file = file
        self.path = path
        self.size = size
        self.position = 0

    def seek(self, offset: int, what: str) -> None:
        """Go to an offset that the file itself states.

        Raises
        ------
        DamagedError
            If it lies outside the file.

        """
        if not 0 < offset < self.size:
            raise self.damaged(f"{what} is said to be at byte {offset}", f"1 … {self.size - 1}")
        self.position = offset
        self.file.seek(offset)

    def take(self, count: int, what: str) -> bytes:
        """Return the next bytes.

        Raises
        ------
        DamagedError
            If the file ends before.

        """
        self.room(count, what)
        data = self.file.read(count)
        if len(data) < count:
            raise self.truncated(count, len(data), what)
        self.position += count
        return data

    def room(self, count: int, what: str) -> None:
        """Raise DamagedError if the file has not so many bytes left."""
        left = self.size - self.position
        if count > left:
            raise self.truncated(count, left, what)

    def whole(self, what: str, low: int, high: int) -> int:
        """Return a whole number, which must lie from ``low`` to ``high``."""
        at = self.position
        number = int(struct.unpack(">i", self.take(4, what))[0])
        if not low <= number <= high:
            raise self.damaged(f"{what} is {number}", f"{low} … {high}", at)
        return number

    def real(self, what: str) -> float:
        """Return a number of four bytes."""
        return float(struct.unpack(">f", self.take(4, what))[0])

    def text(self, what: str) -> str:
        """Return a counted string: its length, and if that is not 0, an XDR string."""
        if not self.whole(f"the length of {what}", 0, LONGEST_TEXT):
            return ""
        length = self.whole(f"the length of {what}", 0, LONGEST_TEXT)
        raw = self.take(length + -length % 4, what)[:length]
        return raw.partition(b"\0")[0].decode("latin-1").strip()

    def array(self, dtype: str, count: int, what: str) -> NDArray[np.generic]:
        """Return numbers of one type, in native byte order."""
        kind = np.dtype(dtype)
        data = self.take(count * kind.itemsize, what)
        return np.frombuffer(data, kind).astype(kind.newbyteorder("="))

    def damaged(self, found: str, expected: str, at: int | None = None) -> DamagedError:
        """Return the error of a file that does not go on as MDA does."""
        place = self.position if at is None else at
        return DamagedError(
            f"{self.path}: damaged at byte {place}: {found}, expected {expected}",
            "copy it again from where it was taken",
        )

    def truncated(self, expected: int, found: int, what: str) -> DamagedError:
        """Return the error of a file that ends too early."""
        return DamagedError(
            f"{self.path}: truncated: expected {expected} bytes of {what} from byte "
            f"{self.position}, found {max(found, 0)}",
            "copy it again, or wait until it is written",
        )
