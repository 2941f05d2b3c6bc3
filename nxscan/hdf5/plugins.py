"""Compiled code that is found when needed: C functions in hdf5plugin's libraries, own loops.

All are called without HDF5 and without the GIL. Each plug-in carries the library that it wraps,
with its functions in sight on Linux and macOS. They decode into a buffer of the caller's and
take its size, which HDF5's own plug-in interface does not. Where one is hidden, HDF5 decodes.
"""

from __future__ import annotations

import ctypes
import logging
from functools import cache
from typing import Any

_log = logging.getLogger(__name__)
_POINTER = ctypes.c_void_p
_SIZE = ctypes.c_size_t
_FUNCTIONS = {
    "LZ4_decompress_safe": (ctypes.c_int, _POINTER, _POINTER, ctypes.c_int, ctypes.c_int),
    "ZSTD_decompress": (_SIZE, _POINTER, _SIZE, _POINTER, _SIZE),
    "bshuf_decompress_lz4": (ctypes.c_int64, _POINTER, _POINTER, _SIZE, _SIZE, _SIZE),
    "bshuf_decompress_zstd": (ctypes.c_int64, _POINTER, _POINTER, _SIZE, _SIZE, _SIZE),
    "bshuf_bitunshuffle": (ctypes.c_int64, _POINTER, _POINTER, _SIZE, _SIZE, _SIZE),
    "bshuf_untrans_bit_elem": (ctypes.c_int64, _POINTER, _POINTER, _SIZE, _SIZE),
    "blosc_cbuffer_validate": (ctypes.c_int, _POINTER, _SIZE, _POINTER),
    "blosc_decompress_ctx": (ctypes.c_int, _POINTER, _POINTER, _SIZE, ctypes.c_int),
}


@cache
def function(plugin: str, name: str) -> Any:
    """Return a C function of a plug-in (``bshuf``, ``lz4``, ``zstd``, ``blosc``), or None."""
    library = _library(plugin)
    try:
        found = getattr(library, name)
    except AttributeError:
        _log.info("%s of the plug-in %s cannot be called directly: HDF5 decodes", name, plugin)
        return None
    found.restype, *found.argtypes = _FUNCTIONS[name]
    return found


def address(plugin: str, name: str) -> int | None:
    """Return where a C function of a plug-in lies, or None."""
    found = function(plugin, name)
    return None if found is None else ctypes.cast(found, _POINTER).value


@cache
def _library(plugin: str) -> Any:
    import hdf5plugin

    try:
        return ctypes.CDLL(hdf5plugin.get_config().registered_filters[plugin])
    except (KeyError, OSError, TypeError) as error:
        _log.info("the plug-in %s cannot be loaded directly: %s", plugin, error)
        return None


@cache
def kernels() -> Any:
    """Return the compiled loops, imported when first needed: that takes half a second."""
    from nxscan.kernels import chunks

    return chunks
