"""One frame from many, and how sure it is, without holding many in memory."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nxscan.kernels import medians as kernels
from nxscan.process.cpus import usable_cpus
from nxscan.process.partition import chunk_edges, pieces, tiles
from nxscan.process.transfer import neighbour_variance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from nxscan.model import Signal
    from nxscan.process.block import Selection

    Statistic = Literal["mean", "median"]
    Place = tuple[int, ...]

BUDGET = 256 * 2**20
"""Bytes of values, as they are stored, that are in memory at once."""
_BLOCK = 4096
"""Pixels that numpy sorts at once."""


@dataclass(frozen=True, eq=False)
class Stacked:
    """A frame made of several.

    Attributes
    ----------
    frame : ndarray of float64
        Their mean or median.
    variance : ndarray of float64
        Variance of ``frame``, from the spread of what it is made of.
    count : int
        How many frames it is made of.

    """

    frame: NDArray[np.float64]
    variance: NDArray[np.float64]
    count: int


def combine(
    signal: Signal,
    places: Sequence[Place],
    statistic: Statistic,
    budget: int = BUDGET,
) -> Stacked:
    """Combine the frames at ``places`` of a signal, tile by tile of the detector.

    Tiles are whole chunks of the file, as long as all values of one fit into the budget, and
    each chunk is read once for a tile; a mean is added up, and needs no more than a chunk. What
    is read is bounded by the budget, however many frames there are.

    The variance of a mean is that of its values, as their spread tells it, over their number.
    A median's is π/2 times as large for many values of Gaussian noise; for few, π n / (2 (n +
    π/2 − 1)) is taken, which is exact for one value and at most 15 % too large otherwise. A
    single frame has the variance that its neighbouring pixels' differences tell.
    """
    rank = len(places[0]) if places else 0
    shape = signal.shape[rank:]
    frame, variance = np.empty(shape), np.empty(shape)
    cells = _cells(signal, places)
    deep = len(places) if statistic == "median" else max(map(len, cells), default=1)
    found = _median if statistic == "median" else _mean
    workers = _workers(signal, rank, deep, budget)

    def fill(tile: Selection) -> None:
        frame[tile], variance[tile] = found(signal, cells, tile)

    # every thread has some tiles, but none is less than a chunk
    share = deep * math.prod(shape) * signal.dtype.itemsize // (2 * workers)
    most = min(budget // workers, max(share, _column(signal, rank, deep)))
    with ThreadPoolExecutor(workers) as threads:
        list(threads.map(fill, _tiles(signal, rank, deep, most)))
    variance /= max(len(places), 1)
    if len(places) == 1:
        variance[...] = neighbour_variance(frame)
    elif statistic == "median":
        variance *= median_factor(len(places))
    return Stacked(frame, variance, len(places))


def median_factor(count: int) -> float:
    """Return how much larger a median's variance is than that of the mean of as many."""
    if count <= 2:
        return 1.0
    return count * math.pi / (2 * (count + math.pi / 2 - 1))


def every(signal: Signal) -> list[Place]:
    """Return the places of a stack's frames."""
    return [(k,) for k in range(signal.shape[0])]


def positions_of(shape: tuple[int, ...], chosen: Sequence[int]) -> list[Place]:
    """Return places in a scan of positions counted in the order they were taken in."""
    return [tuple(int(k) for k in np.unravel_index(index, shape)) for index in chosen]


def _cells(signal: Signal, places: Sequence[Place]) -> list[list[Place]]:
    """Gather the places whose frames are stored in the same chunks."""
    found: dict[Place, list[Place]] = {}
    for place in places:
        deep = (signal.chunks or (1,) * len(place))[: len(place)]
        found.setdefault(
            tuple(p // max(c, 1) for p, c in zip(place, deep, strict=True)), []
        ).append(place)
    return list(found.values())


def _workers(signal: Signal, rank: int, deep: int, budget: int) -> int:
    """Return how many threads have room for all frames of a chunk each, at least 1."""
    return max(1, min(usable_cpus(), budget // max(_column(signal, rank, deep), 1)))


def _column(signal: Signal, rank: int, deep: int) -> int:
    """Return the bytes of all frames of a chunk."""
    return deep * math.prod((signal.chunks or ())[rank:]) * signal.dtype.itemsize


def _tiles(signal: Signal, rank: int, deep: int, budget: int) -> Iterator[Selection]:
    """Cut frames into tiles, whole chunks if they can be, of which ``deep`` fit into the budget."""
    shape = signal.shape[rank:]
    if not shape:
        return iter([()])
    edges = chunk_edges(signal.shape, signal.chunks, rank)
    dims = range(1, len(shape) + 1)
    stack = (slice(0, deep), *(slice(0, length) for length in shape))
    most, itemsize = max(budget, 1), signal.dtype.itemsize
    whole = tiles(stack, (np.zeros(1, np.int64), *edges[rank:]), list(dims), itemsize, most)
    return (part[1:] for tile in whole for part in pieces(tile, list(dims), itemsize, most))


def _read(signal: Signal, cell: Sequence[Place], tile: Selection) -> NDArray[Any]:
    """Read a tile of the frames of a cell, all of them at once; shape (frames, pixels)."""
    low, high = np.min(cell, axis=0), np.max(cell, axis=0) + 1
    region = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    values = signal.read((*region, *tile))
    inside = tuple(np.array(cell).T - low[:, None])
    return values.reshape(*(high - low), -1)[inside] if len(low) else values.reshape(1, -1)


def _shape(tile: Selection) -> tuple[int, ...]:
    return tuple(part.stop - part.start for part in tile)


def _median(
    signal: Signal, cells: list[list[Place]], tile: Selection
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the median of all frames and their sample variance, for a tile."""
    count, pixels, at = sum(map(len, cells)), math.prod(_shape(tile)), 0
    stack = np.empty((count, pixels), signal.dtype.newbyteorder("="))
    for cell in cells:
        stack[at : at + len(cell)] = _read(signal, cell, tile)
        at += len(cell)
    median, variance = np.empty(pixels), np.empty(pixels)
    for first in range(0, pixels, _BLOCK):
        part = slice(first, first + _BLOCK)
        _of_block(stack[:, part], median[part], variance[part])
    return median.reshape(_shape(tile)), variance.reshape(_shape(tile))


def _of_block(stack: NDArray[Any], median: NDArray[Any], variance: NDArray[Any]) -> None:
    count = len(stack)
    missing = stack.dtype.kind == "f" and np.isnan(stack).any()
    if count <= kernels.MOST and not missing:
        kernels.median_and_variance(stack, kernels.comparisons(count), median, variance)
        return
    median[...] = np.median(stack, axis=0)
    variance[...] = stack.var(axis=0, ddof=1, dtype=np.float64)


def _mean(
    signal: Signal, cells: list[list[Place]], tile: Selection
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the mean of all frames and their sample variance, for a tile.

    What is added up are differences to the first frame: whole numbers stay exact, and the
    variance of large numbers is not lost in rounding.
    """
    base = _read(signal, cells[0], tile)[0].astype(np.float64)
    count, sums, squares = 0, np.zeros_like(base), np.zeros_like(base)
    for cell in cells:
        more = _read(signal, cell, tile) - base
        count += len(cell)
        sums += more.sum(axis=0)
        squares += np.einsum("ij,ij->j", more, more)
    spread = np.maximum(squares - sums * sums / count, 0) / max(count - 1, 1)
    return (base + sums / count).reshape(_shape(tile)), spread.reshape(_shape(tile))
