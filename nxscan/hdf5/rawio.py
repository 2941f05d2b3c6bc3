"""Bytes at any place of a file that stays open, read by many threads at once.

What differs between systems lives here. Where a file that is open can be replaced by another,
its descriptor is kept: a reader goes on with the file that it began with. Windows lets no open
file be replaced, so there it is opened for each reading, and a file that has changed is refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_HELD = hasattr(os, "preadv") or hasattr(os, "pread")


class RawFile:
    """A file for reading, by place; closed when it is let go of.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    path : Path
        Where it was when it was opened.
    size : int
        Its bytes then.
    identity : tuple of int
        What tells it from any other file, and from itself after a change: see `identity_of`.
    lock : Lock
        Held where a reading has to move to its place first.

    Raises
    ------
    OSError
        If it cannot be opened.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.Lock()
        descriptor = _open(path)
        found = os.fstat(descriptor)
        self.size = found.st_size
        self.identity = identity_of(found)
        if _HELD:
            self._descriptor = descriptor
            weakref.finalize(self, os.close, descriptor)
        else:
            os.close(descriptor)

    def is_still_at_its_path(self) -> bool:
        """Tell whether the path leads to this file, and it is as it was when opened."""
        try:
            return identity_of(self.path.stat()) == self.identity
        except OSError:
            return False

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """Have a descriptor for some readings.

        Raises
        ------
        OSError
            If the file had to be opened again, and is another one now.

        """
        if _HELD:
            yield self._descriptor
            return
        descriptor = _open(self.path)
        try:
            if identity_of(os.fstat(descriptor)) != self.identity:
                raise OSError(f"{self.path} has changed since it was opened")
            yield descriptor
        finally:
            os.close(descriptor)

    def read_into(self, descriptor: int, view: memoryview, offset: int) -> None:
        """Fill a buffer from a place in the file.

        Raises
        ------
        OSError
            If the file ends before.

        """
        done = 0
        while done < len(view):
            count = self._read(descriptor, view[done:], offset + done)
            if count == 0:
                raise OSError(f"the file ends at byte {offset + done} of {offset + len(view)}")
            done += count

    def _read(self, descriptor: int, view: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(descriptor, [view], offset)
        if hasattr(os, "pread"):
            data = os.pread(descriptor, len(view), offset)
        else:
            with self.lock:
                os.lseek(descriptor, offset, os.SEEK_SET)
                data = os.read(descriptor, len(view))
        view[: len(data)] = data
        return len(data)


def read_once(path: Path, view: memoryview, offset: int) -> None:
    """Fill a buffer from a place in a file that is not kept open.

    Raises
    ------
    OSError
        If it cannot be read, or ends before.

    """
    descriptor = _open(path)
    try:
        done = 0
        while done < len(view):
            rest = view[done:] if done else view
            if hasattr(os, "preadv"):
                count = os.preadv(descriptor, [rest], offset + done)
            else:
                os.lseek(descriptor, offset + done, os.SEEK_SET)
                data = os.read(descriptor, len(rest))
                count = len(data)
                rest[:count] = data
            if not count:
                raise OSError(f"the file ends at byte {offset + done} of {offset + len(view)}")
            done += count
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0))


def identity_of(found: os.stat_result) -> tuple[int, ...]:
    """Return what tells a file from any other, and from itself after a change."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=1)
def pread_address() -> int | None:
    """Return where the C library has ``pread``, with offsets of 64 bits; None elsewhere."""
    if not _HELD or sys.maxsize <= 2**32:
        return None
    try:
        return ctypes.cast(ctypes.CDLL(None).pread, ctypes.c_void_p).value
    except (OSError, AttributeError, TypeError):
        return None
