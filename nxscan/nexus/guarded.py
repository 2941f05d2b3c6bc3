"""HDF5 files in the making, on a disk that may get full.

HDF5 does not survive a write that fails: it may crash when the file is closed, and the
interpreter with it. New files are therefore written through a Python file object that keeps
the first error to itself and raises it when asked. Signals wait meanwhile for the same reason.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py

from nxscan.nexus import durable
from nxscan.nexus.layout import LIBVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class GuardedFile(io.RawIOBase):
    """A new file whose writes never fail towards HDF5.

    Parameters
    ----------
    path : Path
        The file; it is made anew.

    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        durable.tell("create", path)
        self._file = path.open("w+b", buffering=0)
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error that a write met, if there was one."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write bytes; after an error they are let go, since the file will be, too."""
        view = memoryview(data).cast("B")
        size = len(view)
        while self._error is None and len(view):
            try:
                if durable.observer is not None:
                    durable.tell("write", self._path, self._file.tell(), bytes(view))
                view = view[self._file.write(view) :]
            except OSError as error:
                self._error = error
        if self._error is not None:
            self._file.seek(size, io.SEEK_CUR)
        return size

    def truncate(self, size: int | None = None) -> int:
        """Set the file's size."""
        durable.tell("truncate", self._path, size)
        try:
            return self._file.truncate(size)
        except OSError as error:
            self._error = self._error or error
            return size or 0

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; what a full disk could not take reads as zeros."""
        view = memoryview(buffer).cast("B")
        count = self._file.readinto(view) or 0
        if self._error is not None and count < len(view):
            view[count:] = bytes(len(view) - count)
            count = len(view)
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def seekable(self) -> bool:
        """Tell that any place can be reached."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


@contextmanager
def new_hdf5(path: Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Make an HDF5 file while signals are held.

    Yields
    ------
    h5py.File
        The file, empty.
    function
        To be called now and then: raises the error that a write has met, and lets the handlers
        of signals that came act.

    Raises
    ------
    OSError
        At the end, if any write has failed.

    """
    with durable.held_signals() as deliver, GuardedFile(path) as guard:

        def check() -> None:
            guard.check()
            deliver()

        with h5py.File(guard, "w", libver=LIBVER) as file:
            yield file, check
        guard.check()
