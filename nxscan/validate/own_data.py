"""Every frame again: is each byte what it was when it was translated."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import NxscanError
from nxscan.hdf5.damage import named_frames
from nxscan.validate.contract import Skip, Target
from nxscan.validate.finding import Finding
from nxscan.validate.original import original
from nxscan.validate.own_layout import frames_of, number, require_own
from nxscan.validate.tree import join, member, nx_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Block = tuple[slice, ...]

_RULE = "frame checksum"
_HINT = "the stored bytes have changed: restore the file from a copy, or translate again"
_MOST_NAMED = 20


def frame_checksums(target: Target) -> Iterator[Finding]:
    """Check that every frame reads, and has the CRC-32 that was taken when it was written."""
    require_own(target)
    if not target.data:
        raise Skip("frames are read only when asked for", "nxscan validate --data")
    for entry in target.own_entries:
        yield from _entry(entry)
        yield from _others(entry)


def _others(entry: h5py.Group) -> Iterator[Finding]:
    """Read the frames that have no checksum of ours: HDF5 has one of each of their chunks."""
    main = frames_of(entry)
    rank = number(entry, "scan_rank") or 0
    for path, depth in _other_paths(entry, rank):
        frames = member(entry, path)
        if not isinstance(frames, h5py.Dataset) or (main is not None and frames.id == main.id):
            continue
        yield from _readable(frames, depth)


def _readable(frames: Any, rank: int) -> Iterator[Finding]:
    """Read frames that have no checksum of ours: foreign ones, and those beside the main ones."""
    problems = _unreadable_frames(frames, rank) if frames is not None else iter(())
    for block, error in itertools.islice(problems, _MOST_NAMED):
        yield Finding("error", frames.name, _RULE, _unreadable(block, error), _HINT)


def _other_paths(entry: h5py.Group, rank: int) -> Iterator[tuple[str, int]]:
    """Yield where frames may be, and how many of their dimensions count them."""
    instrument = member(entry, "instrument")
    for name in instrument if isinstance(instrument, h5py.Group) else ():
        detector = member(instrument, name)
        if isinstance(detector, h5py.Group) and nx_class(detector) == "NXdetector":
            yield f"instrument/{name}/data", rank
    yield from (("dark/data", 1), ("flat/data", 1))


def _unreadable_frames(frames: h5py.Dataset, rank: int) -> Iterator[tuple[Block, Exception]]:
    try:
        frames = original(frames, rank)
    except NxscanError:
        return  # said by the check of sources
    for block in _blocks(frames.shape[:rank], frames.chunks):
        try:
            for band in _bands(
                frames.shape[rank:], frames.chunks[rank:] if frames.chunks else None
            ):
                frames[(*block, *band)]
        except (OSError, NxscanError) as error:
            yield block, error


def _entry(entry: h5py.Group) -> Iterator[Finding]:
    recorded = member(entry, "translation/parameters/frame_checksum")
    frames = frames_of(entry)
    if not isinstance(recorded, h5py.Dataset) and member(entry, "translation/linked") is not None:
        yield from _readable(frames, number(entry, "scan_rank") or 0)
        return
    if not isinstance(recorded, h5py.Dataset):
        path = join(entry.name, "translation/parameters/frame_checksum")
        yield Finding("error", path, _RULE, "is missing", "translate the scan again")
        return
    if frames is None:
        return  # said by the check of the layout
    expected = recorded[()]
    if frames.shape[: recorded.ndim] != recorded.shape:
        message = f"there are {recorded.shape} checksums for frames of shape {frames.shape}"
        yield Finding("error", recorded.name, _RULE, message, "translate the scan again")
        return
    found = 0
    for problem in _differences(frames, np.asarray(expected)):
        found += 1
        if found <= _MOST_NAMED:
            yield Finding("error", frames.name, _RULE, problem, _HINT)
    if found > _MOST_NAMED:
        message = f"{found - _MOST_NAMED} more frames differ or cannot be read"
        yield Finding("error", frames.name, _RULE, message, _HINT)


def _differences(frames: h5py.Dataset, expected: NDArray[Any]) -> Iterator[str]:
    import hdf5plugin  # noqa: F401  (registers the filters that frames are compressed with)

    for block in _blocks(expected.shape, frames.chunks):
        wanted = expected[block]
        try:
            found = _checksums(frames, block, wanted.shape)
        except OSError as error:
            yield _unreadable(block, error)
            continue
        for index in np.argwhere(found != wanted):
            place = tuple(int(i) + part.start for i, part in zip(index, block, strict=True))
            was, now = int(wanted[tuple(index)]), int(found[tuple(index)])
            frame = named_frames([(place, place)])
            yield f"{frame} has CRC-32 {now:08x}, but {was:08x} was recorded"


def _unreadable(block: Block, error: Exception) -> str:
    first, last = (tuple(p.start for p in block), tuple(p.stop - 1 for p in block))
    return f"{named_frames([(first, last)]) or 'the frame'} cannot be read: {error}"


def _blocks(scan_shape: tuple[int, ...], chunks: tuple[int, ...] | None) -> Iterator[Block]:
    """Cut the scan along the edges of chunks, so that each chunk is decompressed once."""
    depths = chunks[: len(scan_shape)] if chunks else (1,) * len(scan_shape)
    ranges = (range(0, n, depth) for n, depth in zip(scan_shape, depths, strict=True))
    for origin in itertools.product(*ranges):
        yield tuple(
            slice(start, min(start + depth, n))
            for start, depth, n in zip(origin, depths, scan_shape, strict=True)
        )


def _checksums(frames: h5py.Dataset, block: Block, shape: tuple[int, ...]) -> NDArray[np.uint32]:
    """Take the CRC-32 of each frame of a block, band by band of detector rows."""
    from isal import isal_zlib

    rank = len(block)
    little = frames.dtype.newbyteorder("<")
    sums = np.zeros(shape, np.uint32)
    for band in _bands(frames.shape[rank:], frames.chunks[rank:] if frames.chunks else None):
        part = np.ascontiguousarray(frames[(*block, *band)], dtype=little)
        for index in np.ndindex(shape):
            piece = np.ascontiguousarray(part[index])
            sums[index] = isal_zlib.crc32(piece.data, int(sums[index]))
    return sums


def _bands(
    frame_shape: tuple[int, ...], chunks: tuple[int, ...] | None
) -> Iterator[tuple[slice, ...]]:
    if not frame_shape:
        yield ()
        return
    rows = chunks[0] if chunks else frame_shape[0]
    for start in range(0, frame_shape[0], rows):
        yield (slice(start, min(start + rows, frame_shape[0])),)
