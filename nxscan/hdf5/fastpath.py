"""Many chunks in one call: bitshuffle-LZ4, as nxscan writes it, without the GIL in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.hdf5.decode import BITSHUFFLE, BITSHUFFLE_LZ4, FLETCHER32, Buffers
from nxscan.hdf5.plugins import address, kernels
from nxscan.hdf5.rawio import pread_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nxscan.hdf5.chunktable import Boxes, ChunkTable
    from nxscan.hdf5.decode import Filter

    Bytes = NDArray[np.uint8]

_BLOCK = 2**16
_buffers = Buffers()


class FastPath:
    """Reads and decodes chunks by compiled code alone.

    Parameters
    ----------
    functions : tuple of int
        Addresses of the C functions that it calls.
    itemsize : int
        Bytes of what was shuffled together.
    checked : bool
        Whether each chunk ends with a Fletcher-32 checksum.

    """

    def __init__(self, functions: tuple[int, ...], itemsize: int, checked: bool) -> None:
        self._functions = np.array(functions, np.int64)
        self._itemsize = itemsize
        self._checked = checked

    def read(
        self, descriptor: int, table: ChunkTable, boxes: Boxes, size: int, out: NDArray[np.uint8]
    ) -> int:
        """Fill the boxes of ``out``; return how many, fewer than all if one is damaged."""
        sizes = table.sizes[boxes.rows]
        return int(
            kernels().read_chunks(
                self._functions,
                descriptor,
                table.offsets[boxes.rows],
                sizes,
                self._checked,
                self._itemsize,
                _buffers.take("stored", int(sizes.max(initial=0))),
                _buffers.take("chunk", size),
                _buffers.take("block", _BLOCK),
                out,
                boxes.starts,
                boxes.places,
                boxes.whole(size),
                boxes.lengths,
                boxes.chunk_steps,
                boxes.out_steps,
                boxes.unit,
            )
        )


def fast_path(filters: Sequence[Filter]) -> FastPath | None:
    """Return a fast path for a dataset's filters, where there is one and it can be called."""
    numbers = [number for number, _ in filters]
    if numbers not in ([BITSHUFFLE], [BITSHUFFLE, FLETCHER32]):
        return None
    values = filters[0][1]
    if len(values) < 5 or values[2] == 0 or values[4] != BITSHUFFLE_LZ4:
        return None
    functions = (
        pread_address(),
        address("bshuf", "LZ4_decompress_safe"),
        address("bshuf", "bshuf_untrans_bit_elem"),
    )
    found = tuple(one for one in functions if one)
    if len(found) < len(functions):
        return None
    return FastPath(found, values[2], FLETCHER32 in numbers)
