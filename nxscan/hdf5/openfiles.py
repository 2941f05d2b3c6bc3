"""Files that stay open between readings, never more than a system allows.

A scan may lie in thousands of files, and a process may often open no more than 1,024 (256 on
macOS). The files that were read last stay open; the others are opened again when they are needed,
and refused if they are no longer what they were.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from nxscan.hdf5.rawio import RawFile

if TYPE_CHECKING:
    from pathlib import Path

MOST_OPEN = 64
"""Files that stay open; every thread that reads may have one more."""


class OpenFiles:
    """The files that were read last, for any thread.

    Parameters
    ----------
    most : int
        How many stay open.

    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._held: OrderedDict[Path, RawFile] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, path: Path) -> RawFile:
        """Return a file, open; another one if that at the path has changed.

        Raises
        ------
        OSError
            If it cannot be opened.

        """
        found = self.held(path)
        if found is not None and found.is_still_at_its_path():
            return found
        opened = RawFile(path)
        with self._lock:
            self._held[path] = opened
            self._held.move_to_end(path)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return opened

    def held(self, path: Path) -> RawFile | None:
        """Return a file if it is open, even if it is no longer what is at its path."""
        with self._lock:
            found = self._held.get(path)
            if found is not None:
                self._held.move_to_end(path)
        return found


files = OpenFiles()
"""Those of this process."""


class PooledFile(RawFile):
    """A file for reading, by place, that is open only while it is among the last ones read.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    OSError
        If it cannot be opened.

    """

    def __init__(self, path: Path) -> None:
        opened = files.get(path)
        self.path = path
        self.size = opened.size
        self.identity = opened.identity
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """Have a descriptor for some readings.

        Raises
        ------
        OSError
            If the file is another one now.

        """
        held = files.held(self.path)
        # as long as it is open, it is the file that it was, whatever is at its path now
        if held is None or held.identity != self.identity:
            held = files.get(self.path)
        if held.identity != self.identity:
            raise OSError(f"{self.path} has changed since it was opened")
        with held.opened() as descriptor:
            yield descriptor
