"""Reads frames that lie as plain bytes in a file: of each only what is wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.hdf5.chunktable import steps
from nxscan.hdf5.decode import Buffers
from nxscan.hdf5.openfiles import files
from nxscan.hdf5.rawio import read_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.frames import RawFrames
    from nxscan.hdf5.rawio import RawFile

    Region = tuple[slice, ...]

_LARGE = 64 * 2**10
"""Bytes that are read by a call of their own; what is smaller is read with its neighbours."""
_GAP = 16 * 2**10
"""Bytes between frames that are read along with them."""
_SPAN = 4 * 2**20
_buffers = Buffers()


def read_raw(frames: RawFrames, first: int, out: NDArray[Any], region: Region) -> None:
    """Fill ``out`` with a part of consecutive frames.

    Parameters
    ----------
    frames : RawFrames
        Where they lie.
    first : int
        The first frame.
    out : ndarray, shape (frames, *lengths of region)
        Takes the values.
    region : tuple of slice
        Which part of each frame, without steps.

    Raises
    ------
    SourceError
        If the file has gone, or ends before; it names file and frame.

    """
    if not out.size:
        return
    part = _part(frames.frame, frames.stored, *((box.start, box.stop) for box in region))
    direct = part.is_row and out.flags.c_contiguous and out.dtype == part.native
    try:
        if direct and len(out) == 1:
            _read_one(frames, int(frames.offsets[first]) + part.start, out)
        else:
            file = files.get(frames.path)
            offsets = frames.offsets[first : first + len(out)] + part.start
            with file.opened() as descriptor:
                _read(file, descriptor, part, offsets, out, direct=direct)
    except OSError as error:
        raise _refused(frames, first, len(out), error) from error
    if direct and not part.stored.isnative:
        out.byteswap(inplace=True)


@dataclass(frozen=True, eq=False)
class _Part:
    """What is wanted of each frame, as bytes.

    Attributes
    ----------
    stored, native : dtype
        Type of the values, in the file and in memory.
    start, span : int
        Where it begins in a frame, and how far it goes.
    steps : tuple of int
        Bytes from one index to the next.
    is_row : bool
        Whether all of the span is wanted.

    """

    stored: np.dtype[Any]
    native: np.dtype[Any]
    start: int
    span: int
    steps: tuple[int, ...]
    is_row: bool


@lru_cache(maxsize=64)
def _part(frame: tuple[int, ...], stored: np.dtype[Any], *region: tuple[int, int]) -> _Part:
    size = stored.itemsize
    distances = steps(frame, size).tolist()
    lengths = [stop - start for start, stop in region]
    start = sum(begin * step for (begin, _), step in zip(region, distances, strict=True))
    span = size + sum((n - 1) * step for n, step in zip(lengths, distances, strict=True))
    is_row = span == math.prod(lengths) * size
    return _Part(stored, stored.newbyteorder("="), start, span, tuple(distances), is_row)


def _read_one(frames: RawFrames, place: int, out: NDArray[Any]) -> None:
    """Read one frame to where it goes."""
    view = out.reshape(-1).view(np.uint8).data
    if frames.count > 1:
        file = files.get(frames.path)
        with file.opened() as descriptor:
            file.read_into(descriptor, view, place)
        return
    # one of thousands of files, none of which is read again soon
    read_once(frames.path, view, place)


def _read(
    file: RawFile,
    descriptor: int,
    part: _Part,
    offsets: NDArray[np.int64],
    out: NDArray[Any],
    *,
    direct: bool,
) -> None:
    """Read frames, into ``out`` itself where nothing lies between them."""
    for start, stop in _groups(offsets, part.span, direct=direct):
        target = out[start:stop]
        size = int(offsets[stop - 1] - offsets[start]) + part.span
        place = int(offsets[start])
        if direct and size == target.nbytes:
            file.read_into(descriptor, target.reshape(-1).view(np.uint8).data, place)
            continue
        span = _buffers.take("raw", size)
        file.read_into(descriptor, span.data, place)
        step = int(offsets[start + 1] - offsets[start]) if stop - start > 1 else 0
        kind = part.native if direct else part.stored
        target[...] = np.ndarray(target.shape, kind, span.data, 0, (step, *part.steps))


def _groups(offsets: NDArray[np.int64], span: int, *, direct: bool) -> list[tuple[int, int]]:
    """Return which frames are read by one call: small ones at equal distances, close together."""
    count = len(offsets)
    if count == 1:
        return [(0, 1)]
    step = np.diff(offsets)
    together = step == span if direct and span >= _LARGE else (step >= span) & (step <= span + _GAP)
    most = count if direct and span >= _LARGE else max(1, _SPAN // (span + _GAP))
    together[1:] &= step[1:] == step[:-1]
    groups, start = [], 0
    for cut in [*(np.flatnonzero(~together) + 1).tolist(), count]:
        groups += [(k, min(k + most, cut)) for k in range(start, cut, most)]
        start = cut
    return groups


def _refused(frames: RawFrames, first: int, count: int, error: OSError) -> SourceError:
    try:
        size = frames.path.stat().st_size
    except OSError:
        return SourceError(
            f"{frames.path}: frame {first} cannot be read, the file is not there",
            "put it back where it was",
        )
    stops = frames.offsets[first : first + count] + frames.nbytes
    beyond = np.flatnonzero(stops > size)
    if not len(beyond):
        return SourceError(
            f"{frames.path}: frame {first} cannot be read: {error.strerror or error}",
            "is the file readable?",
        )
    frame = first + int(beyond[0])
    place = int(frames.offsets[frame])
    return SourceError(
        f"{frames.path}: frame {frame} is cut: expected {frames.nbytes} bytes from byte {place} "
        f"on, found {max(0, size - place)}",
        "restore the file; of a scan that is not finished, take the frames before",
    )
