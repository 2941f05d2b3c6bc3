"""What compressed chunks say of their own length, asked before HDF5 reads them.

HDF5 (2.0 and before) does not look at how many bytes a filter gives back. Of a damaged chunk that
says that it is shorter than it was, the rest of the values are whatever lies behind it in memory.
The filter for Zstandard (hdf5plugin 6) does not look at errors either: its chunks are decoded.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from h5py._objects import phil

from nxscan.hdf5.decode import BITSHUFFLE, BITSHUFFLE_LZ4, BLOSC, LZ4, SHUFFLE, ZSTD, DecodeError
from nxscan.hdf5.plugins import function

if TYPE_CHECKING:
    from nxscan.hdf5.chunktable import Region

_BITSHUFFLE_ZSTD = 3
_ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
_ZSTD_DICTIONARY = (0, 1, 2, 4)
_ZSTD_CONTENT = (0, 2, 4, 8)

Stated = Callable[[bytes, int], int | None]


def length_check(dataset: Any) -> Callable[[Region], None] | None:
    """Return what refuses a chunk that does not say of itself that it is whole.

    Parameters
    ----------
    dataset : h5py.Dataset
        An open dataset.

    Returns
    -------
    callable or None
        Takes a region within one chunk, and raises DecodeError. None where the filters notice
        such damage themselves (checksums, gzip), or are not known here.

    """
    with phil:
        plist = dataset.id.get_create_plist()
        filters = [plist.get_filter(k) for k in range(plist.get_nfilters())]
    *before, last = filters or [None]
    if last is None or any(one[0] != SHUFFLE for one in before):
        return None
    stated = _stated_by(last[0], last[2])
    if stated is None:
        return None
    size = math.prod(dataset.chunks) * dataset.dtype.itemsize
    bit = 1 << len(before)

    def check(region: Region) -> None:
        _check_chunk(dataset, region, stated, size, bit)

    return check


def _check_chunk(dataset: Any, region: Region, stated: Stated, size: int, bit: int) -> None:
    pairs = zip(region, dataset.chunks, strict=True)
    corner = tuple(part.start // length * length for part, length in pairs)
    with phil:  # h5py 3.11 reads a chunk without its own lock: threads would mix them up
        info = dataset.id.get_chunk_info_by_coord(corner)
        if info.byte_offset is None or info.filter_mask & bit:
            return
        chunk = dataset.id.read_direct_chunk(corner)[1]
    found = stated(chunk, size)
    if found is not None and found != size:
        raise DecodeError(f"a chunk has {found} bytes, expected {size}")


def _stated_by(code: int, values: tuple[int, ...]) -> Stated | None:
    """Return what reads the length from the head of a filter's chunks."""
    if code == LZ4 or (code == BITSHUFFLE and _kind(values) in (BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD)):
        return lambda chunk, _: int.from_bytes(chunk[:8], "big")
    if code == BLOSC:
        return lambda chunk, _: int.from_bytes(chunk[4:8], "little")
    return _of_zstd if code == ZSTD else None


def _kind(values: tuple[int, ...]) -> int:
    return values[4] if len(values) > 4 else 0


def _of_zstd(chunk: bytes, size: int) -> int | None:
    """Return how many bytes a Zstandard chunk gives, 0 if it is damaged."""
    decompress = function("zstd", "ZSTD_decompress")
    if decompress is None:
        return _of_zstd_head(chunk)
    target = np.empty(size, np.uint8)
    made = decompress(target.ctypes.data, size, chunk, len(chunk))
    return size if made == size else 0


def _of_zstd_head(chunk: bytes) -> int | None:
    """Return the content size of a Zstandard frame (RFC 8878, 3.1.1.1); None if it has none."""
    if not chunk.startswith(_ZSTD_FRAME) or len(chunk) < 6:
        return None
    flags = chunk[4]
    single = flags >> 5 & 1
    start = 6 - single + _ZSTD_DICTIONARY[flags & 3]
    length = _ZSTD_CONTENT[flags >> 6] or single
    number = int.from_bytes(chunk[start : start + length], "little")
    if not length:
        return None
    return number + 256 if length == 2 else number
