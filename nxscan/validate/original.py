"""The values of virtual and external datasets, from the files that hold them.

HDF5 keeps every file open that a virtual dataset reads from. Beyond the limit of open files it
gives fill values, and nothing else in the process can open one either.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py

from nxscan.hdf5.lookup import known_places
from nxscan.hdf5.resolve import resolve
from nxscan.nexus.linktable import find_files, home_of, names_of
from nxscan.nexus.master import Opened
from nxscan.validate.tree import attribute


def original(dataset: h5py.Dataset, rank: int) -> Any:
    """Return what reads a dataset: itself, or a signal that reads the files of its values.

    Parameters
    ----------
    dataset : h5py.Dataset
        The dataset.
    rank : int
        How many of its leading dimensions count frames.

    Raises
    ------
    NxscanError
        If a file that it reads from is not there.

    """
    if not dataset.is_virtual and not dataset.external:
        return dataset
    path = Path(dataset.file.filename).absolute()
    found = find_files(Opened(dataset.file, verify=False), path)
    place = str(attribute(dataset, "target") or dataset.name).strip("/")
    whole = f"{home_of(place)}/frames"
    with known_places(path, names_of(found)):
        name = whole if whole in dataset.file else dataset.name
        signal = resolve(path, f"/{name.strip('/')}", rank)
    return dataset if signal is None else signal
