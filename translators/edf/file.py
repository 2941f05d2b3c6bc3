"""One EDF file: its blocks, found in one pass over the headers.

Plain files are read at their headers only. A compressed file must be unpacked as a whole to
know how many frames it holds; this also checks its checksum before anything is translated.
"""

from __future__ import annotations

import bz2
import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from isal import igzip, isal_zlib

from nxscan.errors import SourceError
from nxscan.translate.series.frame import AGAIN, UnfinishedError
from nxscan.translators.edf.header import BLANK, END, Header, parse_header
from nxscan.translators.edf.layout import Layout, find_layout, whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator

SUFFIXES = (".edf", ".edf.gz", ".edf.bz2")
DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    zlib.error,
    cast("type[Exception]", isal_zlib.error),
)
"""What reading raises from a damaged file."""
_CHUNK = 8192
_MAX_HEADER = 512 * 512
_HUGE = 2**62
_PADDED = 512
_MAGIC = {b"\x1f\x8b": "gz", b"BZh": "bz2"}
_LINE_ENDS = (b"\n", b"\r\n")
_HEADER_SIZE = re.compile(rb"EDF_HeaderSize\s*=\s*([0-9]{1,9})\s*;")
_KNOWN_KEY = re.compile(
    rb"[{;]\s*(?:HeaderID|EDF_\w+|ByteOrder|DataType|Dim_[12])\s*=", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pixels of one frame lie.

    Attributes
    ----------
    path : str
        The file.
    size, modified : int
        Its bytes and time of change (ns) when it was listed.
    codec : str
        Compression of the whole file: ``""``, ``gz`` or ``bz2``.
    index : int
        Number of the frame in the file, from 0.
    offset : int
        First byte of the pixels, in the uncompressed file.
    layout : Layout
        Shape, type and bytes.

    """

    path: str
    size: int
    modified: int
    codec: str
    index: int
    offset: int
    layout: Layout


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its header, the place of its pixels, how many bytes of its block are missing."""

    header: Header
    place: Place
    missing: int = 0

    @property
    def extent(self) -> int:
        """Bytes of its block that the header declares."""
        return self.place.layout.extent


def open_raw(path: str) -> BinaryIO:
    """Open a file for reading, without a buffer: every read is one request to the disk."""
    try:
        return cast("BinaryIO", Path(path).open("rb", buffering=0))
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror or error}",
            "check that it exists and that you may read it",
        ) from error


def codec_of(start: bytes) -> str:
    """Tell how a file is compressed from its first bytes."""
    return next((codec for magic, codec in _MAGIC.items() if start.startswith(magic)), "")


def unpacked(raw: BinaryIO, codec: str) -> BinaryIO:
    """Return a reader of the uncompressed bytes of ``raw``, which stands at its beginning."""
    if codec == "gz":
        return cast("BinaryIO", igzip.IGzipFile(fileobj=raw, mode="rb"))
    if codec == "bz2":
        return cast("BinaryIO", bz2.BZ2File(raw, "rb"))
    return raw


def is_edf(path: Path) -> bool:
    """Tell whether a file is EDF: by its first bytes, or by its name if they do not show it."""
    with open_raw(str(path)) as raw:
        return _is_edf(raw, raw.read(_CHUNK), str(path))


def _is_edf(raw: BinaryIO, start: bytes, path: str) -> bool:
    if path.lower().endswith(SUFFIXES):
        return True
    if codec := codec_of(start):
        raw.seek(0)
        try:
            start = unpacked(raw, codec).read(_CHUNK)
        except DAMAGE:
            return False
    return start.lstrip(BLANK).startswith(b"{") and _KNOWN_KEY.search(start) is not None


def read_frames(path: str) -> list[Frame] | None:
    """List the frames of a file, opening it once.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    list of Frame, or None
        In the order of the file; None if neither content nor name is EDF.

    Raises
    ------
    UnfinishedError
        If the file is empty, or ends in a header or, compressed, anywhere.
    SourceError
        If the file cannot be read, or a header in it contradicts itself.

    """
    with open_raw(path) as raw:
        try:
            start = raw.read(_CHUNK)
            return _walk(raw, start, path) if _is_edf(raw, start, path) else None
        except DAMAGE as error:
            message = f"{path}: the file is damaged: {error}"
            if not isinstance(error, EOFError):
                raise SourceError(message, AGAIN) from error
            unfinished = UnfinishedError(path, message)
            unfinished.modified = os.fstat(raw.fileno()).st_mtime_ns
            raise unfinished from error


def _walk(raw: BinaryIO, start: bytes, path: str) -> list[Frame]:
    status, codec = os.fstat(raw.fileno()), codec_of(start)
    walk = _Walk(path, status.st_size, status.st_mtime_ns, codec)
    if not codec:
        return walk.all_frames(raw, status.st_size, start)
    raw.seek(0)
    with unpacked(raw, codec) as stream:
        return walk.all_frames(stream, None, b"")


