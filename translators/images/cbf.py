"""CBF, as DECTRIS' detectors write it: a text header, then one compressed image.

The format is that of imgCIF's "binary CIF" (Bernstein & Hammersley, International Tables for
Crystallography G, 2006, chapter 2.3); the byte-offset compression is undone by fabio.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from fabio.compression import decByteOffset

from nxscan.errors import SourceError
from nxscan.translate.series.frame import AGAIN, UnfinishedError
from nxscan.translators.images.comments import parse_comments
from nxscan.translators.images.frame import Header, Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STARTER = b"\x0c\x1a\x04\xd5"
_SECTION = b"--CIF-BINARY-FORMAT-SECTION--"
_MOST = 2**20
_TYPES = {
    "signed 8-bit integer": "i1",
    "signed 16-bit integer": "i2",
    "signed 32-bit integer": "i4",
    "signed 64-bit integer": "i8",
    "unsigned 8-bit integer": "u1",
    "unsigned 16-bit integer": "u2",
    "unsigned 32-bit integer": "u4",
    "unsigned 64-bit integer": "u8",
}
_BYTE_OFFSET = "x-CBF_BYTE_OFFSET"
_BINARY = re.compile(rb"^\s*([\w-]+)\s*[:=]\s*\"?([^\"\r\n;]*)", re.MULTILINE)
_CONTENTS = re.compile(rb"^_array_data\.header_contents\s*\r?\n;(.*?)^;", re.MULTILINE | re.DOTALL)
_ITEM = re.compile(rb"^(_[\w.-]+)[ \t]+([^\r\n]+)", re.MULTILINE)


def list_cbf(path: str, data: bytes, size: int) -> list[tuple[Header, Layout, int]]:
    """Return header, layout and missing bytes of the one frame of a file.

    Parameters
    ----------
    path : str
        The file, for messages.
    data : bytes
        Its first bytes at least as far as the pixels.
    size : int
        Bytes of the whole uncompressed file.

    Raises
    ------
    SourceError
        If the header contradicts itself or names what cannot be read.
    UnfinishedError
        If the file ends in the header.

    """
    start = data.find(_STARTER)
    if start < 0:
        message = f"{path}: no image follows the header within {len(data)} bytes"
        raise (UnfinishedError(path, message) if len(data) == size else SourceError(message, AGAIN))
    begin = data.rfind(_SECTION, 0, start)
    if begin < 0:
        raise SourceError(f"{path}: expected {_SECTION.decode()} before the image", AGAIN)
    binary = _section(data[begin:start])
    shape, dtype, length = _described(path, binary)
    offset = start + len(_STARTER)
    text = data[:begin]
    values = {**_items(text), **parse_comments(_contents(text)), **binary}
    layout = Layout(shape, f"<{dtype}", length, None)
    header = Header(values, data[:start])
    return [(header, layout, max(0, offset + length - size))]


def read_cbf(path: str, data: bytes, layout: Layout) -> NDArray[Any]:
    """Return the image of a file, after comparing its checksum.

    Raises
    ------
    SourceError
        If it is cut or damaged.

    """
    start = data.find(_STARTER) + len(_STARTER)
    packed = data[start : start + layout.extent]
    binary = _section(data[:start])
    if len(packed) < layout.extent:
        raise SourceError(
            f"{path}: the image is cut: expected {layout.extent} bytes, found {len(packed)}", AGAIN
        )
    stated = binary.get("Content-MD5", "")
    found = base64.b64encode(hashlib.md5(packed, usedforsecurity=False).digest()).decode()
    if stated and stated != found:
        raise SourceError(
            f"{path}: the image is damaged: its checksum is {found}, the header says {stated}",
            AGAIN,
        )
    count = layout.shape[0] * layout.shape[1]
    try:
        values = decByteOffset(packed, size=count, dtype=np.dtype(layout.dtype).name)
    except (ValueError, IndexError, MemoryError) as error:
        raise SourceError(f"{path}: the image cannot be decompressed: {error}", AGAIN) from error
    if len(values) != count:
        raise SourceError(
            f"{path}: the image is damaged: expected {count} pixels, found {len(values)}", AGAIN
        )
    return np.asarray(values, np.dtype(layout.dtype)).reshape(layout.shape)


def head(path: str, most: int = 2**16) -> bytes:
    """Return a plain file's first bytes, as far as its image begins."""
    with io.FileIO(path) as file:
        data = file.read(most) or b""
        while _STARTER not in data and len(data) < _MOST:
            more = file.read(most)
            if not more:
                break
            data += more
    return data


def _section(text: bytes) -> dict[str, str]:
    """Return the keys of the binary section's header."""
    return {
        key.decode("latin-1"): value.strip().decode("latin-1")
        for key, value in _BINARY.findall(text[text.rfind(_SECTION) + len(_SECTION) :])
    }


def _described(path: str, binary: dict[str, str]) -> tuple[tuple[int, int], str, int]:
    """Return shape, type and length of the image as the header declares them."""
    how = binary.get("conversions", "none")
    if how != _BYTE_OFFSET:
        raise SourceError(
            f"{path}: the image is compressed as {how!r}, expected {_BYTE_OFFSET}",
            "convert it with cbflib",
        )
    kind = binary.get("X-Binary-Element-Type", "")
    if kind not in _TYPES:
        raise SourceError(f"{path}: pixels are {kind!r}, expected whole numbers", AGAIN)
    slow = _whole(path, binary, "X-Binary-Size-Second-Dimension")
    fast = _whole(path, binary, "X-Binary-Size-Fastest-Dimension")
    length = _whole(path, binary, "X-Binary-Size")
    if length < slow * fast:
        raise SourceError(
            f"{path}: {length} bytes cannot hold {slow} × {fast} pixels, of which each takes one",
            AGAIN,
        )
    return (slow, fast), _TYPES[kind], length


def _whole(path: str, binary: dict[str, str], key: str) -> int:
    text = binary.get(key, "")
    if not text.isdecimal() or int(text) == 0 or len(text) > 12:
        raise SourceError(f"{path}: the header says {key} = {text!r}, expected a number", AGAIN)
    return int(text)


def _contents(text: bytes) -> str:
    match = _CONTENTS.search(text)
    return match[1].decode("latin-1") if match else ""


def _items(text: bytes) -> dict[str, str]:
    """Return CIF items of one line each."""
    plain = _CONTENTS.sub(b"", text)
    return {
        key.decode("latin-1"): value.decode("latin-1").strip().strip("\"'")
        for key, value in _ITEM.findall(plain)
    }
