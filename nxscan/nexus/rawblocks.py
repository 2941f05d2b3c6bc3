"""Plain bytes of other files as datasets of a master: external storage, cut into blocks.

HDF5 keeps the list of a dataset's external pieces ("slots") in one message of at most 64 kB,
24 bytes a slot whatever the length of the names: 2,729 of them. Names are absolute, since HDF5
looks up others in the folder that a program runs in.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.hdf5.frames import RawFrames
from nxscan.hdf5.virtual import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nxscan.hdf5.frames import Frames
    from nxscan.hdf5.virtual import Tile

    Shape = tuple[int, ...]
    Slot = tuple[bytes, int, int]

MOST_SLOTS = 2_000


@dataclass(frozen=True)
class Block:
    """Frames at consecutive positions of a scan that one external dataset holds.

    Attributes
    ----------
    position : int
        The first one's number in the scan, in C order.
    count : int
        How many they are.
    frame : tuple of int
        Lengths of one frame.
    dtype : dtype
        Type of their values, with its byte order in the file.
    slots : tuple of (bytes, int, int)
        File, offset and bytes of each piece.

    """

    position: int
    count: int
    frame: Shape
    dtype: np.dtype[Any]
    slots: tuple[Slot, ...]

    def create(self, group: Any, name: str, shape: Shape) -> Any:
        """Create the dataset, in any shape of that many values."""
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        for slot in self.slots:
            properties.set_external(*slot)
        # HDF5 would write fill values into the other files
        properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        kind = h5py.h5t.py_create(self.dtype, logical=True)
        space = h5py.h5s.create_simple(shape)
        made = h5py.h5d.create(group.id, name.encode(), kind, space, properties)
        return h5py.Dataset(made)


def is_raw(sources: Sequence[Frames], tile: Tile) -> bool:
    """Tell whether all frames of a tile are plain bytes of files."""
    used = np.unique(np.asarray(tile.source))
    return all(isinstance(sources[k], RawFrames) for k in used.tolist() if k != NOWHERE)


def raw_blocks(
    sources: Sequence[Frames], files: Sequence[str], tile: Tile, inner: int
) -> Iterator[Block]:
    """Yield the blocks that hold a tile, in the order of the scan.

    Parameters
    ----------
    sources : sequence of Frames
        Those of the tile are `RawFrames`.
    files : sequence of str
        Where the file of each really lies.
    tile : Tile
        Where each frame lies.
    inner : int
        Frames for each index of the scan's slowest dimension: blocks hold whole ones if they
        can.

    """
    names = [os.fsencode(file) for file in files]
    step = MOST_SLOTS // inner * inner or MOST_SLOTS
    for first, last, dtype in _alike(sources, tile):
        found = _block(sources, names, tile, first, last, dtype)
        if len(found.slots) <= MOST_SLOTS:
            yield found
            continue
        edges = [first, *range((first // step + 1) * step, last, step), last]
        for start, stop in pairwise(edges):
            yield _block(sources, names, tile, start, stop, dtype)


def _alike(sources: Sequence[Frames], tile: Tile) -> Iterator[tuple[int, int, np.dtype[Any]]]:
    """Yield the ranges of positions whose frames are there, and of one type."""
    first, current = 0, None
    for position, number in enumerate([*np.asarray(tile.source).tolist(), NOWHERE]):
        source = None if number == NOWHERE else sources[number]
        dtype = source.stored if isinstance(source, RawFrames) else None
        # (to numpy, None is float64)
        if (dtype is None) != (current is None) or dtype != current:
            if current is not None:
                yield first, position, current
            first, current = position, dtype


def _block(
    sources: Sequence[Frames],
    names: Sequence[bytes],
    tile: Tile,
    first: int,
    last: int,
    dtype: np.dtype[Any],
) -> Block:
    nbytes = math.prod(tile.shape) * dtype.itemsize
    slots: list[Slot] = []
    where = zip(tile.source[first:last].tolist(), tile.index[first:last].tolist(), strict=True)
    for number, index in where:
        source = sources[number]
        if not isinstance(source, RawFrames):
            continue
        name, offset = names[number], int(source.offsets[index])
        if slots and slots[-1][0] == name and slots[-1][1] + slots[-1][2] == offset:
            slots[-1] = (name, slots[-1][1], slots[-1][2] + nbytes)
        else:
            slots.append((name, offset, nbytes))
    return Block(first, last - first, tile.shape, dtype, tuple(slots))
