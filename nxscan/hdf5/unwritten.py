"""Which frames were never written, known from where chunks and bytes lie: no value is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py._objects import phil

from nxscan.errors import SourceError
from nxscan.hdf5.chunktable import ABSENT, read_table
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
    absent = _absent(signal.sources)
    lost = np.zeros(math.prod(signal.scan_shape), np.bool_)
    # the frames of all sources in one row, the last place for what is nowhere
    before = np.cumsum([0, *(source.count for source in signal.sources)])
    flags = np.zeros(int(before[-1]) + 1, np.bool_)
    flags[-1] = True
    for number, found in absent.items():
        flags[before[number] : before[number + 1]] = found
    for tile in signal.tiles:
        row = before[np.maximum(tile.source, 0)] + tile.index
        lost |= flags[np.where(tile.source == NOWHERE, -1, row)]
    return np.flatnonzero(lost).astype(np.int64)


def _absent(sources: Sequence[Frames]) -> Mapping[int, Flags]:
    """Return for each source that lacks something which of its frames do."""
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
                    flags = _of_dataset(sources[number], file)
                    if flags is not None:
                        found[number] = flags
        except (OSError, KeyError, RuntimeError, ValueError, OverflowError) as error:
            raise SourceError(
                f"{path}: which frames it holds cannot be read: {error.args[-1]}",
                "is the file there, and complete?",
            ) from error
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror}", "put it back where it was"
        ) from error


def _of_dataset(source: Frames, file: Any) -> Flags | None:
    """Return which frames of a dataset lack something; None if none does."""
    if not isinstance(source, StoredFrames):
        return None
    dataset = file[source.dataset]
    with phil:
        layout = dataset.id.get_create_plist().get_layout()
    if layout == h5py.h5d.CONTIGUOUS and dataset.id.get_offset() is None:
        return np.ones(source.count, np.bool_)
    if layout != h5py.h5d.CHUNKED:
        return None
    grid = tuple(-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
    if dataset.id.get_num_chunks() == math.prod(grid) and dataset.shape == source.whole:
        return None
    rank = source.rank
    absent = read_table(dataset).offsets.reshape(grid) == ABSENT
    lost = absent.any(axis=tuple(range(rank, len(grid))))
    for axis, chunk in enumerate(dataset.chunks[:rank]):
        lost = lost.repeat(chunk, axis)
    # the dataset may have got longer or shorter since, and its last chunks go over its end
    flags = np.ones(source.whole[:rank], np.bool_)
    both = tuple(
        slice(0, min(a, b)) for a, b in zip(dataset.shape, source.whole[:rank], strict=False)
    )
    flags[both] = lost[both]
    return flags.reshape(-1)
