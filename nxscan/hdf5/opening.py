"""How nxscan opens HDF5 files for reading: without a lock, with every filter known."""

from __future__ import annotations

import re
from traceback import walk_tb
from typing import TYPE_CHECKING

import h5py
import hdf5plugin  # noqa: F401  (registers the compression filters)

from nxscan.hdf5.heaps import check_heaps

if TYPE_CHECKING:
    from os import PathLike


def open_reading(path: str | PathLike[str]) -> h5py.File:
    """Open a file for reading without a lock.

    A master is replaced as a whole and frames are written once, so no lock is needed, and
    raw folders may not allow one. A file that an acquisition writes (SWMR) is read beside it.
    HDF5 refuses to open a file in two ways within one process:
    where a program has it open with a lock, so does this.

    Raises
    ------
    OSError
        If it is missing, unreadable or no HDF5 file, or damaged in a way that HDF5 does not
        come back from.

    """
    check_heaps(path)
    for locking in (False, None, True):
        try:
            return h5py.File(path, "r", locking=locking)
        except OSError as error:
            if "already open for write" in str(error):
                return h5py.File(path, "r", locking=locking, swmr=True)
            if "flag values don't match" not in str(error):
                raise
    return h5py.File(path, "r", locking="best-effort")


def comes_from_hdf5(error: BaseException) -> bool:
    """Tell whether an exception was raised inside h5py: over a damaged file it raises any kind."""
    places = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    return bool(places) and "h5py" in re.split(r"[\\/]", places[-1])
