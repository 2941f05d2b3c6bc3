"""One image file: its frames listed, and one of them read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscan.errors import SourceError
from nxscan.translate.series.frame import UnfinishedError
from nxscan.translators.images.cbf import head, list_cbf, read_cbf
from nxscan.translators.images.fabio_file import list_fabio, read_fabio
from nxscan.translators.images.formats import first_bytes, format_of, unpacked
from nxscan.translators.images.frame import ImageFrame, Place
from nxscan.translators.images.tiff import list_tiff, read_tiff

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from nxscan.translators.images.formats import Format


def is_image(path: Path) -> bool:
    """Tell whether a file is an image of a format that is known."""
    return format_of(path.name, first_bytes(str(path))[0]) is not None


def read_frames(path: str) -> list[ImageFrame] | None:
    """List the frames of a file, opening it once.

    Returns
    -------
    list of ImageFrame, or None
        In the order of the file; None if it is no image.

    Raises
    ------
    UnfinishedError
        If the file is empty, or ends in its header.
    SourceError
        If it cannot be read, or contradicts itself.

    """
    try:
        status = Path(path).stat()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}", "is it there?") from error
    try:
        return _listed(path, status)
    except UnfinishedError as error:
        error.modified = status.st_mtime_ns
        raise


def _listed(path: str, status: os.stat_result) -> list[ImageFrame] | None:
    start, packing = first_bytes(path)
    kind = format_of(path, start)
    if kind is None:
        if not start and format_of(path, b"") is None and not _named(path):
            return None
        if not start:
            raise UnfinishedError(path, f"{path}: the file is empty, or ends at once")
        return None
    if kind.reader == "cbf" and not packing:
        found = list_cbf(path, head(path), status.st_size)
    else:
        data = unpacked(path, packing)
        if kind.reader == "cbf":
            found = list_cbf(path, data, len(data))
        elif kind.reader == "tif":
            found = list_tiff(path, data)
        else:
            found = list_fabio(path, data, kind.reader)
    return [
        ImageFrame(header, _place(path, status, packing, kind, index, layout), missing)
        for index, (header, layout, missing) in enumerate(found)
    ]


def _named(path: str) -> bool:
    """Tell whether a name is that of an image."""
    name = path.lower().removesuffix(".gz").removesuffix(".bz2")
    return name.endswith((".cbf", ".tif", ".tiff", ".mccd"))


def _place(
    path: str, status: os.stat_result, packing: str, kind: Format, index: int, layout: Any
) -> Place:
    return Place(path, status.st_size, status.st_mtime_ns, packing, kind.reader, index, layout)


def read_pixels(place: Place) -> NDArray[Any]:
    """Return one frame, in the byte order of the file.

    Raises
    ------
    SourceError
        If the file is gone, damaged, or another one than was listed.

    """
    path = place.path
    try:
        status = Path(path).stat()
    except OSError as error:
        raise SourceError(f"{path}: is not there any more", "put it back") from error
    if (status.st_size, status.st_mtime_ns) != (place.size, place.modified):
        raise SourceError(
            f"{path}: has changed since it was listed: {place.size} bytes then, "
            f"{status.st_size} bytes now",
            "wait until it is written, then translate again",
        )
    data = unpacked(path, place.packing)
    if place.kind == "cbf":
        return read_cbf(path, data, place.layout)
    if place.kind == "tif":
        return read_tiff(path, data, place.index, place.layout)
    return read_fabio(path, data, place.kind, place.index, place.layout)
