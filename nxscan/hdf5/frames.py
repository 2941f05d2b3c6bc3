"""Frames where they lie: in a dataset of an HDF5 file, or as plain bytes of any file."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.hdf5.boxes import boxes
from nxscan.hdf5.rawframes import read_raw
from nxscan.hdf5.readers import readers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Region = tuple[slice, ...]


class Frames(ABC):
    """Frames in one file, numbered from 0 in the order in which they are stored.

    They can be pickled, open their file when they are read, and may be read by several
    threads at once. However many there are, few files are open at a time.
    """

    path: Path

    @property
    @abstractmethod
    def count(self) -> int:
        """How many there are."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Lengths of one frame; () for a number."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of one value, in native byte order."""

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Frames, and lengths within a frame, that are best read at once; None if any are."""
        return None

    @abstractmethod
    def read(self, first: int, out: NDArray[Any], region: Region) -> None:
        """Fill ``out`` with a part of consecutive frames.

        Parameters
        ----------
        first : int
            The first frame.
        out : ndarray, shape (frames, *lengths of region)
            Takes the values.
        region : tuple of slice
            Which part of each frame, without steps.

        Raises
        ------
        SourceError
            If the file has gone, ends before, or is damaged there; it names file and frame.

        """


@dataclass(frozen=True)
class StoredFrames(Frames):
    """Frames in a dataset of an HDF5 file, whose last dimensions are a frame's.

    Attributes
    ----------
    path : Path
        The file that holds the values themselves, absolute.
    dataset : str
        Where it is in the file, absolute.
    whole : tuple of int
        Shape of the dataset; its first dimension may have got longer since.
    stored : dtype
        Type of its values, in native byte order.
    rank : int
        How many of its leading dimensions count frames; they are numbered in C order.
    chunked : tuple of int or None
        Shape of its chunks.

    """

    path: Path
    dataset: str
    whole: tuple[int, ...]
    stored: np.dtype[Any]
    rank: int
    chunked: tuple[int, ...] | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return math.prod(self.whole[: self.rank])

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of one frame."""
        return self.whole[self.rank :]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        return self.stored.newbyteorder("=")

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Frames one after the other, and lengths within a frame, of one chunk."""
        if self.chunked is None:
            return None
        return *(self.chunked[: self.rank] or (1,))[-1:], *self.chunked[self.rank :]

    def read(self, first: int, out: NDArray[Any], region: Region) -> None:
        """Fill ``out`` with a part of consecutive frames."""
        done = 0
        for box in boxes(self.whole[: self.rank], first, len(out)):
            lengths = tuple(part.stop - part.start for part in box)
            part = out[done : done + math.prod(lengths)]
            readers.read(self, (*box, *region), part.reshape(lengths + out.shape[1:]))
            done += len(part)

    def read_box(self, region: Region, out: NDArray[Any]) -> None:
        """Fill ``out`` with a part of the dataset as it is.

        Parameters
        ----------
        region : tuple of slice
            Which part, without steps, along all dimensions.
        out : ndarray
            Takes the values; of the region's shape.

        Raises
        ------
        SourceError
            If the file has gone or is damaged there.

        """
        readers.read(self, region, out)


@dataclass(frozen=True, eq=False)
class RawFrames(Frames):
    """Frames as plain bytes of a file, such as those of an uncompressed EDF file.

    Attributes
    ----------
    path : Path
        The file, absolute.
    offsets : ndarray of int64, shape (frames,)
        Where each frame begins, in bytes; given as any sequence, it cannot be changed.
    frame : tuple of int
        Lengths of one frame, stored in C order.
    stored : dtype
        Type of its values, with their byte order in the file.

    """

    path: Path
    offsets: NDArray[np.int64]
    frame: tuple[int, ...]
    stored: np.dtype[Any]

    def __init__(
        self,
        path: Path,
        offsets: Sequence[int] | NDArray[np.int64],
        frame: tuple[int, ...],
        stored: np.dtype[Any],
    ) -> None:
        places = np.array(offsets, np.int64)
        places.flags.writeable = False
        for name, value in (
            ("path", path),
            ("offsets", places),
            ("frame", tuple(frame)),
            ("stored", np.dtype(stored)),
        ):
            object.__setattr__(self, name, value)

    def _all(self) -> tuple[object, ...]:
        return self.path, self.offsets.tobytes(), self.frame, self.stored

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawFrames) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash(self._all())

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.offsets)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of one frame."""
        return self.frame

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        return self.stored.newbyteorder("=")

    @property
    def nbytes(self) -> int:
        """Bytes of one frame."""
        return math.prod(self.frame) * self.stored.itemsize

    def read(self, first: int, out: NDArray[Any], region: Region) -> None:
        """Fill ``out`` with a part of consecutive frames."""
        read_raw(self, first, out, region)
