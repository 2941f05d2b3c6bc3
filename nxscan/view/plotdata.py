"""What an NXdata says about its plot: signal, axes, labels, units, errors and mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.model.units import UNKNOWN_UNITS
from nxscan.view.hdf5 import (
    attribute,
    child,
    children,
    field_text,
    is_group,
    is_numeric,
    missing_sources,
    nx_class,
    signal_name,
    text,
    texts,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIST_AXIS = "position"
"""Name of the axis of a list of positions, whose motors are fields beside it."""

PIXEL_UNITS = frozenset({"pixel", "pixels", "px", "pix"})


def label_of(name: str, units: str) -> str:
    """Return a label with its unit, which is not repeated where the name has it already.

    >>> label_of("mu", "degree"), label_of("det (counts)", "counts"), label_of("ratio", "")
    ('mu (degree)', 'det (counts)', 'ratio')
    """
    said = not units or units in (name, UNKNOWN_UNITS) or f"({units})" in name
    return name if said else f"{name} ({units})"


@dataclass(frozen=True, eq=False)
class PlotAxis:
    """One axis of a plot.

    Attributes
    ----------
    name : str
        Name of the field; ``dim_0`` where the file gives no axis.
    values : ndarray, shape (n,)
        Centers.
    units, long_name : str
        As the file says; "" where it does not.
    given : bool
        False where the file has no axis, and ``values`` counts from 0.

    """

    name: str
    values: NDArray[np.float64]
    units: str = ""
    long_name: str = ""
    given: bool = True

    @property
    def label(self) -> str:
        """Name and unit as a plot shows them."""
        return label_of(self.long_name or self.name, self.units)

    @property
    def is_pixel(self) -> bool:
        """Whether the axis counts the pixels of a detector."""
        return self.units.lower() in PIXEL_UNITS or not self.given


@dataclass(frozen=True, eq=False)
class PlotData:
    """An NXdata, or a bare dataset, ready to be drawn; the signal itself is not read.

    Attributes
    ----------
    path : str
        Where it is in its file.
    title : str
        Title of the entry, or the file's name.
    signal : h5py.Dataset
        The signal.
    label : str
        Name and unit of the signal.
    axes : tuple of PlotAxis
        One for each dimension.
    frame_ndim : int
        How many of the last dimensions make one frame: 2 for images, 1 for spectra.
    motors : tuple of PlotAxis
        What varies along the first dimension, where that is a list of positions.
    errors : h5py.Dataset or None
        Standard deviation, in the signal's shape.
    mask : ndarray of bool, shape (y, x), or None
        True where a pixel of the frame is bad.
    note : str
        What the mask leaves out, where that is not the detector's own.
    auxiliary : tuple of (str, h5py.Dataset)
        Label and dataset of further signals of the same shape.
    is_picture : bool
        Whether the last dimension is red, green, blue and perhaps opacity.
    key : PlotData or None
        The picture that says what the colors of this one mean.

    """

    path: str
    title: str
    signal: Any
    label: str
    axes: tuple[PlotAxis, ...]
    frame_ndim: int
    motors: tuple[PlotAxis, ...] = ()
    errors: Any = None
    mask: NDArray[np.bool_] | None = None
    note: str = ""
    auxiliary: tuple[tuple[str, Any], ...] = field(default=())
    is_picture: bool = False
    key: PlotData | None = None


def read_plot(node: Any) -> PlotData:
    """Read what a group or dataset says about its plot.

    Raises
    ------
    SourceError
        If a file that holds the signal's data is missing.

    """
    signal = child(node, signal_name(node)) if is_group(node) else node
    missing = missing_sources(signal)
    if missing:
        raise SourceError(
            f"{signal.file.filename}: {signal.name} needs {len(missing)} files that are not "
            f"there, the first is {missing[0]!r}",
            "put them back where they were",
        )
    axes = _axes(node, signal) if is_group(node) else _counting(signal.shape)
    not_ok = _not_ok(node, signal)
    return PlotData(
        path=node.name,
        title=_title(node),
        signal=signal,
        label=_label(signal),
        axes=axes,
        frame_ndim=_frame_ndim(signal),
        motors=_motors(node, signal, axes) if is_group(node) else (),
        errors=_errors(node, signal) if is_group(node) else None,
        mask=_mask(node, signal) if not_ok is None else not_ok,
        note="" if not_ok is None else "gray: status not ok",
        auxiliary=_auxiliary(node, signal) if is_group(node) else (),
        is_picture=_is_picture(signal),
        key=_key(node, signal),
    )


def _is_picture(signal: Any) -> bool:
    said = text(attribute(signal, "interpretation"))
    channels = {"rgb-image": 3, "rgba-image": 4}.get(said)
    return bool(signal.ndim == 3 and signal.dtype == np.uint8 and signal.shape[-1] == channels)


def _key(node: Any, signal: Any) -> PlotData | None:
    """Return the picture called ``key`` beside a picture, in the process that made both."""
    if not is_group(node) or not _is_picture(signal):
        return None
    for process in _processes_with(node):
        key = child(process, "key")
        if key is not None and is_group(key) and key != node:
            found = read_plot(key)
            return found if found.is_picture else None
    return None


def _processes_with(node: Any) -> Iterator[Any]:
    """Yield the processes of the entry that have a plot, whichever link led to it."""
    entry = child(node.file, node.name.split("/")[1]) if node.name.count("/") > 1 else None
    if entry is None:
        return
    for _, process in children(entry):
        if nx_class(process) == "NXprocess" and any(plot == node for _, plot in children(process)):
            yield process


def read_axis(dataset: Any, length: int) -> PlotAxis | None:
    """Return a dataset as an axis of ``length`` centers, or None if it cannot be one.

    Edges (``length + 1`` values) become centers.
    """
    if is_group(dataset) or dataset.dtype.kind not in "biuf" or dataset.ndim > 1:
        return None
    values = np.asarray(dataset[()], dtype=np.float64).reshape(-1)
    if values.size == length + 1:
        values = 0.5 * (values[1:] + values[:-1])
    if values.size != length or not np.isfinite(values).all():
        return None
    return PlotAxis(
        dataset.name.rsplit("/", 1)[-1],
        values,
        text(attribute(dataset, "units")),
        text(attribute(dataset, "long_name")),
    )


def _counting(shape: tuple[int, ...]) -> tuple[PlotAxis, ...]:
    return tuple(_count(k, length) for k, length in enumerate(shape))


def _count(dimension: int, length: int) -> PlotAxis:
    return PlotAxis(f"dim_{dimension}", np.arange(length, dtype=np.float64), given=False)


def _axis_names(group: Any, signal: Any) -> list[str]:
    """Return the names of the axes by the present rule, the old one, or that of canSAS."""
    own = (attribute(group, "axes"), attribute(signal, "axes"))
    return next((texts(names) for names in own if texts(names)), []) or texts(
        attribute(group, f"{signal_name(group)}_axes")
    )


def _indices(group: Any, name: str) -> list[int]:
    """Return the dimensions that an axis says it runs along, [] where it says nothing."""
    value = attribute(group, f"{name}_indices")
    try:
        return [] if value is None else [int(index) for index in np.reshape(value, -1)]
    except ValueError:  # foreign files have names or lists in text there
        return []


def _axes(group: Any, signal: Any) -> tuple[PlotAxis, ...]:
    names = _axis_names(group, signal)
    axes = dict(enumerate(_counting(signal.shape)))
    for position, name in enumerate(names):
        node = child(group, name) if name != "." else None
        if node is None:
            continue
        indices = _indices(group, name)
        dimension = indices[0] if len(indices) == 1 else position
        if not 0 <= dimension < signal.ndim or axes[dimension].given:
            continue
        axis = read_axis(node, signal.shape[dimension])
        if axis is not None:
            axes[dimension] = axis
    return tuple(axes.values())


def _motors(group: Any, signal: Any, axes: tuple[PlotAxis, ...]) -> tuple[PlotAxis, ...]:
    """Return the motors of a list of positions; none where the first axis is a motor itself."""
    if not signal.ndim:
        return ()
    named = _axis_names(group, signal)
    if signal.ndim == 1 and len(named) > 1:
        names = named
    elif axes[0].given and axes[0].name != LIST_AXIS:
        return ()
    else:
        names = [name for name in group if _is_motor(group, name)]
    nodes = (child(group, name) for name in names)
    found = (read_axis(node, signal.shape[0]) for node in nodes if node is not None)
    return tuple(axis for axis in found if axis is not None and np.ptp(axis.values) > 0)


def _is_motor(group: Any, name: str) -> bool:
    if name == LIST_AXIS or name.endswith(("_errors", "_width")):
        return False
    return _indices(group, name) == [0]


def _label(signal: Any) -> str:
    name = text(attribute(signal, "long_name")) or signal.name.rsplit("/", 1)[-1]
    return label_of(name, text(attribute(signal, "units")))


def _frame_ndim(signal: Any) -> int:
    interpretation = text(attribute(signal, "interpretation"))
    most = {"spectrum": 1, "scalar": 0}.get(interpretation, 2)
    return min(most, int(signal.ndim))


def _errors(group: Any, signal: Any) -> Any:
    name = signal_name(group)
    named = text(attribute(signal, "uncertainties"))
    for candidate in (f"{name}_errors", named, "errors"):
        node = child(group, candidate) if candidate else None
        if node is not None and is_numeric(node) and node.shape == signal.shape:
            return node
    return None


def _auxiliary(group: Any, signal: Any) -> tuple[tuple[str, Any], ...]:
    nodes = [child(group, name) for name in texts(attribute(group, "auxiliary_signals"))]
    return tuple(
        (_label(node), node)
        for node in nodes
        if node is not None and is_numeric(node) and node.shape == signal.shape
    )


def _mask(node: Any, signal: Any) -> NDArray[np.bool_] | None:
    """Return the mask of the detector that the signal belongs to, where it has one."""
    if signal.ndim < 2:
        return None
    for place in _detectors(node, signal):
        entry = place.split("/instrument/")[0]
        for mask_path in (f"{place}/pixel_mask", f"{entry}/mask/data"):
            mask = child(node.file, mask_path)
            if mask is not None and is_numeric(mask) and mask.shape == signal.shape[-2:]:
                return np.asarray(mask[()] != 0)
    return None


def _not_ok(node: Any, signal: Any) -> NDArray[np.bool_] | None:
    """Return where the status map of the result that a plot belongs to is not 0, ok.

    Values there are noise, and would spoil the colors of all others.
    """
    if not is_group(node) or signal.ndim != 2:
        return None
    for process in _processes_with(node):
        status = child(process, "status/data")
        if status is None or not is_numeric(status) or status.shape != signal.shape:
            continue
        if status != signal:
            bad = np.asarray(status[()] != 0)
            return None if bad.all() else bad
    return None


def _detectors(node: Any, signal: Any) -> list[str]:
    """Return the detectors that the signal says it comes from: its target, link or parent."""
    places = [text(attribute(signal, "target")), signal.name]
    if is_group(node):
        link = node.get(signal_name(node), getlink=True)
        places.append(getattr(link, "path", ""))
    groups = [place.rsplit("/", 1)[0] for place in places if "/" in place[1:]]
    return [place for place in groups if nx_class(child(node.file, place)) == "NXdetector"]


def _title(node: Any) -> str:
    file = node.file
    own = field_text(node, "title") if is_group(node) else ""
    entry = child(file, node.name.split("/")[1]) if node.name.count("/") > 1 else None
    if entry is not None and is_group(entry) and nx_class(entry) == "NXentry":
        title = field_text(entry, "title")
        if title and own and own != title:
            return f"{title} · {own}"
        own = own or title
    return own or Path(file.filename).name
