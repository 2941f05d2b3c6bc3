"""Runs of frames: which follow each other in a scan as they do where they lie."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.hdf5.boxes import boxes
from nxscan.hdf5.virtual import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nxscan.hdf5.virtual import Tile

    Shape = tuple[int, ...]


@dataclass(frozen=True)
class Run:
    """Frames that follow each other in a scan and in a source.

    Attributes
    ----------
    position : int
        The first one's number in the scan, in C order.
    count : int
        How many they are.
    source : int
        Number of the source.
    index : int
        The first one's number in the source.

    """

    position: int
    count: int
    source: int
    index: int


def runs(tile: Tile, every: int | None = None) -> Iterator[Run]:
    """Yield the fewest runs that make up a tile; missing frames are in none.

    Parameters
    ----------
    tile : Tile
        Where each frame of a scan lies.
    every : int, optional
        A run also ends before each position that is a multiple of this.

    """
    source, index = np.asarray(tile.source), np.asarray(tile.index)
    if not len(source):
        return
    breaks = (np.diff(source) != 0) | (np.diff(index) != 1)
    if every is not None:
        breaks |= np.arange(1, len(source)) % every == 0
    starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
    counts = np.diff(np.append(starts, len(source)))
    for position, count in zip(starts.tolist(), counts.tolist(), strict=True):
        if source[position] != NOWHERE:
            yield Run(position, count, int(source[position]), int(index[position]))


@dataclass(frozen=True)
class Pair:
    """A box of a scan's positions, and the box of as many frames that they are in a source.

    Attributes
    ----------
    source : int
        Number of the source.
    start, extent : tuple of int
        The positions: first index and lengths along the scan's dimensions.
    from_start, from_extent : tuple of int
        The frames: the same along the dimensions of the source that count frames.

    """

    source: int
    start: Shape
    extent: Shape
    from_start: Shape
    from_extent: Shape


def pairs(run: Run, scan_shape: Shape, counted: Sequence[Shape]) -> Iterator[Pair]:
    """Cut a run into pieces that are boxes both in the scan and in the source.

    Parameters
    ----------
    run : Run
        The run.
    scan_shape : tuple of int
        Lengths of the scan's dimensions.
    counted : sequence of tuple of int
        For each source, the lengths of those dimensions that count its frames.

    """
    if run.count == 1:  # of thousands of datasets that hold a frame each
        start = counted_index(run.position, scan_shape)
        inside = counted_index(run.index, counted[run.source])
        yield Pair(run.source, start, (1,) * len(start), inside, (1,) * len(inside))
        return
    done = 0
    while done < run.count:
        left = run.count - done
        some = 0
        while left != some:
            to = next(boxes(scan_shape, run.position + done, left))
            some = math.prod(_extent(to))
            begin = next(boxes(counted[run.source], run.index + done, some))
            left = math.prod(_extent(begin))
        yield Pair(run.source, _start(to), _extent(to), _start(begin), _extent(begin))
        done += left


def _start(box: tuple[slice, ...]) -> Shape:
    return tuple(part.start for part in box)


def _extent(box: tuple[slice, ...]) -> Shape:
    return tuple(part.stop - part.start for part in box)


def counted_index(number: int, lengths: Shape) -> Shape:
    """Return the index of a position that is numbered in C order.

    >>> counted_index(5, (2, 3)), counted_index(0, ())
    ((1, 2), ())
    """
    found = []
    for length in reversed(lengths):
        number, index = divmod(number, length)
        found.append(index)
    return tuple(reversed(found))
