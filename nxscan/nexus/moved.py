"""Compressed chunks of other files, moved into a dataset as they are.

Nothing is compressed again where the chunks of linked frames are fit for a dataset of nxscan's:
each holds a part of one frame, of at most 4 MiB (larger ones are cut into tiles instead, which
pixels are read from fast), compressed by bitshuffle-LZ4 or gzip. Where the source has no
checksum of its chunks, each gets HDF5's Fletcher-32 appended, as what nxscan compresses itself:
LZ4 decodes damaged bytes without a word. The frames are decoded once for their checksums, which
also shows that they can be.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.hdf5.chunktable import ChunkTable, read_table
from nxscan.hdf5.frames import StoredFrames
from nxscan.hdf5.openfiles import PooledFile
from nxscan.hdf5.opening import open_reading
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.nexus.codec import BITSHUFFLE, FLETCHER32, fletcher32
from nxscan.nexus.pieces import Piece, checksum

if TYPE_CHECKING:
    from nxscan.model import Signal
    from nxscan.nexus.pieces import Block

    Filter = tuple[int, tuple[int, ...]]

_LARGEST = 4 * 2**20
_SMALLEST = 2**15
_GZIP, _SHUFFLE = 1, 2
_OWN_VALUES = 3
"""Values of bitshuffle's that it puts before those that it is given."""
_LZ4_AT = 4


@dataclass(frozen=True)
class _Kind:
    """How a dataset is stored: its type, the chunks of a frame, the filters."""

    dtype: np.dtype[Any]
    tile: tuple[int, ...]
    filters: tuple[Filter, ...]


class MovedPieces:
    """Reads compressed chunks of blocks of frames; may be asked from several threads.

    Parameters
    ----------
    signal : VirtualSignal
        The frames.
    kind : _Kind
        How all of them are stored.
    tables : dict of int to ChunkTable
        The chunks of each source.

    """

    def __init__(self, signal: VirtualSignal, kind: _Kind, tables: dict[int, ChunkTable]) -> None:
        self._signal = signal
        self._kind = kind
        self._tables = tables
        self._rank = len(signal.scan_shape)
        self._numbers = np.arange(math.prod(signal.scan_shape)).reshape(signal.scan_shape)
        steps = zip(signal.frame_shape, kind.tile, strict=True)
        self._offsets = list(itertools.product(*(range(0, n, step) for n, step in steps)))
        self._summed = any(code == FLETCHER32 for code, _ in kind.filters)

    @property
    def nbytes(self) -> int:
        """Bytes of all compressed chunks of the sources."""
        return sum(int(table.sizes.sum()) for table in self._tables.values())

    def create(self, group: Any, name: str) -> Any:
        """Create the dataset that the chunks go into; None if HDF5 would not take them so."""
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((1,) * self._rank + self._kind.tile)
        for code, values in self._kind.filters:
            _set_filter(properties, code, values)
        if not self._summed:
            properties.set_fletcher32()
        kind = h5py.h5t.py_create(self._kind.dtype, logical=True)
        space = h5py.h5s.create_simple(self._signal.shape)
        made = h5py.h5d.create(group.id, name.encode(), kind, space, properties)
        dataset = h5py.Dataset(made)
        if _filters(dataset)[: len(self._kind.filters)] != self._kind.filters:
            del group[name]
            return None
        return dataset

    def make(self, where: Block) -> Piece:
        """Read the chunks of one block, and take the checksums of its frames."""
        lengths = tuple(i.stop - i.start for i in where if isinstance(i, slice))
        frames = self._signal.read((*where, ...)).astype(self._kind.dtype, copy=False)
        stack = frames.reshape((-1, *self._signal.frame_shape))
        checksums = np.array([checksum(frame) for frame in stack], np.uint32).reshape(lengths)
        tile = self._signal.tiles[0]
        chunks: list[tuple[tuple[int, ...], memoryview]] = []
        for number in np.ravel(self._numbers[where]).tolist():
            at = tuple(int(k) for k in np.unravel_index(number, self._signal.scan_shape))
            found = self._chunks(int(tile.source[number]), int(tile.index[number]))
            chunks += [
                ((*at, *offset), data) for offset, data in zip(self._offsets, found, strict=True)
            ]
        return Piece(where, checksums, chunks)

    def give_back(self, piece: Piece) -> None:
        """Do nothing: chunks that are moved have memory of their own."""

    def _chunks(self, number: int, index: int) -> list[memoryview]:
        table, count = self._tables[number], len(self._offsets)
        file = PooledFile(self._signal.sources[number].path)
        found = []
        with file.opened() as descriptor:
            for k in range(index * count, (index + 1) * count):
                size = int(table.sizes[k])
                data = memoryview(bytearray(size if self._summed else size + 4))
                file.read_into(descriptor, data[:size], int(table.offsets[k]))
                if not self._summed:
                    data[size:] = fletcher32(bytes(data[:size])).to_bytes(4, "little")
                found.append(data)
        return found


