"""How the values of a dataset lie in its file: in chunks, or in one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.hdf5.chunktable import ABSENT, UnwrittenError, steps
from nxscan.hdf5.decode import MOST, Buffers, DecodeError
from nxscan.hdf5.plugins import kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.chunktable import Boxes, ChunkTable, Region
    from nxscan.hdf5.decode import Pipeline
    from nxscan.hdf5.fastpath import FastPath
    from nxscan.hdf5.rawio import RawFile

    Bytes = NDArray[np.uint8]

_SPAN = 4 * 2**20
_GAP = 16 * 2**10
_buffers = Buffers()


class Chunked:
    """Chunks at any place, each through filters.

    Parameters
    ----------
    file : RawFile
        The file.
    table : ChunkTable
        Where the chunks are.
    decoder : Pipeline
        What undoes the filters.
    itemsize : int
        Bytes of one value.
    fast : FastPath or None
        What decodes many chunks in one call, for some filters.
    fill : bytes
        The value of what was never written, where it says so itself: NaN. Empty elsewhere.

    """

    def __init__(
        self,
        file: RawFile,
        table: ChunkTable,
        decoder: Pipeline,
        itemsize: int,
        fast: FastPath | None,
        fill: bytes,
    ) -> None:
        self._file = file
        self._table = table
        self._decoder = decoder
        self._itemsize = itemsize
        self._fast = fast
        self._fill = fill

    def read(self, descriptor: int, region: Region, out: Bytes) -> None:
        """Fill ``out`` with a region, chunk by chunk in the order of the file."""
        table = self._table
        boxes = table.boxes(region, self._itemsize)
        if not table.is_complete:
            if self._fill:
                out.reshape(-1, self._itemsize)[:] = np.frombuffer(self._fill, np.uint8)
            else:
                table.check_written(region)
            boxes = boxes.taken(np.flatnonzero(table.offsets[boxes.rows] != ABSENT))
        boxes = boxes.taken(np.argsort(table.offsets[boxes.rows]))
        self._check_sizes(boxes)
        done = 0
        if self._fast is not None and not table.masks[boxes.rows].any():
            done = self._fast.read(descriptor, table, boxes, self._decoder.size, out)
        whole = boxes.whole(self._decoder.size)
        for row in range(done, len(boxes.rows)):
            self._read_chunk(descriptor, boxes, row, bool(whole[row]), out)

    def _check_sizes(self, boxes: Boxes) -> None:
        """Refuse what damage in the table says before memory is taken for it."""
        stops = self._table.offsets[boxes.rows] + self._table.sizes[boxes.rows]
        if (stops > self._file.size).any():
            raise DecodeError(f"the file ends at byte {self._file.size}, before a chunk does")
        if (self._table.sizes[boxes.rows] > MOST).any():
            raise DecodeError(f"a chunk has more than {MOST} bytes")

    def _read_chunk(self, descriptor: int, boxes: Boxes, row: int, whole: bool, out: Bytes) -> None:
        number, decoder = boxes.rows[row], self._decoder
        mask = int(self._table.masks[number])
        stored = _buffers.take("stored", int(self._table.sizes[number]))
        place = int(boxes.places[row])
        target = out[place : place + decoder.size] if whole else None
        if target is not None and decoder.is_plain(mask) and stored.size == decoder.size:
            stored = target
        self._file.read_into(descriptor, stored.data, int(self._table.offsets[number]))
        if target is None:
            values = decoder.decode(stored, mask, _buffers.take("chunk", decoder.size))
            start, lengths = boxes.starts[row], boxes.lengths[row]
            steps_in, steps_out = boxes.chunk_steps, boxes.out_steps
            kernels().copy_box(
                values, out, start, place, lengths, steps_in, steps_out, self._itemsize
            )
            return
        values = decoder.decode(stored, mask, target)
        if values is not target:
            target[:] = values


class Contiguous:
    """All values in one row.

    Parameters
    ----------
    file : RawFile
        The file.
    offset : int or None
        Where they begin; None if they were never written.
    shape : tuple of int
        Lengths of the dataset.
    itemsize : int
        Bytes of one value.

    """

    def __init__(
        self, file: RawFile, offset: int | None, shape: tuple[int, ...], itemsize: int
    ) -> None:
        self._file = file
        self._offset = offset
        self._shape = shape
        self._itemsize = itemsize
        self._steps = steps(shape, itemsize)

    def read(self, descriptor: int, region: Region, out: Bytes) -> None:
        """Fill ``out`` with a region: row by row, or several with what lies between them."""
        if self._offset is None:
            raise UnwrittenError([region])
        first = self._offset + sum(
            part.start * int(step) for part, step in zip(region, self._steps, strict=True)
        )
        lengths = [part.stop - part.start for part in region]
        rank, run = self._run(lengths)
        if rank and self._steps[rank - 1] - run <= _GAP:
            self._read_spans(descriptor, first, lengths[:rank], run, out)
            return
        for row, offset in enumerate(self._offsets(first, lengths[:rank])):
            target = out[row * run : row * run + run]
            self._file.read_into(descriptor, target.data, int(offset))

    def _run(self, lengths: list[int]) -> tuple[int, int]:
        """Return how many dimensions are left when those that lie in one row are taken as one."""
        run, rank = self._itemsize, len(lengths)
        while rank and (self._steps[rank - 1] == run or lengths[rank - 1] == 1):
            run *= lengths[rank - 1]
            rank -= 1
        return rank, run

    def _offsets(self, first: int, lengths: list[int]) -> NDArray[np.int64]:
        offsets = np.array([first], np.int64)
        for length, step in zip(lengths, self._steps, strict=False):
            offsets = (offsets[:, None] + np.arange(length) * step).ravel()
        return offsets

    def _read_spans(
        self, descriptor: int, first: int, lengths: list[int], run: int, out: Bytes
    ) -> None:
        """Read rows that lie close together in one go, and copy what is wanted of them."""
        *outer, count = lengths
        step = int(self._steps[len(lengths) - 1])
        group = max(1, _SPAN // step)
        place = 0
        for offset in self._offsets(first, outer):
            for start in range(0, count, group):
                rows = min(group, count - start)
                span = _buffers.take("stored", (rows - 1) * step + run)
                self._file.read_into(descriptor, span.data, int(offset) + start * step)
                steps_in, steps_out = np.array([step]), np.array([run])
                kernels().copy_box(span, out, 0, place, np.array([rows]), steps_in, steps_out, run)
                place += rows * run