@dataclass
class _Walk:
    """One pass over the blocks of a file."""

    path: str
    size: int
    modified: int
    codec: str

    def all_frames(self, stream: BinaryIO, size: int | None, start: bytes) -> list[Frame]:
        """Return the frames; those before the end go with the error if the file is cut."""
        found: list[Frame] = []
        walked = self.frames(stream, size, start)
        try:
            while (frame := next(walked, None)) is not None:
                found.append(frame)
        except UnfinishedError as error:
            error.modified = self.modified
            # of a compressed file, only the end says whether what stands before it is right
            error.frames = [] if self.codec else found
            raise
        return found

    def frames(self, stream: BinaryIO, size: int | None, start: bytes) -> Iterator[Frame]:
        """Yield the frames; ``size`` is the uncompressed size where it is known."""
        general: Header | None = None
        position, index = 0, 0
        while True:
            header, length = self._header(stream, position, index, start)
            start = b""
            if header is None:
                break
            position += length
            if header.is_general:
                general = header
                position += self._general_extent(header)
                continue
            header = header.with_defaults(general) if general else header
            layout = find_layout(header, self._where(index))
            found = _available(stream, position, layout, size)
            place = Place(self.path, self.size, self.modified, self.codec, index, position, layout)
            elsewhere = layout.packing == "fabio"
            yield Frame(header, place, 0 if elsewhere else layout.extent - found)
            index += 1
            position += layout.extent
            if found < layout.extent:
                break
        if not index:
            raise UnfinishedError(self.path, f"{self.path}: holds no frame, only a general header")

    def _where(self, index: int) -> str:
        return f"{self.path}, frame {index}" if index else self.path

    def _general_extent(self, header: Header) -> int:
        text = header.structure.get("EDF_BINARYSIZE", "0")
        number = whole_number(text)
        if number is None or number < 0:
            raise SourceError(
                f"{self.path}: the general header says EDF_BinarySize = {text!r}, expected a "
                "number of bytes",
                AGAIN,
            )
        return min(number, _HUGE)

    def _header(
        self, stream: BinaryIO, position: int, index: int, start: bytes
    ) -> tuple[Header | None, int]:
        """Read the header block at ``position``; (None, 0) where the file ends."""
        stream.seek(position + len(start))
        block, skipped = start or stream.read(_CHUNK), 0
        while block and not block.strip(BLANK):
            skipped += len(block)
            block = stream.read(_CHUNK)
        text = block.lstrip(BLANK)
        if not text and position:
            return None, 0
        blank = block[: len(block) - len(text)]
        if not text.startswith(b"{"):
            self._refuse_start(text, index)
        if index and not _may_lie_between(skipped, blank, position):
            self._refuse_start(block, index)
        header = self._complete(stream, block, index)
        return header, skipped + len(header.raw)

    def _complete(self, stream: BinaryIO, block: bytes, index: int) -> Header:
        limit = max([_MAX_HEADER, *(int(n) for n in _HEADER_SIZE.findall(block[:1024]))])
        searched = 0
        while (end := END.search(block, searched)) is None:
            searched = max(0, len(block) - 2)
            more = stream.read(_CHUNK) if len(block) <= limit else b""
            if not more:
                message = (
                    f"{self._where(index)}: the header does not end: expected '}}' and a line feed "
                    f"within {limit} bytes, found none in {len(block)}; the file is truncated"
                )
                if len(block) > limit:
                    raise SourceError(message, AGAIN)
                raise UnfinishedError(self.path, message)
            block += more
        return parse_header(block[: end.end()])

    def _refuse_start(self, text: bytes, index: int) -> None:
        if not text:
            raise UnfinishedError(self.path, f"{self.path}: the file is empty")
        if not index and any(magic.startswith(text) for magic in _MAGIC):
            raise UnfinishedError(self.path, f"{self.path}: ends after {len(text)} bytes")
        what = f"another header after frame {index - 1}" if index else "an EDF header"
        raise SourceError(
            f"{self.path}: expected {what}, which begins with '{{', found {text[:16]!r}", AGAIN
        )


def _may_lie_between(skipped: int, blank: bytes, position: int) -> bool:
    """Tell whether blank bytes after a frame are padding, rather than pixels too many.

    Blocks are padded to a multiple of 512 bytes, or end with a line feed; other zeros there
    mean that the pixels before them have moved.
    """
    length = skipped + len(blank)
    return not length or (position + length) % _PADDED == 0 or (blank in _LINE_ENDS and not skipped)


def _available(stream: BinaryIO, position: int, layout: Layout, size: int | None) -> int:
    """Return how many bytes of a block are there."""
    if size is None:
        size = stream.seek(min(position + layout.extent, _HUGE))
    return min(layout.extent, max(0, size - position))
