"""Image files as a signal: plain pixels read where they lie, others decompressed frame by frame."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.hdf5.frames import Frames, RawFrames
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.translators.images.file import read_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nxscan.translators.images.frame import Place

    Region = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class PackedImages(Frames):
    """Frames of one file that have to be decompressed.

    Attributes
    ----------
    path : Path
        The file.
    places : tuple of Place
        Its frames.

    """

    path: Path
    places: tuple[Place, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.places)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of one frame."""
        return self.places[0].layout.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value, in native byte order."""
        return np.dtype(self.places[0].layout.dtype).newbyteorder("=")

    @property
    def chunks(self) -> tuple[int, ...]:
        """One frame: it is decompressed as a whole."""
        return (1, *self.shape)

    def read(self, first: int, out: NDArray[Any], region: Region) -> None:
        """Fill ``out`` with a part of consecutive frames."""
        for k, target in enumerate(out):
            target[...] = read_pixels(self.places[first + k])[region]


def signal_of(places: Sequence[Place], units: str | None, long_name: str) -> VirtualSignal:
    """Return frames as a signal of one scan dimension, in the order of their places."""
    sources: list[Frames] = []
    for (path, plain), found in groupby(places, lambda one: (one.path, is_plain(one))):
        group = tuple(found)
        if plain:
            offsets = [place.layout.offset or 0 for place in group]
            layout = group[0].layout
            sources.append(RawFrames(Path(path), offsets, layout.shape, np.dtype(layout.dtype)))
        else:
            sources.append(PackedImages(Path(path), group))
    return VirtualSignal.of(sources, units, long_name)


def is_plain(place: Place) -> bool:
    """Tell whether a frame's pixels are plain numbers in its file."""
    return place.layout.offset is not None and not place.packing
