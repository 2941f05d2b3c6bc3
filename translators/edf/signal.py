"""The frames of a scan as one array, read from their files when asked."""

from __future__ import annotations

from functools import cached_property
from math import prod
from operator import index as as_index
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model.signal import Signal
from nxscan.translators.edf.layout import native
from nxscan.translators.edf.pixels import is_plain, read_plain, read_rows
from nxscan.translators.edf.stream import Streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nxscan.model.signal import Index, Selection
    from nxscan.translators.edf.file import Place


class EdfSignal(Signal):
    """Frames of equal shape and type, in the scan's shape.

    Each frame is read from its file when it is asked for: plain ones with one request for the
    rows that are needed, compressed ones through a stream that goes on where it stopped.

    Parameters
    ----------
    places : sequence of Place
        One a position, in C order over ``scan_shape``.
    scan_shape : tuple of int
        The scan's own dimensions, slow to fast; ``()`` for one frame.
    units, long_name : str
        As for every signal.

    """

    def __init__(
        self,
        places: Sequence[Place],
        scan_shape: tuple[int, ...],
        units: str | None = None,
        long_name: str = "",
    ) -> None:
        self.places = tuple(places)
        self.scan_shape = scan_shape
        self.units = units
        self.long_name = long_name
        self._dtype = native(self.places[0].layout.dtype)
        self._streams = Streams(self.places)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Lengths of the detector's dimensions."""
        return self.places[0].layout.shape

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions: the scan's, then the detector's."""
        return self.scan_shape + self.frame_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one pixel, in native byte order."""
        return self._dtype

    @property
    def chunks(self) -> tuple[int, ...]:
        """One frame."""
        return (1,) * len(self.scan_shape) + self.frame_shape

    def arranged(self, scan_shape: tuple[int, ...], order: NDArray[np.intp]) -> EdfSignal:
        """Return the frames in another order and scan shape.

        Position k (in C order over ``scan_shape``) holds what is frame ``order[k]`` here.
        """
        places = [self.places[k] for k in order]
        return EdfSignal(places, scan_shape, self.units, self.long_name)

    @cached_property
    def reads_rows(self) -> bool:
        """Whether all frames lie in their files as they are read: rows are one request each."""
        return all(is_plain(place, self._dtype) for place in self.places)

    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part.

        Parameters
        ----------
        selection : int, slice, Ellipsis or tuple of these
            Which part, as numpy's basic indexing; steps are positive.

        Returns
        -------
        ndarray
            In native byte order and C order, a new one each time.

        Raises
        ------
        IndexError
            If the selection lies outside the signal.
        SourceError
            If a file cannot be read, is damaged, or has changed since it was listed.

        """
        parts = expand_selection(selection, self.shape)
        depth = len(self.scan_shape)
        positions = np.arange(len(self.places)).reshape(self.scan_shape)[parts[:depth]]
        wanted = parts[depth:]
        if not positions.ndim:
            return self._frame(int(positions), wanted)
        inner = _shape_of(wanted, self.frame_shape)
        out = np.empty((positions.size, *inner), self._dtype)
        for k, position in enumerate(positions.ravel()):
            out[k] = self._frame(int(position), wanted)
        return out.reshape(positions.shape + inner)

    def read_into(self, selection: Selection, out: NDArray[Any]) -> None:
        """Read the selected part into an array: whole rows of plain frames go there directly.

        Raises
        ------
        SourceError
            As `read` does.

        """
        parts = expand_selection(selection, self.shape)
        depth = len(self.scan_shape)
        wanted = parts[depth:]
        positions = np.arange(len(self.places)).reshape(self.scan_shape)[parts[:depth]]
        inner = _shape_of(wanted, self.frame_shape)
        whole = isinstance(wanted[0], slice) and wanted[0].step == 1 and inner[0] > 0
        whole = whole and wanted[1:] == tuple(slice(0, n, 1) for n in self.frame_shape[1:])
        if not whole or out.shape != positions.shape + inner or not out.flags.c_contiguous:
            super().read_into(selection, out)
            return
        first = _row_range(wanted, self.frame_shape)[0]
        for k, target in zip(positions.ravel(), out.reshape(-1, *inner), strict=True):
            place = self.places[k]
            if is_plain(place, target.dtype):
                read_plain(place, target, first)
            else:
                target[...] = self._frame(int(k), wanted)

    def _frame(self, position: int, wanted: tuple[Index, ...]) -> NDArray[Any]:
        place = self.places[position]
        first, stop = _row_range(wanted, self.frame_shape)
        if first >= stop:
            return np.empty(_shape_of(wanted, self.frame_shape), self._dtype)
        rows = read_rows(place, first, stop, self._streams)
        return np.asarray(rows[(_shifted(wanted[0], first), *wanted[1:])], order="C")

    def __getstate__(self) -> dict[str, Any]:
        """Leave the open files behind: a copy opens its own."""
        return {name: value for name, value in vars(self).items() if name != "_streams"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._streams = Streams(self.places)


def expand_selection(selection: Selection, shape: tuple[int, ...]) -> tuple[Index, ...]:
    """Write a selection out: one index or slice with plain bounds for each dimension.

    >>> expand_selection((..., -1), (4, 3))
    (slice(0, 4, 1), 2)
    """
    given = selection if isinstance(selection, tuple) else (selection,)
    dots = [k for k, part in enumerate(given) if part is Ellipsis]
    missing = len(shape) - (len(given) - len(dots))
    if len(dots) > 1 or missing < 0:
        raise IndexError(f"selection {selection!r} does not fit a signal of shape {shape}")
    at = dots[0] if dots else len(given)
    filled = (*given[:at], *(slice(None),) * missing, *given[at + len(dots) :])
    return tuple(_plain(part, size) for part, size in zip(filled, shape, strict=True))


def _plain(part: Any, size: int) -> Index:
    if isinstance(part, slice):
        start, stop, step = part.indices(size)
        if step < 1:
            raise IndexError(f"steps must be positive, but {part!r} has {step}")
        return slice(start, max(start, stop), step)
    number = as_index(part)
    if not -size <= number < size:
        raise IndexError(f"index {number} is outside a dimension of length {size}")
    return number % size


def _shape_of(parts: tuple[Index, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(
        len(range(size)[part])
        for part, size in zip(parts, shape, strict=True)
        if isinstance(part, slice)
    )


def _row_range(wanted: tuple[Index, ...], shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the first row that is needed and the one after the last."""
    if not prod(_shape_of(wanted, shape)):
        return 0, 0
    rows = range(shape[0])[wanted[0]]
    return (rows[0], rows[-1] + 1) if isinstance(rows, range) else (rows, rows + 1)


def _shifted(part: Index, first: int) -> Index:
    if isinstance(part, slice):
        return slice(part.start - first, part.stop - first, part.step)
    return part - first
