"""SciFiReaders' readers: which of them may know a file, and what they make of it.

They are told nothing but a path. Some open HDF5 files for writing (NSID, EMD, Nion): those get a
copy of the file, never the file itself.
"""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py

from nxscan.errors import MissingExtraError, SourceError
from nxscan.translate.h5source import is_hdf5, open_source

EXTRA = "scifireaders"
_NSID = ("quantity", "units", "data_type", "modality", "main_data_name")
_LOOKED_AT = 500
_log = logging.getLogger(__name__)

READERS = {
    ".3ds": ("Nanonis3dsReader",),
    ".asc": ("AscReader",),
    ".axz": ("AxzReader",),
    ".czi": ("CZIReader",),
    ".dm3": ("DMReader", "DM3Reader"),
    ".dm4": ("DMReader",),
    ".emd": ("EMDReader",),
    ".gsf": ("GwyddionReader",),
    ".gwy": ("GwyddionReader",),
    ".ibw": ("IgorIBWReader", "IgorMatrixReader"),
    ".mdt": ("MDTReader",),
    ".mrc": ("MRCReader",),
    ".ndata": ("NionReader",),
    ".rto": ("BrukerReader",),
    ".spe": ("RamanSpeReader",),
    ".sxm": ("NanonisSXMReader",),
    ".dat": ("NanonisDatReader",),
    ".png": ("ImageReader",),
    ".jpg": ("ImageReader",),
    ".jpeg": ("ImageReader",),
    ".bmp": ("ImageReader",),
    ".tif": ("ImageReader",),
    ".tiff": ("ImageReader",),
}
"""Readers to try, by suffix; of any other file all are tried, if the user names the translator."""


def is_installed() -> bool:
    """Tell whether SciFiReaders is there, without importing it, which takes seconds."""
    return find_spec("SciFiReaders") is not None


def has_nsid(path: Path) -> bool:
    """Tell whether an HDF5 file has a Main dataset of NSID, the format of sidpy's own."""
    try:
        with open_source(path) as file:
            return bool(file.visititems(_nsid_finder()))
    except SourceError:
        return False


def _nsid_finder() -> Callable[[str, Any], bool | None]:
    left = iter(range(_LOOKED_AT))

    def found(_: str, node: Any) -> bool | None:
        if next(left, None) is None:
            return False
        is_main = isinstance(node, h5py.Dataset) and all(name in node.attrs for name in _NSID)
        return True if is_main else None

    return found


@dataclass(frozen=True, eq=False)
class Loaded:
    """A dataset as a reader gave it.

    Attributes
    ----------
    dataset : sidpy.Dataset
        What it says of itself.
    values : dask.array.Array
        Its values.

    """

    dataset: Any
    values: Any

    @classmethod
    def of(cls, dataset: Any, *, eager: bool = False) -> Loaded:
        """Take a dataset, with its values in memory if its file is about to go."""
        import dask.array

        plain = dask.array.Array(
            dataset.dask, dataset.name, dataset.chunks, dtype=dataset.dtype, shape=dataset.shape
        )
        if eager:
            plain = dask.array.from_array(plain.compute(scheduler="synchronous"))
        return cls(dataset, plain)


def read(path: Path) -> dict[str, Loaded]:
    """Return the sidpy datasets that a file holds, by the names that the reader gives them.

    Raises
    ------
    MissingExtraError
        If SciFiReaders is not installed.
    SourceError
        If no reader makes anything of it; it says what each one said.

    """
    if not is_installed():
        raise MissingExtraError(f"reading {path.name}", EXTRA)
    if not path.is_file():
        raise SourceError(f"{path}: there is no such file", "check the name, and where you are")
    with _apart(path) as (place, eager):
        said = []
        for reader in _candidates(path):
            try:
                found = _named(_quietly(reader, place))
            except Exception as error:  # a reader raises whatever it likes over a foreign file
                said.append(f"{reader.__name__}: {type(error).__name__}: {error}")
                continue
            if found:
                return {key: Loaded.of(one, eager=eager) for key, one in found.items()}
            said.append(f"{reader.__name__}: nothing in it")
    raise SourceError(
        f"{path}: no reader of SciFiReaders reads it" + "".join(f"\n  {line}" for line in said),
        "is it whole? nxscan inspect says what else could read it",
    )


@contextlib.contextmanager
def _apart(path: Path) -> Iterator[tuple[Path, bool]]:
    """Yield a path to give to readers, and whether what they give must be loaded at once."""
    if not is_hdf5(path):
        yield path, False
        return
    with tempfile.TemporaryDirectory(prefix="nxscan-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        yield copy, True


def _candidates(path: Path) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import SciFiReaders
        from SciFiReaders.readers import all_readers

    names = READERS.get(path.suffix.lower())
    if names is None:
        return list(all_readers)
    return [getattr(SciFiReaders, name) for name in names if hasattr(SciFiReaders, name)]


def _quietly(reader: Any, path: Path) -> Any:
    """Have a file read; what the reader prints goes to the log."""
    spoken = io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(spoken):
        warnings.simplefilter("ignore")
        found = reader(str(path)).read()
    if spoken.getvalue().strip():
        _log.debug("%s: %s", reader.__name__, spoken.getvalue().strip())
    return found


def _named(found: Any) -> dict[str, Any]:
    """Return what a reader gave, whatever the form, by name; sidpy datasets alone."""
    import sidpy

    if isinstance(found, sidpy.Dataset):
        return {"": found}
    if isinstance(found, Mapping):
        items = {str(key): one for key, one in found.items()}
    else:
        items = {f"{k:03d}": one for k, one in enumerate(found if found is not None else ())}
    return {key: one for key, one in items.items() if isinstance(one, sidpy.Dataset)}
