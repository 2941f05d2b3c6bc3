"""Bitshuffle-LZ4 and checksums outside HDF5's global lock.

Every plug-in library exports ``H5PLget_plugin_info``, HDF5's plug-in interface (HDF5
documentation, "Dynamically loaded filters"), whose ``filter`` function works on plain
buffers. Called through ctypes it releases the GIL, so chunks are compressed in threads. Each
compressed chunk carries HDF5's own Fletcher-32 checksum: LZ4 decodes damaged bytes to wrong
numbers without a word, and this way every reader refuses them.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from functools import lru_cache
from typing import Any

import h5py
import numpy as np
from h5py._objects import phil
from numpy.typing import NDArray

BITSHUFFLE = 32008
FLETCHER32 = 3
_log = logging.getLogger(__name__)


class _FilterClass(ctypes.Structure):
    """``H5Z_class2_t`` of H5Zpublic.h."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("id", ctypes.c_int),
        ("encoder_present", ctypes.c_uint),
        ("decoder_present", ctypes.c_uint),
        ("name", ctypes.c_char_p),
        ("can_apply", ctypes.c_void_p),
        ("set_local", ctypes.c_void_p),
        (
            "filter",
            ctypes.CFUNCTYPE(
                ctypes.c_size_t,
                ctypes.c_uint,
                ctypes.c_size_t,
                ctypes.POINTER(ctypes.c_uint),
                ctypes.c_size_t,
                ctypes.POINTER(ctypes.c_size_t),
                ctypes.POINTER(ctypes.c_void_p),
            ),
        ),
    ]


class Encoder:
    """Compresses arrays as HDF5 would with one filter of a dataset.

    Parameters
    ----------
    filter_class, libc
        The plug-in's filter and the C library whose ``malloc`` it uses.
    cd_values : tuple of int
        The filter's settings as the dataset stores them.

    """

    def __init__(self, filter_class: Any, libc: Any, cd_values: tuple[int, ...]) -> None:
        self._filter = filter_class.filter
        self._libc = libc
        self._count = len(cd_values)
        self._values = (ctypes.c_uint * self._count)(*cd_values)

    def encode(self, tile: NDArray[Any], shape: tuple[int, ...]) -> bytes:
        """Compress ``tile``, padded with zeros at its ends to the chunk's ``shape``."""
        size = int(np.prod(shape)) * tile.itemsize
        pointer = self._libc.malloc(size)
        if not pointer:
            raise MemoryError(f"no memory for a chunk of {size} bytes")
        raw = (ctypes.c_char * size).from_address(pointer)
        chunk = np.frombuffer(memoryview(raw), tile.dtype).reshape(shape)
        if tile.shape != shape:
            chunk[...] = 0
        chunk[tuple(slice(n) for n in tile.shape)] = tile
        buffer, capacity = ctypes.c_void_p(pointer), ctypes.c_size_t(size)
        try:
            length = self._filter(
                0, self._count, self._values, size, ctypes.byref(capacity), ctypes.byref(buffer)
            )
            if not length:
                raise RuntimeError("the bitshuffle filter failed to compress a chunk")
            encoded = ctypes.string_at(buffer.value or 0, length)
        finally:
            self._libc.free(buffer)
        return encoded + fletcher32(encoded).to_bytes(4, "little")


def fletcher32(data: bytes) -> int:
    """Return HDF5's Fletcher-32 checksum (H5checksum.c): big-endian words, ones' complement.

    HDF5's own function is called where it can be reached through h5py's module.

    >>> hex(fletcher32(b"abcdef"))
    '0x50562a2d'
    """
    native = _native_fletcher32()
    return plain_fletcher32(data) if native is None else int(native(data, len(data)))


def plain_fletcher32(data: bytes) -> int:
    """Return the same checksum by numpy alone, for systems that hide HDF5's function."""
    words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype(np.uint64)
    low = int(words.sum())
    high = int((words * np.arange(len(words), 0, -1, dtype=np.uint64)).sum())
    return _fold(high) << 16 | _fold(low)


def _fold(value: int) -> int:
    """Reduce modulo 65535 as end-around carries do: only zero itself gives zero."""
    return (value - 1) % 65535 + 1 if value else 0


def encoder(dataset: Any) -> Encoder | None:
    """Return an encoder for a dataset that is filtered by bitshuffle, then Fletcher-32.

    Returns None where the filter cannot be called directly (another C library, as on Windows;
    a plug-in that is not found); HDF5 then compresses in the ordinary way.
    """
    with phil:
        plist = dataset.id.get_create_plist()
        filters = [plist.get_filter(k) for k in range(plist.get_nfilters())]
    if [found[0] for found in filters] != [BITSHUFFLE, FLETCHER32]:
        return None
    library = _bitshuffle()
    return None if library is None else Encoder(*library, tuple(filters[0][2]))


@lru_cache(maxsize=1)
def _native_fletcher32() -> Any:
    try:
        native = ctypes.CDLL(h5py.h5z.__file__).H5_checksum_fletcher32
    except (OSError, AttributeError):
        return None
    native.restype, native.argtypes = ctypes.c_uint32, [ctypes.c_char_p, ctypes.c_size_t]
    return native


@lru_cache(maxsize=1)
def _bitshuffle() -> tuple[Any, Any] | None:
    if sys.platform == "win32":
        return None
    import hdf5plugin

    try:
        path = hdf5plugin.get_config().registered_filters["bshuf"]
        get_info = ctypes.CDLL(path).H5PLget_plugin_info
        libc = ctypes.CDLL(None)
    except (KeyError, OSError, AttributeError) as error:
        _log.info("bitshuffle cannot be called directly, HDF5 compresses alone: %s", error)
        return None
    get_info.restype = ctypes.POINTER(_FilterClass)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
    return get_info().contents, libc
