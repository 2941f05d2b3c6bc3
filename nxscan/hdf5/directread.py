"""Reading datasets past HDF5, which decompresses one chunk at a time for the whole process.

The chunk table is read once; then every thread reads the stored bytes of its chunks at their
place in the file and decodes them itself. Where a dataset is stored in any way that is not known
here to the last byte, there is no such reader, and HDF5 reads.
"""

from __future__ import annotations

import ctypes
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import h5py
import numpy as np
from h5py._objects import phil

from nxscan.hdf5.chunktable import read_table
from nxscan.hdf5.decode import pipeline
from nxscan.hdf5.fastpath import fast_path
from nxscan.hdf5.opening import open_reading
from nxscan.hdf5.rawio import RawFile, identity_of
from nxscan.hdf5.storage import Chunked, Contiguous
from nxscan.hdf5.written import fills_nan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.chunktable import Region

_log = logging.getLogger(__name__)
_TRIES = 3
_FAILURES = (
    OSError, KeyError, RuntimeError, ValueError, TypeError, AttributeError, OverflowError,
)  # fmt: skip
"""What h5py and numpy raise over a file that is damaged: sizes and places may be anything."""


class Storage(Protocol):
    """How a dataset lies in its file."""

    def read(self, descriptor: int, region: Region, out: NDArray[np.uint8]) -> None:
        """Fill the bytes of ``out`` with those of a region."""


class DirectReader:
    """Reads regions of one dataset; many threads may do so at once. It cannot be pickled.

    Parameters
    ----------
    file : RawFile
        The file, which stays open.
    shape : tuple of int
        Lengths of the dataset.
    stored : dtype
        Type of its values as they are stored.
    storage
        How they are stored.

    """

    def __init__(
        self, file: RawFile, shape: tuple[int, ...], stored: np.dtype[Any], storage: Storage
    ) -> None:
        self._file = file
        self._stored = stored
        self._storage = storage
        self.shape = shape
        self.dtype = stored.newbyteorder("=")

    def read(self, region: Region, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return a region.

        Parameters
        ----------
        region : tuple of slice
            One for each dimension, within the dataset, without steps.
        out : ndarray, optional
            Takes the values; of the region's shape.

        Raises
        ------
        OSError
            If the file cannot be read, or ends before.
        DecodeError
            If a chunk is damaged.
        UnwrittenError
            If a part of the region was never written.

        """
        shape = tuple(part.stop - part.start for part in region)
        if out is not None and out.shape != shape:
            raise ValueError(f"the region has shape {shape}, but out {out.shape}")
        fits = out is not None and out.dtype == self.dtype and out.flags.carray
        values = out if out is not None and fits else np.empty(shape, self.dtype)
        if values.size:
            with self._file.opened() as descriptor:
                self._storage.read(descriptor, region, values.reshape(-1).view(np.uint8))
        if not self._stored.isnative:
            values.byteswap(inplace=True)
        if out is None or out is values:
            return values
        out[...] = values
        return out


def direct_reader(path: Path, dataset: str) -> DirectReader | None:
    """Return what reads a dataset past HDF5; None where HDF5 must read it.

    HDF5 reads what is virtual, external, compact or compound, what has filters that are not
    known here or lie in hidden functions, and files with a user block.
    """
    try:
        for _ in range(_TRIES):
            file = RawFile(path)
            with open_reading(path) as opened:
                found = reader_for(file, opened[dataset])
            # the table must be of the file that is open, not of one that took its place
            if found is None or file.is_still_at_its_path():
                return found
    except _FAILURES as error:
        _log.debug("HDF5 reads %s::%s: %s", path, dataset, error)
    return None


def reader_for(file: RawFile, dataset: Any) -> DirectReader | None:
    """Return what reads an open dataset past HDF5; None where HDF5 must read it.

    Parameters
    ----------
    file : RawFile
        The file that it was opened from. Where a link led to another one, HDF5 reads: the
        places of its chunks are places in that.
    dataset : h5py.Dataset
        It.

    """
    if not _lies_in(file, dataset):
        return None
    with phil:
        plist = dataset.id.get_create_plist()
        layout = plist.get_layout()
        plain = (
            isinstance(dataset, h5py.Dataset)
            and dataset.file.userblock_size == 0
            and dataset.dtype.kind in "iuf"
            and dataset.id.get_type() == h5py.h5t.py_create(dataset.dtype)
            and plist.get_external_count() == 0
            and len(dataset.shape) > 0
        )
        filters = [plist.get_filter(k) for k in range(plist.get_nfilters())]
    storage: Storage | None = None
    if plain and layout == h5py.h5d.CONTIGUOUS:
        storage = Contiguous(file, dataset.id.get_offset(), dataset.shape, dataset.dtype.itemsize)
    elif plain and layout == h5py.h5d.CHUNKED:
        storage = _chunked(file, dataset, [(one[0], tuple(one[2])) for one in filters])
    return DirectReader(file, dataset.shape, dataset.dtype, storage) if storage else None


def _lies_in(file: RawFile, dataset: Any) -> bool:
    """Tell whether a dataset lies in a file, not in one that a link in it leads to."""
    name = os.fsdecode(h5py.h5f.get_name(dataset.id))
    return name == str(file.path) or identity_of(Path(name).stat()) == file.identity


def _chunked(
    file: RawFile, dataset: Any, filters: list[tuple[int, tuple[int, ...]]]
) -> Chunked | None:
    itemsize = dataset.dtype.itemsize
    decoder = pipeline(filters, itemsize * int(np.prod(dataset.chunks, dtype=np.int64)))
    if decoder is None or _leaves_edges_alone(dataset):
        return None
    fill = np.asarray(dataset.fillvalue, dataset.dtype).tobytes() if fills_nan(dataset) else b""
    return Chunked(file, read_table(dataset), decoder, itemsize, fast_path(filters), fill)


def _leaves_edges_alone(dataset: Any) -> bool:
    """Tell whether chunks that the dataset does not fill go without filters (H5Pset_chunk_opts).

    h5py does not say, but HDF5 does; where it cannot be asked, no file has been seen that does.
    """
    if all(n % c == 0 for n, c in zip(dataset.shape, dataset.chunks, strict=True)):
        return False
    options = ctypes.c_uint()
    try:
        ask = ctypes.CDLL(h5py.h5z.__file__).H5Pget_chunk_opts
    except (OSError, AttributeError):
        return False
    ask.restype, ask.argtypes = ctypes.c_int, [ctypes.c_int64, ctypes.c_void_p]
    with phil:
        plist = dataset.id.get_create_plist()
        failed = ask(plist.id, ctypes.byref(options)) < 0
    return failed or bool(options.value)
