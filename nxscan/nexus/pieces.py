"""Blocks of frames as compressed chunks, made in worker threads in buffers that are used again.

Memory that is new costs the kernel more than reading into it: each worker has its own buffer
for frames and for a tile, and the buffers that hold compressed chunks go round.
"""

from __future__ import annotations

import itertools
import math
import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np
from isal import isal_zlib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from nxscan.model import Signal
    from nxscan.nexus.codec import Encoder

    Block = tuple[int | slice, ...]

_BAND = 2**20
"""Bytes of one frame that are read at a time, at least: less does not make up for the request."""


@dataclass(frozen=True)
class Piece:
    """One block of frames, compressed, or as it is where HDF5 has to compress it.

    Attributes
    ----------
    where : tuple
        Which frames, along the scan's dimensions.
    checksums : ndarray of uint32
        CRC-32 of each frame's little-endian bytes in C order.
    chunks : list
        Offset of each chunk in the dataset, and its compressed bytes.
    buffer : memoryview or None
        What the chunks lie in; to be given back.
    plain : ndarray or None
        The frames, where they are not compressed.

    """

    where: Block
    checksums: NDArray[np.uint32]
    chunks: list[tuple[tuple[int, ...], memoryview]]
    buffer: memoryview | None = None
    plain: NDArray[Any] | None = None

    @property
    def frames(self) -> int:
        """How many frames it holds."""
        return self.checksums.size


class PieceMaker:
    """Reads and compresses blocks of frames; may be asked from several threads.

    Parameters
    ----------
    signal : Signal
        The source.
    chunks : tuple of int or None
        Shape of the dataset's chunks.
    scan_rank : int
        How many of the leading dimensions are the scan's.
    encoders : callable or None
        Makes an encoder for each thread; None where HDF5 compresses by itself.

    """

    def __init__(
        self,
        signal: Signal,
        chunks: tuple[int, ...] | None,
        scan_rank: int,
        encoders: Callable[[], Encoder] | None,
    ) -> None:
        self._signal = signal
        self._chunks = chunks or ()
        self._rank = scan_rank
        self._frame = signal.shape[scan_rank:]
        self._tiles = math.prod(
            -(-n // step) for n, step in zip(self._frame, self._chunks[scan_rank:], strict=False)
        )
        self._encoders = encoders if chunks else None
        self._dtype = signal.dtype.newbyteorder("<")
        self._own = threading.local()
        self._free: SimpleQueue[memoryview] = SimpleQueue()

    def make(self, where: Block) -> Piece:
        """Read, checksum and compress the frames of one block."""
        lengths = tuple(i.stop - i.start for i in where if isinstance(i, slice))
        if self._encoders is not None:
            return self._encoded(where, lengths, self._encoder(self._encoders))
        frames = np.empty((*lengths, *self._frame), self._dtype)
        self._signal.read_into((*where, ...), frames)
        return Piece(where, _checksums(frames, np.zeros(lengths, np.uint32)), [], plain=frames)

    def give_back(self, piece: Piece) -> None:
        """Let the buffer of a piece that was written be used again."""
        if piece.buffer is not None:
            self._free.put(piece.buffer)

    def _encoded(self, where: Block, lengths: tuple[int, ...], encoder: Encoder) -> Piece:
        origin = tuple(item.start if isinstance(item, slice) else item for item in where)
        # what is left of the scan's dimensions, and the detector's
        leading = (1,) * (self._rank - len(lengths))
        checksums = np.zeros(lengths, np.uint32)
        buffer = self._buffer(encoder.bound * self._tiles)
        chunks, start = [], 0
        for band in self._bands():
            frames = self._read(where, lengths, band)
            checksums = _checksums(frames, checksums)
            for offset, tile in tiles(frames, self._chunks[self._rank :]):
                encoded = encoder.encode(tile.reshape(leading + tile.shape) if leading else tile)
                stop = start + len(encoded)
                buffer[start:stop] = encoded
                place = (band[0].start + offset[0], *offset[1:]) if band else offset
                chunks.append(((*origin, *place), buffer[start:stop]))
                start = stop
        return Piece(where, checksums, chunks, buffer)

    def _bands(self) -> list[tuple[slice, ...]]:
        """Return the rows that are read at a time, a few tiles high, where that is cheap.

        They are cut into tiles while they are still in the processor's cache.
        """
        if not self._signal.reads_rows or not self._frame:
            return [()]
        rows, step = self._frame[0], self._chunks[self._rank]
        tile_row = step * math.prod(self._frame[1:]) * self._dtype.itemsize
        step *= max(1, _BAND // max(1, tile_row))
        return [(slice(k, min(k + step, rows)),) for k in range(0, rows, step)]

    def _read(self, where: Block, lengths: tuple[int, ...], band: tuple[slice, ...]) -> Any:
        inner = (band[0].stop - band[0].start, *self._frame[1:]) if band else self._frame
        frames = self._scratch((*lengths, *inner))
        self._signal.read_into((*where, *band, ...), frames)
        return frames

    def _encoder(self, encoders: Callable[[], Encoder]) -> Encoder:
        held: Encoder | None = getattr(self._own, "encoder", None)
        if held is None:
            held = self._own.encoder = encoders()
        return held

    def _scratch(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Return this thread's buffer for frames; blocks at the end of a scan are shorter."""
        size = math.prod(shape)
        held = getattr(self._own, "frames", None)
        if held is None or held.size < size:
            held = self._own.frames = np.empty(size, self._dtype)
        return np.asarray(held[:size].reshape(shape))

    def _buffer(self, size: int) -> memoryview:
        try:
            buffer = self._free.get_nowait()
        except Empty:
            return np.empty(size, np.uint8).data
        return buffer if len(buffer) >= size else np.empty(size, np.uint8).data


def blocks(scan_shape: tuple[int, ...], depth: int) -> Iterator[Block]:
    """Yield blocks of frames, up to ``depth`` along the fastest dimension of a scan."""
    if not scan_shape:
        yield ()
        return
    for slow in itertools.product(*(range(n) for n in scan_shape[:-1])):
        for start in range(0, scan_shape[-1], depth):
            yield (*slow, slice(start, min(start + depth, scan_shape[-1])))


def tiles(
    frames: NDArray[Any], tile: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], NDArray[Any]]]:
    """Yield the tiles of frames along their last dimensions, with their offsets there."""
    lengths = frames.shape[frames.ndim - len(tile) :]
    steps = (range(0, length, step) for length, step in zip(lengths, tile, strict=True))
    for offset in itertools.product(*steps):
        window = tuple(slice(o, o + s) for o, s in zip(offset, tile, strict=True))
        yield offset, frames[np.index_exp[...] + window]


def checksum(frame: NDArray[Any], before: int = 0) -> int:
    """Return the CRC-32 of a frame's bytes in C order, or go on with that of the rows before."""
    return int(isal_zlib.crc32(np.ascontiguousarray(frame).reshape(-1).view(np.uint8), before))


def _checksums(frames: NDArray[Any], before: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the checksum of each frame of a block, or go on with those of the rows before."""
    # a block has one scan dimension left, or none where the scan is a single frame
    stack = frames.reshape((-1, *frames.shape[before.ndim :]))
    found = [checksum(frame, int(old)) for frame, old in zip(stack, before.flat, strict=True)]
    return np.array(found, np.uint32).reshape(before.shape)
