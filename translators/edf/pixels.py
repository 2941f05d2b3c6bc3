"""The pixels of one frame, read from its file in native byte order."""

from __future__ import annotations

import bz2
import gzip
import os
import zlib
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from nxscan.errors import SourceError
from nxscan.translators.edf.file import DAMAGE, Place, open_raw
from nxscan.translators.edf.layout import native

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nxscan.translators.edf.stream import Streams

_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "bz2": bz2.decompress,
    "zlib": zlib.decompress,
}


def read_rows(place: Place, first: int, stop: int, streams: Streams) -> NDArray[Any]:
    """Read rows ``first`` to ``stop`` of a frame.

    Parameters
    ----------
    place : Place
        The frame.
    first, stop : int
        Rows (along the slowest of the frame's dimensions).
    streams : Streams
        The open compressed files of the caller.

    Returns
    -------
    ndarray, shape (stop - first, ...)
        In native byte order.

    Raises
    ------
    SourceError
        If pixels are missing, the file is damaged, or it has changed since it was listed.

    """
    layout = place.layout
    if layout.packing == "fabio":
        return _read_with_fabio(place)[first:stop]
    if place.codec or layout.packing:
        return _read_packed(place, streams)[first:stop]
    values = np.empty((stop - first, *layout.shape[1:]), layout.dtype)
    row = values.nbytes // (stop - first)
    with open_listed(place) as file:
        read_into(file, place.offset + first * row, values.reshape(-1).view(np.uint8).data, place)
    return _native(values)


def is_plain(place: Place, dtype: np.dtype[Any]) -> bool:
    """Tell whether a frame lies in its file as it is in an array of a type."""
    layout = place.layout
    return np.dtype(layout.dtype) == dtype and not place.codec and not layout.packing


def read_plain(place: Place, target: NDArray[Any], first: int = 0) -> None:
    """Read rows of a frame that `is_plain`, from ``first`` on, into a contiguous array."""
    row = target.nbytes // len(target)
    with open_listed(place) as file:
        read_into(file, place.offset + first * row, target.reshape(-1).view(np.uint8).data, place)


def open_listed(place: Place) -> BinaryIO:
    """Open the file of a frame, and refuse it if it is not as it was listed."""
    file = open_raw(place.path)
    status = os.fstat(file.fileno())
    if (status.st_size, status.st_mtime_ns) == (place.size, place.modified):
        return file
    file.close()
    raise SourceError(
        f"{place.path}: has changed since it was listed: {place.size} bytes then, "
        f"{status.st_size} bytes now",
        "wait until it is written, then translate again",
    )


def read_into(file: BinaryIO, offset: int, target: memoryview, place: Place) -> None:
    """Fill ``target`` from a file, or say what is missing."""
    try:
        file.seek(offset)
        filled = 0
        while filled < len(target):
            count = file.readinto(target[filled:])  # type: ignore[attr-defined]
            if not count:
                raise truncated(place, filled, len(target))
            filled += count
    except DAMAGE as error:
        raise damaged(place, error) from error


def truncated(place: Place, found: int, expected: int) -> SourceError:
    """Return the error for a frame whose pixels end too early."""
    return SourceError(
        f"{place.path}: frame {place.index} is truncated: expected {expected} bytes of pixels, "
        f"found {found}",
        "copy the file again from where it was measured, or leave it out",
    )


def damaged(place: Place, error: Exception) -> SourceError:
    """Return the error for a file that cannot be unpacked or read."""
    return SourceError(
        f"{place.path}: frame {place.index} cannot be read: {error}",
        "copy the file again from where it was measured, or leave it out",
    )


def _read_packed(place: Place, streams: Streams) -> NDArray[Any]:
    layout = place.layout
    if place.codec:
        data: bytes | bytearray = streams.read(place)
    else:
        data = bytearray(layout.stored)
        with open_listed(place) as file:
            read_into(file, place.offset, memoryview(data), place)
    if layout.packing:
        try:
            data = bytearray(_UNPACK[layout.packing](bytes(data)))
        except DAMAGE as error:
            raise damaged(place, error) from error
    if len(data) < layout.needed:
        raise truncated(place, len(data), layout.needed)
    values = np.frombuffer(data, layout.dtype, count=prod(layout.shape))
    return _native(values.reshape(layout.shape))


def _native(values: NDArray[Any]) -> NDArray[Any]:
    """Return a writable array in native byte order; bytes that others may hold are copied."""
    own = values.flags.writeable
    if values.dtype.isnative:
        return values if own else values.copy()
    return values.byteswap(inplace=own).view(native(values.dtype.str))


def _read_with_fabio(place: Place) -> NDArray[Any]:
    """Read pixels that lie in another file (EDF_BinaryFileName)."""
    import fabio

    _check_external(place)
    try:
        with fabio.open(place.path) as image:
            values = np.array(image.get_frame(place.index).data, native(place.layout.dtype))
        return values.reshape(place.layout.shape)
    except Exception as error:  # fabio raises whatever its parsing meets
        raise damaged(place, error) from error


def _check_external(place: Place) -> None:
    """Refuse a file of pixels that is missing or too short: fabio would fill it with zeros."""
    name, position = place.layout.external
    path = Path(place.path).parent / name
    expected = position + place.layout.needed
    found = path.stat().st_size if path.is_file() else 0
    if found < expected:
        raise SourceError(
            f"{place.path}: frame {place.index} has its pixels in {path}: expected {expected} "
            f"bytes or more, found {found}",
            "put that file beside it",
        )
