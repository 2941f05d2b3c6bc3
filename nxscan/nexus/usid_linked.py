"""The USID face of linked frames: a Main dataset straight over where they lie."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.nexus.mapped import create_virtual, simple
from nxscan.nexus.usid import row_blocks

if TYPE_CHECKING:
    from nxscan.hdf5.virtual import Tile
    from nxscan.nexus.mapped import Mapped
    from nxscan.nexus.runs import Pair

_MOST_MAPPINGS = 4_000
_MOST_BLOCKS = 2_048


def create_main(channel: Any, name: str, home: str, mapped: Mapped) -> h5py.Dataset:
    """Create the Main dataset, positions × pixels, of frames that were mapped.

    Plain bytes have external storage of their own in that shape, which HDF5 reads as fast as
    the frames. Datasets are mapped by as few rows of the detector as keeps the mappings few: it
    reads small mappings fast, and takes 12 kB for each.

    Parameters
    ----------
    channel : h5py.Group
        USID's channel.
    name : str
        What the dataset is called.
    home : str
        Group for datasets that it is put together from, where it takes some.
    mapped : Mapped
        The frames.

    """
    shape = _flat(mapped)
    if mapped.is_one_block:
        return mapped.blocks[0].create(channel, name, shape)
    if len(mapped.blocks) == len(mapped.stored) and mapped.is_whole:
        return _over_blocks(channel, name, home, mapped)
    target, properties = simple(shape), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if mapped.signal.gap is not None:
        properties.set_fill_value(np.array(mapped.signal.gap, mapped.signal.dtype))
    found = [(tile, mapped.pairs(tile)) for tile in mapped.tiles]
    most = _MOST_MAPPINGS // max(1, sum(len(pairs) for _, pairs in found))
    for tile, pairs in found:
        _map_tile(target, properties, mapped, tile, pairs, min(max(1, most), _MOST_BLOCKS))
    return create_virtual(channel, name, target, properties, mapped.signal.dtype)


def _flat(mapped: Mapped) -> tuple[int, int]:
    return math.prod(mapped.signal.scan_shape), math.prod(mapped.signal.frame_shape)


def _over_blocks(channel: Any, name: str, home: str, mapped: Mapped) -> h5py.Dataset:
    """Map external datasets of the same bytes, one row a frame."""
    shape = _flat(mapped)
    target, properties = simple(shape), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    group = channel.file.require_group(home)
    for k, block in enumerate(mapped.blocks):
        extent = (block.count, shape[1])
        flat = block.create(group, f"flat_{k:03d}", extent)
        target.select_hyperslab((block.position, 0), extent)
        properties.set_virtual(target, b".", flat.name.encode(), simple(extent))
    return create_virtual(channel, name, target, properties, mapped.signal.dtype)


def _map_tile(
    target: Any, properties: Any, mapped: Mapped, tile: Tile, pairs: list[Pair], most: int
) -> None:
    """Map a tile by blocks of its rows, which are that many pieces of a row of the target."""
    scan_shape, frame = mapped.signal.scan_shape, mapped.signal.frame_shape
    wide = tile.shape[-1:] == frame[-1:]
    width, step = math.prod(tile.shape[-1:]), math.prod(frame[-1:])
    spaces = [simple(stored.whole) for stored in mapped.stored]
    blocks = row_blocks(tile.shape[:-1], most)
    for pair in pairs:
        position = int(np.ravel_multi_index(pair.start, scan_shape)) if scan_shape else 0
        count = math.prod(pair.extent)
        space = spaces[pair.source]
        for row, rows in blocks:
            corner = tuple(map(sum, zip((*row, 0), tile.corner, strict=True))) if frame else ()
            column = int(np.ravel_multi_index(corner, frame)) if frame else 0
            pieces = math.prod(rows)
            if wide:
                target.select_hyperslab((position, column), (count, pieces * width))
            else:
                target.select_hyperslab((position, column), (1, pieces), (1, step), (count, width))
            if mapped.stored[pair.source].whole:
                inside = (*row, 0) if frame else ()
                extent = (*rows, width) if frame else ()
                first = (*pair.from_start, *inside)
                space.select_hyperslab(first, (*pair.from_extent, *extent))
            properties.set_virtual(target, *mapped.stored[pair.source].names, space)
