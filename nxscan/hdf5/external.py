"""Datasets whose bytes lie in other files, slot after slot (HDF5's external storage)."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import LayoutError
from nxscan.hdf5.lookup import beside, missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.mappings import Hyperslab

    Numbers = NDArray[np.int64]

_UNLIMITED = (-1, 2**64 - 1)


@dataclass(frozen=True, eq=False)
class External:
    """The slots of a dataset.

    Attributes
    ----------
    name : str
        The file and the dataset.
    files : list of Path
        The files, each once.
    number, offset, start : ndarray of int64, shape (slots,)
        File of each slot, where it begins in that, and where in the dataset, in bytes.
    end : int
        Where the last slot ends in the dataset.
    shape : tuple of int
        Lengths of the dataset.
    dtype : dtype
        Its type, with the byte order in the files.

    """

    name: str
    files: list[Path]
    number: Numbers
    offset: Numbers
    start: Numbers
    end: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def frames(self, selected: Hyperslab, frame: tuple[int, ...]) -> tuple[Numbers, Numbers] | None:
        """Return where the frames lie that are selected.

        Parameters
        ----------
        selected : Hyperslab
            What of the dataset.
        frame : tuple of int
            Lengths of a frame; the values of each lie in one row.

        Returns
        -------
        number, offset : ndarray of int64, shape (frames,)
            For each frame the number of its file, and where it begins there. None if the frames
            are not in one row each, or lie across two slots.

        """
        size = math.prod(frame)
        starts = row_starts(selected, self.shape, size)
        if starts is None:
            return None
        starts = starts * self.dtype.itemsize
        stops = starts + size * self.dtype.itemsize
        slot = np.searchsorted(self.start, starts, side="right") - 1
        after = np.append(self.start[1:], self.end)
        if (stops > after[slot]).any():
            return None
        return self.number[slot], self.offset[slot] + starts - self.start[slot]


def row_starts(selected: Hyperslab, shape: tuple[int, ...], size: int) -> Numbers | None:
    """Return where rows of ``size`` values begin that together are a selection, in C order.

    Returns
    -------
    ndarray of int64 or None
        Numbers of values in C order of the array; None if the selection is no such rows.

    """
    axis, run = len(shape), 1
    while axis and selected.box(axis - 1) == (0, shape[axis - 1]):
        axis -= 1
        run *= shape[axis]
    starts = np.zeros(1, np.int64)
    steps = np.append(np.cumprod(shape[:0:-1], dtype=np.int64)[::-1], 1)
    for k in range(axis):
        if k < axis - 1:
            taken = np.asarray(selected.along(k), np.int64)
        else:
            box = selected.box(k)
            length = box[1] if box else selected.block[k]
            count = 1 if box else selected.count[k]
            taken = selected.start[k] + selected.stride[k] * np.arange(count, dtype=np.int64)
            run *= length
        starts = (starts[:, None] + taken * steps[k]).ravel()
    if size == 0 or run % size:
        return None
    return np.asarray((starts[:, None] + size * np.arange(run // size)).ravel())


def read_external(dataset: Any, path: Path) -> External:
    """Read where the bytes of a dataset lie.

    Relative names are looked for beside the file; HDF5 does so in the working directory, where
    a namesake would be taken for the file.

    Parameters
    ----------
    dataset : h5py.Dataset
        The dataset, open.
    path : Path
        The file that it is in, absolute.

    Raises
    ------
    LayoutError
        If a file is not there or too short, or the slots are too few.

    """
    plist = dataset.id.get_create_plist()
    slots = [plist.get_external(k) for k in range(plist.get_external_count())]
    names = [os.fsdecode(name) for name, _, _ in slots]
    found = {name: beside(path, name) for name in dict.fromkeys(names)}
    lost = [name for name, file in found.items() if file is None]
    if lost:
        raise missing(path, dataset.name, lost)
    sizes = [int(size) for _, _, size in slots]
    places = {name: k for k, name in enumerate(found)}
    wanted = math.prod(dataset.shape) * dataset.dtype.itemsize
    if sizes and sizes[-1] in _UNLIMITED:
        sizes[-1] = max(0, wanted - sum(sizes[:-1]))
    ends = np.cumsum(sizes, dtype=np.int64)
    made = External(
        f"{path}::{dataset.name}",
        [file for file in found.values() if file is not None],
        np.array([places[name] for name in names], np.int64),
        np.array([offset for _, offset, _ in slots], np.int64),
        ends - sizes,
        int(ends[-1]) if sizes else 0,
        dataset.shape,
        dataset.dtype,
    )
    _check(made, np.array(sizes, np.int64), wanted)
    return made


def _check(made: External, sizes: Numbers, wanted: int) -> None:
    if made.end < wanted:
        raise LayoutError(
            f"{made.name} has {wanted} bytes, but room for {made.end} in other files",
            "HDF5 would give zeros for the rest",
        )
    # of the last slot, what lies beyond the dataset is not needed
    used = np.minimum(sizes, np.maximum(0, wanted - made.start))
    stops = np.zeros(len(made.files), np.int64)
    np.maximum.at(stops, made.number[used > 0], (made.offset + used)[used > 0])
    for file, stop in zip(made.files, stops.tolist(), strict=True):
        size = file.stat().st_size
        if size < stop:
            raise LayoutError(
                f"{made.name} reads {file} up to byte {stop}, but it has {size} bytes",
                "restore the file; HDF5 would give zeros for what it lacks",
            )
