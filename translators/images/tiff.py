"""TIFF of detectors: one gray image a page, plain, or compressed as Pillow undoes it."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from fabio.TiffIO import TiffIO

from nxscan.errors import SourceError
from nxscan.translate.series.frame import AGAIN, UnfinishedError
from nxscan.translators.images.comments import parse_comments
from nxscan.translators.images.frame import Header, Layout
from nxscan.translators.images.marccd import read_marccd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_KINDS = {1: "u", 2: "i", 3: "f", 4: "u"}
_UNKNOWN = ("Unknown Software", "Unknown Date")
_BAD: tuple[type[Exception], ...] = (
    ValueError, IndexError, KeyError, TypeError, AttributeError, struct.error, OSError,
    OverflowError, MemoryError, ZeroDivisionError, AssertionError, SyntaxError, EOFError,
)  # fmt: skip
"""What fabio and Pillow raise over files that are damaged."""


def list_tiff(path: str, data: bytes) -> list[tuple[Header, Layout, int]]:
    """Return header, layout and missing bytes of every page of a file.

    Parameters
    ----------
    path : str
        The file, for messages.
    data : bytes
        All of it.

    Raises
    ------
    SourceError
        If a page is no gray image, or its description contradicts itself.
    UnfinishedError
        If the file ends before its description.

    """
    try:
        tiff = TiffIO(io.BytesIO(data))
        count = tiff.getNumberOfImages()
        infos = [dict(tiff._readInfo(k, close=False)) for k in range(count)]
    except _BAD as error:
        raise UnfinishedError(
            path, f"{path}: the description of its images cannot be read: {error}"
        ) from error
    if not infos:
        raise UnfinishedError(path, f"{path}: holds no image")
    order = "<" if data[:2] == b"II" else ">"
    pages = [_page(path, info, order, len(data), k) for k, info in enumerate(infos)]
    more = read_marccd(data, pages[0][1].shape[1])
    if more:
        header, layout, missing = pages[0]
        pages[0] = (Header(header.values | more), layout, missing)
    return pages


def read_tiff(path: str, data: bytes, index: int, layout: Layout) -> NDArray[Any]:
    """Return one page of a file, as Pillow decompresses it.

    (fabio's own reader gives wrong pixels, and a warning in the log, for PackBits whose strips
    are longer than a row: it is not used.)

    Raises
    ------
    SourceError
        If it is cut or damaged.

    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.seek(index)
            pixels = np.array(image)
    except _BAD as error:
        raise SourceError(
            f"{path}: image {index} cannot be decompressed: {error}", AGAIN
        ) from error
    dtype = np.dtype(layout.dtype).newbyteorder("=")
    whole = pixels.dtype.kind in "iu" and dtype.kind in "iu"
    if pixels.shape != layout.shape or not (
        pixels.dtype == dtype or (whole and pixels.dtype.itemsize == dtype.itemsize)
    ):
        raise SourceError(
            f"{path}: image {index} is {pixels.shape} {pixels.dtype}, its description says "
            f"{layout.shape} {dtype.name}",
            AGAIN,
        )
    return pixels if pixels.dtype == dtype else pixels.view(dtype)


def _page(
    path: str, info: dict[str, Any], order: str, size: int, index: int
) -> tuple[Header, Layout, int]:
    where = f"{path}: image {index}"
    bits, kind = info["nBits"], _KINDS.get(info["sampleFormat"])
    if hasattr(bits, "__len__") or info["colormap"] is not None:
        raise SourceError(f"{where} is a color image, expected one of gray", "convert it first")
    if bits not in (8, 16, 32, 64) or kind is None or (kind == "f" and bits < 32):
        raise SourceError(
            f"{where} has {bits} bits a pixel of sample format {info['sampleFormat']}, expected "
            "8, 16, 32 or 64 of whole numbers or floats",
            "convert it first",
        )
    if info["photometricInterpretation"] == 0:
        raise SourceError(f"{where} is a negative: 0 is white", "convert it first")
    shape = (int(info["nRows"]), int(info["nColumns"]))
    offsets, lengths = _listed(info["stripOffsets"]), _listed(info["stripByteCounts"])
    if not all(shape) or len(offsets) != len(lengths) or min(offsets, default=0) < 0:
        raise SourceError(f"{where}: its description contradicts itself", AGAIN)
    dtype = f"{order}{kind}{bits // 8}"
    extent = sum(lengths)
    plain = not info["compression"]
    needed = shape[0] * shape[1] * (bits // 8)
    if plain and extent < needed:
        raise SourceError(
            f"{where}: {extent} bytes are declared, but {shape[0]} × {shape[1]} pixels take "
            f"{needed}",
            AGAIN,
        )
    row = plain and all(offsets[k] + lengths[k] == offsets[k + 1] for k in range(len(offsets) - 1))
    end = max(offset + length for offset, length in zip(offsets, lengths, strict=True))
    layout = Layout(shape, dtype, extent, offsets[0] if row else None)
    return Header(_values(info)), layout, min(extent, max(0, end - size))


def _listed(value: Any) -> Sequence[int]:
    found = value if hasattr(value, "__len__") else [value]
    return [int(one) for one in found]


def _values(info: dict[str, Any]) -> dict[str, str]:
    values = {
        key: str(info[name]).strip("\x00 \r\n")
        for key, name in (("Software", "software"), ("DateTime", "date"), ("Model", "model"))
        if info.get(name) not in (None, *_UNKNOWN)
    }
    text = str(info["imageDescription"])
    if "#" in text and "\n" in text.strip():
        return values | parse_comments(text)
    first, _, last = text.partition("/")
    if text.strip("\x00 ") and not (first.isdecimal() and last.isdecimal()):  # fabio's own
        values["ImageDescription"] = text.strip("\x00 \r\n")
    return values
