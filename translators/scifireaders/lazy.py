"""The values of a sidpy dataset, a dask array, as a signal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model.signal import Selection


class DaskSignal(Signal):
    """A dask array as a signal; parts are computed when they are read.

    Parameters
    ----------
    array : dask.array.Array
        The values, the scan's dimensions first.
    rank : int
        How many of them are the scan's.
    units : str or None
        Unit of the values.
    long_name : str
        What they are.

    """

    def __init__(self, array: Any, rank: int, units: str | None, long_name: str) -> None:
        self._array = array
        self._rank = rank
        self.units = units
        self.long_name = long_name

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return tuple(int(length) for length in self._array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        found: np.dtype[Any] = np.dtype(self._array.dtype).newbyteorder("=")
        return found

    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part."""
        # nxscan reads in threads of its own
        values = self._array[selection].compute(scheduler="synchronous")
        return np.asarray(values, self.dtype)

    def listed(self) -> DaskSignal:
        """Return the frames in one scan dimension."""
        shape = self.shape
        flat = (math.prod(shape[: self._rank]), *shape[self._rank :])
        return DaskSignal(self._array.reshape(flat), 1, self.units, self.long_name)

    def arranged(self, scan_shape: tuple[int, ...], order: NDArray[np.intp]) -> DaskSignal:
        """Return the frames of one scan dimension in another order and scan shape."""
        array = self._array
        if (order != np.arange(len(order))).any() or len(order) != self.shape[0]:
            array = array[order]
        array = array.reshape((*scan_shape, *self.shape[1:]))
        return DaskSignal(array, len(scan_shape), self.units, self.long_name)
