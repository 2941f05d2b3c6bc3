"""A file that is written in large blocks past the system's cache, where the system allows it.

Frames are written once and are as large as the memory: through the cache, every byte is copied
to a new page, pushes out what others need, and waits for the sync at the end. What is written
in one row is gathered instead and goes to the disk in aligned blocks of 4 MiB; all else, and
everything where there is no such way to the disk, is written in the ordinary way.
"""

from __future__ import annotations

import io
import mmap
from typing import TYPE_CHECKING, Any, BinaryIO

from nxscan.nexus import durable

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 4 * 2**20
_ALIGNED = 4096
_LARGE = 2**16
_GAP = 2**20


class UncachedFile:
    """A file, written and read at any place.

    Parameters
    ----------
    path : Path
        The file.
    new : bool
        Whether it is made anew, or is there and keeps what is not written over: then it is
        written through the cache.

    """

    def __init__(self, path: Path, *, new: bool = True) -> None:
        self._path = path
        if new:
            durable.tell("create", path)
        self._file: BinaryIO = path.open("w+b" if new else "r+b", buffering=0)
        # what is added to a file is read at once, to be checked, while the disk takes it
        self._direct = durable.open_direct(path) if new else None
        # the row of bytes from _base on that is not written yet; pages are aligned in memory
        self._row = mmap.mmap(-1, BLOCK + _ALIGNED)
        self._base = 0
        self._length = 0

    def write(self, offset: int, data: memoryview) -> None:
        """Write bytes at a place."""
        stop = self._base + self._length
        if self._length and self._base <= offset and offset + len(data) <= stop:
            start = offset - self._base
            self._row[start : start + len(data)] = data
        elif self._length and stop <= offset <= stop + _GAP:
            self._append(self._stored(stop, offset - stop))
            self._append(data)
        else:
            self.settle()
            if self._direct is None or len(data) < _LARGE:
                self._write(offset, data)
                return
            self._base = offset - offset % _ALIGNED
            self._append(self._stored(self._base, offset - self._base))
            self._append(data)

    def readinto(self, offset: int, view: memoryview) -> int:
        """Read bytes from a place; return how many there are."""
        if offset < self._base + self._length and self._base < offset + len(view):
            self.settle()
        self._file.seek(offset)
        return self._file.readinto(view) or 0  # type: ignore[attr-defined]

    def truncate(self, size: int) -> None:
        """Set the file's size."""
        self.settle()
        durable.tell("truncate", self._path, size)
        self._file.truncate(size)

    def size(self) -> int:
        """Return the file's size."""
        return max(self._file.seek(0, io.SEEK_END), self._base + self._length)

    def settle(self) -> None:
        """Write the row that is gathered."""
        length, self._length = self._length, 0
        whole = length - length % _ALIGNED
        with memoryview(self._row) as row:
            if whole:
                self._write_whole(self._base, row[:whole])
            if length > whole:
                self._write(self._base + whole, row[whole:length])

    def close(self) -> None:
        """Write what is left, and close the file."""
        try:
            self.settle()
        finally:
            self._file.close()
            if self._direct is not None:
                self._direct.close()

    def _stored(self, offset: int, size: int) -> memoryview:
        """Return what lies in the file at a place, zeros beyond its end."""
        found = bytearray(size)
        if size:
            self._file.seek(offset)
            self._file.readinto(found)  # type: ignore[attr-defined]
        return memoryview(found)

    def _append(self, data: memoryview) -> None:
        """Take bytes into the row, and write it whenever it is a whole block."""
        while len(data):
            taken = min(BLOCK - self._length, len(data))
            self._row[self._length : self._length + taken] = data[:taken]
            self._length += taken
            data = data[taken:]
            if self._length == BLOCK:
                base = self._base
                self._base, self._length = base + BLOCK, 0
                with memoryview(self._row) as row:
                    self._write_whole(base, row[:BLOCK])

    def _write_whole(self, offset: int, data: memoryview) -> None:
        """Write aligned bytes past the cache; what that leaves over, in the ordinary way."""
        written = 0
        if self._direct is not None:
            self._tell(offset, data)
            written = durable.write_direct(self._direct, offset, data)
        if written < len(data):
            self._write(offset + written, data[written:])

    def _write(self, offset: int, data: memoryview) -> None:
        self._tell(offset, data)
        self._file.seek(offset)
        while len(data):
            data = data[self._file.write(data) :]

    def _tell(self, offset: int, data: memoryview) -> None:
        if durable.observer is not None:
            durable.tell("write", self._path, offset, bytes(data))


def as_bytes(data: Any) -> memoryview:
    """Return a view of the bytes of any buffer."""
    return memoryview(data).cast("B")
