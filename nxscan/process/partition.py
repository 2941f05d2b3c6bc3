"""How a scan is cut into blocks: from its layout alone, so that every machine cuts alike.

Blocks are what is computed, journaled and resumed: about 64 MB each, less where a scan is so
small that it would not make eight. Where stored chunks are larger than that, several blocks
share them; such blocks are one cell, and as many of them as memory allows are read at once, as a
unit, so that each chunk is decompressed as seldom as possible.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Selection
    from nxscan.process.contract import Per

BLOCK_BYTES = 64 * 2**20
"""What a block shall hold."""
SMALL_BYTES = 4 * 2**20
"""What it shall hold at least: small scans are cut finer, so that every worker has some."""
FEWEST_BLOCKS = 8
"""Into how many blocks a scan is cut, if they hold that much."""
CELL_BYTES = 256 * 2**20
"""A tile whose curves take more than this is cut along the scan, if the process can merge."""
SPAN_BYTES = 2**29
"""What is read of frames whose chunks span much of a detector before they are added up: tile by
tile of all of these, since sums of whole frames do not fit into the processor's cache."""
WIDE_BYTES = 2**20
"""The part of a frame in one chunk that is called much of a detector."""
PIECE_BYTES = 4 * 2**20
"""What is worked on at once, so that it is still in the processor's cache."""
PORTION_BYTES = 16 * 2**20
"""What a reduction computes at once, unless its state is as large, or it needs no memory."""
_STATE_SHARE, _WIDE_STATE_SHARE = 4, 2
_TOLERANCE = 1.5


@dataclass(frozen=True)
class Partition:
    """The blocks of a scan.

    Attributes
    ----------
    blocks : tuple of tuple of slice
        Where each stands in the scan; together they hold every value once.
    cells : tuple of tuple of int
        Blocks that share stored chunks.

    """

    blocks: tuple[Selection, ...]
    cells: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.blocks)

    def describe(self) -> str:
        """Return a line that says how the scan was cut."""
        return f"{len(self.blocks)} blocks in {len(self.cells)} cells of stored chunks"


