"""One frame of an image file: where its pixels lie, and what its header says."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np


@dataclass(frozen=True, slots=True)
class Layout:
    """Shape and type of one frame, and the bytes that it takes in its file.

    Attributes
    ----------
    shape : tuple of int
        Slow to fast.
    dtype : str
        numpy's code with the byte order of the file (``<u2``).
    extent : int
        Bytes of its pixels in the uncompressed file, as the header declares them.
    offset : int or None
        Where they begin, if they lie there one after the other as plain numbers.

    """

    shape: tuple[int, ...]
    dtype: str
    extent: int
    offset: int | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the frame in memory."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, slots=True)
class Place:
    """Where the pixels of one frame lie.

    Attributes
    ----------
    path : str
        The file.
    size, modified : int
        Its bytes and time of change (ns) when it was listed.
    packing : str
        Compression of the whole file: ``""``, ``gz`` or ``bz2``.
    kind : str
        Its format, as `formats.FORMATS` has it.
    index : int
        Number of the frame in the file, from 0.
    layout : Layout
        Shape, type and bytes.

    """

    path: str
    size: int
    modified: int
    packing: str
    kind: str
    index: int
    layout: Layout


@dataclass(frozen=True, slots=True)
class Header:
    """The header of one frame.

    Attributes
    ----------
    values : dict of str to str
        Every key with its text; a unit that is stated is ``KEY@units``.
    raw : bytes
        The header byte for byte; empty where the format has none of text.
    repeated : tuple of str
        Keys that came more than once.

    """

    values: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""
    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageFrame:
    """One frame: its header, the place of its pixels, how many of their bytes are missing."""

    header: Header
    place: Place
    missing: int = 0

    @property
    def extent(self) -> int:
        """Bytes of its pixels that the header declares."""
        return self.place.layout.extent
