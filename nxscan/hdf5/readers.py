"""What reads datasets of HDF5 files, found once for each and kept as long as the file stays.

To find out how a dataset is stored, HDF5 must open its file, which takes longer than to read a
frame. What was found is kept for thousands of datasets; the files themselves are open for as few
as `nxscan.hdf5.openfiles` keeps. HDF5 never keeps a file open: another part of the program could
then not open it in a way of its own.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nxscan.errors import SourceError
from nxscan.hdf5.chunktable import UnwrittenError
from nxscan.hdf5.decode import DecodeError
from nxscan.hdf5.directread import DirectReader, reader_for
from nxscan.hdf5.h5signal import WORTHWHILE, HDF5Signal
from nxscan.hdf5.links import real_place
from nxscan.hdf5.openfiles import PooledFile
from nxscan.hdf5.opening import comes_from_hdf5, open_reading

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nxscan.hdf5.frames import StoredFrames

    Region = tuple[slice, ...]
    Key = tuple[Path, str]

_MOST_WEIGHT = 4_000_000
_OWN_WEIGHT = 200
_TRIES = 5


class ChangedError(Exception):
    """A file that has become another one while it was read."""


class Reader:
    """Reads one dataset of a file.

    Parameters
    ----------
    frames : StoredFrames
        The dataset.
    file : PooledFile
        Its file; a link in it may lead to another one.
    dataset : h5py.Dataset
        It, open.

    Raises
    ------
    SourceError
        If it is not what it is said to be.

    """

    def __init__(self, frames: StoredFrames, file: PooledFile, dataset: Any) -> None:
        _check(frames, dataset)
        path, name = real_place(frames.path, frames.dataset, dataset)
        self._file = file if path == file.path else PooledFile(path)
        self._direct = _direct(self._file, dataset)
        self._key = path, name, frames.rank
        self._rows = dataset.chunks is None
        self._frame = frames.shape
        self._stored: HDF5Signal | None = None
        chunks = frames.chunked or frames.whole
        grid = (-(-n // c) for n, c in zip(frames.whole, chunks, strict=True) if c)
        self.weight = _OWN_WEIGHT + math.prod(grid)

    @property
    def is_current(self) -> bool:
        """Whether the file is as it was."""
        return self._file.is_still_at_its_path()

    def read(self, region: Region, out: NDArray[Any]) -> None:
        """Fill ``out`` with a region.

        Raises
        ------
        SourceError
            If it is damaged or was never written; it names the frames.
        ChangedError
            If the file is another one now.

        """
        if self._direct is not None and (_count.is_worthwhile(out.nbytes) or self._is_plain(out)):
            try:
                self._direct.read(region, out)
            except (OSError, DecodeError, UnwrittenError) as error:
                if not self.is_current:
                    raise ChangedError from error
                # HDF5 says what it is
                out[...] = HDF5Signal(*self._key).read(region)
            return
        if self._stored is None:
            self._stored = HDF5Signal(*self._key)
        out[...] = self._stored.read(region)

    def _is_plain(self, out: NDArray[Any]) -> bool:
        """Tell whether these are whole frames that lie in one row, which needs nothing compiled."""
        rank = len(self._frame)
        return self._rows and out.shape[out.ndim - rank :] == self._frame


class _Count:
    """How much was read in this process: what reads past HDF5 takes half a second to compile."""

    def __init__(self) -> None:
        self._asked = 0

    def expect(self, nbytes: int) -> None:
        """Tell how much is going to be read."""
        self._asked = max(self._asked, nbytes)

    def is_worthwhile(self, nbytes: int) -> bool:
        """Tell whether to read past HDF5."""
        self._asked += nbytes
        return self._asked >= WORTHWHILE


_count = _Count()
expect = _count.expect


class Readers:
    """The readers that were used last, for any thread.

    Parameters
    ----------
    most : int
        Chunks that they may know the places of, together.

    """

    def __init__(self, most: int = _MOST_WEIGHT) -> None:
        self._most = most
        self._weight = 0
        self._held: OrderedDict[Key, Reader] = OrderedDict()
        self._lock = threading.Lock()
        # a table of a million chunks is read by one thread, not by all
        self._making = threading.Lock()

    def read(self, frames: StoredFrames, region: Region, out: NDArray[Any]) -> None:
        """Fill ``out`` with a region of a dataset, of the file that is there now.

        Raises
        ------
        SourceError
            If it cannot be read, or is not what it was; it names the frames.

        """
        for _ in range(_TRIES):
            try:
                self.get(frames).read(region, out)
            except ChangedError:
                continue  # it is still being written
            return
        raise SourceError(
            f"{frames.path}::{frames.dataset} cannot be read: the file changes all the time",
            "wait until it is written",
        )

    def get(self, frames: StoredFrames) -> Reader:
        """Return what reads a dataset, of the file that is there now.

        Raises
        ------
        SourceError
            If it cannot be read, or is not what it was.

        """
        found = self._find(frames)
        if found is not None and found.is_current:
            return found
        with self._making:
            found = self._find(frames)
            if found is not None and found.is_current:
                return found
            return self._open(frames.path, [frames])[0]

    def prepare(self, wanted: Iterable[StoredFrames]) -> None:
        """Open files of which several datasets are going to be read, each once.

        Raises
        ------
        SourceError
            If one cannot be read, or is not what it was.

        """
        missing: dict[Path, list[StoredFrames]] = {}
        for frames in wanted:
            if (frames.path, frames.dataset) not in self._held:
                missing.setdefault(frames.path, []).append(frames)
        for path, several in missing.items():
            if len(several) > 1:
                with self._making:
                    self._open(path, several)

    def _find(self, frames: StoredFrames) -> Reader | None:
        key = frames.path, frames.dataset
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
        return found

    def _open(self, path: Path, several: list[StoredFrames]) -> list[Reader]:
        try:
            file = PooledFile(path)
            with open_reading(path) as opened:
                found = [Reader(one, file, opened[one.dataset]) for one in several]
        except Exception as error:
            if not isinstance(error, OSError) and not comes_from_hdf5(error):
                raise
            raise SourceError(
                f"{path}::{several[0].dataset} cannot be read: {error.args[-1]}",
                "is the file there, and complete?",
            ) from error
        with self._lock:
            for frames, reader in zip(several, found, strict=True):
                self._keep((frames.path, frames.dataset), reader)
        return found

    def _keep(self, key: Key, reader: Reader) -> None:
        old = self._held.pop(key, None)
        self._weight += reader.weight - (old.weight if old else 0)
        self._held[key] = reader
        while self._weight > self._most and len(self._held) > 1:
            _, dropped = self._held.popitem(last=False)
            self._weight -= dropped.weight


readers = Readers()
"""Those of this process."""


def _direct(file: PooledFile, dataset: Any) -> DirectReader | None:
    """Return what reads a dataset past HDF5, if anything can; damage is left to HDF5."""
    try:
        return reader_for(file, dataset)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, OverflowError):
        return None


def _check(frames: StoredFrames, dataset: Any) -> None:
    """Refuse a dataset that is not what the frames were said to be; it may have got longer."""
    name = f"{frames.path}::{frames.dataset}"
    shape = getattr(dataset, "shape", None)
    if shape is None:
        raise SourceError(f"{name} is no array", "is it the file that it was?")
    longer = shape[:1] >= frames.whole[:1] if frames.rank else shape[:1] == frames.whole[:1]
    if len(shape) != len(frames.whole) or shape[1:] != frames.whole[1:] or not longer:
        raise SourceError(
            f"{name} has shape {shape}, expected {frames.whole}", "is it the file that it was?"
        )
    if dataset.dtype.newbyteorder("=") != frames.dtype:
        raise SourceError(
            f"{name} holds {dataset.dtype}, expected {frames.dtype}",
            "is it the file that it was?",
        )
    if dataset.is_virtual or dataset.external:
        raise SourceError(
            f"{name} reads from other files itself, expected its values in this one",
            "is it the file that it was?",
        )
