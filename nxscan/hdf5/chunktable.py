"""Where the chunks of a dataset lie in its file, read once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

    Region = tuple[slice, ...]

ABSENT = -1


class UnwrittenError(Exception):
    """Parts of a dataset that were never written.

    Parameters
    ----------
    regions : list of tuple of slice
        Which.

    """

    def __init__(self, regions: list[Region]) -> None:
        super().__init__("was never written")
        self.regions = regions


@dataclass(frozen=True, eq=False)
class Boxes:
    """What a region takes of each chunk that it touches, one row each.

    Attributes
    ----------
    rows : ndarray of int64
        Which chunks, by their number in the table.
    starts, places : ndarray of int64
        Where the values begin in the chunk and in the region, in bytes.
    lengths : ndarray of int64, (chunks, dimensions)
        How many values along each dimension.
    chunk_steps, out_steps : ndarray of int64
        Bytes from one index to the next along each dimension, in the chunk and in the region.
    unit : int
        Bytes of one value.

    """

    rows: Numbers
    starts: Numbers
    places: Numbers
    lengths: Numbers
    chunk_steps: Numbers
    out_steps: Numbers
    unit: int

    def taken(self, which: Numbers) -> Boxes:
        """Return some of them, in some order."""
        return replace(
            self,
            rows=self.rows[which],
            starts=self.starts[which],
            places=self.places[which],
            lengths=self.lengths[which],
        )

    def whole(self, size: int) -> NDArray[np.bool_]:
        """Return which take all of a chunk of ``size`` bytes, to one row in the region."""
        run = np.full(len(self.rows), self.unit, np.int64)
        found = np.ones(len(self.rows), np.bool_)
        for axis in range(self.lengths.shape[1] - 1, -1, -1):
            wanted = self.lengths[:, axis]
            in_row = (self.chunk_steps[axis] == run) & (self.out_steps[axis] == run)
            found &= in_row | (wanted == 1)
            run = run * wanted
        return np.asarray(found & (run == size))


@dataclass(frozen=True, eq=False)
class ChunkTable:
    """The stored chunks of a dataset.

    Attributes
    ----------
    shape, chunks : tuple of int
        Lengths of the dataset and of a chunk.
    grid : tuple of int
        Number of chunks along each dimension.
    offsets, sizes : ndarray of int64, in C order of the grid
        Where each chunk begins in the file and its stored bytes; an offset of ``ABSENT`` marks
        a chunk that was never written.
    masks : ndarray of uint32
        Filters that each chunk did not go through, one bit each.

    """

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    grid: tuple[int, ...]
    offsets: Numbers
    sizes: Numbers
    masks: NDArray[np.uint32]

    @cached_property
    def is_complete(self) -> bool:
        """Whether every chunk was written."""
        return bool((self.offsets != ABSENT).all())

    def check_written(self, region: Region) -> None:
        """Raise `UnwrittenError` if a chunk that a region touches was never written."""
        if self.is_complete:
            return
        first = touching(region, self.chunks)
        absent = np.argwhere(self.offsets.reshape(self.grid)[tuple(first)] == ABSENT)
        if len(absent):
            origins = (absent + [part.start for part in first]) * np.array(self.chunks)
            raise UnwrittenError([self._region(origin) for origin in origins.tolist()])

    def _region(self, origin: list[int]) -> Region:
        return tuple(
            slice(start, min(start + step, length))
            for start, step, length in zip(origin, self.chunks, self.shape, strict=True)
        )

    def boxes(self, region: Region, itemsize: int) -> Boxes:
        """Return what a region takes of each chunk, and where it goes."""
        parts = [_parts(part, n) for part, n in zip(region, self.chunks, strict=True)]
        chunk_steps = steps(self.chunks, itemsize)
        out_steps = steps([part.stop - part.start for part in region], itemsize)
        grid_steps = steps(self.grid, 1)
        rows = _sums([one.chunk for one in parts], grid_steps)
        lengths = np.stack(
            [one.ravel() for one in np.meshgrid(*[p.length for p in parts], indexing="ij")], axis=1
        )
        return Boxes(
            rows=rows,
            starts=_sums([one.start for one in parts], chunk_steps),
            places=_sums([one.place for one in parts], out_steps),
            lengths=lengths,
            chunk_steps=chunk_steps,
            out_steps=out_steps,
            unit=itemsize,
        )


def touching(region: Region, chunks: tuple[int, ...]) -> list[slice]:
    """Return along each dimension the chunks that a region touches."""
    return [
        slice(part.start // n, max(part.start // n, -(-part.stop // n)))
        for part, n in zip(region, chunks, strict=True)
    ]


def steps(shape: Sequence[int], itemsize: int) -> Numbers:
    """Return the bytes from one index to the next along each dimension, in C order."""
    found = np.full(len(shape), itemsize, np.int64)
    found[:-1] *= np.cumprod(shape[:0:-1], dtype=np.int64)[::-1]
    return found


class _Parts(NamedTuple):
    """What a slice takes along one dimension: of which chunks, from where, to where, how much."""

    chunk: Numbers
    start: Numbers
    place: Numbers
    length: Numbers


def _parts(part: slice, step: int) -> _Parts:
    chunk = np.arange(part.start // step, -(-part.stop // step))
    first = np.maximum(chunk * step, part.start)
    last = np.minimum((chunk + 1) * step, part.stop)
    return _Parts(chunk, first - chunk * step, first - part.start, last - first)


def _sums(numbers: list[Numbers], factors: Numbers) -> Numbers:
    """Return the sum of products for every combination, in C order."""
    total = np.zeros(1, np.int64)
    for one, factor in zip(numbers, factors, strict=True):
        total = (total[:, None] + one * factor).ravel()
    return total


def read_table(dataset: Any) -> ChunkTable:
    """Read the chunk table of a chunked dataset.

    Raises
    ------
    ValueError
        If the table is not one: chunks beside the grid, or twice in one place.

    """
    shape, chunks = dataset.shape, dataset.chunks
    grid = tuple(-(-n // c) for n, c in zip(shape, chunks, strict=True))
    found: list[Any] = []
    dataset.id.chunk_iter(found.append)
    return _table(shape, chunks, grid, found)


def _table(
    shape: tuple[int, ...], chunks: tuple[int, ...], grid: tuple[int, ...], found: list[Any]
) -> ChunkTable:
    count = math.prod(grid)
    offsets = np.full(count, ABSENT, np.int64)
    sizes = np.zeros(count, np.int64)
    masks = np.zeros(count, np.uint32)
    if found:
        starts = np.array([one.chunk_offset for one in found], np.int64)
        at, beside = np.divmod(starts, chunks)
        # a dataset that was made smaller may keep chunks that lie outside now
        inside = ((at >= 0) & (at < grid)).all(axis=1)
        if beside.any():
            raise ValueError("the chunk table has chunks beside the grid")
        places = np.ravel_multi_index(tuple(at[inside].T), grid)
        offsets[places] = np.array([one.byte_offset for one in found], np.int64)[inside]
        sizes[places] = np.array([one.size for one in found], np.int64)[inside]
        masks[places] = np.array([one.filter_mask for one in found], np.uint32)[inside]
        if len(np.unique(places)) < len(places) or (offsets[places] < 0).any():
            raise ValueError("the chunk table has chunks twice, or nowhere")
    return ChunkTable(shape, chunks, grid, offsets, sizes, masks)