@dataclass(frozen=True, eq=False)
class Cutter:
    """What the cutting depends on.

    Attributes
    ----------
    shape : tuple of int
        All lengths of the scan, its own dimensions first.
    itemsize : int
        Bytes of one stored value.
    scan_rank : int
        How many dimensions are the scan's.
    edges : tuple of ndarray
        Where stored chunks begin, for each dimension, 0 first and the length last.

    """

    shape: tuple[int, ...]
    itemsize: int
    scan_rank: int
    edges: tuple[NDArray[np.int64], ...]

    def cut(self, per: Per, *, mergeable: bool, state_values: int = 0) -> Partition:
        """Cut for a process.

        Parameters
        ----------
        per : {"pixel", "position", "scan"}
            What results belong to.
        mergeable : bool
            Whether the process is a reduction.
        state_values : int
            Numbers that one result has; of a reduction, about as many as its state.

        """
        scan = range(self.scan_rank)
        detector = range(self.scan_rank, len(self.shape))
        if per == "scan" and not mergeable:
            return Partition((_whole(self.shape),), ((0,),))
        if per == "scan":
            least = 8 * state_values * _STATE_SHARE
            return self._cut_along(list(scan), max(self._block, least), fine=list(scan))
        if per == "position":
            target = self._target(self.shape[self.scan_rank :], state_values)
            return self._cut_along(list(scan), target, fine=list(scan))
        column = self._cell_bytes(list(detector))
        if mergeable and column > CELL_BYTES:
            return self._cut_streamed(state_values)
        target = self._target(self.shape[: self.scan_rank], state_values)
        return self._cut_along(list(detector), target, fine=list(detector))

    def _cut_streamed(self, state_values: int) -> Partition:
        """Cut for a reduction of curves, each of which lies in too many chunks to hold them all."""
        scan = list(range(self.scan_rank))
        detector = list(range(self.scan_rank, len(self.shape)))
        pixels = math.prod(self._steps(detector))
        state, part = 8 * state_values * pixels, pixels * self.itemsize
        if part <= WIDE_BYTES:
            most = max(self._block, state * _STATE_SHARE)
            return self._cut_along([*detector, *scan], most, fine=scan)
        most = max(SPAN_BYTES, state * _WIDE_STATE_SHARE)
        target = self._target((most // part,), state_values)
        return self._cut_along([*detector, *scan], most, detector, target, even=True)

    def _target(self, shape: Sequence[int], values: int) -> int:
        """Return what a block shall hold if each ``shape`` of data makes so many numbers.

        Results that are larger than the data that they come from fill a block's file instead.
        """
        data, made = math.prod(shape) * self.itemsize, 8 * values
        return max(1, min(self._block, self._block * data // max(made, 1)))

    @property
    def _block(self) -> int:
        """Return the bytes of a block of this scan."""
        part = math.prod(self.shape) * self.itemsize // FEWEST_BLOCKS
        return min(BLOCK_BYTES, max(SMALL_BYTES, part))

    def _steps(self, dims: Sequence[int]) -> list[int]:
        return [int(np.diff(self.edges[d]).max(initial=1)) for d in dims]

    def _cell_bytes(self, dims: Sequence[int]) -> int:
        """Return the bytes of the smallest cell that is cut along ``dims``."""
        other = [n for d, n in enumerate(self.shape) if d not in dims]
        return math.prod(self._steps(dims)) * math.prod(other) * self.itemsize

    def _cut_along(
        self,
        dims: Sequence[int],
        target: int,
        fine: Sequence[int],
        fine_target: int | None = None,
        *,
        even: bool = False,
    ) -> Partition:
        """Cut along ``dims``, the first named the last to be left whole, at chunk edges."""
        fine_target = target if fine_target is None else fine_target
        counts = dict.fromkeys(dims, 1)
        size = self._cell_bytes(dims)
        for d in reversed(dims):
            parts = max(len(self.edges[d]) - 1, 1)
            counts[d] = max(1, min(parts, target // max(size, 1)))
            if even:
                counts[d] = -(-parts // max(1, round(parts / counts[d])))
            size *= counts[d]
            if counts[d] < parts:
                break
        ranges = [
            _runs(self.edges[d], counts[d]) if d in counts else [slice(0, n)]
            for d, n in enumerate(self.shape)
        ]
        blocks: list[Selection] = []
        cells = []
        for cell in itertools.product(*ranges):
            parts_of_cell = list(self._finer(cell, fine_target, fine))
            cells.append(tuple(range(len(blocks), len(blocks) + len(parts_of_cell))))
            blocks += parts_of_cell
        return Partition(tuple(blocks), tuple(cells))

    def _finer(self, cell: Selection, target: int, fine: Sequence[int]) -> Iterator[Selection]:
        """Cut a cell that is much larger than the target, along ``fine``, anywhere."""
        size = volume(cell) * self.itemsize
        if size <= _TOLERANCE * target:
            yield cell
            return
        yield from fine_cut(cell, fine, max(1, target // self.itemsize))


def pieces(
    region: Selection, dims: Sequence[int], itemsize: int, most: int | None = None
) -> Iterator[Selection]:
    """Cut a region that is much larger than ``most`` bytes (`PIECE_BYTES`) along ``dims``."""
    most = PIECE_BYTES if most is None else most
    if volume(region) * itemsize <= _TOLERANCE * most:
        yield region
        return
    yield from fine_cut(region, dims, max(1, most // itemsize))


def fine_cut(region: Selection, dims: Sequence[int], most: int) -> Iterator[Selection]:
    """Cut a region into parts of at most ``most`` values, slow dimensions first, anywhere."""
    step = {}
    size = volume(region)
    for d in dims:
        length = region[d].stop - region[d].start
        inner = max(size // max(length, 1), 1)
        step[d] = max(1, min(length, most // inner))
        size = inner * step[d]
        if step[d] > 1 or size <= most:
            break
    ranges = [_steps_of(part, step.get(d, part.stop - part.start)) for d, part in enumerate(region)]
    yield from itertools.product(*ranges)


def tiles(
    block: Selection,
    edges: Sequence[NDArray[np.int64]],
    dims: Sequence[int],
    itemsize: int,
    most: int | None = None,
) -> Iterator[Selection]:
    """Cut a block at edges along ``dims`` into parts of about ``most``, the last dim first.

    By default those are `PIECE_BYTES`.
    """
    most = PIECE_BYTES if most is None else most
    if not dims:
        yield block
        return
    ranges = {d: _between(edges[d], block[d]) for d in dims}
    size = volume(block) * itemsize
    for d in dims:
        cuts = ranges[d]
        size //= max(len(cuts), 1)
    for d in reversed(dims):
        together = max(1, min(len(ranges[d]), most // max(size, 1)))
        size *= together
        whole = together == len(ranges[d])
        ranges[d] = [
            slice(ranges[d][k].start, ranges[d][min(k + together, len(ranges[d])) - 1].stop)
            for k in range(0, len(ranges[d]), together)
        ]
        if not whole:
            break
    yield from _product(block, ranges)


def _product(block: Selection, ranges: Mapping[int, list[slice]]) -> Iterator[Selection]:
    shape = [len(ranges[d]) if d in ranges else 1 for d in range(len(block))]
    for index in np.ndindex(*shape):
        yield tuple(ranges[d][index[d]] if d in ranges else part for d, part in enumerate(block))


def _between(edges: NDArray[np.int64], part: slice) -> list[slice]:
    """Return the ranges between the edges that lie inside ``part``."""
    inner = [int(edge) for edge in edges if part.start < edge < part.stop]
    starts = [part.start, *inner]
    return [slice(a, b) for a, b in zip(starts, [*inner, part.stop], strict=True)]


def volume(region: Selection) -> int:
    """Return how many values a region holds."""
    return math.prod(part.stop - part.start for part in region)


def hull(regions: Sequence[Selection]) -> Selection:
    """Return the smallest region that holds all of ``regions``."""
    return tuple(
        slice(min(part.start for part in parts), max(part.stop for part in parts))
        for parts in zip(*regions, strict=True)
    )


def inside(region: Selection, outer: Selection) -> Selection:
    """Return where ``region`` stands in an array that holds ``outer``."""
    return tuple(
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(region, outer, strict=True)
    )


def chunk_edges(shape: tuple[int, ...], chunks: tuple[int, ...] | None, rank: int) -> Any:
    """Return where stored chunks begin; what lies in one piece is read well by whole rows."""
    if chunks is None:
        rows = len(shape) - 1 if len(shape) > rank else len(shape)
        chunks = tuple(1 if d < rows else n for d, n in enumerate(shape))
    return tuple(
        np.unique(np.append(np.arange(0, n, max(c, 1)), [0, n]))
        for n, c in zip(shape, chunks, strict=True)
    )


def _whole(shape: tuple[int, ...]) -> Selection:
    return tuple(slice(0, n) for n in shape)


def _runs(edges: NDArray[np.int64], count: int) -> list[slice]:
    starts = [int(edge) for edge in edges[:-1][::count]] or [0]
    return [slice(a, b) for a, b in itertools.pairwise([*starts, int(edges[-1])])]


def _steps_of(part: slice, step: int) -> list[slice]:
    starts = range(part.start, part.stop, max(step, 1))
    return [slice(a, min(a + step, part.stop)) for a in starts] or [part]
