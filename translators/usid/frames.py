"""The rows of a Main dataset as frames: where they lie, folded, or one field of a compound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.hdf5.frames import Frames
from nxscan.hdf5.opening import open_reading
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.model import Signal
from nxscan.translate.h5frames import first_unwritten, is_indirect, signal_of, stored_frames
from nxscan.translate.h5source import check_filters, explained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model.signal import Selection

    Region = tuple[slice, ...]

_ROWS = 32 * 2**20


def main_signals(
    main: Any, frame: tuple[int, ...], quantity: str, units: str | None, *, partial: bool
) -> dict[str, Any]:
    """Return the values of a Main dataset, one signal for each field of a compound one.

    Rows of plain numbers that are one-dimensional frames stay where they are and can be linked
    to; HDF5 cannot map what is folded, or one field of many, so those are to be copied.

    Parameters
    ----------
    main : h5py.Dataset, shape (positions, points)
        The dataset.
    frame : tuple of int
        What a row is to be: its points in C order.
    quantity, units : str
        Name and unit of plain numbers; a field is called what it is called.
    partial : bool
        Leave out rows at the end that were never written.

    Returns
    -------
    dict of str to VirtualSignal or Copied
        By field, in their order; a single one for plain numbers, under the quantity. Each has one
        scan dimension.

    Raises
    ------
    SourceError
        If the values are no numbers, or were never written; it names file and dataset.

    """
    check_filters(main)
    rows = _rows_written(main, partial=partial)
    if main.dtype.names is not None:
        return {
            field: _cut(Copied(VirtualSignal.of([_field(main, field, frame)], None, field)), rows)
            for field in main.dtype.names
        }
    return {quantity: _cut(_plain(main, frame, quantity, units), rows)}


def _plain(main: Any, frame: tuple[int, ...], quantity: str, units: str | None) -> Any:
    if main.dtype.kind not in "biufc":
        raise SourceError(
            f"{main.file.filename}: {main.name} holds {main.dtype}, not numbers",
            "choose another dataset with --scan",
        )
    indirect = is_indirect(main)
    if len(frame) < 2 and not indirect:
        return VirtualSignal.of([stored_frames(main, 2 - len(frame))], units, quantity)
    rows = signal_of([main], 1) if indirect else VirtualSignal.of([stored_frames(main, 1)])
    rows.units, rows.long_name = units, quantity
    if len(frame) == 1:
        return rows
    return Copied(VirtualSignal.of([_FoldedRows(rows, frame)], units, quantity))


def _field(main: Any, field: str, frame: tuple[int, ...]) -> _Field:
    dtype = main.dtype[field]
    if dtype.kind not in "biufc" or dtype.shape:
        raise SourceError(
            f"{main.file.filename}: the field {field!r} of {main.name} holds {dtype}, not a number",
            "nxscan reads compound datasets whose fields are numbers",
        )
    path = Path(main.file.filename).absolute()
    return _Field(path, str(main.name), field, main.shape, dtype.newbyteorder("="), frame)


def _rows_written(main: Any, *, partial: bool) -> int:
    missing = first_unwritten(main, 1)
    if missing is None:
        return int(main.shape[0])
    name = f"{main.file.filename}: {main.name}"
    if partial and missing:
        return missing
    if missing == 0:
        raise SourceError(
            f"{name} holds nothing: not one of its {main.shape[0]} rows was ever written",
            "it was made but not filled: run again what was to fill it",
        )
    raise SourceError(
        f"{name}: of {main.shape[0]} rows only {missing} were written without a gap",
        "pass --partial to take those",
    )


def _cut(signal: Any, rows: int) -> Any:
    if signal.shape[0] == rows:
        return signal
    return signal.arranged((rows,), np.arange(rows))


class Copied(Signal):
    """Frames that no link can lead to: they are read as rows of another form.

    Parameters
    ----------
    frames : VirtualSignal
        The frames.

    """

    def __init__(self, frames: VirtualSignal) -> None:
        self._frames = frames
        self.units = frames.units
        self.long_name = frames.long_name

    def arranged(self, scan_shape: tuple[int, ...], order: NDArray[np.intp]) -> Copied:
        """Return the frames in another order and scan shape."""
        return Copied(self._frames.arranged(scan_shape, order))

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return self._frames.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        return self._frames.dtype

    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part."""
        return self._frames.read(selection)

    def will_read(self, nbytes: int) -> None:
        """Prepare for reading that much."""
        self._frames.will_read(nbytes)


class _FoldedRows(Frames):
    """Rows of a signal of one scan dimension, each folded into a frame."""

    def __init__(self, rows: VirtualSignal, folded: tuple[int, ...]) -> None:
        self.rows = rows
        self.folded = folded
        self.path = rows.sources[0].path

    @property
    def count(self) -> int:
        return self.rows.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.folded

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.rows.dtype

    def read(self, first: int, out: NDArray[Any], region: Region) -> None:
        width = math.prod(self.folded)
        step = max(1, _ROWS // max(1, width * self.dtype.itemsize))
        for start in range(0, len(out), step):
            part = out[start : start + step]
            table = self.rows.read(slice(first + start, first + start + len(part)))
            part[...] = table.reshape(len(part), *self.folded)[(slice(None), *region)]


@dataclass(frozen=True)
class _Field(Frames):
    """One field of the rows of a compound dataset, each folded into a frame."""

    path: Path
    dataset: str
    field: str
    whole: tuple[int, int]
    stored: np.dtype[Any]
    folded: tuple[int, ...]

    @property
    def count(self) -> int:
        return self.whole[0]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.folded

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.stored

    def read(self, first: int, out: NDArray[Any], region: Region) -> None:
        with explained(self.path), open_reading(self.path) as file:
            fields = file[self.dataset].fields(self.field)
            table = np.asarray(fields[first : first + len(out)], self.stored)
        out[...] = table.reshape(len(out), *self.folded)[(slice(None), *region)]
