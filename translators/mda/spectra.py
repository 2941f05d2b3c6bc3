"""Spectra of an MDA file: an array for each point, read from the file when asked."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.model.signal import Signal
from nxscan.translators.edf.signal import expand_selection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model.signal import Selection


class MdaSpectra(Signal):
    """One array detector's values, a spectrum for each point.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        Its bytes: one that was changed since is refused.
    offsets : ndarray of int64
        Where each point's spectrum begins, in C order over ``scan_shape``.
    scan_shape : tuple of int
        The scan's own dimensions, slow to fast.
    channels : int
        Length of each spectrum.
    units, long_name : str
        As for every signal.

    """

    def __init__(
        self,
        path: Path,
        size: int,
        offsets: NDArray[np.int64],
        scan_shape: tuple[int, ...],
        channels: int,
        units: str | None = None,
        long_name: str = "",
    ) -> None:
        self.path = path
        self.size = size
        self.offsets = offsets
        self.scan_shape = scan_shape
        self.channels = channels
        self.units = units
        self.long_name = long_name

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions: the scan's, then the channels."""
        return (*self.scan_shape, self.channels)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Single precision, as the file has it."""
        return np.dtype(np.float32)

    @property
    def chunks(self) -> tuple[int, ...]:
        """One spectrum."""
        return (1,) * len(self.scan_shape) + (self.channels,)

    def arranged(self, scan_shape: tuple[int, ...], order: NDArray[np.intp]) -> MdaSpectra:
        """Return the spectra in another order and scan shape."""
        return MdaSpectra(
            self.path,
            self.size,
            self.offsets[order],
            scan_shape,
            self.channels,
            self.units,
            self.long_name,
        )

    def read(self, selection: Selection) -> NDArray[Any]:
        """Return the selected part, as numpy's basic indexing would.

        Raises
        ------
        SourceError
            If the file cannot be read, or was changed since it was listed.

        """
        *parts, channels = expand_selection(selection, self.shape)
        wanted = self.offsets.reshape(self.scan_shape)[tuple(parts)]
        whole = np.empty((prod(wanted.shape), self.channels), np.float32)
        try:
            with self.path.open("rb") as file:
                if file.seek(0, 2) != self.size:
                    raise SourceError(
                        f"{self.path}: it was changed since it was listed: {self.size} bytes then",
                        "translate it again",
                    )
                for k, offset in enumerate(wanted.ravel().tolist()):
                    file.seek(offset)
                    whole[k] = np.frombuffer(file.read(4 * self.channels), ">f4")
        except OSError as error:
            raise SourceError(
                f"{self.path}: cannot be read: {error.strerror or error}",
                "check that it is still there",
            ) from error
        return np.asarray(whole.reshape(*wanted.shape, self.channels)[..., channels], order="C")
