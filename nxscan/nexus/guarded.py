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
from nxscan.nexus.uncached import UncachedFile, as_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class GuardedFile(io.RawIOBase):
    """A file whose writes never fail towards HDF5.

    Parameters
    ----------
    path : Path
        The file.
    new : bool
        Whether it is made anew, or is there and keeps what is not written over.

    """

    def __init__(self, path: Path, *, new: bool = True) -> None:
        super().__init__()
        self._file = UncachedFile(path, new=new)
        self._position = 0
        self._error: OSError | None = None

    def check(self) -> None:
        """Raise the first error that a write met, if there was one."""
        if self._error is not None:
            raise self._error

    def write(self, data: Any) -> int:
        """Write bytes; after an error they are let go, since the file will be, too."""
        view = as_bytes(data)
        with self._kept():
            if self._error is None:
                self._file.write(self._position, view)
        self._position += len(view)
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the file's size."""
        size = self._position if size is None else size
        with self._kept():
            self._file.truncate(size)
        return size

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; what a full disk could not take reads as zeros."""
        view = as_bytes(buffer)
        count = 0
        with self._kept():
            count = self._file.readinto(self._position, view)
        if self._error is not None and count < len(view):
            view[count:] = bytes(len(view) - count)
            count = len(view)
        self._position += count
        return count

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place in the file."""
        if whence == io.SEEK_END:
            offset += self._file.size()
        elif whence == io.SEEK_CUR:
            offset += self._position
        self._position = offset
        return offset

    def tell(self) -> int:
        """Return the place in the file."""
        return self._position

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """Keep an error for later."""
        try:
            yield
        except OSError as error:
            self._error = self._error or error

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
        if not self.closed:
            with self._kept():
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
    with _guarded(path, new=True) as opened:
        yield opened


@contextmanager
def edited_hdf5(path: Path) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Open an HDF5 file that nobody else has for adding to it, as `new_hdf5` makes one.

    What it holds of other files, by external links or virtual datasets, must not be read
    meanwhile: HDF5 would look for that in the file itself.
    """
    with _guarded(path, new=False) as opened:
        yield opened


@contextmanager
def _guarded(path: Path, *, new: bool) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    with durable.held_signals() as deliver, GuardedFile(path, new=new) as guard:

        def check() -> None:
            guard.check()
            deliver()

        try:
            with h5py.File(guard, "w" if new else "r+", libver=LIBVER) as file:
                yield file, check
        except Exception:
            guard.check()  # what HDF5 stumbles over may be what a full disk did not take
            raise
        guard.check()
