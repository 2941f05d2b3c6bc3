"""Signals that lie in HDF5 files."""

from __future__ import annotations

import itertools
import math
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.hdf5.chunktable import UnwrittenError
from nxscan.hdf5.damage import damaged, failing, frames_of, unwritten
from nxscan.hdf5.decode import DecodeError
from nxscan.hdf5.directread import DirectReader, direct_reader
from nxscan.hdf5.opening import open_reading
from nxscan.hdf5.regions import Bounds, bounds, chunk_regions
from nxscan.hdf5.stated import length_check
from nxscan.hdf5.written import check_written, fills_nan
from nxscan.model import Signal
from nxscan.model.units import UNKNOWN_UNITS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.regions import Region
    from nxscan.model.signal import Selection

    Attributes = Callable[[Any], Mapping[str, Any]]

WORTHWHILE = 32 * 2**20
"""Bytes that HDF5 reads before a signal is read past it: compiled code takes half a second."""

_making = threading.Lock()


def _all_attributes(dataset: Any) -> Mapping[str, Any]:
    return dict(dataset.attrs.items())


class HDF5Signal(Signal):
    """A dataset of an HDF5 file, opened when it is read.

    Once much is read of it, its chunks are read and decoded past HDF5, in as many threads as
    ask; the file then stays open.

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
        self._forget()

    def _forget(self) -> None:
        self._asked = 0
        self._whole = False
        self._reader: DirectReader | None = None
        self._has_reader = False

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for name in ("_asked", "_whole", "_reader", "_has_reader"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

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
            If the file has gone, or a chunk is damaged or was never written; it names the
            frames.

        """
        part = bounds(self._shape, selection)
        reader = None if part is None else self._direct(part)
        if part is None or reader is None:
            return self._read_by_hdf5(selection, part)
        values = self._read_directly(reader, part.region)[part.index]
        return np.asarray(values) if part.is_region else values.copy()

    def read_into(self, selection: Selection, out: NDArray[Any]) -> None:
        """Read the selected part into an array; the same as `read`, without new memory."""
        part = bounds(self._shape, selection)
        reader = None if part is None else self._direct(part)
        fits = part is not None and part.is_region and out.shape == part.shape
        if part is None or reader is None or not fits or not out.flags.carray:
            super().read_into(selection, out)
        else:
            self._read_directly(reader, part.region, out.reshape(part.lengths))

    def will_read(self, nbytes: int) -> None:
        """Read directly from the first byte on, if there is enough to read."""
        self._asked = max(self._asked, nbytes)

    def _direct(self, part: Bounds) -> DirectReader | None:
        """Return what reads past HDF5, if that is possible and worthwhile."""
        self._asked += math.prod(part.lengths) * self._dtype.itemsize
        chunks = self._chunks or (1,) * len(self._shape)
        # whole chunks that a step leaves out are not worth reading
        skips = any(step > n for step, n in zip(part.steps, chunks, strict=True))
        if self._asked < WORTHWHILE or skips:
            return None
        with _making:
            if not self._has_reader:
                made = direct_reader(self.path, self.dataset)
                same = made is not None and (made.shape, made.dtype) == (self._shape, self._dtype)
                self._reader = made if same else None
                self._has_reader = True
        return self._reader

    def _read_directly(
        self, reader: DirectReader, region: Region, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        try:
            return reader.read(region, out)
        except UnwrittenError as error:
            raise self._unwritten(error, region) from error
        except (OSError, DecodeError) as error:
            bad = failing(reader.read, self._pieces(region))
            raise damaged(self._name, frames_of(bad, self._rank), region, error) from error

    def _read_by_hdf5(self, selection: Selection, part: Bounds | None) -> NDArray[Any]:
        try:
            with open_reading(self.path) as file:
                dataset = file[self.dataset]
                self._check_written(dataset, part)
                self._check_lengths(dataset, part)
                try:
                    values = dataset[selection]
                except (OSError, RuntimeError) as error:
                    raise self._damaged(dataset, selection, part, error) from error
        except (OSError, KeyError, RuntimeError) as error:
            raise SourceError(
                f"{self._name} cannot be read: {error.args[0]}",
                "is the file there, and complete?",
            ) from error
        return np.asarray(values, dtype=self._dtype)

    def _damaged(
        self, dataset: Any, selection: Selection, part: Bounds | None, error: Exception
    ) -> SourceError:
        def corner(region: Region) -> object:
            return dataset[tuple(slice(part.start, part.start + 1) for part in region)]

        regions = self._pieces(part.region) if part and self._chunks else ()
        frames = frames_of(failing(corner, regions), self._rank)
        return damaged(self._name, frames, selection, error)

    def _check_written(self, dataset: Any, part: Bounds | None) -> None:
        """Refuse what HDF5 would make up: it reads fill values where nothing was written."""
        if self._whole or part is None or 0 in part.lengths or fills_nan(dataset):
            return
        try:
            self._whole = check_written(dataset, part.region)
        except UnwrittenError as error:
            raise self._unwritten(error, part.region) from error

    def _check_lengths(self, dataset: Any, part: Bounds | None) -> None:
        """Refuse chunks of which HDF5 would read more than there is."""
        check = None if part is None or not self._chunks else length_check(dataset)
        if check is None or part is None:
            return
        bad = failing(check, self._pieces(part.region))
        first = next(bad, None)
        if first is not None:
            frames = frames_of(itertools.chain([first], bad), self._rank)
            error = DecodeError("a chunk says that it is of another length than it was")
            raise damaged(self._name, frames, part.region, error)

    def _unwritten(self, error: UnwrittenError, region: Region) -> SourceError:
        return unwritten(self._name, frames_of(error.regions, self._rank), region)

    def _pieces(self, region: Region) -> Any:
        """Return the chunks that a region touches; of a dataset without any, its frames."""
        frame = (1,) * self._rank + self._shape[self._rank :]
        return chunk_regions(self._shape, self._chunks or frame, region)

    @property
    def _name(self) -> str:
        return f"{self.path}::{self.dataset}"
