"""Puts a signal together from parts of frames, each with where it lies."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.hdf5.datasets import gathered
from nxscan.hdf5.frames import RawFrames, StoredFrames
from nxscan.hdf5.virtual import NOWHERE, Tile, VirtualSignal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from nxscan.hdf5.frames import Frames
    from nxscan.hdf5.mappings import Frames as Numbers

    Place = tuple[tuple[int, ...], tuple[int, ...]]
    Part = tuple[Numbers, int | NDArray[np.int32], Numbers]

_MOST_TILES = 256


class Assembly:
    """Collects which frames of which sources make up a signal.

    A place is where a part of a frame stands in it: its corner, and its lengths.
    """

    def __init__(self) -> None:
        self._sources: list[Frames] = []
        self._numbers: dict[object, int] = {}
        self._parts: dict[Place, list[Part]] = {}
        self._raw: dict[tuple[Path, Place, np.dtype[Any]], list[tuple[Any, Any]]] = {}

    def add_stored(
        self, place: Place, frames: Numbers, source: StoredFrames, index: Numbers
    ) -> None:
        """Add frames of a dataset.

        Parameters
        ----------
        place : (tuple of int, tuple of int)
            Corner and lengths in a frame of the signal.
        frames : range or ndarray of int64
            Which frames of the signal.
        source : StoredFrames
            What holds them.
        index : range or ndarray of int64
            Which frames of that.

        """
        key = source.path, source.dataset, source.rank
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._sources)
            self._sources.append(source)
        self._parts.setdefault(place, []).append((frames, number, index))

    def add_nothing(self, place: Place) -> None:
        """Add a part of which no frame is known yet: without others, all of them are missing."""
        self._parts.setdefault(place, [])

    def add_raw(
        self,
        place: Place,
        frames: Numbers,
        files: Sequence[Path],
        number: NDArray[np.int64],
        offsets: NDArray[np.int64],
        dtype: np.dtype[Any],
    ) -> None:
        """Add frames that are plain bytes: for each the number of its file, and where in it."""
        taken = np.asarray(frames, np.int64)
        order = np.argsort(number, kind="stable")
        used, first = np.unique(number[order], return_index=True)
        for k, part in zip(used.tolist(), np.split(order, first[1:]), strict=True):
            found = self._raw.setdefault((files[k], place, dtype), [])
            found.append((taken[part], offsets[part]))

    def add_signal(
        self, place: Place, frames: Numbers, signal: VirtualSignal, index: Numbers
    ) -> None:
        """Add frames of a signal that is put together itself."""
        before = self._numbers.get(id(signal))
        if before is None:
            before = self._numbers[id(signal)] = len(self._sources)
            self._sources += signal.sources
        taken = np.asarray(index, np.int64)
        for tile in signal.tiles:
            corner = tuple(a + b for a, b in zip(place[0], tile.corner, strict=True))
            source = tile.source[taken]
            known = np.flatnonzero(source != NOWHERE)
            part = np.asarray(frames, np.int64)[known], source[known] + before
            parts = self._parts.setdefault((corner, tile.shape), [])
            parts.append((part[0], part[1].astype(np.int32), tile.index[taken][known]))

    @property
    def length(self) -> int:
        """How many frames the signal has at least."""
        self._settle()
        every = itertools.chain.from_iterable(self._parts.values())
        return max((int(np.max(frames)) + 1 for frames, _, _ in every if len(frames)), default=0)

    def built(
        self,
        scan_shape: tuple[int, ...],
        frame_shape: tuple[int, ...],
        dtype: np.dtype[Any],
        gap: float,
    ) -> VirtualSignal | None:
        """Return the signal; None if parts of it overlap.

        Parameters
        ----------
        scan_shape, frame_shape : tuple of int
            Its lengths.
        dtype : dtype
            Its type.
        gap : int or float
            Value of what no part covers.

        Raises
        ------
        SourceError
            If the type does not hold the sources' values.

        """
        self._settle()
        if len(self._parts) > _MOST_TILES or _overlap(list(self._parts)):
            return None
        count = int(np.prod(scan_shape, dtype=np.int64))
        tiles = []
        for (corner, lengths), parts in self._parts.items():
            tile = _tile(corner, lengths, parts, count)
            if tile is None:
                return None
            tiles.append(tile)
        sources, number, first = gathered(self._sources)
        tiles = [_renumbered(tile, number, first) for tile in tiles]
        return VirtualSignal(
            sources, tiles, scan_shape, frame_shape, gap=gap, dtype=dtype.newbyteorder("=")
        )

    def _settle(self) -> None:
        """Make one source of all the plain bytes in a file."""
        for (path, place, dtype), parts in self._raw.items():
            frames = np.concatenate([one for one, _ in parts])
            offsets, index = np.unique(
                np.concatenate([one for _, one in parts]), return_inverse=True
            )
            number = len(self._sources)
            self._sources.append(RawFrames(path, offsets, place[1], dtype))
            self._parts.setdefault(place, []).append((frames, number, index.reshape(-1)))
        self._raw.clear()


def _tile(
    corner: tuple[int, ...], lengths: tuple[int, ...], parts: Sequence[Part], count: int
) -> Tile | None:
    """Return where each frame of a tile lies; None if one is there twice."""
    source = np.full(count, NOWHERE, np.int32)
    index = np.zeros(count, np.int64)
    total = 0
    for frames, number, taken in parts:
        where = slice(frames.start, frames.stop) if isinstance(frames, range) else frames
        source[where] = number
        index[where] = taken
        total += len(frames)
    if total != np.count_nonzero(source != NOWHERE):
        return None
    return Tile(corner, lengths, source, index)


def _renumbered(tile: Tile, number: NDArray[Any], first: NDArray[Any]) -> Tile:
    there = tile.source != NOWHERE
    if not there.any():
        return tile
    source = np.where(there, number[tile.source], NOWHERE).astype(np.int32)
    index = np.where(there, tile.index + first[tile.source], tile.index)
    return Tile(tile.corner, tile.shape, source, index)


def _overlap(places: Sequence[Place]) -> bool:
    return any(
        all(
            a < b + m and b < a + n
            for a, n, b, m in zip(one[0], one[1], other[0], other[1], strict=True)
        )
        for one, other in itertools.combinations(places, 2)
    )
