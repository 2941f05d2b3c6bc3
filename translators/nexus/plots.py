"""The plots of a NeXus entry: their signals and axes, as NeXus said it then and says it now."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.h5source import get_node, member_names
from nxscan.translate.h5values import attribute, text, texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NO_AXIS = (".", "")
_FRAME_RANK = {"image": 2, "rgb-image": 3, "rgba-image": 3, "spectrum": 1, "scalar": 0, "vertex": 1}
_PLOTS = ("NXdata",)
_PLAIN = ("data", "data1", "plot", "plotselect", "scan", "entry", "measurement")


@dataclass
class Plot:
    """One NXdata, or a dataset that is taken as a plot of its own.

    Attributes
    ----------
    name : str
        What it is called, for ``--detector``.
    group : h5py.Group
        Where it is.
    signal : h5py.Dataset or None
        The values; None where ``problem`` says why not.
    key : str
        Name of the signal in the group.
    problem : SourceError or None
        Why there are no values.
    axes : dict of str to (h5py.Dataset or None, tuple of int)
        Each axis with the dimensions that it runs along.
    trailing : int
        Dimensions at the end for which the file says that they have no axis.

    """

    name: str
    group: Any
    signal: Any
    key: str
    problem: SourceError | None = None
    axes: dict[str, tuple[Any, tuple[int, ...]]] = field(default_factory=dict)
    trailing: int = 0

    def frame_rank(self) -> int:
        """Return how many dimensions one frame has: what the file says, else 2 for images."""
        said = attribute(self.signal, "interpretation").lower()
        rank = int(self.signal.ndim)
        if said in _FRAME_RANK:
            return min(rank, _FRAME_RANK[said])
        if 0 < self.trailing <= 2:
            return min(rank, self.trailing)
        return 0 if rank < 2 else 2


def is_class(node: Any, *names: str) -> bool:
    """Tell whether a node is a group of one of some NeXus classes."""
    return isinstance(node, h5py.Group) and attribute(node, "NX_class") in names


def children(group: Any, *classes: str) -> Iterator[Any]:
    """Yield the groups of some classes directly below a group; links that dangle are left out."""
    for name in member_names(group):
        try:
            node = get_node(group, name)
        except SourceError:
            continue
        if is_class(node, *classes):
            yield node


def find_entries(file: Any) -> list[Any]:
    """Return the entries of a file that have plots: of an entry without, its subentries."""
    found = []
    for entry in children(file, "NXentry"):
        own = [entry] if any(True for _ in _groups(entry)) else []
        below = [one for one in children(entry, "NXsubentry") if any(True for _ in _groups(one))]
        found += own or below or [entry]
    return found


def _groups(entry: Any) -> Iterator[Any]:
    for group in children(entry, *_PLOTS):
        if signal_name(group):
            yield group


def find_plots(entry: Any) -> list[Plot]:
    """Return the plots of an entry, the default one first."""
    plots = [read_plot(group) for group in _groups(entry)]
    default = _default(entry)
    plots.sort(key=lambda plot: plot.group.name != default)
    return plots


def _default(entry: Any) -> str:
    """Return the path of the plot that @default leads to, where it leads anywhere."""
    node = entry
    for _ in range(8):
        if signal_name(node):
            break
        name = attribute(node, "default")
        onward = node.get(name) if name else None
        if not isinstance(onward, h5py.Group):
            break
        node = onward
    return str(node.name)


def signal_name(group: Any) -> str:
    """Return the name of a plot's signal: @signal of the group, or the field with @signal=1."""
    name = attribute(group, "signal")
    if name and not name.isdigit():
        return name
    for child in member_names(group):
        link = group.get(child, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            continue
        node = group.get(child)
        if isinstance(node, h5py.Dataset) and attribute(node, "signal") == "1":
            return str(child)
    return ""


def read_plot(group: Any) -> Plot:
    """Read what an NXdata says of its signal and axes."""
    name = signal_name(group)
    plot = Plot(_plot_name(group, name), group, None, name)
    try:
        plot.signal = get_node(group, name)
    except SourceError as error:
        plot.problem = error
    if plot.problem is None and not isinstance(plot.signal, h5py.Dataset):
        plot.signal = None
        plot.problem = SourceError(
            f"{group.file.filename}: {group.name} has no field {name!r}, which is its signal"
        )
    _read_axes(plot)
    return plot


def _plot_name(group: Any, signal: str) -> str:
    """Return the name of the NXdata; where that says nothing, the name of the signal."""
    name = str(group.name.rpartition("/")[2])
    return signal if name in _PLAIN and signal not in ("data", "") else name


def _read_axes(plot: Plot) -> None:
    names = _axes_names(plot)
    rank = plot.signal.ndim if plot.signal is not None else len(names)
    while plot.trailing < min(len(names), rank) and names[-1 - plot.trailing] in _NO_AXIS:
        plot.trailing += 1
    for k, name in enumerate(names):
        if name not in _NO_AXIS:
            node = _field(plot.group, name)
            plot.axes.setdefault(name, (node, _indices(plot, name, node, k, rank)))
    if plot.trailing == rank and rank:
        plot.trailing = 0


def _axes_names(plot: Plot) -> list[str]:
    """Return the axes slow to fast: @axes of the group, of the signal, or fields with @axis."""
    group, signal = plot.group, plot.signal
    if "axes" in group.attrs:
        return texts(group.attrs["axes"])
    if signal is not None and "axes" in signal.attrs:
        return texts(signal.attrs["axes"])
    numbered: dict[int, str] = {}
    for name in member_names(group):
        node = _field(group, name)
        said = attribute(node, "axis") if isinstance(node, h5py.Dataset) else ""
        for part in re.findall(r"\d+", said)[:1]:
            first = attribute(node, "primary") == "1"
            if first or int(part) not in numbered:
                numbered[int(part)] = name
    return [numbered.get(k + 1, ".") for k in range(max(numbered, default=0))]


def _field(group: Any, name: str) -> Any:
    try:
        node = get_node(group, name)
    except SourceError:
        return None
    return node if isinstance(node, h5py.Dataset) else None


def _indices(plot: Plot, name: str, node: Any, k: int, rank: int) -> tuple[int, ...]:
    """Return the dimensions of an axis, which older files write as text."""
    said = plot.group.attrs.get(f"{name}_indices")
    if said is not None:
        items = [
            part for item in np.atleast_1d(said).ravel() for part in re.findall(r"\d+", text(item))
        ]
        found = tuple(int(item) for item in items if int(item) < rank)
        if found:
            return found
    if node is not None and node.ndim > 1:
        return tuple(range(node.ndim))
    return (k,)


def dataset_plot(name: str, dataset: Any, like: Plot | None) -> Plot:
    """Return a dataset as a plot over the axes of another one."""
    plot = Plot(name, dataset.parent, dataset, dataset.name.rpartition("/")[2])
    if like is not None:
        plot.group = like.group
        plot.axes = dict(like.axes)
        plot.trailing = 0
    return plot


def numbers(node: Any) -> NDArray[np.float64] | None:
    """Return the values of a dataset as numbers, or None."""
    if node.dtype.kind not in "biuf" or node.shape is None or 0 in node.shape:
        return None
    return np.asarray(node[()], np.float64)
