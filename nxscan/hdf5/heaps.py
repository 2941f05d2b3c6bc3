"""Damage over which HDF5 never comes back.

Text of variable length lies in global heaps (HDF5 File Format Specification 3.0, III.E), which
have no checksum. HDF5 (2.0.0 and before) walks through the objects of a heap by their sizes: one
of no size keeps it there for ever, with the interpreter's lock held, so that nothing ends it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from os import PathLike

_SIGNATURE = b"GCOL\x01\x00\x00\x00"
_HEADER = struct.Struct("<8sQ")
_OBJECT = struct.Struct("<HHIQ")
_WINDOW = 2 << 20


def check_heaps(path: str | PathLike[str]) -> None:
    """Look through the global heaps near the beginning and the end of a file.

    Heaps are made with the first objects of a file and with those that were added last; what
    lies between is mostly frames, which are not looked at.

    Raises
    ------
    OSError
        If the file cannot be read, or one of its heaps would keep HDF5 for ever.

    """
    status = Path(path).stat()
    state = (str(Path(path).absolute()), status.st_size, status.st_mtime_ns)
    damaged = _first_damaged(state)
    if damaged is not None:
        raise OSError(f"the global heap at byte {damaged} is damaged")


@lru_cache(maxsize=64)
def _first_damaged(state: tuple[str, int, int]) -> int | None:
    """Return where the first damaged heap is; a file that stays the same is looked at once."""
    path, size, _ = state
    with Path(path).open("rb") as file:
        return next((k for k in _heaps(file, size) if not _is_whole(file, k, size)), None)


def _heaps(file: BinaryIO, size: int) -> Iterator[int]:
    """Yield where heaps begin."""
    for start in dict.fromkeys((0, max(0, size - _WINDOW))):
        data = _read(file, start, _WINDOW)
        found = data.find(_SIGNATURE)
        while found >= 0:
            yield start + found
            found = data.find(_SIGNATURE, found + 1)


def _is_whole(file: BinaryIO, start: int, size: int) -> bool:
    """Tell whether the objects of a heap lead from one to the next up to its end."""
    header = _read(file, start, _HEADER.size)
    end = _HEADER.unpack(header)[1] if len(header) == _HEADER.size else 0
    if not _HEADER.size <= end <= size - start:
        return True  # HDF5 refuses it
    heap, place = _read(file, start, end), _HEADER.size
    while place + _OBJECT.size <= len(heap):
        index, _, _, length = _OBJECT.unpack_from(heap, place)
        step = _OBJECT.size + -(-length // 8) * 8 if index else length
        if not step or place + step > end:
            return False
        place += step
    return True


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)
