"""Bitshuffle-LZ4 and checksums outside HDF5's global lock.

The plug-in library that HDF5 loads for bitshuffle also exports bitshuffle's own function
``bshuf_compress_lz4`` (github.com/kiyo-masui/bitshuffle, ``bitshuffle.h``). Called through
ctypes it releases the GIL, so chunks are compressed in threads, and it works in buffers that
are used again for every chunk. Each compressed chunk carries HDF5's own Fletcher-32 checksum:
LZ4 decodes damaged bytes to wrong numbers without a word, and this way every reader refuses
them.
"""

from __future__ import annotations

import ctypes
import logging
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py._objects import phil

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BITSHUFFLE = 32008
FLETCHER32 = 3
_LZ4 = 2
_HEADER = 12
_CHECKSUM = 4
_log = logging.getLogger(__name__)


class Encoder:
    """Compresses chunks of one shape as HDF5 would with bitshuffle-LZ4 and Fletcher-32.

    It works in buffers of its own, which stay in the processor's cache: each thread needs one.

    Parameters
    ----------
    library
        Bitshuffle's.
    shape : tuple of int
        The chunks'.
    dtype : dtype
        Of their values.
    block : int
        Values that are shuffled together; 0 for bitshuffle's own choice.

    Attributes
    ----------
    bound : int
        The most bytes that a compressed chunk may take.

    """

    def __init__(
        self, library: Any, shape: tuple[int, ...], dtype: np.dtype[Any], block: int
    ) -> None:
        self._chunk = np.zeros(shape, dtype)
        sizes = self._chunk.size, self._chunk.itemsize, block
        self.bound = _HEADER + int(library.bshuf_compress_lz4_bound(*sizes)) + _CHECKSUM
        self._out = np.zeros(self.bound, np.uint8)
        self._bytes = self._out.data
        # the plug-in's header: length of the chunk, length of a block, big-endian
        stored = (block or library.bshuf_default_block_size(dtype.itemsize)) * dtype.itemsize
        self._bytes[:_HEADER] = self._chunk.nbytes.to_bytes(8, "big") + stored.to_bytes(4, "big")
        self._place = self._out.ctypes.data
        self._compress = partial(
            library.bshuf_compress_lz4, self._chunk.ctypes.data, self._place + _HEADER, *sizes
        )

    def encode(self, tile: NDArray[Any]) -> memoryview:
        """Compress a tile, with zeros at its ends where it is smaller than a chunk.

        The result is there until the next call.
        """
        chunk = self._chunk
        if tile.shape == chunk.shape:
            chunk[...] = tile
        else:
            chunk[...] = 0
            chunk[tuple(slice(n) for n in tile.shape)] = tile
        length = self._compress()
        if length < 0:
            raise RuntimeError(f"bitshuffle failed to compress a chunk: error {length}")
        stop = _HEADER + int(length)
        native = _native_fletcher32()
        checksum = native(self._place, stop) if native else plain_fletcher32(self._out[:stop])
        self._bytes[stop : stop + _CHECKSUM] = checksum.to_bytes(_CHECKSUM, "little")
        return self._bytes[: stop + _CHECKSUM]


def fletcher32(data: bytes) -> int:
    """Return HDF5's Fletcher-32 checksum (H5checksum.c): big-endian words, ones' complement.

    HDF5's own function is called where it can be reached through h5py's module.

    >>> hex(fletcher32(b"abcdef"))
    '0x50562a2d'
    """
    native = _native_fletcher32()
    if native is None:
        return plain_fletcher32(data)
    return int(native(data, len(data)))


def plain_fletcher32(data: bytes | NDArray[np.uint8]) -> int:
    """Return the same checksum by numpy alone, for systems that hide HDF5's function."""
    data = bytes(data)
    words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype(np.uint64)
    low = int(words.sum())
    high = int((words * np.arange(len(words), 0, -1, dtype=np.uint64)).sum())
    return _fold(high) << 16 | _fold(low)


def _fold(value: int) -> int:
    """Reduce modulo 65535 as end-around carries do: only zero itself gives zero."""
    return (value - 1) % 65535 + 1 if value else 0


def encoders(dataset: Any) -> Callable[[], Encoder] | None:
    """Return what makes encoders for a dataset; each thread needs one.

    The dataset is filtered by bitshuffle-LZ4, then Fletcher-32.

    Returns None where bitshuffle cannot be called directly (a library that hides its
    functions, a plug-in that is not found); HDF5 then compresses in the ordinary way.
    """
    with phil:
        plist = dataset.id.get_create_plist()
        filters = [plist.get_filter(k) for k in range(plist.get_nfilters())]
    if [found[0] for found in filters] != [BITSHUFFLE, FLETCHER32]:
        return None
    _, _, _, block, *compression = filters[0][2]
    library = _bitshuffle()
    if library is None or compression[:1] != [_LZ4]:
        return None
    return partial(Encoder, library, dataset.chunks, dataset.dtype, int(block))


@lru_cache(maxsize=1)
def _native_fletcher32() -> Any:
    try:
        native = ctypes.CDLL(h5py.h5z.__file__).H5_checksum_fletcher32
    except (OSError, AttributeError):
        return None
    native.restype, native.argtypes = ctypes.c_uint32, [ctypes.c_void_p, ctypes.c_size_t]
    return native


@lru_cache(maxsize=1)
def _bitshuffle() -> Any:
    import hdf5plugin

    try:
        library = ctypes.CDLL(hdf5plugin.get_config().registered_filters["bshuf"])
        numbers = [ctypes.c_size_t] * 3
        library.bshuf_compress_lz4.restype = ctypes.c_int64
        library.bshuf_compress_lz4.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *numbers]
        library.bshuf_compress_lz4_bound.restype = ctypes.c_size_t
        library.bshuf_compress_lz4_bound.argtypes = numbers
        library.bshuf_default_block_size.restype = ctypes.c_size_t
        library.bshuf_default_block_size.argtypes = [ctypes.c_size_t]
    except (KeyError, OSError, AttributeError) as error:
        _log.info("bitshuffle cannot be called directly, HDF5 compresses alone: %s", error)
        return None
    return library
