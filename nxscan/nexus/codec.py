"""Bitshuffle-LZ4 outside HDF5's global lock, through hdf5plugin's own filter library.

Every plug-in library exports ``H5PLget_plugin_info``, HDF5's plug-in interface (HDF5
documentation, "Dynamically loaded filters"), whose ``filter`` function works on plain
buffers. Called through ctypes it releases the GIL, so chunks are compressed in threads.
"""

from __future__ import annotations

import ctypes
import logging
import sys
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

BITSHUFFLE = 32008
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
            return ctypes.string_at(buffer.value or 0, length)
        finally:
            self._libc.free(buffer)


def encoder(dataset: Any) -> Encoder | None:
    """Return an encoder for a dataset whose only filter is bitshuffle.

    Returns None where the filter cannot be called directly (another C library, as on Windows;
    a plug-in that is not found); HDF5 then compresses in the ordinary way.
    """
    plist = dataset.id.get_create_plist()
    if plist.get_nfilters() != 1 or plist.get_filter(0)[0] != BITSHUFFLE:
        return None
    library = _bitshuffle()
    return None if library is None else Encoder(*library, tuple(plist.get_filter(0)[2]))


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
