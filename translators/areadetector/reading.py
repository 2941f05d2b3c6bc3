"""One file of areaDetector's NDFileHDF5: where its frames are, and what was sampled with each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.h5blocks import MOST, Block, block_of
from nxscan.translate.h5source import is_hdf5, open_source
from nxscan.translate.h5values import attribute, read_values, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = dict[str, str | NDArray[Any]]

IMAGES = ("entry/data/data", "entry/instrument/detector/data")
GROUPS = (
    "entry/instrument/NDAttributes",
    "entry/instrument/detector/NDAttributes",
    "entry/NDAttributes",
)
UNIQUE = "NDArrayUniqueId"
_EPICS_EPOCH = 631_152_000
"""Seconds from 1970 to 1990, where EPICS' time begins."""
_COLORS = {2: "RGB1", 3: "RGB2", 4: "RGB3"}


@dataclass(frozen=True, eq=False)
class Sampled:
    """One NDAttribute: a value for each frame.

    Attributes
    ----------
    key : str
        Where it is below the entry.
    column : ndarray, shape (frames,)
        Its values, numbers or texts.
    pv : str
        The PV that it was read from; empty for a parameter of the driver.
    description : str
        What it is, for people.

    """

    key: str
    column: NDArray[Any]
    pv: str = ""
    description: str = ""


@dataclass(frozen=True, eq=False)
class DetectorFile:
    """One file.

    Attributes
    ----------
    block : Block
        Its frames, numbered by NDArrayUniqueId where that is there.
    has_ids : bool
        It is.
    attributes : dict of str to Sampled
        NDAttributes by name, cut or filled (with NaN or an empty text) to the frames.
    ragged : dict of str to int
        Attributes that have another number of values than there are frames.
    values : dict
        What else the file says, by path below its entry.

    """

    block: Block
    has_ids: bool
    attributes: dict[str, Sampled] = field(default_factory=dict)
    ragged: dict[str, int] = field(default_factory=dict)
    values: Values = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.block.path

    @property
    def started(self) -> str:
        """When its first frame was taken, in ISO 8601; empty where EPICS had no time."""
        seconds = self.attributes.get("NDArrayEpicsTSSec")
        if seconds is None or not len(seconds.column):
            return ""
        first = float(seconds.column[0])
        if not 0 < first < np.iinfo(np.uint32).max:
            return ""
        return datetime.fromtimestamp(first + _EPICS_EPOCH, UTC).isoformat()


def looks_like(path: Path) -> bool:
    """Tell whether a file is one of areaDetector's."""
    if not is_hdf5(path):
        return False
    try:
        with open_source(path) as file:
            return is_areadetector(file)
    except SourceError:
        return False


def is_areadetector(file: Any) -> bool:
    """Tell whether an open HDF5 file has frames with NDAttributes, as NDFileHDF5 lays them out."""
    entry = file.get("entry", getclass=True)
    if entry is not h5py.Group or "entry/translation" in file or _images(file) is None:
        return False
    return any(
        name.startswith("NDArray") or "NDAttrName" in node.attrs
        for place in GROUPS
        for name, node in _datasets(file, place)
    )


def read_file(path: Path, like: DetectorFile | None = None) -> DetectorFile | None:
    """Read what a file says.

    Parameters
    ----------
    path : Path
        The file.
    like : DetectorFile, optional
        Another file of its series: what is the same in all of them is not read again.

    Returns
    -------
    DetectorFile or None
        None if it is no areaDetector file.

    Raises
    ------
    SourceError
        If it is HDF5 and cannot be read, or holds color images.

    """
    if not is_hdf5(path):
        return None
    with open_source(path) as file:
        found = None if like is None else _read_like(file, path, like)
        if found is None and is_areadetector(file):
            found = _read_all(file, path)
    if found is not None:
        _refuse_color(found)
    return found


def _read_all(file: Any, path: Path) -> DetectorFile:
    images = _images(file)
    sampled = {
        name: _sampled(node, path, f"{place.removeprefix('entry/')}/{name}")
        for place in GROUPS
        for name, node in _datasets(file, place)
    }
    values = read_values(file["entry"], longest=1, skip=("data",))
    kept = {key: value for key, value in values.items() if "NDAttributes/" not in key}
    return _fitted(block_of(images, path, images.name), sampled, kept)


