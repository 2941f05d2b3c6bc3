"""A finished block as one file, which is there whole or not at all.

Layout: ``NXBLOCK1``, lengths of header and arrays (two uint64), the header (JSON: pass, block,
and name, type, shape and offset of each array), the arrays, CRC-32 of all before. All numbers
are little-endian; arrays are in C order, at multiples of 64 bytes. (A zip file, as numpy writes
it, takes three times as long.)
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from isal import isal_zlib

from nxscan.errors import OutputError, ProcessError
from nxscan.nexus import durable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_log = logging.getLogger(__name__)

_MAGIC = b"NXBLOCK1"
_PREFIX = struct.Struct("<8sQQ")
_CHECKSUM = struct.Struct("<I")
_KINDS = "biufcSUmM"
_ALIGNMENT = 64
_NAME = re.compile(r"p(\d+)_b(\d+)\.block")


@dataclass(frozen=True)
class Written:
    """A block file that is on the disk.

    Attributes
    ----------
    pass_index, block : int
        Which block it is.
    name : str
        Its name in the journal.
    checksum : str
        Of its content.
    nbytes : int
        Its size.

    """

    pass_index: int
    block: int
    name: str
    checksum: str
    nbytes: int


def write_block(
    folder: Path, pass_index: int, block: int, arrays: Mapping[str, NDArray[Any]]
) -> Written:
    """Write the arrays of a block; when this returns, they survive a crash.

    Any process on any host may do so, also several at once with the same block.

    Parameters
    ----------
    folder : Path
        The journal's.
    pass_index, block : int
        Which block it is.
    arrays : mapping of str to ndarray
        What compute gave.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left of it.
    ProcessError
        If an array is not of a plain type.

    """
    parts = _encode(pass_index, block, arrays)
    path = folder / f"p{pass_index}_b{block}.block"
    temporary = durable.temporary_name(path)
    try:
        durable.write_new(temporary, parts, sync=True)
        durable.publish(temporary, path, overwrite=True)
        durable.sync_folder(folder)
    except OSError as error:
        with contextlib.suppress(OSError):
            durable.remove(temporary)
        raise _refused(path, error) from error
    checksum = _CHECKSUM.unpack(parts[-1])[0]
    nbytes = sum(len(part) for part in parts)
    return Written(pass_index, block, path.name, f"crc32:{checksum:08x}", nbytes)


def read_block(folder: Path, pass_index: int, block: int) -> dict[str, NDArray[Any]] | None:
    """Return the arrays of a block; None if there is no such file or it is damaged.

    A damaged one is removed, so that it is computed again.

    Raises
    ------
    OutputError
        If the file is there, but cannot be read.

    """
    path = folder / f"p{pass_index}_b{block}.block"
    try:
        data = np.fromfile(path, np.uint8)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return _decode(data, pass_index, block)
    except (ValueError, KeyError, TypeError, struct.error) as error:
        _log.warning("%s is damaged (%s): it will be computed again", path, error)
        with contextlib.suppress(OSError):
            durable.remove(path)
        return None


def block_files(folder: Path) -> dict[tuple[int, int], Path]:
    """Return the block files of a folder by pass and block; truncated ones are left out."""
    found = {}
    for path in folder.iterdir():
        name = _NAME.fullmatch(path.name)
        if name is not None and _has_its_size(path):
            found[int(name[1]), int(name[2])] = path
    return found


def _has_its_size(path: Path) -> bool:
    with contextlib.suppress(OSError, struct.error), path.open("rb") as file:
        magic, header, arrays = _PREFIX.unpack(file.read(_PREFIX.size))
        size = _PREFIX.size + header + arrays + _CHECKSUM.size
        return bool(magic == _MAGIC and path.stat().st_size == size)
    return False


def _encode(pass_index: int, block: int, arrays: Mapping[str, NDArray[Any]]) -> list[Any]:
    """Return the buffers that make up the file; the last is the checksum."""
    parts, listed, offset = [], [], 0
    for name, value in arrays.items():
        array = np.asarray(value, order="C")
        if array.dtype.kind not in _KINDS:
            raise ProcessError(
                f"array {name!r} of block {block} is of type {array.dtype}, expected numbers",
                "let compute return arrays of numbers",
            )
        listed.append([name, array.dtype.str, array.shape, offset])
        padding = -array.nbytes % _ALIGNMENT
        parts += [_bytes(array), bytes(padding)]
        offset += array.nbytes + padding
    header = json.dumps({"pass": pass_index, "block": block, "arrays": listed}).encode()
    header += b" " * (-(_PREFIX.size + len(header)) % _ALIGNMENT)
    parts = [_PREFIX.pack(_MAGIC, len(header), offset) + header, *parts]
    return [*parts, _CHECKSUM.pack(_checksum(parts))]


def _bytes(array: NDArray[Any]) -> Any:
    return array.reshape(-1).view(np.uint8).data if array.nbytes else b""


def _checksum(parts: list[Any]) -> int:
    value = 0
    for part in parts:
        value = isal_zlib.crc32(part, value)
    return value


def _decode(data: NDArray[np.uint8], pass_index: int, block: int) -> dict[str, NDArray[Any]]:
    """Return the arrays, as views of the file's bytes."""
    magic, header_size, size = _PREFIX.unpack(data[: _PREFIX.size].tobytes())
    start = _PREFIX.size + header_size
    if magic != _MAGIC or len(data) != start + size + _CHECKSUM.size:
        raise ValueError("it is truncated")
    if _checksum([data[: -_CHECKSUM.size]]) != _CHECKSUM.unpack(data[start + size :].tobytes())[0]:
        raise ValueError("its checksum is wrong")
    header = json.loads(data[_PREFIX.size : start].tobytes())
    if (header["pass"], header["block"]) != (pass_index, block):
        raise ValueError("it is of another block")
    arrays = {}
    for name, kind, shape, offset in header["arrays"]:
        dtype = np.dtype(kind)
        at = start + offset
        content = data[at : at + dtype.itemsize * math.prod(shape)]
        arrays[name] = content.view(dtype).reshape(shape) if content.size else np.empty(shape, kind)
    return arrays


def _refused(path: Path, error: OSError) -> OutputError:
    if isinstance(error, FileNotFoundError):
        return OutputError(
            f"the journal {path.parent} is gone",
            "it was dropped, or another run took it over and has finished: run this again",
        )
    first = "make room on the disk" if durable.is_full(error) else "see to the disk"
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}",
        f"{first}, and run this again: it goes on from the blocks that are finished",
    )
