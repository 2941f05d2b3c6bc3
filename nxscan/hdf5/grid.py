"""How a signal of many sources is best cut: along the chunks that they are stored in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from nxscan.hdf5.openfiles import MOST_OPEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nxscan.hdf5.frames import Frames
    from nxscan.hdf5.virtual import Tile

_OPENING = 256 * 2**10
"""Bytes that are read in about the time that it takes to open a file."""


def chunks_of(
    sources: Sequence[Frames], tiles: Sequence[Tile], scan_shape: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return the lengths of a regular grid that follows the sources' chunks as far as it can.

    Parameters
    ----------
    sources : sequence of Frames
        Where the frames lie.
    tiles : sequence of Tile
        Which of them make up the signal.
    scan_shape : tuple of int
        Lengths of the scan's dimensions.

    Returns
    -------
    tuple of int or None
        For each dimension of the signal; None where a source has no chunks, unless each frame
        lies in a file of its own, of which more than a few are not open at a time.

    """
    found = {source.chunks for source in sources}
    if not tiles:
        return None
    if None in found:
        return _rows_of_files(sources, tiles, scan_shape) if found == {None} else None
    stored = sorted(one for one in found if one)[-1]
    inner = []
    for axis, length in enumerate(stored[1:]):
        corners = np.unique([tile.corner[axis] for tile in tiles])
        # between modules the grid can only follow the modules themselves
        pitch = length if len(corners) == 1 else int(np.diff(corners).min())
        inner.append(max(1, pitch))
    if not scan_shape:
        return tuple(inner)
    depth = stored[0] if len(found) == 1 and _is_deep(tiles, scan_shape, stored[0]) else 1
    return (*(1 for _ in scan_shape[1:]), max(1, min(depth, scan_shape[-1])), *inner)


def _rows_of_files(
    sources: Sequence[Frames], tiles: Sequence[Tile], scan_shape: tuple[int, ...]
) -> tuple[int, ...] | None:
    """Return as many rows as are worth opening a file for, where each frame has one of its own."""
    shape = tiles[0].shape
    if len(sources) <= MOST_OPEN or len(tiles) > 1 or not scan_shape or not shape:
        return None
    row = math.prod(shape[1:]) * sources[0].dtype.itemsize
    rows = max(1, min(shape[0], _OPENING // max(1, row)))
    return (*(1 for _ in scan_shape), rows, *shape[1:])


def _is_deep(tiles: Sequence[Tile], scan_shape: tuple[int, ...], depth: int) -> bool:
    """Tell whether frames that share a chunk lie side by side along the fastest dimension."""
    if depth <= 1:
        return False
    length = scan_shape[-1]
    cell = np.arange(length) // depth
    inside = cell[1:] == cell[:-1]
    for tile in tiles:
        rows = (tile.source.astype(np.int64) << 40) + tile.index // depth
        rows = rows.reshape(-1, length)
        if (np.diff(rows, axis=1)[:, inside] != 0).any():
            return False
    return True
