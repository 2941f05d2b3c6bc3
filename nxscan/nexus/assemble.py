"""The master of a scan, written while its frames are still being compressed."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py

from nxscan.hdf5.opening import open_reading
from nxscan.nexus import layout
from nxscan.nexus.entry import write_checksums, write_entry, write_plots, write_root
from nxscan.nexus.guarded import new_hdf5
from nxscan.nexus.seal import write_seal
from nxscan.nexus.stacks import stacks
from nxscan.nexus.usid import write_usid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from nxscan.model import Scan


class FramesFile:
    """A file of frames in the making, and what another thread may wait for.

    Parameters
    ----------
    path : Path
        The file.

    Attributes
    ----------
    apart : Future of bool
        Whether it stays beside the master; known as soon as it is too large to go inside.
    checksums : Future of ndarray
        Those of the main detector's frames; known when the file is complete.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.apart: Future[bool] = Future()
        self.checksums: Future[NDArray[np.uint32]] = Future()

    def look(self) -> None:
        """See whether the file has become too large to go inside the master."""
        if not self.apart.done() and self._is_large():
            self.apart.set_result(True)

    def complete(self, checksums: NDArray[np.uint32]) -> None:
        """Say that the file is complete."""
        if not self.apart.done():
            self.apart.set_result(self._is_large())
        self.checksums.set_result(checksums)

    @contextmanager
    def failing_with_us(self) -> Iterator[None]:
        """Hand an error of the block to who waits for the file: it will not be complete."""
        try:
            yield
        except BaseException as error:
            for future in (self.apart, self.checksums):
                if not future.done():
                    future.set_exception(error)
            raise

    def _is_large(self) -> bool:
        return self.path.stat().st_size > layout.INLINE_LIMIT


def write_master(scan: Scan, path: Path, identifier: str, frames: FramesFile) -> None:
    """Write the master of a scan, waiting for the frames where it needs them.

    Parameters
    ----------
    scan : Scan
        What to write.
    path : Path
        The master.
    identifier : str
        What the frames file is marked with.
    frames : FramesFile
        The frames.

    """
    with new_hdf5(path) as (file, _):
        write_root(file, path.name)
        entry = write_entry(file, scan, identifier)
        write_plots(entry, scan)
        apart = frames.apart.result()
        if not apart:
            frames.checksums.result()
        _attach_frames(file, scan, frames.path, inline=not apart)
        source = frames.path.name if apart else "."
        write_usid(file, scan, source, "/" + layout.detector_path(scan.detector))
        write_checksums(entry, frames.checksums.result())
        write_seal(file, scan)


def _attach_frames(master: Any, scan: Scan, frames: Path, *, inline: bool) -> None:
    """Put the frames into the master, or links to them."""
    if not inline:
        for stack in stacks(scan):
            master[stack.place] = h5py.ExternalLink(frames.name, f"/{stack.place}")
        return
    with open_reading(frames) as source:
        for stack in stacks(scan):
            group, name = stack.place.rsplit("/", 1)
            # HDF5 copies the compressed chunks as they are
            source.copy(source[stack.place], master[group], name=name)
