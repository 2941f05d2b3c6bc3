"""Signals that lie in HDF5 files."""

from __future__ import annotations

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


class HDF5Signal(Signal):
    """A dataset of an HDF5 file, opened when it is read.

    Parameters
    ----------
    path : Path
        The file that holds the data itself: HDF5's own external links are not followed.
    dataset : str
        Where it is in the file.

    """

    def __init__(self, path: Path, dataset: str) -> None:
        self.path = path
        self.dataset = dataset
        with open_reading(path) as file:
            found = file[dataset]
            self._shape: tuple[int, ...] = found.shape
            self._dtype: np.dtype[Any] = found.dtype.newbyteorder("=")
            self._chunks: tuple[int, ...] | None = found.chunks
            units, long_name = found.attrs.get("units"), found.attrs.get("long_name", "")
        self.units = None if units in (None, UNKNOWN_UNITS) else str(units)
        self.long_name = str(long_name)

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
            If the file has gone, or a chunk cannot be decompressed.

        """
        try:
            with open_reading(self.path) as file:
                values = file[self.dataset][selection]
        except (OSError, KeyError) as error:
            raise SourceError(
                f"{self.path}::{self.dataset}: {selection} cannot be read: {error}",
                "is the file complete? nxscan validate --data says which frames are damaged",
            ) from error
        return np.asarray(values, dtype=self._dtype)
