"""What of a dataset was ever written: HDF5 reads fill values, mostly zeros, for all else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py._objects import phil

from nxscan.hdf5.chunktable import UnwrittenError, read_table

if TYPE_CHECKING:
    from nxscan.hdf5.chunktable import Region


def check_written(dataset: Any, region: Region) -> bool:
    """Refuse a region of which a part was never written; tell whether all of the dataset was.

    Raises
    ------
    UnwrittenError
        If a chunk that the region touches is absent.

    """
    with phil:
        plist = dataset.id.get_create_plist()
        layout = plist.get_layout()
        outside = plist.get_external_count() > 0
    if layout == h5py.h5d.CONTIGUOUS and not outside and dataset.id.get_offset() is None:
        raise UnwrittenError([region])
    if layout != h5py.h5d.CHUNKED:
        return True
    try:
        count = math.prod(-(-n // c) for n, c in zip(dataset.shape, dataset.chunks, strict=True))
        if dataset.id.get_num_chunks() == count:
            return True
        table = read_table(dataset)
    except (OSError, RuntimeError, ValueError, OverflowError):
        return False  # where the table is damaged, HDF5 says so when it reads
    table.check_written(region)
    return table.is_complete


def fills_nan(dataset: Any) -> bool:
    """Tell whether a dataset says itself that what was never written is not a number."""
    with phil:
        defined = dataset.id.get_create_plist().fill_value_defined()
    said = defined == h5py.h5d.FILL_VALUE_USER_DEFINED
    return bool(said and dataset.dtype.kind == "f" and np.isnan(dataset.fillvalue))
