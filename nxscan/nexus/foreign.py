"""NeXus and HDF5 files that others wrote, read as a scan by what their default plot says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError, SourceError
from nxscan.hdf5.h5signal import HDF5Signal
from nxscan.hdf5.resolve import needed_files, resolve
from nxscan.hdf5.texts import text
from nxscan.model import Axis, Provenance, Scan, Source
from nxscan.model.names import nexus_name
from nxscan.model.units import is_unit
from nxscan.nexus.master import damage_explained, open_hdf5

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nxscan.model import Signal
    from nxscan.model.axis import Role

_MOST_STEPS = 16
_TEXTS = ("units", "long_name")
_PLAIN = {"image": 2, "spectrum": 1, "scalar": 0}


def read_foreign(path: Path, h5path: str | None = None) -> tuple[Scan, list[Path]]:
    """Read the default plot of a file as a scan, lazily.

    Parameters
    ----------
    path : Path
        Any HDF5 file.
    h5path : str, optional
        An NXdata or a dataset to take in place of the default plot.

    Returns
    -------
    Scan
        The signal with its axes. Its last two dimensions are the detector's, unless
        @interpretation says otherwise; a curve is a scan of a point detector.
    list of Path
        Every file that the signal needs, the one that holds it first.

    Raises
    ------
    LayoutError
        If the file cannot be read, or a file that it reads from is missing.
    SourceError
        If there is no plot in it, or its signal holds no numbers.

    """
    with open_hdf5(path.absolute()) as file, damage_explained(path):
        node = _chosen(file, h5path)
        dataset = _signal(node)
        rank = _scan_rank(dataset)
        home = Path(dataset.file.filename).absolute()
        axes = _axes(node, dataset, rank)
        title = _title(file, node)
        detector = nexus_name(_detector(dataset))
        place, shape = dataset.name, dataset.shape
        said = {name: text(dataset.attrs[name]) for name in _TEXTS if name in dataset.attrs}
    if "units" in said and not is_unit(said["units"]):
        del said["units"]
    signal, files = _read(home, place, rank, said)
    frames = int(np.prod(shape[:rank], dtype=np.int64))
    sources = [_source(item, frames if k == 0 else 0) for k, item in enumerate(files)]
    provenance = Provenance(translator="default plot", sources=sources)
    return Scan(title, {detector: signal}, axes, provenance=provenance), files


def _read(home: Path, place: str, rank: int, said: dict[str, str]) -> tuple[Signal, list[Path]]:
    """Return the frames from where they lie, wherever virtual datasets lead, and all files."""
    found = resolve(home, place, rank)
    if found is None:
        return HDF5Signal(home, place, rank, lambda _: said), [home]
    found.units, found.long_name = said.get("units"), said.get("long_name", "")
    return found, list(dict.fromkeys([home, *needed_files(found)]))


def _source(file: Path, frames: int) -> Source:
    found = file.stat()
    return Source(str(file), found.st_size, found.st_mtime, frames)


def _chosen(file: Any, h5path: str | None) -> Any:
    """Return the NXdata or dataset that is meant."""
    if h5path is not None:
        found = file.get(h5path)
        if found is None:
            raise SourceError(f"{file.filename} has no {h5path}", "nxscan info says what it has")
        return found if isinstance(found, h5py.Dataset) else _plot(found)
    return _plot(file["/"])


def _plot(group: Any) -> Any:
    """Follow @default down to an NXdata; without it, take the first that there is."""
    node = group
    for _ in range(_MOST_STEPS):
        if "signal" in node.attrs:
            return node
        onward = node.get(text(node.attrs["default"])) if "default" in node.attrs else None
        if not isinstance(onward, h5py.Group):
            break
        node = onward
    found = _first_plot(node, 3)
    if found is None:
        raise SourceError(
            f"{group.file.filename}: there is no plot in {group.name}",
            "name the dataset of the frames: FILE::/path/of/it",
        )
    return found


def _first_plot(group: Any, depth: int) -> Any:
    if text(group.attrs.get("NX_class", "")) == "NXdata" and "signal" in group.attrs:
        return group
    for name in group if depth else ():
        child = group.get(name)
        found = _first_plot(child, depth - 1) if isinstance(child, h5py.Group) else None
        if found is not None:
            return found
    return None


def _signal(node: Any) -> Any:
    """Return the dataset itself, wherever links lead.

    Raises
    ------
    SourceError
        If it is not there, or no numbers.

    """
    name = node.name
    if isinstance(node, h5py.Group):
        key = text(node.attrs["signal"])
        try:
            found, name = node.get(key), f"{node.name}/{key}"
        except (OSError, KeyError) as error:
            raise LayoutError(f"{node.file.filename}: {name} cannot be read: {error}") from error
    else:
        found = node
    if not isinstance(found, h5py.Dataset):
        raise SourceError(
            f"{node.file.filename}: {name} leads nowhere", "put the file that it links to back"
        )
    if found.dtype.kind not in "biuf" or not found.shape:
        raise SourceError(
            f"{node.file.filename}: {name} is {found.dtype} of shape {found.shape}, not frames"
        )
    return found


def _scan_rank(dataset: Any) -> int:
    if dataset.ndim == 1:
        return 1
    frame = _PLAIN.get(text(dataset.attrs.get("interpretation", "")), 2)
    return max(0, len(dataset.shape) - frame)


def _axes(node: Any, dataset: Any, rank: int) -> dict[str, Axis]:
    """Return an axis for each dimension: what the file gives, else counting from 0."""
    named = _named(node, dataset) if isinstance(node, h5py.Group) else {}
    found: dict[str, Axis] = {}
    for k, length in enumerate(dataset.shape):
        role: Role = "scan" if k < rank else "detector"
        field = named.get(k)
        axis = None if field is None else _axis(field, length, role, k, found)
        if axis is None:
            names = ["position"] if rank == 1 and k == 0 else []
            plain = ["y", "x"][k - dataset.ndim] if k >= max(rank, dataset.ndim - 2) else ""
            name = nexus_name((names or [plain or f"dimension_{k}"])[0], found)
            unit = "" if role == "scan" else "pixel"
            axis = Axis(name, np.arange(length, dtype=np.float64), unit, "", role, k)
        found[axis.name] = axis
    return found


def _named(group: Any, dataset: Any) -> dict[int, Any]:
    """Return the field that @axes gives for each dimension."""
    names = np.atleast_1d(group.attrs.get("axes", [])).tolist()
    found = {}
    for k, name in enumerate(text(name) for name in names):
        field = group.get(name) if name not in (".", "") else None
        where = np.atleast_1d(group.attrs.get(f"{name}_indices", k)).tolist()
        if isinstance(field, h5py.Dataset) and len(where) == 1 and len(names) == dataset.ndim:
            found[int(where[0])] = field
    return found


def _axis(
    field: Any, length: int, role: Role, dimension: int, taken: dict[str, Axis]
) -> Axis | None:
    """Return an axis of centers; None where the field cannot be one."""
    if field.ndim != 1 or field.dtype.kind not in "iuf" or len(field) not in (length, length + 1):
        return None
    values = np.asarray(field[()], np.float64)
    if not np.isfinite(values).all():
        return None
    if len(values) == length + 1:
        values = 0.5 * (values[1:] + values[:-1])
    units = text(field.attrs["units"]) if "units" in field.attrs else None
    return Axis(
        name=nexus_name(field.name.rpartition("/")[2], {*taken, "data", "title"}),
        values=values,
        units=units if units is not None and is_unit(units) else None,
        long_name=text(field.attrs.get("long_name", "")),
        role=role,
        dimension=dimension,
    )


def _title(file: Any, node: Any) -> str:
    for place in _titles(node):
        found = file.get(place)
        if isinstance(found, h5py.Dataset) and found.shape in ((), (1,)):
            return text(np.ravel(found[()])[0]) or Path(file.filename).stem
    return Path(file.filename).stem


def _titles(node: Any) -> Iterator[str]:
    parts = node.name.strip("/").split("/")
    yield f"{parts[0]}/title"
    if isinstance(node, h5py.Group):
        yield f"{node.name}/title"


def _detector(dataset: Any) -> str:
    parent = dataset.parent
    if text(parent.attrs.get("NX_class", "")) == "NXdetector":
        return str(parent.name.rpartition("/")[2])
    return "detector"
