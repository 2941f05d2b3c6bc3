"""What the datasets of files are: where their values lie, their shapes and types."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError
from nxscan.hdf5.external import External, read_external
from nxscan.hdf5.links import dangling, real_place
from nxscan.hdf5.lookup import missing
from nxscan.hdf5.mappings import UNLIMITED, Mapping, read_mappings
from nxscan.hdf5.opening import comes_from_hdf5, open_reading
from nxscan.hdf5.texts import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Mapping as Map

_MOST_OPENED = 500
_SAMPLES = 32
_TEXTS = ("units", "long_name")


@dataclass(frozen=True, eq=False)
class Described:
    """A dataset.

    Attributes
    ----------
    path, name : Path, str
        The file that holds it, and where; links have been followed.
    shape : tuple of int
        Its lengths; the first is ``UNLIMITED`` where a virtual dataset goes on as far as its
        sources do.
    dtype : dtype
        Its type, with the byte order in the file.
    chunks : tuple of int or None
        Shape of its chunks.
    fill : scalar
        Value of what was never written.
    texts : mapping of str to str
        Its @units and @long_name, where it has them.
    mappings : list of Mapping or None
        Of a virtual dataset, unless one of them is not regular.
    external : External or None
        Where its bytes lie, if that is in other files.
    is_virtual : bool
        Whether its values are those of other datasets.

    """

    path: Path
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...] | None
    fill: Any
    texts: Map[str, str]
    mappings: list[Mapping] | None = None
    external: External | None = None
    is_virtual: bool = False

    @property
    def is_stored(self) -> bool:
        """Whether its values lie in its file."""
        return not self.is_virtual and self.external is None

    def is_like(self, other: Described) -> bool:
        """Tell whether another dataset has the same shape, type and chunks."""
        mine = self.is_stored, self.shape, self.dtype, self.chunks
        return mine == (other.is_stored, other.shape, other.dtype, other.chunks)


def describe(path: Path, name: str) -> Described:
    """Return what a dataset is.

    Raises
    ------
    LayoutError
        If it is not there, or cannot be read.

    """
    with _opened(path) as file:
        return _described(path, name, _member(file, path, name))


def describe_all(
    holder: Described, places: Sequence[tuple[Path, str]], *, thorough: bool
) -> list[Described]:
    """Return what the sources of a virtual dataset are, each file opened once.

    Parameters
    ----------
    holder : Described
        The virtual dataset.
    places : sequence of (Path, str)
        The sources; the files are there.
    thorough : bool
        Whether to look at every one of hundreds. Without it, some are looked at: if these are
        alike, so are the others taken to be, which is checked again when they are read.

    Raises
    ------
    LayoutError
        If one is not there or cannot be read.

    """
    if thorough or len(places) <= _MOST_OPENED:
        return _described_at(holder, places)
    chosen = np.unique(np.linspace(0, len(places) - 1, _SAMPLES).astype(int)).tolist()
    samples = _described_at(holder, [places[k] for k in chosen])
    first = samples[0]
    if not first.is_stored or not all(first.is_like(one) for one in samples):
        return _described_at(holder, places)
    _check_there(holder, places)
    known = dict(zip(chosen, samples, strict=True))
    return [
        known[k] if k in known else replace(first, path=path, name=name)
        for k, (path, name) in enumerate(places)
    ]


def _described_at(holder: Described, places: Sequence[tuple[Path, str]]) -> list[Described]:
    found: dict[tuple[Path, str], Described] = {}
    for path, names in _by_file(places).items():
        with _opened(path) as file:
            absent = [name for name in names if not _is_there(file, name)]
            if absent:
                raise missing(holder.path, holder.name, _named(path, absent), "dataset")
            for name in names:
                found[path, name] = _described(path, name, _member(file, path, name))
    return [found[place] for place in places]


def _check_there(holder: Described, places: Sequence[tuple[Path, str]]) -> None:
    """Refuse datasets that are not there, of files of which each holds many."""
    for path, names in _by_file(places).items():
        if len(names) < _SAMPLES:
            continue
        with _opened(path) as file:
            absent = [name for name in names if not _is_there(file, name)]
        if absent:
            raise missing(holder.path, holder.name, _named(path, absent), "dataset")


def _by_file(places: Sequence[tuple[Path, str]]) -> dict[Path, list[str]]:
    grouped: dict[Path, list[str]] = {}
    for path, name in places:
        grouped.setdefault(path, []).append(name)
    return grouped


def _named(path: Path, names: Sequence[str]) -> list[str]:
    return [f"{path}::{name}" for name in names]


def _is_there(file: Any, name: str) -> bool:
    """Tell whether a name leads to an object, through whatever links."""
    try:
        return bool(h5py.h5o.exists_by_name(file.id, name.encode()))
    except (KeyError, OSError, RuntimeError):
        return False


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        file = open_reading(path)
    except Exception as error:
        if not isinstance(error, OSError) and not comes_from_hdf5(error):
            raise
        what = getattr(error, "strerror", None) or (error.args or [error])[-1]
        raise LayoutError(
            f"{path} cannot be read: {what}", "is the file there, complete, and HDF5?"
        ) from error
    with file:
        try:
            yield file
        except Exception as error:  # over a damaged file h5py raises any kind
            if not comes_from_hdf5(error):
                raise
            raise LayoutError(
                f"{path} is damaged: {error.args[-1] if error.args else error}",
                "restore it from where it came",
            ) from error


def _member(file: Any, path: Path, name: str) -> Any:
    try:
        found = file[name]
    except (KeyError, OSError, RuntimeError) as error:
        raise LayoutError(
            f"{path}: {dangling(file, name)}", "put it back, or name another"
        ) from error
    if not isinstance(found, h5py.Dataset):
        raise LayoutError(f"{path}: {name} is a group, expected a dataset", "name one in it")
    return found


def _described(path: Path, name: str, dataset: Any) -> Described:
    try:
        place, name = real_place(path, name, dataset)
    except (OSError, KeyError, RuntimeError) as error:
        raise LayoutError(f"{path}: {name} cannot be read: {error.args[-1]}") from error
    attributes = dataset.attrs
    texts = {key: text(attributes[key]) for key in _TEXTS if key in attributes}
    if dataset.is_virtual:
        return _virtual(dataset, place, name, texts)
    external = read_external(dataset, place) if dataset.external else None
    chunks = dataset.chunks
    return Described(
        place, name, dataset.shape or (), dataset.dtype, chunks, None, texts, external=external
    )


def _virtual(dataset: Any, path: Path, name: str, texts: Map[str, str]) -> Described:
    mappings = read_mappings(dataset)
    if any(one.target.is_unlimited for one in mappings or ()):
        # to say how long it is, HDF5 would open the sources, in its own way
        space = dataset.id.get_create_plist().get_virtual_vspace(0)
        shape = (UNLIMITED, *space.shape[1:])
    else:
        shape = dataset.shape
    return Described(
        path, name, shape, dataset.dtype, None, dataset.fillvalue, texts, mappings, is_virtual=True
    )
