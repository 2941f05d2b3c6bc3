"""Frames that are a dataset each, thousands of them in one file, read as plain bytes.

An HDF5 dataset of one frame that is stored in one piece is a row of bytes at some place of the
file. To open it takes HDF5 longer than to read it: here the places of all are looked up at once,
kept as long as the file is what it was, and read past HDF5.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py._objects import phil

from nxscan.errors import SourceError
from nxscan.hdf5.frames import Frames, RawFrames, StoredFrames
from nxscan.hdf5.openfiles import files
from nxscan.hdf5.opening import comes_from_hdf5, open_reading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Region = tuple[slice, ...]

ELSEWHERE = -1
"""As a place: HDF5 has to read the dataset."""

_MOST_KEPT = 64
_TRIES = 5


@dataclass(frozen=True, eq=False)
class DatasetFrames(Frames):
    """Frames in one HDF5 file, each a dataset of its own without chunks.

    Attributes
    ----------
    path : Path
        The file, absolute.
    names : tuple of str
        Where each frame's dataset is in the file, absolute.
    frame : tuple of int
        Shape of each dataset.
    stored : dtype
        Type of their values, in native byte order.

    """

    path: Path
    names: tuple[str, ...]
    frame: tuple[int, ...]
    stored: np.dtype[Any]

    def __repr__(self) -> str:
        return f"<DatasetFrames {self.count} of {self.frame} {self.stored} in {self.path}>"

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of one frame."""
        return self.frame

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        return self.stored.newbyteorder("=")

    @cached_property
    def key(self) -> tuple[object, ...]:
        """What tells these frames from any others."""
        names = blake2b("\n".join(self.names).encode(), digest_size=16).digest()
        return self.path, names, self.frame, self.stored.str

    def one(self, number: int) -> StoredFrames:
        """Return one of the datasets."""
        return StoredFrames(self.path, self.names[number], self.frame, self.dtype, 0)

    def read(self, first: int, out: NDArray[Any], region: Region) -> None:
        """Fill ``out`` with a part of consecutive frames."""
        for _ in range(_TRIES):
            places = _kept.get(self)
            try:
                self._fill(places.raw, first, out, region)
            except SourceError:
                if places.are_current:
                    raise
            if places.are_current:
                return
        raise SourceError(
            f"{self.path} cannot be read: the file changes all the time", "wait until it is written"
        )

    def _fill(self, raw: RawFrames, first: int, out: NDArray[Any], region: Region) -> None:
        if (raw.offsets[first : first + len(out)] != ELSEWHERE).all():
            raw.read(first, out, region)
            return
        for k in range(len(out)):
            self.one(first + k).read(0, out[k : k + 1], region)


def gathered(sources: Sequence[Frames]) -> tuple[list[Frames], NDArray[Any], NDArray[Any]]:
    """Put datasets of one frame and one kind together that lie in one file.

    Parameters
    ----------
    sources : sequence of Frames
        Any; those that are a `StoredFrames` of one frame without chunks are put together.

    Returns
    -------
    list of Frames
        The sources, fewer of them.
    ndarray of int32, shape (sources,)
        The new number of each old source.
    ndarray of int64, shape (sources,)
        What is to be added to the index of a frame of it.

    """
    kinds: dict[object, list[int]] = {}
    for number, source in enumerate(sources):
        alone = isinstance(source, StoredFrames) and source.rank == 0 and source.chunked is None
        kind = (source.path, source.shape, source.dtype) if alone and source.shape else number
        kinds.setdefault(kind, []).append(number)
    found: list[Frames] = []
    number_of, first = np.zeros(len(sources), np.int32), np.zeros(len(sources), np.int64)
    for several in kinds.values():
        number_of[several] = len(found)
        one = sources[several[0]]
        if len(several) == 1:
            found.append(one)
            continue
        first[several] = np.arange(len(several))
        names = tuple(sources[k].dataset for k in several)  # type: ignore[attr-defined]
        found.append(DatasetFrames(one.path, names, one.shape, one.dtype))
    return found, number_of, first


