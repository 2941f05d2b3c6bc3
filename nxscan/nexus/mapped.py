"""Frames of other files as a dataset of a master, without a byte of them copied.

nexusformat takes the number of mappings of a virtual dataset for its length, and compares it
with that of the axis. So the dataset of a detector has one mapping for each index of its slowest
dimension: of the sources themselves where that is what they are, else of a dataset beside it,
in a group at the root, which has as few mappings as can be.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError
from nxscan.hdf5.datasets import DatasetFrames, spread
from nxscan.hdf5.frames import StoredFrames
from nxscan.hdf5.virtual import NOWHERE, Tile, VirtualSignal
from nxscan.nexus.linktable import real_paths, relative
from nxscan.nexus.rawblocks import Block, is_raw, raw_blocks
from nxscan.nexus.runs import Pair, pairs, runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nxscan.hdf5.frames import Frames

    Shape = tuple[int, ...]

MOST_MAPPINGS = 10_000
"""Mappings of one dataset: they take 0.6 s and 250 MB to write, as much again ten times that."""

_FEWER = 4
"""How many times fewer mappings make it worthwhile to have them beside, for who reads them."""


@dataclass(frozen=True)
class Stored:
    """A dataset that holds frames, as a mapping names it.

    Attributes
    ----------
    file : str
        The file, relative to the master; ``"."`` is the master itself.
    dataset : str
        Where it is in the file.
    whole : tuple of int
        Its shape.
    rank : int
        How many of its dimensions count frames.

    """

    file: str
    dataset: str
    whole: Shape
    rank: int

    @cached_property
    def names(self) -> tuple[bytes, bytes]:
        """Return its names as HDF5 wants them: ``%`` begins a pattern."""
        return os.fsencode(self.file.replace("%", "%%")), self.dataset.replace("%", "%%").encode()

    @property
    def counted(self) -> Shape:
        """Lengths of the dimensions that count frames."""
        return self.whole[: self.rank]


@dataclass(frozen=True)
class Mapped:
    """A signal as datasets hold it, ready to be mapped.

    Attributes
    ----------
    signal : VirtualSignal
        The signal.
    stored : list of Stored
        The datasets that hold its frames.
    tiles : list of Tile
        Which of them holds what; source numbers count ``stored``.
    blocks : list of Block
        Those of them that are external storage; the whole signal, where it is the only one.

    """

    signal: VirtualSignal
    stored: list[Stored]
    tiles: list[Tile]
    blocks: list[Block]

    @property
    def is_whole(self) -> bool:
        """Whether one tile covers every frame."""
        return len(self.tiles) == 1 and self.tiles[0].shape == self.signal.frame_shape

    @property
    def is_plain(self) -> bool:
        """Whether one tile covers every frame, and none is missing."""
        return self.is_whole and not (self.tiles[0].source == NOWHERE).any()

    @property
    def is_one_block(self) -> bool:
        """Whether one external dataset holds the whole signal."""
        return len(self.blocks) == len(self.stored) == 1 and self.is_plain

    def pairs(self, tile: Tile, every: int | None = None) -> list[Pair]:
        """Return the boxes of a tile's frames in the scan and where they lie."""
        counted = [stored.counted for stored in self.stored]
        shape = self.signal.scan_shape
        return [pair for run in runs(tile, every) for pair in pairs(run, shape, counted)]


def map_frames(file: Any, home: str, signal: VirtualSignal, folder: Path) -> Mapped:
    """Make datasets of what is external, and say how the whole signal is put together.

    Parameters
    ----------
    file : h5py.File
        The master.
    home : str
        Group for the datasets that are made.
    signal : VirtualSignal
        The signal.
    folder : Path
        The folder of the master.

    """
    signal = _spread(signal)
    inner = math.prod(signal.scan_shape[1:])
    real = real_paths(source.path for source in signal.sources)
    home_folder = os.path.realpath(folder)
    names = [relative(one, home_folder) for one in real]
    stored: list[Stored] = []
    tiles: list[Tile] = []
    blocks: list[Block] = []
    numbers: dict[int, int] = {}
    for tile in signal.tiles:
        if not is_raw(signal.sources, tile):
            tiles.append(_of_datasets(signal.sources, names, tile, stored, numbers))
            continue
        made = list(raw_blocks(signal.sources, real, tile, inner))
        tiles.append(_of_blocks(tile, made, home, stored))
        blocks += made
    found = Mapped(signal, stored, tiles, blocks)
    if not found.is_one_block:
        _create_blocks(file, found)
    return found


def _spread(signal: VirtualSignal) -> VirtualSignal:
    """Return a signal whose sources are single datasets, as mappings name them."""
    if not any(isinstance(source, DatasetFrames) for source in signal.sources):
        return signal
    sources, starts = spread(signal.sources)
    several = np.array([isinstance(source, DatasetFrames) for source in signal.sources])
    tiles = []
    for tile in signal.tiles:
        apart = several[tile.source] & (tile.source != NOWHERE)
        number = starts[tile.source] + np.where(apart, tile.index, 0)
        source = np.where(tile.source == NOWHERE, NOWHERE, number).astype(np.int32)
        tiles.append(replace(tile, source=source, index=np.where(apart, 0, tile.index)))
    said = signal.units, signal.long_name, signal.gap, signal.dtype
    return VirtualSignal(sources, tiles, signal.scan_shape, signal.frame_shape, *said)


