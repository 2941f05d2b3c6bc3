"""Mappings whose source's name has a number in it, as many as there are files or datasets."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import h5py

from nxscan.hdf5.lookup import beside
from nxscan.hdf5.mappings import UNLIMITED
from nxscan.hdf5.opening import open_reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from nxscan.hdf5.mappings import Mapping


def expanded(mappings: Sequence[Mapping], holder: Path) -> list[Mapping]:
    """Return mappings with one for each source that a pattern stands for.

    As in HDF5, numbers begin at 0, and the first that leads nowhere is the end.

    Parameters
    ----------
    mappings : sequence of Mapping
        Those of a virtual dataset.
    holder : Path
        The file that it is in.

    """
    found: list[Mapping] = []
    for mapping in mappings:
        if mapping.is_pattern and UNLIMITED in mapping.target.count:
            found += _numbered(mapping, holder)
        else:
            found.append(mapping)
    return found


def _numbered(mapping: Mapping, holder: Path) -> Iterator[Mapping]:
    path: Path | None = None
    file: Any = None
    try:
        for number in itertools.count():
            one = mapping.numbered(number)
            source = beside(holder, one.file)
            if source is None:
                return
            if source != path:
                if file is not None:
                    file.close()
                path, file = source, _open(source)
            if file is None or not isinstance(_get(file, one.dataset), h5py.Dataset):
                return
            yield one
    finally:
        if file is not None:
            file.close()


def _open(path: Path) -> Any:
    try:
        return open_reading(path)
    except OSError:
        return None


def _get(file: Any, name: str) -> Any:
    try:
        return file.get(name)
    except (OSError, KeyError, RuntimeError):
        return None
