"""Frames from a signal into compressed chunks: reading, compressing and writing overlap."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import hdf5plugin
import numpy as np
from h5py._objects import phil

from nxscan.nexus.chunks import chunk_shape
from nxscan.nexus.codec import Encoder, encoders
from nxscan.nexus.pieces import Piece, PieceMaker, blocks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Signal
    from nxscan.nexus.moved import MovedPieces
    from nxscan.nexus.pieces import Block


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
    moved: MovedPieces | None = None,
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
    moved : MovedPieces, optional
        What gives the chunks of the source as they are, in place of compressing them.

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
    maker = moved or PieceMaker(signal, dataset.chunks, scan_rank, _encoders(dataset))
    depth = dataset.chunks[scan_rank - 1] if dataset.chunks and scan_rank else 1
    for piece in _pieces(maker, blocks(scan_shape, depth), workers):
        _write(dataset, piece)
        checksums[piece.where] = piece.checksums
        maker.give_back(piece)
        done += piece.frames
        if report is not None:
            report(Progress(done, total, done * frame_bytes, total * frame_bytes))
    return checksums


def sample_ratio(dataset: Any, signal: Signal, scan_rank: int) -> float:
    """Estimate stored bytes per raw byte by compressing the first frames, writing nothing."""
    compress = _encoders(dataset)
    if compress is None:
        return 1.0
    depth = dataset.chunks[scan_rank - 1] if scan_rank else 1
    maker = PieceMaker(signal, dataset.chunks, scan_rank, compress)
    piece = maker.make(next(blocks(signal.shape[:scan_rank], depth)))
    stored = sum(len(data) for _, data in piece.chunks)
    raw = piece.frames * max(1, signal.nbytes // max(1, int(np.prod(signal.shape[:scan_rank]))))
    return stored / raw


def _encoders(dataset: Any) -> Callable[[], Encoder] | None:
    return encoders(dataset) if dataset.chunks else None


def _pieces(
    maker: PieceMaker | MovedPieces, todo: Iterable[Block], workers: int | None
) -> Iterator[Piece]:
    count = workers or min(os.cpu_count() or 1, 8)
    with ThreadPoolExecutor(count, thread_name_prefix="nxscan-frames") as pool:
        pending: deque[Future[Piece]] = deque()
        try:
            for block in todo:
                pending.append(pool.submit(maker.make, block))
                if len(pending) >= 2 * count:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _write(dataset: Any, piece: Piece) -> None:
    if piece.plain is not None:
        dataset[piece.where] = piece.plain
        return
    # h5py 3.11 calls this one without its own lock: two writers in one process would collide
    with phil:
        for offset, data in piece.chunks:
            dataset.id.write_direct_chunk(offset, data)
