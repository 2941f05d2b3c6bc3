"""Which frames were never written, known from where chunks and bytes lie: no value is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py._objects import phil

from nxscan.errors import SourceError
from nxscan.hdf5.chunktable import ABSENT, read_table
from nxscan.hdf5.datasets import spread
from nxscan.hdf5.frames import RawFrames, StoredFrames
from nxscan.hdf5.opening import open_reading
from nxscan.hdf5.virtual import NOWHERE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from nxscan.hdf5.frames import Frames
    from nxscan.hdf5.virtual import VirtualSignal

    Flags = NDArray[np.bool_]


def unwritten(signal: VirtualSignal) -> NDArray[np.int64]:
    """Return the frames of a signal of which a part was never written, or is missing.

    A detector that never wrote a frame has all of them here; a scan that was cut short, or is
    going on, those from some frame on. HDF5 would read them as fill values.

    Parameters
    ----------
    signal : VirtualSignal
        The signal; no frame of it is read.

    Returns
    -------
    ndarray of int64
        Their numbers in C order over the scan's dimensions, ascending.

    Raises
    ------
    SourceError
        If a file cannot be read, or its table of chunks is damaged.

    """
    single, starts = spread(signal.sources)
    absent = _absent(single)
    lost = np.zeros(math.prod(signal.scan_shape), np.bool_)
    # the frames of all sources in one row, the last place for what is nowhere
    before = np.cumsum([0, *(source.count for source in single)])
    flags = np.zeros(int(before[-1]) + 1, np.bool_)
    flags[-1] = True
    for number, found in absent.items():
        flags[before[number] : before[number + 1]] = found
    for tile in signal.tiles:
        row = before[starts[np.maximum(tile.source, 0)]] + tile.index
        lost |= flags[np.where(tile.source == NOWHERE, -1, row)]
    return np.flatnonzero(lost).astype(np.int64)


def _absent(sources: Sequence[Frames]) -> Mapping[int, Flags]:
    """Return for each source which of its frames lack something."""
    found: dict[int, Flags] = {}
    stored: dict[Path, list[int]] = {}
    for number, source in enumerate(sources):
        if isinstance(source, StoredFrames):
            stored.setdefault(source.path, []).append(number)
        elif isinstance(source, RawFrames):
            found[number] = source.offsets + source.nbytes > _size(source.path)
    for path, numbers in stored.items():
        try:
            with open_reading(path) as file:
                for number in numbers:
                    source = sources[number]
                    if isinstance(source, StoredFrames):
                        dataset = file[source.dataset]
                        found[number] = unwritten_of(dataset, source.rank, source.whole)
        except (OSError, KeyError, RuntimeError) as error:
            raise _unreadable(path, error) from error
    return found


def unwritten_of(dataset: Any, rank: int, whole: tuple[int, ...] | None = None) -> Flags:
    """Tell of each frame of an open dataset whether a part of it was never written.

    Parameters
    ----------
    dataset : h5py.Dataset
        One that holds its values itself, or in external files; of these all are taken as
        written.
    rank : int
        How many of its leading dimensions count frames.
    whole : tuple of int, optional
        The shape that it should have, where it may have got longer or shorter since: what it
        lacks was never written.

    Returns
    -------
    ndarray of bool, shape (frames,)
        In C order.

    Raises
    ------
    SourceError
        If its table of chunks is damaged.

    """
    shape = dataset.shape if whole is None else whole
    nothing = np.zeros(math.prod(shape[:rank]), np.bool_)
    with phil:
        plist = dataset.id.get_create_plist()
        layout, outside = plist.get_layout(), plist.get_external_count() > 0
    if layout == h5py.h5d.CONTIGUOUS and not outside and dataset.id.get_offset() is None:
        return ~nothing
    if layout != h5py.h5d.CHUNKED:
        return nothing
    grid = tuple(-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
    try:
        if dataset.id.get_num_chunks() == math.prod(grid) and dataset.shape == shape:
            return nothing
        absent = read_table(dataset).offsets.reshape(grid) == ABSENT
    except (OSError, RuntimeError, ValueError, OverflowError) as error:
        raise _unreadable(dataset.file.filename, error) from error
    lost = absent.any(axis=tuple(range(rank, len(grid))))
    for axis, chunk in enumerate(dataset.chunks[:rank]):
        lost = lost.repeat(chunk, axis)
    # its last chunks go over its end
    flags = np.ones(shape[:rank], np.bool_)
    both = tuple(slice(0, min(a, b)) for a, b in zip(dataset.shape, shape[:rank], strict=False))
    flags[both] = lost[both]
    return flags.reshape(-1)


def _unreadable(path: Path | str, error: Exception) -> SourceError:
    return SourceError(
        f"{path}: which frames it holds cannot be read: {error.args[-1]}",
        "is the file there, and complete?",
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}", "put it back where it was"
        ) from error