def _of_datasets(
    sources: Sequence[Frames],
    names: Sequence[str],
    tile: Tile,
    stored: list[Stored],
    numbers: dict[int, int],
) -> Tile:
    new = np.full(len(sources) + 1, NOWHERE, tile.source.dtype)
    for number in np.unique(tile.source).tolist():
        if number == NOWHERE:
            continue
        if number not in numbers:
            numbers[number] = len(stored)
            stored.append(_stored(sources[number], names[number]))
        new[number] = numbers[number]
    return replace(tile, source=new[tile.source])


def _stored(source: Frames, name: str) -> Stored:
    if not isinstance(source, StoredFrames):
        raise LayoutError(
            f"{source.path}: its frames cannot be linked to beside those of HDF5 files",
            "translate it with --copy",
        )
    return Stored(name, source.dataset, source.whole, source.rank)


def _of_blocks(tile: Tile, blocks: list[Block], home: str, stored: list[Stored]) -> Tile:
    source = np.full_like(tile.source, NOWHERE)
    index = np.zeros_like(tile.index)
    for block in blocks:
        part = slice(block.position, block.position + block.count)
        source[part] = len(stored)
        index[part] = np.arange(block.count)
        name = f"/{home}/block_{len(stored):03d}"
        stored.append(Stored(".", name, (block.count, *block.frame), 1))
    return replace(tile, source=source, index=index)


def _create_blocks(file: Any, mapped: Mapped) -> None:
    own = [stored for stored in mapped.stored if stored.file == "."]
    for block, stored in zip(mapped.blocks, own, strict=True):
        group, name = stored.dataset.rsplit("/", 1)
        block.create(file.require_group(group), name, stored.whole)


def create_mapped(file: Any, place: str, home: str, mapped: Mapped) -> Any:
    """Create the dataset of a signal; see the module.

    Parameters
    ----------
    file : h5py.File
        The master.
    place : str
        Where the dataset goes; its group is there.
    home : str
        Group for a dataset that it is put together from, where it takes one.
    mapped : Mapped
        What `map_frames` returned.

    """
    parent, name = place.rsplit("/", 1)
    shape = mapped.signal.shape
    if mapped.is_one_block:
        return mapped.blocks[0].create(file[parent], name, shape)
    whole = [mapped.pairs(tile) for tile in mapped.tiles]
    length = shape[0] if shape else 1
    sliced = _one_each(mapped) if sum(map(len, whole)) > length // _FEWER else None
    if sliced is not None and length <= MOST_MAPPINGS:
        return _create(file[parent], name, mapped, [sliced])
    if length > MOST_MAPPINGS or not shape:
        return _create(file[parent], name, mapped, whole)
    beside = _create(file.require_group(home), "frames", mapped, whole)
    return create_slices(file[parent], name, beside)


def _one_each(mapped: Mapped) -> list[Pair] | None:
    """Return one box for each index of the slowest scan dimension; None where it takes more."""
    shape = mapped.signal.scan_shape
    if not shape or not mapped.is_plain:
        return None
    found = mapped.pairs(mapped.tiles[0], math.prod(shape[1:]))
    return found if len(found) == shape[0] else None


def _create(group: Any, name: str, mapped: Mapped, tiles: list[list[Pair]]) -> Any:
    signal = mapped.signal
    target = simple(signal.shape)
    spaces = [simple(stored.whole) for stored in mapped.stored]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if signal.gap is not None:
        properties.set_fill_value(np.array(signal.gap, signal.dtype))
    for tile, found in zip(mapped.tiles, tiles, strict=True):
        inside = (0,) * len(tile.shape)
        for pair in found:
            space = spaces[pair.source]
            if signal.shape:
                start, extent = (*pair.start, *tile.corner), (*pair.extent, *tile.shape)
                target.select_hyperslab(start, extent)
            if mapped.stored[pair.source].whole:
                start, extent = (*pair.from_start, *inside), (*pair.from_extent, *tile.shape)
                space.select_hyperslab(start, extent)
            properties.set_virtual(target, *mapped.stored[pair.source].names, space)
    return create_virtual(group, name, target, properties, signal.dtype)


def create_slices(group: Any, name: str, dataset: Any) -> Any:
    """Map a dataset of the same file, one mapping for each index of its slowest dimension."""
    shape = dataset.shape
    target, source = simple(shape), simple(shape)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    place = dataset.name.replace("%", "%%").encode()
    for k in range(shape[0]):
        first, extent = (k, *(0 for _ in shape[1:])), (1, *shape[1:])
        target.select_hyperslab(first, extent)
        source.select_hyperslab(first, extent)
        properties.set_virtual(target, b".", place, source)
    return create_virtual(group, name, target, properties, dataset.dtype)


def simple(shape: Shape) -> Any:
    """Return HDF5's space of an array."""
    return h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)


def create_virtual(
    group: Any, name: str, space: Any, properties: Any, dtype: np.dtype[Any]
) -> h5py.Dataset:
    """Create a virtual dataset of little-endian values whose mappings are set."""
    if space.get_simple_extent_ndims():
        space.select_all()
    kind = h5py.h5t.py_create(dtype.newbyteorder("<"), logical=True)
    return h5py.Dataset(h5py.h5d.create(group.id, name.encode(), kind, space, properties))
