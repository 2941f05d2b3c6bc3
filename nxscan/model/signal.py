"""Signals: arrays that are read in parts, from wherever they lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError

if TYPE_CHECKING:
    from types import EllipsisType

    from numpy.typing import NDArray

    Index = int | slice
    Selection = Index | EllipsisType | tuple[Index | EllipsisType, ...]


class Signal(ABC):
    """An array of numbers that is read in parts and never as a whole unless asked.

    The dimensions of the scan come first, slow to fast, those of the detector last. A signal
    can be pickled, opens its file when it is read and not before, and may be read from
    several threads at once.

    Attributes
    ----------
    units : str or None
        Unit of the values (``counts``); ``None`` where it is not known.
    long_name : str
        What the values are, for a plot's title or color bar.

    """

    units: str | None = None
    long_name: str = ""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Type of one value, in native byte order."""

    @abstractmethod
    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part, as numpy's basic indexing would.

        Parameters
        ----------
        selection : int, slice, Ellipsis or tuple of these
            Which part; steps are positive.

        """

    def read_into(self, selection: Selection, out: NDArray[Any]) -> None:
        """Read the selected part into an array, which costs less than a new one each time.

        Parameters
        ----------
        selection : int, slice, Ellipsis or tuple of these
            Which part, as for `read`.
        out : ndarray
            Takes the values; of the part's shape, in C order.

        Raises
        ------
        SourceError
            If the part has another shape.

        """
        values = self.read(selection)
        if values.shape != out.shape:
            raise SourceError(f"{selection} has shape {values.shape}, expected {out.shape}")
        out[...] = values

    def will_read(self, nbytes: int) -> None:  # noqa: B027  most need not prepare
        """Tell how many bytes are going to be read in all: it may be worth preparing for."""

    @property
    def chunks(self) -> tuple[int, ...] | None:
        """Shape of a piece that is best read at once; ``None`` if any is as good."""
        return None

    @property
    def reads_rows(self) -> bool:
        """Whether some whole rows of a frame cost no more to read than their share of it."""
        return False

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Size of all values in bytes, uncompressed."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def __getitem__(self, selection: Selection) -> NDArray[Any]:
        return self.read(selection)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("reading a signal makes a new array: copy=False is impossible")
        return self.read(...).astype(dtype or self.dtype, copy=False)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a signal of 0 dimensions has no length")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.shape} {self.dtype} {self.units or ''}>"


class ArraySignal(Signal):
    """A signal that is in memory already.

    >>> ArraySignal(np.arange(6).reshape(2, 3), units="counts")[1, :2]
    array([3, 4])
    """

    def __init__(self, values: NDArray[Any], units: str | None = None, long_name: str = "") -> None:
        self.values = values
        self.units = units
        self.long_name = long_name

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions."""
        return self.values.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of one value."""
        return self.values.dtype

    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part."""
        return np.asarray(self.values[selection])