def movable(signal: Signal) -> MovedPieces | None:
    """Return what moves the compressed chunks of a signal; None where they are not fit for it."""
    if not isinstance(signal, VirtualSignal) or len(signal.tiles) != 1 or not signal.shape:
        return None
    tile = signal.tiles[0]
    if tile.shape != signal.frame_shape or (tile.source < 0).any():
        return None
    kind: _Kind | None = None
    tables = {}
    for number in np.unique(tile.source).tolist():
        found = _stored(signal.sources[number])
        if found is None or (kind is not None and found[0] != kind):
            return None
        kind, tables[number] = found
    if kind is None or kind.dtype != signal.dtype.newbyteorder("<"):
        return None
    return MovedPieces(signal, kind, tables)


def _stored(source: Any) -> tuple[_Kind, ChunkTable] | None:
    """Return how a source is stored and where its chunks are, if these can be moved."""
    if not isinstance(source, StoredFrames) or source.chunked is None:
        return None
    tile = source.chunked[source.rank :]
    nbytes = math.prod(tile) * source.dtype.itemsize
    whole = tile == source.shape
    if math.prod(source.chunked[: source.rank]) != 1 or nbytes > _LARGEST:
        return None
    if nbytes < _SMALLEST and not whole:
        return None
    with open_reading(source.path) as file:
        dataset = file[source.dataset]
        kind = _Kind(dataset.dtype, tile, _filters(dataset))
        if dataset.shape != source.whole or not _compresses(kind.filters):
            return None
        table = read_table(dataset)
    return (kind, table) if table.is_complete and not table.masks.any() else None


def _filters(dataset: Any) -> tuple[Filter, ...]:
    plist = dataset.id.get_create_plist()
    found = (plist.get_filter(k) for k in range(plist.get_nfilters()))
    return tuple((int(one[0]), _values(int(one[0]), one[2])) for one in found)


def _values(code: int, values: tuple[int, ...]) -> tuple[int, ...]:
    """Return what a filter was given; the version of bitshuffle does not matter."""
    plain = tuple(int(value) for value in values)
    return (0, 0, *plain[2:]) if code == BITSHUFFLE else plain


def _compresses(filters: tuple[Filter, ...]) -> bool:
    """Tell whether filters are bitshuffle-LZ4, or gzip, with what belongs to them."""
    codes = [code for code, _ in filters if code != FLETCHER32]
    if codes == [BITSHUFFLE]:
        values = filters[0][1]
        return len(values) > _LZ4_AT and values[_LZ4_AT] == 2
    return codes in ([_GZIP], [_SHUFFLE, _GZIP]) and (
        not any(code == FLETCHER32 for code, _ in filters) or filters[-1][0] == FLETCHER32
    )


def _set_filter(properties: Any, code: int, values: tuple[int, ...]) -> None:
    if code == _GZIP:
        properties.set_deflate(values[0])
    elif code == _SHUFFLE:
        properties.set_shuffle()
    elif code == FLETCHER32:
        properties.set_fletcher32()
    else:
        properties.set_filter(code, h5py.h5z.FLAG_MANDATORY, values[_OWN_VALUES:])