def _read_like(file: Any, path: Path, like: DetectorFile) -> DetectorFile | None:
    """Read only the frames and columns that another file has; None where they are not there."""
    try:
        block = block_of(file[like.block.frames.dataset], path, like.block.frames.dataset)
        sampled = {
            name: replace(one, column=_column(_opened(file, one.key), path))
            for name, one in like.attributes.items()
        }
    except KeyError:
        return None
    return _fitted(block, sampled, like.values)


def _opened(file: Any, key: str) -> Any:
    return h5py.h5d.open(file.id, f"entry/{key}".encode())


def _column(dataset: Any, path: Path) -> NDArray[Any]:
    if math.prod(dataset.shape) > MOST:
        name = h5py.h5i.get_name(dataset).decode("utf-8", "replace")
        raise SourceError(
            f"{path}: {name} says that it has {math.prod(dataset.shape)} values, more than {MOST}",
            "the file may be damaged: copy it again",
        )
    raw = np.empty(dataset.shape, dataset.dtype)
    dataset.read(h5py.h5s.ALL, h5py.h5s.ALL, raw)
    flat = raw.ravel()
    return np.array([text(item) for item in flat]) if flat.dtype.kind in "SO" else flat


def _sampled(dataset: Any, path: Path, key: str) -> Sampled:
    is_pv = attribute(dataset, "NDAttrSourceType") == "NDAttrSourceEPICSPV"
    pv = attribute(dataset, "NDAttrSource") if is_pv else ""
    return Sampled(key, _column(dataset.id, path), pv, attribute(dataset, "NDAttrDescription"))


def _fitted(block: Block, sampled: dict[str, Sampled], values: Values) -> DetectorFile:
    """Return a file whose frames are numbered, with one item in each column for each of them."""
    count = block.frames.count
    ragged = {name: len(one.column) for name, one in sampled.items() if len(one.column) != count}
    for name in ragged:
        column = _of_length(sampled[name].column, count)
        sampled[name] = replace(sampled[name], column=column)
    has_ids = UNIQUE in sampled and sampled[UNIQUE].column.dtype.kind in "iu"
    if has_ids:
        block = replace(block, numbers=sampled[UNIQUE].column.astype(np.int64))
    return DetectorFile(block, has_ids, sampled, ragged, values)


def _of_length(column: NDArray[Any], count: int) -> NDArray[Any]:
    """Return a column of ``count`` items; what is lacking is NaN or an empty text."""
    if len(column) >= count:
        return column[:count]
    if column.dtype.kind == "U":
        return np.concatenate([column, np.full(count - len(column), "")])
    return np.concatenate([column.astype(np.float64), np.full(count - len(column), np.nan)])


def _refuse_color(file: DetectorFile) -> None:
    mode = file.attributes.get("ColorMode")
    if mode is not None and len(mode.column) and mode.column.dtype.kind in "iu":
        name = _COLORS.get(int(mode.column[0]))
        if name is not None:
            raise SourceError(
                f"{file.path} holds color images ({name}), which nxscan does not read",
                "have the camera or NDPluginColorConvert write Mono",
            )


def _images(file: Any) -> Any:
    """Return the dataset of the frames; None where there is none that holds them itself."""
    for place in IMAGES:
        if _is_here(file, place) and file.get(place, getclass=True) is h5py.Dataset:
            node = file[place]
            return None if node.is_virtual or len(node.shape or ()) < 2 else node
    return None


def _datasets(file: Any, place: str) -> Iterator[tuple[str, Any]]:
    """Yield the datasets of a group that have values; nothing where there is no such group."""
    if not _is_here(file, place) or file.get(place, getclass=True) is not h5py.Group:
        return
    for name in file[place]:
        named = isinstance(name, str)  # a damaged name is bytes
        if named and file.get(f"{place}/{name}", getclass=True) is h5py.Dataset:
            node = file[f"{place}/{name}"]
            if node.size:
                yield name, node


def _is_here(file: Any, place: str) -> bool:
    """Tell whether no link on the way to ``place`` leads out of the file."""
    here = ""
    for part in place.split("/"):
        here = f"{here}/{part}"
        link = file.get(here, getlink=True, default=None)
        if link is None or isinstance(link, h5py.ExternalLink):
            return False
    return True
