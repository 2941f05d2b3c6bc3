"""Signals that lie in HDF5 files."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.model import Signal
from nxscan.nexus.layout import UNKNOWN_UNITS
from nxscan.nexus.opening import open_reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model.signal import Selection

    Attributes = Callable[[Any], Mapping[str, Any]]
    Range = tuple[tuple[int, ...], tuple[int, ...]]

_MOST_NAMED = 5


def _all_attributes(dataset: Any) -> Mapping[str, Any]:
    return dict(dataset.attrs.items())


class HDF5Signal(Signal):
    """A dataset of an HDF5 file, opened when it is read.

    Parameters
    ----------
    path : Path
        The file that holds the data itself: HDF5's own external links are not followed.
    dataset : str
        Where it is in the file.
    scan_rank : int, optional
        How many of its leading dimensions count frames; without it, all but the last two.
    attributes : callable, optional
        Returns the attributes of the dataset, and may refuse them.

    """

    def __init__(
        self,
        path: Path,
        dataset: str,
        scan_rank: int | None = None,
        attributes: Attributes = _all_attributes,
    ) -> None:
        self.path = path
        self.dataset = dataset
        with open_reading(path) as file:
            found = file[dataset]
            self._shape: tuple[int, ...] = found.shape
            self._dtype: np.dtype[Any] = found.dtype.newbyteorder("=")
            self._chunks: tuple[int, ...] | None = found.chunks
            said = attributes(found)
        self._rank = max(0, len(self._shape) - 2) if scan_rank is None else scan_rank
        units = said.get("units", UNKNOWN_UNITS)
        self.units = None if units == UNKNOWN_UNITS else str(units)
        self.long_name = str(said.get("long_name", ""))

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        return self._dtype

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of the dataset's chunks."""
        return self._chunks

    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part.

        Raises
        ------
        SourceError
            If the file has gone, or a chunk is damaged; it names the frames.

        """
        try:
            with open_reading(self.path) as file:
                dataset = file[self.dataset]
                try:
                    values = dataset[selection]
                except (OSError, RuntimeError) as error:
                    raise self._damaged(dataset, selection, error) from error
        except (OSError, KeyError, RuntimeError) as error:
            raise SourceError(
                f"{self.path}::{self.dataset} cannot be read: {error.args[0]}",
                "is the file there, and complete?",
            ) from error
        return np.asarray(values, dtype=self._dtype)

    def _damaged(self, dataset: Any, selection: Selection, error: Exception) -> SourceError:
        found = list(itertools.islice(self._damaged_frames(dataset, selection), _MOST_NAMED + 1))
        named = ", ".join(_named(frames) for frames in found[:_MOST_NAMED])
        more = " and more" if len(found) > _MOST_NAMED else ""
        noun = "frame" if len(found) == 1 and found[0][0] == found[0][1] else "frames"
        what = f"{noun} {named}{more}" if found and self._rank else f"selection {selection}"
        return SourceError(
            f"{self.path}::{self.dataset}: {what} cannot be read, what is stored is damaged: "
            f"{error}",
            "nxscan validate --data checks every frame; restore the file, or translate again",
        )

    def _damaged_frames(self, dataset: Any, selection: Selection) -> Iterator[Range]:
        """Yield first and last frame of each run of frames in which a chunk cannot be read."""
        last: Range | None = None
        for region in _chunk_regions(self._shape, self._chunks, selection):
            try:
                dataset[tuple(slice(part.start, part.start + 1) for part in region)]
            except (OSError, RuntimeError):
                scan = region[: self._rank]
                found = tuple(p.start for p in scan), tuple(p.stop - 1 for p in scan)
                if found != last:
                    yield found
                last = found


def _chunk_regions(
    shape: tuple[int, ...], chunks: tuple[int, ...] | None, selection: Selection
) -> Iterator[tuple[slice, ...]]:
    """Yield the region of every chunk that a selection touches."""
    if chunks is None:
        return
    bounds = _bounds(shape, selection)
    starts = (
        range(first // step * step, stop, step)
        for (first, stop), step in zip(bounds, chunks, strict=True)
    )
    for origin in itertools.product(*starts):
        yield tuple(
            slice(start, min(start + step, length))
            for start, step, length in zip(origin, chunks, shape, strict=True)
        )


def _bounds(shape: tuple[int, ...], selection: Selection) -> list[tuple[int, int]]:
    """Return the first index of a selection along each dimension, and the one after the last."""
    given = selection if isinstance(selection, tuple) else (selection,)
    at = given.index(Ellipsis) if Ellipsis in given else len(given)
    missing = len(shape) - (len(given) - (at < len(given)))
    parts = (*given[:at], *(slice(None),) * missing, *given[at + 1 :])
    return [_extent(part, length) for part, length in zip(parts, shape, strict=True)]


def _extent(part: Any, length: int) -> tuple[int, int]:
    if isinstance(part, slice):
        taken = range(length)[part]
        return (min(taken), max(taken) + 1) if taken else (0, 0)
    return (int(part) % length, int(part) % length + 1)


def _named(frames: Range) -> str:
    first, last = (str(index[0]) if len(index) == 1 else str(index) for index in frames)
    return first if first == last else f"{first} to {last}"
