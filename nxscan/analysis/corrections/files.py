"""Frames from files that a user names: EDF, TIFF, CBF … by fabio, HDF5, and numpy's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import ProcessError
from nxscan.hdf5.opening import open_reading

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_HDF5 = (".h5", ".hdf5", ".nxs", ".nx", ".hdf", ".nexus")


def read_file(path: Path, dataset: str | None, owner: str) -> NDArray[Any]:
    """Return what a file holds: a frame, or a stack of frames.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str, optional
        Where the frames are in an HDF5 file.
    owner : str
        Who asks, for the errors.

    Raises
    ------
    ProcessError
        If the file is missing, cannot be read, or holds no numbers there.

    """
    if not path.is_file():
        raise ProcessError(f"{owner}: there is no file {path}")
    try:
        values = np.asarray(_read(path, dataset, owner))
    except ProcessError:
        raise
    except Exception as error:  # fabio raises whatever its parsing meets
        raise ProcessError(f"{owner}: {path} cannot be read: {error}") from error
    if values.dtype.kind not in "biuf":
        raise ProcessError(f"{owner}: {path} holds {values.dtype}, not numbers")
    return values.astype(values.dtype.newbyteorder("="))


def _read(path: Path, dataset: str | None, owner: str) -> Any:
    if path.suffix.lower() == ".npy":
        return np.load(path, allow_pickle=False)
    if path.suffix.lower() in _HDF5:
        return _read_hdf5(path, dataset, owner)
    import fabio

    with fabio.open(path) as image:
        frames = [np.array(image.get_frame(k).data) for k in range(image.nframes)]
    return np.stack(frames) if len(frames) > 1 else frames[0]


def _read_hdf5(path: Path, dataset: str | None, owner: str) -> Any:
    import h5py

    if not dataset:
        raise ProcessError(
            f"{owner}: which dataset of {path}?", "give dataset=/path/inside/the/file"
        )
    with open_reading(path) as file:
        found = file.get(dataset)
        if not isinstance(found, h5py.Dataset):
            raise ProcessError(f"{owner}: {path} has no dataset {dataset!r}")
        return found[()]
