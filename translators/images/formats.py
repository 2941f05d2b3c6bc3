"""The formats of images, told by their first bytes, and by their names where those say little."""

from __future__ import annotations

import bz2
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from isal import igzip, isal_zlib

from nxscan.errors import SourceError
from nxscan.translate.series.frame import AGAIN, UnfinishedError

START = 64
_PACKINGS = {b"\x1f\x8b": "gz", b"BZh": "bz2"}
DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    ValueError,
    zlib.error,
    cast("type[Exception]", isal_zlib.error),
)
"""What unpacking raises over a damaged file."""


@dataclass(frozen=True)
class Format:
    """A format of image files.

    Attributes
    ----------
    name : str
        What it is called.
    reader : str
        fabio's class that reads it; CBF and TIFF are listed without it.
    magic : tuple of bytes
        What its files begin with; empty where the name alone tells.
    suffixes : str
        Regular expression of the names' ends, where the first bytes are not enough.

    """

    name: str
    reader: str
    magic: tuple[bytes, ...] = ()
    suffixes: str = ""


FORMATS = (
    Format("CBF", "cbf", (b"###CBF",)),
    Format("TIFF", "tif", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Format("d*TREK", "dtrek", (b"{\nHEADER_BYTES", b"{\r\nHEADER_BYTES")),
    Format("OXD", "oxd", (b"OD SAPPHIRE", b"OD  SAPPHIRE")),
    Format("MAR345", "mar345", (b"\xd2\x04\0\0", b"\0\0\x04\xd2"), r"\.mar\d{3,4}"),
    Format("Bruker", "bruker100", (b"FORMAT :100",)),
    Format("Bruker", "bruker", (b"FORMAT :        86",)),
    Format("HiPic", "hipic", (b"IM",), r"\.img"),
    Format("R-AXIS", "raxis", (b"R-AXIS",)),
    Format("Nonius KappaCCD", "kcd", (b"No",), r"\.kcd"),
    Format("Digital Micrograph", "dm3", (b"\0\0\0\x03",), r"\.dm3"),
    Format("GE", "ge", (b"ADEPT", b"\0" * 10), r"\.ge\d?"),
    Format("Esperanto", "esperanto", (b"ESPERANTO FORMAT",)),
    Format("PNM", "pnm", (b"P5", b"P2"), r"\.p[gn]m"),
    Format("Fit2D", "fit2d", (b"\\$FFF_START",)),
    Format("WinView SPE", "spe", (), r"\.spe"),
)


def packing_of(start: bytes) -> str:
    """Tell how a whole file is compressed from its first bytes."""
    return next((name for magic, name in _PACKINGS.items() if start.startswith(magic)), "")


def format_of(path: str, start: bytes) -> Format | None:
    """Tell a file's format; None if it is none that is known.

    Parameters
    ----------
    path : str
        Its name; that of its packing is left out.
    start : bytes
        Its first bytes, uncompressed.

    """
    name = re.sub(r"\.(gz|bz2)\Z", "", path.lower())
    for known in FORMATS:
        told = not known.magic or start.startswith(known.magic)
        if told and (not known.suffixes or re.search(rf"{known.suffixes}\Z", name)):
            return known
    return None


def first_bytes(path: str) -> tuple[bytes, str]:
    """Return the first bytes of a file, uncompressed, and how it is packed.

    Raises
    ------
    SourceError
        If it cannot be read.

    """
    start = read_bytes(path, START)
    packing = packing_of(start)
    if not packing:
        return start, ""
    try:
        with Path(path).open("rb") as raw:
            stream = igzip.IGzipFile(fileobj=raw) if packing == "gz" else bz2.BZ2File(raw)
            return bytes(stream.read(START)), packing
    except DAMAGE:
        return b"", packing


def read_bytes(path: str, count: int = -1) -> bytes:
    """Return a file's bytes, as they are."""
    try:
        with Path(path).open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror or error}",
            "check that it exists and that you may read it",
        ) from error


def unpacked(path: str, packing: str) -> bytes:
    """Return all bytes of a file, uncompressed.

    Raises
    ------
    SourceError
        If it cannot be read, or is damaged.
    UnfinishedError
        If it ends too early.

    """
    raw = read_bytes(path)
    try:
        if packing == "gz":
            return bytes(igzip.decompress(raw))
        return bz2.decompress(raw) if packing == "bz2" else raw
    except DAMAGE as error:
        message = f"{path}: the file is damaged: {error}"
        cut = isinstance(error, EOFError) or "end-of-stream" in str(error)
        raise (UnfinishedError(path, message) if cut else SourceError(message, AGAIN)) from error
