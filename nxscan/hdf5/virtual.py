"""Signals put together from frames that lie elsewhere, as virtual datasets are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.hdf5.boxes import runs_in_order, runs_sorted
from nxscan.hdf5.frames import StoredFrames
from nxscan.hdf5.grid import chunks_of
from nxscan.hdf5.readers import expect, readers
from nxscan.hdf5.regions import bounds
from nxscan.hdf5.tiling import check_tiles, checked_gap, common_dtype
from nxscan.model import Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.boxes import Run
    from nxscan.hdf5.frames import Frames
    from nxscan.hdf5.regions import Bounds
    from nxscan.model.signal import Selection

    Region = tuple[slice, ...]

NOWHERE = -1

_SMALL = 64 * 2**10
"""Bytes of a frame that are worth fewer than the call that reads it."""
_TOGETHER = 32 * 2**20
"""Bytes that are read at once where frames are put in order afterwards."""


@dataclass(frozen=True, eq=False)
class Tile:
    """A part of every frame of a signal, and where each of its frames lies.

    Attributes
    ----------
    corner : tuple of int
        Where it begins in a frame of the signal.
    shape : tuple of int
        Its lengths, those of its sources' frames.
    source : ndarray of int32, shape (frames,)
        Number of the source that holds it; ``NOWHERE`` where the frame is missing.
    index : ndarray of int64, shape (frames,)
        Which frame of that source it is.

    """

    corner: tuple[int, ...]
    shape: tuple[int, ...]
    source: NDArray[np.int32]
    index: NDArray[np.int64]


class VirtualSignal(Signal):
    """Frames of other files as one signal; they are read from there directly.

    Parameters
    ----------
    sources : sequence of Frames
        Where the frames lie. Where their types differ, the signal's holds them all without loss.
    tiles : sequence of Tile
        Which of them make up the signal; most often one tile that covers the frame. What of a
        frame no tile covers (the gaps between a detector's modules) has the value ``gap``.
    scan_shape : tuple of int
        Lengths of the scan's dimensions; their product is the number of frames.
    frame_shape : tuple of int
        Lengths of the detector's dimensions.
    units : str or None
        Unit of the values.
    long_name : str
        What they are.
    gap : int or float or None
        Value of what no tile covers. Without it that is NaN; where the values are integers, of
        which none says that it is missing, it has to be given.
    dtype : dtype, optional
        Type of the values, one that holds those of all sources; without it the smallest such.

    Raises
    ------
    SourceError
        If the tiles do not fit the sources, the sources' types have none in common, or there
        are gaps without a value.

    """

    def __init__(
        self,
        sources: Sequence[Frames],
        tiles: Sequence[Tile],
        scan_shape: tuple[int, ...],
        frame_shape: tuple[int, ...],
        units: str | None = None,
        long_name: str = "",
        gap: float | None = None,
        dtype: np.dtype[Any] | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self.tiles = tuple(tiles)
        self.scan_shape = tuple(scan_shape)
        self.frame_shape = tuple(frame_shape)
        self.units = units
        self.long_name = long_name
        self._dtype = common_dtype(self.sources, dtype)
        check_tiles(self.sources, self.tiles, self.scan_shape, self.frame_shape)
        self.gap = checked_gap(self.tiles, self.frame_shape, self._dtype, gap)

    @classmethod
    def of(
        cls, sources: Sequence[Frames], units: str | None = None, long_name: str = ""
    ) -> VirtualSignal:
        """Return the frames of all sources one after the other, in one scan dimension.

        Raises
        ------
        SourceError
            If there are none, or their frames differ in shape; it names both files.

        """
        if not sources:
            raise SourceError("there are no frames", "name a source that holds some")
        for source in sources[1:]:
            if source.shape != sources[0].shape:
                raise SourceError(
                    f"{source.path}: frames of {source.shape}, but those of "
                    f"{sources[0].path} are {sources[0].shape}",
                    "frames of one scan have one shape",
                )
        counts = np.array([source.count for source in sources], np.int64)
        number = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        before = np.repeat(np.cumsum(counts) - counts, counts)
        shape = sources[0].shape
        tile = Tile((0,) * len(shape), shape, number, np.arange(len(number)) - before)
        return cls(sources, [tile], (len(number),), shape, units, long_name)

    def arranged(self, scan_shape: tuple[int, ...], order: NDArray[np.intp]) -> VirtualSignal:
        """Return the frames in another order and scan shape.

        Position k (in C order over ``scan_shape``) holds what is frame ``order[k]`` here.
        Sources of which no frame is left are left out.
        """
        picked = [(tile.source[order], tile.index[order]) for tile in self.tiles]
        wanted = [source for source, _ in picked]
        used = np.unique(np.concatenate([np.zeros(0, np.int32), *wanted]))
        kept = used[used != NOWHERE]
        number = np.full(len(self.sources) + 1, NOWHERE, np.int32)
        number[kept] = np.arange(len(kept), dtype=np.int32)
        tiles = [
            Tile(tile.corner, tile.shape, number[source], index)
            for tile, (source, index) in zip(self.tiles, picked, strict=True)
        ]
        # where none is left, the first still says what a frame is
        sources = [self.sources[k] for k in kept.tolist()] or list(self.sources[:1])
        return VirtualSignal(
            sources,
            tiles,
            scan_shape,
            self.frame_shape,
            self.units,
            self.long_name,
            self.gap,
            self._dtype,
        )

    def part(self, frames: NDArray[np.intp]) -> VirtualSignal:
        """Return some of the frames, in the order named, in one scan dimension.

        Parameters
        ----------
        frames : ndarray of int, shape (n,)
            Which, numbered in C order over ``scan_shape``.

        """
        return self.arranged((len(frames),), np.asarray(frames, np.intp))

    @property
    def nowhere(self) -> NDArray[np.int64]:
        """Frames of which a part lies nowhere, numbered in C order over ``scan_shape``."""
        gone = np.zeros(math.prod(self.scan_shape), np.bool_)
        for tile in self.tiles:
            gone |= tile.source == NOWHERE
        return np.flatnonzero(gone)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return (*self.scan_shape, *self.frame_shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        return self._dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Frames, and lengths within a frame, of the sources' chunks; None if any has none."""
        return self._chunks

    @property
    def reads_rows(self) -> bool:
        """Whether some rows of a frame cost their share of it: no source has chunks."""
        return all(source.chunks is None for source in self.sources)

    @cached_property
    def _chunks(self) -> tuple[int, ...] | None:
        whole = self._whole
        return whole.chunked if whole else chunks_of(self.sources, self.tiles, self.scan_shape)

    @cached_property
    def _whole(self) -> StoredFrames | None:
        """The one dataset that the signal is, dimension by dimension, if it is one."""
        source = self.sources[0]
        if len(self.sources) > 1 or len(self.tiles) > 1 or not isinstance(source, StoredFrames):
            return None
        tile = self.tiles[0]
        same = source.whole == self.shape and source.rank == len(self.scan_shape)
        in_order = same and tile.shape == self.frame_shape and not tile.source.any()
        in_order = in_order and bool((tile.index == np.arange(len(tile.index))).all())
        return source if in_order else None

    def will_read(self, nbytes: int) -> None:
        """Read past HDF5 from the first byte on, if there is enough to read."""
        expect(nbytes)

    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part.

        Raises
        ------
        SourceError
            If a source is gone or damaged, or a frame is missing.

        """
        part = self._bounds(selection)
        out = np.empty(self._lengths(part), self._dtype)
        self._read(part, out)
        return self._taken(part, out)

    def read_into(self, selection: Selection, out: NDArray[Any]) -> None:
        """Read the selected part into an array; the same as `read`, without new memory."""
        part = self._bounds(selection)
        if part.shape != out.shape:
            raise SourceError(f"{selection} has shape {part.shape}, expected {out.shape}")
        if out.flags.carray and out.dtype == self._dtype and part.is_region:
            self._read(part, out.reshape(part.lengths))
        else:
            out[...] = self.read(selection)

    def _bounds(self, selection: Selection) -> Bounds:
        part = bounds(self.shape, selection)
        if part is None:
            raise SourceError(f"{selection} selects nothing of a signal of shape {self.shape}")
        return part

    def _lengths(self, part: Bounds) -> tuple[int, ...]:
        """Return the lengths of what is read: no frame that a step leaves out is."""
        rank = len(self.scan_shape)
        steps = (*part.steps[:rank], *(1 for _ in self.frame_shape))
        return tuple(-(-n // step) for n, step in zip(part.lengths, steps, strict=True))

    def _taken(self, part: Bounds, values: NDArray[Any]) -> NDArray[Any]:
        if part.is_region:
            return np.asarray(values.reshape(part.shape))
        rank = len(self.scan_shape)
        scan = (slice(None) if isinstance(k, slice) else k for k in part.index[:rank])
        return np.asarray(values[(*scan, *part.index[rank:])])

    def _read(self, part: Bounds, out: NDArray[Any]) -> None:
        if not out.size:
            return
        rank = len(self.scan_shape)
        if self._whole is not None and all(step == 1 for step in part.steps[:rank]):
            self._whole.read_box(part.region, out)
            return
        positions = np.zeros(1, np.int64)
        for length, box, step in zip(self.scan_shape, part.region, part.steps, strict=False):
            taken = np.arange(box.start, box.stop, step)
            positions = (positions[:, None] * length + taken).ravel()
        flat = out.reshape(len(positions), *out.shape[rank:])
        if self.gap is not None:
            flat[...] = self.gap
        for tile in self.tiles:
            self._fill(tile, positions, part.region[rank:], flat)

    def _fill(self, tile: Tile, positions: NDArray[Any], region: Region, out: NDArray[Any]) -> None:
        """Fill what a tile covers of a region, one run of consecutive frames at a time."""
        inside: list[slice] = []
        target: list[slice] = []
        for wanted, corner, length in zip(region, tile.corner, tile.shape, strict=True):
            first, last = max(wanted.start, corner), min(wanted.stop, corner + length)
            if first >= last:
                return
            inside.append(slice(first - corner, last - corner))
            target.append(slice(first - wanted.start, last - wanted.start))
        source, index = tile.source[positions], tile.index[positions]
        if (source == NOWHERE).any():
            raise self._missing(int(positions[np.flatnonzero(source == NOWHERE)[0]]))
        window = out[(slice(None), *target)]
        for run in self._runs(source, index, window):
            _fill_run(self.sources[run.source], run, window, tuple(inside))

    def _runs(
        self, source: NDArray[np.int32], index: NDArray[np.int64], window: NDArray[Any]
    ) -> list[Run]:
        """Cut frames into runs, in another order where that takes fewer."""
        runs = runs_in_order(source, index)
        if len(runs) == 1:
            return runs
        numbers = dict.fromkeys(run.source for run in runs)
        several = [self.sources[k] for k in numbers]
        if len(several) > 1:
            readers.prepare(one for one in several if isinstance(one, StoredFrames))
        if len(runs) == len(several):
            return runs
        depth = max((one.chunks or (1,))[0] for one in several)
        size = window.nbytes // len(window)
        if depth == 1 and size > _SMALL:
            return runs
        most = max(depth, _TOGETHER // size // depth * depth)
        in_order = runs_sorted(source, index, most)
        return in_order if 2 * len(in_order) < len(runs) else runs

    def _missing(self, position: int) -> SourceError:
        place = np.unravel_index(position, self.scan_shape) if len(self.scan_shape) > 1 else ()
        at = f" {tuple(int(k) for k in place)}" if place else ""
        return SourceError(
            f"frame {position}{at} of {self.long_name or 'a signal'} is missing: no file holds it",
            "of a scan that was cut short, take the frames before",
        )


def joined(signals: Sequence[VirtualSignal]) -> VirtualSignal:
    """Return the frames of several signals one after the other, in one scan dimension.

    Parameters
    ----------
    signals : sequence of VirtualSignal
        Of one scan dimension each, with tiles, gaps and units that agree. What they are called
        is what the first is.

    Raises
    ------
    SourceError
        If they do not fit together; it says how.

    """
    if not signals:
        raise SourceError("there are no frames", "name a source that holds some")
    first = signals[0]
    for other in signals[1:]:
        _check_fit(first, other)
    tiles = []
    for k, tile in enumerate(first.tiles):
        parts, before = [], 0
        for signal in signals:
            source = signal.tiles[k].source
            parts.append(np.where(source == NOWHERE, NOWHERE, source + before).astype(np.int32))
            before += len(signal.sources)
        index = np.concatenate([signal.tiles[k].index for signal in signals])
        tiles.append(Tile(tile.corner, tile.shape, np.concatenate(parts), index))
    sources = [source for signal in signals for source in signal.sources]
    count = sum(math.prod(signal.scan_shape) for signal in signals)
    return VirtualSignal(
        sources,
        tiles,
        (count,),
        first.frame_shape,
        first.units,
        first.long_name,
        first.gap,
        np.result_type(*{signal.dtype for signal in signals}),
    )


def _check_fit(first: VirtualSignal, other: VirtualSignal) -> None:
    for name, mine, found in (
        ("frames", first.frame_shape, other.frame_shape),
        ("tiles", _places(first), _places(other)),
        ("units", first.units, other.units),
        ("gaps of value", repr(first.gap), repr(other.gap)),
    ):
        if mine != found:
            raise SourceError(
                f"{other.sources[0].path}: {name} {found}, but those of "
                f"{first.sources[0].path} are {mine}",
                "join scans of one detector in one state",
            )


def _places(signal: VirtualSignal) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(tile.corner, tile.shape) for tile in signal.tiles]


def _fill_run(source: Frames, run: Run, out: NDArray[Any], region: Region) -> None:
    """Read a run of frames to its places."""
    place = run.place
    if isinstance(place, slice) and place.step is None:
        source.read(run.first, out[place], region)
        return
    if isinstance(place, slice):
        target = out[place][::-1]
        source.read(run.first, target, region)
        target[...] = target[::-1].copy()
        return
    values = np.empty((run.length, *out.shape[1:]), out.dtype)
    source.read(run.first, values, region)
    out[place] = values if run.taken is None else values[run.taken]