def spread(sources: Sequence[Frames]) -> tuple[list[Frames], NDArray[Any]]:
    """Return sources with each dataset for itself, and the new number of each source's first."""
    found: list[Frames] = []
    starts = np.zeros(len(sources), np.int64)
    for number, source in enumerate(sources):
        starts[number] = len(found)
        if isinstance(source, DatasetFrames):
            found += [source.one(k) for k in range(source.count)]
        else:
            found.append(source)
    return found, starts


@dataclass(frozen=True, eq=False)
class _Places:
    """Where frames lie in a file, as long as it is what it was."""

    identity: tuple[int, ...]
    raw: RawFrames

    @property
    def are_current(self) -> bool:
        """Whether the file that was read last is the one that they are of."""
        try:
            held = files.held(self.raw.path) or files.get(self.raw.path)
        except OSError as error:
            raise _unreadable(self.raw.path, error) from error
        return held.identity == self.identity


class _Kept:
    """The places that were looked up last, for any thread."""

    def __init__(self) -> None:
        self._held: OrderedDict[object, _Places] = OrderedDict()
        self._lock = threading.Lock()
        self._looking = threading.Lock()

    def get(self, frames: DatasetFrames) -> _Places:
        """Return the places of frames in the file that is there now."""
        found = self._find(frames)
        if found is not None:
            return found
        with self._looking:
            return self._find(frames) or self._look(frames)

    def _find(self, frames: DatasetFrames) -> _Places | None:
        with self._lock:
            found = self._held.get(frames.key)
            if found is None:
                return None
            self._held.move_to_end(frames.key)
        # whether the file has changed is seen when it is read
        return found if found.are_current else None

    def _look(self, frames: DatasetFrames) -> _Places:
        try:
            identity = files.get(frames.path).identity
            with open_reading(frames.path) as file:
                raw = _raw_frames(frames, file)
        except Exception as error:  # over a damaged file h5py raises any kind
            if not isinstance(error, OSError) and not comes_from_hdf5(error):
                raise
            raise _unreadable(frames.path, error) from error
        made = _Places(identity, raw)
        with self._lock:
            self._held[frames.key] = made
            self._held.move_to_end(frames.key)
            while len(self._held) > _MOST_KEPT:
                self._held.popitem(last=False)
        return made


_kept = _Kept()


def _raw_frames(frames: DatasetFrames, file: Any) -> RawFrames:
    """Look up where each dataset lies; those that are not as expected are left to `StoredFrames`.

    That reads them one by one, and says what is wrong.
    """
    offsets = np.full(frames.count, ELSEWHERE, np.int64)
    stored = frames.dtype
    if file.userblock_size or stored.kind not in "iuf":
        return RawFrames(frames.path, offsets, frames.frame, stored)
    with phil:
        home = h5py.h5o.get_info(file.id).fileno
        kind: Any = None
        for number, name in enumerate(frames.names):
            node = _opened(file, name)
            if node is None or node.shape != frames.frame:
                continue
            if kind is None and node.dtype.newbyteorder("=") == frames.dtype:
                kind, stored = h5py.h5t.py_create(node.dtype), node.dtype
            if kind == node.get_type() and h5py.h5o.get_info(node).fileno == home:
                offsets[number] = contiguous_offset(node)
    return RawFrames(frames.path, offsets, frames.frame, stored)


def _opened(file: Any, name: str) -> Any:
    try:
        return h5py.h5d.open(file.id, name.encode())
    except (KeyError, OSError, RuntimeError, ValueError):
        return None


def contiguous_offset(node: Any) -> int:
    """Return where the bytes of an open dataset begin; ``ELSEWHERE`` if they are not in one piece.

    HDF5 knows such a place of those alone that are stored without chunks, in the file itself.

    Parameters
    ----------
    node : h5py.h5d.DatasetID
        The dataset.

    """
    offset = node.get_offset()
    return ELSEWHERE if offset is None else int(offset)


def _unreadable(path: Path, error: BaseException) -> SourceError:
    reason = getattr(error, "strerror", None) or (error.args or [error])[-1]
    return SourceError(f"{path} cannot be read: {reason}", "is the file there, and complete?")
