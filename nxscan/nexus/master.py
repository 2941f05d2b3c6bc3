"""A master that is open for reading, and what is read of it compared with its seal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nxscan.errors import LayoutError
from nxscan.hdf5.opening import open_reading
from nxscan.nexus.seal import DAMAGE, Seal, reason

_LOOK = "nxscan validate says where; restore the file from a copy, or translate the scan again"


@dataclass(frozen=True)
class Master:
    """A master, opened when something is asked of it.

    Attributes
    ----------
    path : Path
        The file, absolute.
    verify : bool
        Whether what is read is compared with the seal; False for a file edited on purpose.

    """

    path: Path
    verify: bool = True

    @contextmanager
    def reading(self) -> Iterator[Opened]:
        """Open the file.

        Raises
        ------
        LayoutError
            If it cannot be opened, or what is done with it meets damage.

        """
        with open_hdf5(self.path) as file, damage_explained(self.path):
            yield Opened(file, self.verify)


@dataclass(frozen=True)
class Opened:
    """An open master.

    Attributes
    ----------
    file : h5py.File
        The file.
    verify : bool
        Whether what is read is compared with the seal.

    """

    file: Any
    verify: bool

    @cached_property
    def seal(self) -> Seal:
        """What its objects were when it was written."""
        return Seal(self.file)

    @cached_property
    def places(self) -> dict[str, Path]:
        """Where the files are that it reads frames from, by the names that it has for them.

        Raises
        ------
        LayoutError
            If one is gone or has changed.

        """
        from nxscan.nexus.linktable import require_files

        return require_files(self, Path(self.file.filename))

    def __getitem__(self, path: str) -> Any:
        return self.file[path]

    def __contains__(self, path: str) -> bool:
        return path in self.file

    def attributes(self, item: Any) -> dict[str, Any]:
        """Return all attributes of a group or dataset."""
        found = dict(item.attrs.items())
        if self.verify:
            self.seal.check_attributes(item.name, found)
        return found

    def value(self, dataset: Any) -> Any:
        """Return the value of a dataset."""
        found = dataset[()]
        if self.verify:
            self.seal.check_value(dataset, found)
        return found

    def part(self, dataset: Any, where: slice) -> Any:
        """Return a part of a value, which is read as a whole where HDF5 does not guard parts."""
        return self.value(dataset)[where] if dataset.chunks is None else dataset[where]


def open_hdf5(path: Path) -> Any:
    """Open a file of a scan.

    Raises
    ------
    LayoutError
        If it is not there or no HDF5 file.

    """
    if not path.exists():
        raise LayoutError(f"{path} does not exist")
    try:
        return open_reading(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise LayoutError(f"{path} cannot be opened as HDF5: {error}", _LOOK) from error


@contextmanager
def damage_explained(path: Path) -> Iterator[None]:
    """Turn what h5py raises over a damaged file into one error that says so."""
    try:
        yield
    except DAMAGE as error:
        message = f"{path} is damaged, or is not laid out as nxscan does: {reason(error)}"
        raise LayoutError(message, _LOOK) from error
