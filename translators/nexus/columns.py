"""What a NeXus entry recorded at every position: motors and counters."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.translate.h5source import member_names
from nxscan.translate.h5units import source_units
from nxscan.translate.h5values import attribute, decode, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.nexus.plots import Plot

_MOST = 2000
_SILENT = ("value", "data", "position")
_SKIPPED = ("NXprocess", "NXtransformations", "NXparameters")


@dataclass(eq=False)
class Recorded:
    """A dataset with one value for each position.

    Attributes
    ----------
    name : str
        What it is called.
    values : ndarray, shape of the scan
        Numbers, or texts.
    units : str or None
        The unit that the file states.
    motor : bool
        It belongs to a positioner, else it was counted.
    detector : bool
        A detector counted it.
    address : tuple of int
        What tells it from others; hard links have the same.

    """

    name: str
    values: NDArray[Any]
    units: str | None
    motor: bool
    detector: bool
    address: tuple[int, int]


@dataclass
class _Seen:
    path: str
    motor: bool = False
    detector: bool = False


def address(node: Any) -> tuple[int, int]:
    """Return what a dataset has in common with its hard links and with nothing else."""
    info = h5py.h5o.get_info(node.id)
    return info.fileno, info.addr


def recorded(entry: Any, plot: Plot, shape: tuple[int, ...]) -> list[Recorded]:
    """Return every dataset of an entry that has the scan's shape, each once.

    Parameters
    ----------
    entry : h5py.Group
        The entry.
    plot : Plot
        The plot that is taken: its fields come first, under its own names.
    shape : tuple of int
        Lengths of the scan's dimensions.

    """
    if math.prod(shape) < 2:
        return []
    found = _find(entry, shape)
    own = _own_names(plot)
    positioners = any(seen.motor for seen in found.values())
    listed = []
    taken: set[str] = set()
    for place, seen in sorted(found.items(), key=lambda item: item[0] not in own):
        name, indexed = own.get(place, (_name(seen.path, taken), False))
        if name in taken:
            name = seen.path.replace("/", "_")
        taken.add(name)
        dataset = entry[seen.path]
        motor = seen.motor or (indexed and not positioners) or name in plot.axes
        units = source_units(attribute(dataset, "units"))
        listed.append(Recorded(name, _read(dataset), units, motor, seen.detector, place))
    return listed


def _own_names(plot: Plot) -> dict[tuple[int, int], tuple[str, bool]]:
    """Return the fields of the plot, and whether it says where each runs along."""
    names = {}
    for name in member_names(plot.group):
        if isinstance(plot.group.get(name, getlink=True), h5py.ExternalLink):
            continue
        node = plot.group.get(name)
        if isinstance(node, h5py.Dataset) and name not in _SILENT:
            names[address(node)] = (name, f"{name}_indices" in plot.group.attrs)
    return names


def _find(entry: Any, shape: tuple[int, ...]) -> dict[tuple[int, int], _Seen]:
    found: dict[tuple[int, int], _Seen] = {}
    for path in _paths(entry):
        node = h5py.h5o.open(entry.id, path)
        if not isinstance(node, h5py.h5d.DatasetID) or node.shape != shape:
            continue
        dataset = h5py.Dataset(node)
        if dataset.dtype.kind not in "biufS" and h5py.check_string_dtype(dataset.dtype) is None:
            continue
        parent = dataset.parent
        kind = attribute(parent, "NX_class")
        if kind in _SKIPPED:
            continue
        name = decode(path)
        seen = found.setdefault(address(dataset), _Seen(name))
        seen.motor |= kind == "NXpositioner"
        seen.detector |= kind == "NXdetector"
        if kind == "NXpositioner":
            seen.path = name
        if len(found) >= _MOST:
            break
    return found


def _paths(entry: Any) -> Iterator[bytes]:
    names: list[bytes] = []

    def visit(name: bytes, info: Any) -> None:
        if info.type == h5py.h5l.TYPE_HARD:
            names.append(name)

    entry.id.links.visit(visit, info=True)
    yield from names


def _name(path: str, taken: set[str]) -> str:
    parts = path.split("/")
    last = parts[-1]
    if last in _SILENT and len(parts) > 1:
        return parts[-2]
    return last if last not in taken else "_".join(parts[-2:])


def _read(dataset: Any) -> NDArray[Any]:
    values = dataset[()]
    if dataset.dtype.kind in "biuf":
        return np.asarray(values, np.float64)
    return np.array([text(item) for item in values.ravel()]).reshape(values.shape)
