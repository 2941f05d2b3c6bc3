"""Frames from a signal into compressed chunks: reading, compressing and writing overlap."""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hdf5plugin
import numpy as np
from h5py._objects import phil
from isal import isal_zlib

from nxscan.errors import SourceError
from nxscan.nexus.chunks import chunk_shape
from nxscan.nexus.codec import Encoder, encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Signal

    Block = tuple[int | slice, ...]


@dataclass(frozen=True)
class Progress:
    """How far a translation is.

    Attributes
    ----------
    frames_done, frames_total : int
        Frames written, and all of them.
    bytes_done, bytes_total : int
        The same in uncompressed bytes.

    """

    frames_done: int
    frames_total: int
    bytes_done: int
    bytes_total: int


@dataclass(frozen=True)
class _Piece:
    """One block of frames, compressed, or as it is where HDF5 has to compress it."""

    where: Block
    frames: int
    checksums: NDArray[np.uint32]
    chunks: list[tuple[tuple[int, ...], bytes]]
    plain: NDArray[Any] | None


def create_frames(group: Any, name: str, signal: Signal, scan_rank: int) -> Any:
    """Create the dataset that frames go into, tiled and with bitshuffle-LZ4."""
    shape, dtype = signal.shape, signal.dtype.newbyteorder("<")
    chunks = chunk_shape(shape[:scan_rank], shape[scan_rank:], dtype.itemsize)
    if not shape or 0 in shape:
        return group.create_dataset(name, shape, dtype)
    return group.create_dataset(
        name, shape, dtype, chunks=chunks, fletcher32=True, **hdf5plugin.Bitshuffle(cname="lz4")
    )


def store_frames(
    dataset: Any,
    signal: Signal,
    scan_rank: int,
    report: Callable[[Progress], None] | None = None,
    workers: int | None = None,
) -> NDArray[np.uint32]:
    """Copy every frame of ``signal`` into ``dataset`` and return their checksums.

    Each worker thread reads a block of frames, takes the checksums, and compresses; this
    thread writes what they have finished. At most two blocks a worker are in memory.

    Parameters
    ----------
    dataset : h5py.Dataset
        As `create_frames` made it.
    signal : Signal
        The source; it may be read from several threads.
    scan_rank : int
        How many of the leading dimensions are the scan's.
    report : callable, optional
        Is told the progress after every block.
    workers : int, optional
        Threads; by default one a core, at most 8.

    Returns
    -------
    ndarray of uint32, in the scan's shape
        CRC-32 of each frame's little-endian bytes in C order.

    """
    scan_shape = signal.shape[:scan_rank]
    checksums = np.zeros(scan_shape, np.uint32)
    total = int(np.prod(scan_shape, dtype=np.int64))
    frame_bytes = signal.nbytes // max(total, 1)
    done = 0
    compress = encoder(dataset) if dataset.chunks else None
    depth = dataset.chunks[scan_rank - 1] if dataset.chunks and scan_rank else 1
    for piece in _pieces(signal, scan_rank, depth, dataset, compress, workers):
        _write(dataset, piece)
        checksums[piece.where] = piece.checksums
        done += piece.frames
        if report is not None:
            report(Progress(done, total, done * frame_bytes, total * frame_bytes))
    return checksums


def sample_ratio(dataset: Any, signal: Signal, scan_rank: int) -> float:
    """Estimate stored bytes per raw byte by compressing the first frames, writing nothing."""
    compress = encoder(dataset) if dataset.chunks else None
    if compress is None:
        return 1.0
    depth = dataset.chunks[scan_rank - 1] if scan_rank else 1
    block = next(_blocks(signal.shape[:scan_rank], depth))
    piece = _compress(signal, block, dataset.chunks, scan_rank, compress)
    stored = sum(len(data) for _, data in piece.chunks)
    raw = piece.frames * max(1, signal.nbytes // max(1, int(np.prod(signal.shape[:scan_rank]))))
    return stored / raw


def _pieces(
    signal: Signal,
    scan_rank: int,
    depth: int,
    dataset: Any,
    compress: Encoder | None,
    workers: int | None,
) -> Iterator[_Piece]:
    count = workers or min(os.cpu_count() or 1, 8)
    chunks = dataset.chunks
    with ThreadPoolExecutor(count, thread_name_prefix="nxscan-frames") as pool:
        pending: deque[Future[_Piece]] = deque()
        try:
            for block in _blocks(signal.shape[:scan_rank], depth):
                pending.append(pool.submit(_compress, signal, block, chunks, scan_rank, compress))
                if len(pending) >= 2 * count:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _blocks(scan_shape: tuple[int, ...], depth: int) -> Iterator[Block]:
    if not scan_shape:
        yield ()
        return
    for slow in itertools.product(*(range(n) for n in scan_shape[:-1])):
        for start in range(0, scan_shape[-1], depth):
            yield (*slow, slice(start, min(start + depth, scan_shape[-1])))


def _compress(
    signal: Signal,
    where: Block,
    chunks: tuple[int, ...] | None,
    scan_rank: int,
    compress: Encoder | None,
) -> _Piece:
    frames = _read(signal, where)
    # a block has one scan dimension left, or none where the scan is a single frame
    stack = frames.reshape((-1, *signal.shape[scan_rank:]))
    checksums = np.array([_checksum(frame) for frame in stack], np.uint32)
    checksums = checksums.reshape(frames.shape[: frames.ndim - (signal.ndim - scan_rank)])
    if compress is None or chunks is None:
        return _Piece(where, len(stack), checksums, [], frames)
    origin = tuple(item.start if isinstance(item, slice) else item for item in where)
    inner = chunks[max(scan_rank - 1, 0) :]
    encoded = [
        ((*origin, *offset), compress.encode(tile.reshape(tile.shape), inner))
        for offset, tile in _tiles(frames, chunks[scan_rank:])
    ]
    return _Piece(where, len(stack), checksums, encoded, None)


def _read(signal: Signal, where: Block) -> NDArray[Any]:
    frames = signal.read((*where, ...))
    expected = tuple(i.stop - i.start for i in where if isinstance(i, slice))
    expected += signal.shape[len(where) :]
    if frames.shape != expected:
        raise SourceError(f"frames {where} have shape {frames.shape}, expected {expected}")
    return np.asarray(frames, dtype=signal.dtype.newbyteorder("<"))


def _tiles(
    frames: NDArray[Any], tile: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], NDArray[Any]]]:
    lengths = frames.shape[frames.ndim - len(tile) :]
    steps = (range(0, length, step) for length, step in zip(lengths, tile, strict=True))
    for offset in itertools.product(*steps):
        window = tuple(slice(o, o + s) for o, s in zip(offset, tile, strict=True))
        yield offset, frames[np.index_exp[...] + window]


def _checksum(frame: NDArray[Any]) -> int:
    return int(isal_zlib.crc32(np.ascontiguousarray(frame).reshape(-1).view(np.uint8)))


def _write(dataset: Any, piece: _Piece) -> None:
    if piece.plain is not None:
        dataset[piece.where] = piece.plain
        return
    # h5py 3.11 calls this one without its own lock: two writers in one process would collide
    with phil:
        for offset, data in piece.chunks:
            dataset.id.write_direct_chunk(offset, data)
