"""The chunk shape that serves both frame-wise and pixel-wise reading."""

from __future__ import annotations

import math

CHUNK_BYTES = 512 * 1024
_STACK_BYTES = 256 * 10**6
_LARGEST_TILE = 512
_SMALLEST_TILE = 64
_BLOCK_BYTES = 64 * 2**20


def chunk_shape(
    scan_shape: tuple[int, ...], frame_shape: tuple[int, ...], itemsize: int
) -> tuple[int, ...]:
    """Return the chunk shape for a stack of frames.

    Tiles are square, at most 512 × 512 pixels, and halved while one tile of all frames
    exceeds 256 MB, so that an analysis by pixel can hold it; chunks become deeper along the
    fastest scan dimension until they have about 0.5 MB, while the frames that are compressed
    together stay under 64 MiB.

    Parameters
    ----------
    scan_shape, frame_shape : tuple of int
        Lengths of the scan's and the detector's dimensions, slow to fast.
    itemsize : int
        Bytes of one value.

    Examples
    --------
    >>> chunk_shape((41,), (2048, 2048), 2)
    (1, 512, 512)
    >>> chunk_shape((4000,), (2048, 2048), 2)
    (8, 128, 128)
    >>> chunk_shape((5, 31), (128, 128), 2)
    (1, 16, 128, 128)

    """
    tile = _tile(frame_shape, itemsize)
    frames = math.prod(scan_shape)
    while (
        frames * math.prod(tile) * itemsize > _STACK_BYTES and max(tile, default=0) > _SMALLEST_TILE
    ):
        tile = tuple(min(n, max(_SMALLEST_TILE, max(tile) // 2)) for n in tile)
    if not scan_shape:
        return tile
    frame_bytes = max(1, math.prod(frame_shape) * itemsize)
    depth = min(CHUNK_BYTES // (math.prod(tile) * itemsize), _BLOCK_BYTES // frame_bytes)
    depth = max(1, min(depth, scan_shape[-1]))
    return (1,) * (len(scan_shape) - 1) + (depth, *tile)


def _tile(frame_shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    if len(frame_shape) < 2:
        return tuple(min(n, CHUNK_BYTES // itemsize) for n in frame_shape)
    edge = _LARGEST_TILE
    while edge * edge * itemsize > CHUNK_BYTES:
        edge //= 2
    leading = (1,) * (len(frame_shape) - 2)
    return leading + tuple(min(n, edge) for n in frame_shape[-2:])
