"""How the pixels of one frame lie in the file, as its header says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError

if TYPE_CHECKING:
    from nxscan.translators.edf.header import Header

_TYPES = {
    "i1": "SignedByte Signed8",
    "u1": "UnsignedByte Unsigned8",
    "i2": "SignedShort Signed16",
    "u2": "UnsignedShort Unsigned16 UnsignedShortInteger",
    "i4": "SignedInteger Signed32 SignedLong",
    "u4": "UnsignedInteger Unsigned32 UnsignedLong",
    "i8": "Signed64",
    "u8": "Unsigned64",
    "f4": "FloatValue Float FloatIEEE32 Float32 Real",
    "f8": "Double DoubleValue FloatIEEE64 DoubleIEEE64",
}
DATA_TYPES = {name.lower(): code for code, names in _TYPES.items() for name in names.split()}
"""numpy's code for each EDF DataType, whose name is in lower case."""
if hasattr(np, "float128"):  # the same meaning as in fabio, where the platform has the type
    DATA_TYPES |= dict.fromkeys(("floatieee128", "doubleieee128", "quadruplevalue"), "f16")

_MAX_RANK = 2
_WHOLE = re.compile(r"[+-]?[0-9]{1,30}(\.0*)?")
_ORDER = re.compile(r"(low|high)[ _]?(byte)?[ _]?(first)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """Shape and type of one frame, and the bytes that it takes in its file.

    Attributes
    ----------
    shape : tuple of int
        Slow to fast: ``(Dim_2, Dim_1)``.
    dtype : str
        numpy's code with the byte order of the file (``<u2``).
    stored : int
        Bytes of pixels in the block, compressed if ``packing`` says so.
    extent : int
        Bytes from the first pixel to the end of the block.
    packing : str
        Compression inside the block: ``""``, ``gzip``, ``bz2`` or ``zlib``; ``fabio`` if the
        pixels lie in another file.
    external : (str, int)
        That file's name and the first byte of the pixels in it.

    """

    shape: tuple[int, ...]
    dtype: str
    stored: int
    extent: int
    packing: str = ""
    external: tuple[str, int] = ("", 0)

    @property
    def needed(self) -> int:
        """Bytes of the frame, uncompressed."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


def find_layout(header: Header, where: str) -> Layout:
    """Read a frame's layout from its header.

    Parameters
    ----------
    header : Header
        The frame's header, with the defaults of a general block.
    where : str
        File and frame, for messages.

    Raises
    ------
    SourceError
        If the header contradicts itself or does not say type, byte order or dimensions.

    """
    if header.conflicts:
        names = ", ".join(dict.fromkeys(header.conflicts))
        raise _refuse(where, f"says {names} twice, with different values")
    shape, dtype = _shape(header, where), _dtype(header, where)
    needed = prod(shape) * np.dtype(dtype).itemsize
    packing = _packing(header, where)
    if packing == "fabio":
        extent = max(0, next(iter(_declared(header, where)), 0))
        return Layout(shape, dtype, 0, extent, packing, _external(header, where))
    extent = _extent(header, needed if not packing else 1, where, guess=not packing)
    return Layout(shape, dtype, extent if packing else needed, extent, packing)


def _refuse(where: str, what: str) -> SourceError:
    return SourceError(
        f"{where}: the header {what}", "the file is damaged or no EDF image; leave it out"
    )


def whole_number(text: str) -> int | None:
    """Return the integer that ``text`` writes (``512`` or ``512.0``), or None.

    >>> whole_number("512.0"), whole_number("many")
    (512, None)
    """
    return int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else None


def _shape(header: Header, where: str) -> tuple[int, ...]:
    sizes: dict[int, int] = {}
    for key, text in header.structure.items():
        if not (key.startswith("DIM_") and key[4:].isdecimal() and len(key) < 7):
            continue
        size = whole_number(text)
        if size is None or size < 1:
            raise _refuse(where, f"says {key} = {text!r}, expected a number of 1 or more")
        sizes[int(key[4:])] = size
    if 1 not in sizes:
        raise _refuse(where, "has no Dim_1")
    shape = tuple(sizes.get(k, 1) for k in range(max(sizes), 0, -1))
    while len(shape) > _MAX_RANK and shape[0] == 1:
        shape = shape[1:]
    if len(shape) > _MAX_RANK:
        raise _refuse(
            where, f"says a block of shape {shape}, expected a frame of 1 or 2 dimensions"
        )
    return shape


def _dtype(header: Header, where: str) -> str:
    name = header.structure.get("DATATYPE", "")
    code = DATA_TYPES.get(name.lower())
    if code is None:
        raise _refuse(
            where, f"says DataType {name!r}, which is not known" if name else "has no DataType"
        )
    order = header.structure.get("BYTEORDER", "")
    found = _ORDER.fullmatch(order)
    if np.dtype(code).itemsize == 1 and not order:
        return "|" + code
    if found is None:
        raise _refuse(where, f"says ByteOrder {order!r}, expected LowByteFirst or HighByteFirst")
    if np.dtype(code).itemsize == 1:
        return "|" + code
    return ("<" if found[1].lower() == "low" else ">") + code


def _packing(header: Header, where: str) -> str:
    if "EDF_BINARYFILENAME" in header.structure:
        return "fabio"
    name = header.structure.get("COMPRESSION", "none").upper()
    if name.startswith("NO") or not name:
        return ""
    if "OFFSET" not in name:
        for mark, packing in (("GZIP", "gzip"), ("BZ", "bz2"), ("Z", "zlib")):
            if mark in name:
                return packing
    raise SourceError(
        f"{where}: the pixels are compressed as {name!r}, which is not known",
        "write the file again without compression",
    )


def _external(header: Header, where: str) -> tuple[str, int]:
    name = header.structure["EDF_BINARYFILENAME"].replace("\\", "/").rpartition("/")[2]
    position = whole_number(header.structure.get("EDF_BINARYFILEPOSITION", "0"))
    if position is None or position < 0:
        raise _refuse(where, "says EDF_BinaryFilePosition, but no number of 0 or more")
    return name, position


def _declared(header: Header, where: str) -> list[int]:
    numbers = []
    for key in ("EDF_BINARYSIZE", "SIZE"):
        text = header.structure.get(key)
        number = None if text is None else whole_number(text)
        if text is not None and number is None:
            raise _refuse(where, f"says {key} = {text!r}, expected a number of bytes")
        if number is not None:
            numbers.append(number)
    return numbers


def _extent(header: Header, needed: int, where: str, *, guess: bool) -> int:
    declared = _declared(header, where)
    if not declared and guess:
        return needed
    if min(declared, default=0) < needed:
        raise _refuse(where, f"says {min(declared, default=0)} bytes, the frame needs {needed}")
    return declared[0]


def native(dtype: str) -> np.dtype[Any]:
    """Return the type in native byte order.

    >>> native(">u2") == np.uint16
    True
    """
    return np.dtype(dtype).newbyteorder("=")
