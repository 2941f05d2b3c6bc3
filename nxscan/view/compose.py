"""Which panels show a signal: the frames reduced over the scan, and the scan over the frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError
from nxscan.view.blocks import reduce_stack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.view.blocks import How, Progress
    from nxscan.view.plotdata import PlotAxis, PlotData

    Reduce = How | Mapping[str, int]

MOST_AUXILIARY = 8
"""Further signals of one NXdata that are drawn beside it."""


NOUNS = {True: ("spectra", "frames"), False: ("channels", "pixels")}
"""What is reduced over the scan, and over the frame, for spectra and for images."""


@dataclass(frozen=True, eq=False)
class Line:
    """What is drawn with a curve: a model of it, a mark; ``style`` is line, dashed or thin."""

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    style: str = "line"


@dataclass(frozen=True, eq=False)
class Curve:
    """Values along one axis, with error bars where there are any, and lines drawn with them.

    ``is_points`` leaves out the line from one value to the next; ``is_below`` puts the panel
    under the one before it.
    """

    title: str
    label: str
    values: NDArray[np.float64]
    x: PlotAxis
    errors: NDArray[np.float64] | None = None
    lines: tuple[Line, ...] = ()
    is_points: bool = False
    is_below: bool = False


@dataclass(frozen=True, eq=False)
class Map:
    """Values over two axes; ``values[row, column]`` is at ``y.values[row], x.values[column]``."""

    title: str
    label: str
    values: NDArray[np.float64]
    y: PlotAxis
    x: PlotAxis


@dataclass(frozen=True, eq=False)
class Scatter:
    """Values at positions of two motors that form no grid."""

    title: str
    label: str
    values: NDArray[np.float64]
    y: PlotAxis
    x: PlotAxis


@dataclass(frozen=True, eq=False)
class Picture:
    """Colors over two axes, ``values[row, column]`` red, green, blue (and opacity), 0 to 255."""

    title: str
    label: str
    values: NDArray[np.uint8]
    y: PlotAxis
    x: PlotAxis


@dataclass(frozen=True, eq=False)
class Value:
    """A single number."""

    title: str
    label: str
    value: float


Panel = Curve | Map | Picture | Scatter | Value


def compose(
    data: PlotData,
    reduce: Reduce = "sum",
    pixel: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> list[Panel]:
    """Read a signal, block by block, into the panels that show it.

    Parameters
    ----------
    data : PlotData
        What to draw.
    reduce : {"sum", "mean", "max"} or mapping of str to int
        How to reduce the dimensions that do not fit on paper; a mapping gives the index to use
        for each axis that it names, and the rest is summed.
    pixel : tuple of int, optional
        Row and column of the one pixel whose values along the scan are wanted.
    progress : callable, optional
        Called with the values done and the values in all.

    Raises
    ------
    NxscanError
        If an axis, an index or the pixel is not there.

    """
    how, fixed = _choice(reduce, data)
    if pixel is not None:
        return [_pixel_panel(data, how, fixed, pixel)]
    ndim = data.signal.ndim
    if data.is_picture and not fixed:
        shown = [data] if data.key is None else [data, data.key]
        return [_picture(each) for each in shown]
    if ndim - len(fixed) <= 2:
        return _whole(data, fixed)
    split = ndim - data.frame_ndim
    reduced = reduce_stack(
        data.signal, data.frame_ndim, how, mask=data.mask, fixed=fixed, progress=progress
    )
    scan, frame = range(split), range(split, ndim)
    panels = []
    if data.frame_ndim:
        title = _title(data, fixed, how, [k for k in scan if k not in fixed])
        panels.append(_panel(data, how, fixed, frame, reduced.frame, title))
    if any(k not in fixed and data.signal.shape[k] > 1 for k in scan):
        title = _title(data, fixed, how, [k for k in frame if k not in fixed])
        panels.append(_panel(data, how, fixed, scan, reduced.curve, title))
    return panels


def _picture(data: PlotData) -> Picture:
    values = np.asarray(data.signal[()], np.uint8)
    return Picture(data.label, data.label, values, data.axes[0], data.axes[1])


def _choice(reduce: Reduce, data: PlotData) -> tuple[How, dict[int, int]]:
    if isinstance(reduce, str):
        if reduce not in ("sum", "mean", "max"):
            raise NxscanError(f"reduce={reduce!r} is not known", 'use "sum", "mean" or "max"')
        return reduce, {}
    names = [axis.name for axis in data.axes]
    fixed = {}
    for name, index in reduce.items():
        if name not in names:
            raise NxscanError(
                f"{data.path} has no axis {name!r}", f"its axes are {', '.join(names) or 'none'}"
            )
        length = data.signal.shape[names.index(name)]
        if not -length <= index < length:
            raise NxscanError(f"{name} has {length} positions, so there is no index {index}")
        fixed[names.index(name)] = index % length
    return "sum", fixed


def _whole(data: PlotData, fixed: Mapping[int, int]) -> list[Panel]:
    """Show up to two dimensions as they are, and the auxiliary signals beside them."""
    dims = range(data.signal.ndim)
    signals = [(data.label, data.signal), *data.auxiliary[:MOST_AUXILIARY]]
    title = _title(data, fixed, "sum", [])
    panels = []
    for number, (label, signal) in enumerate(signals):
        mask = data.mask if number == 0 and not fixed else None
        values = reduce_stack(signal, signal.ndim, mask=mask, fixed=fixed).frame
        errors = _errors(data, fixed) if number == 0 else None
        panels.append(_panel(data, "sum", fixed, dims, values, title, label, errors))
    return panels


def _errors(data: PlotData, fixed: Mapping[int, int]) -> NDArray[np.float64] | None:
    if data.errors is None or data.signal.ndim - len(fixed) != 1:
        return None
    return reduce_stack(data.errors, data.errors.ndim, fixed=fixed).frame.reshape(-1)


def _pixel_panel(
    data: PlotData, how: How, fixed: Mapping[int, int], pixel: tuple[int, int]
) -> Panel:
    shape = data.signal.shape
    if data.frame_ndim != 2:
        raise NxscanError(f"{data.path} has no 2-D frames, so no pixels", "draw it without pixel")
    for index, length, name in zip(pixel, shape[-2:], ("rows", "columns"), strict=True):
        if not 0 <= index < length:
            raise NxscanError(
                f"pixel {pixel} is outside the frames of {data.path}: they have {length} {name}"
            )
    scan = range(len(shape) - 2)
    key = tuple(slice(fixed[k], fixed[k] + 1) if k in fixed else slice(None) for k in scan)
    values = np.asarray(data.signal[(*key, *pixel)], dtype=np.float64)
    masked = ", masked" if data.mask is not None and data.mask[pixel] else ""
    title = _title(data, fixed, how, [])
    own = f"pixel y = {pixel[0]}, x = {pixel[1]}{masked}"
    return _panel(data, how, fixed, scan, values, f"{own}; {title}" if title else own)


def _panel(
    data: PlotData,
    how: How,
    fixed: Mapping[int, int],
    dims: Sequence[int],
    values: NDArray[np.float64],
    title: str,
    label: str | None = None,
    errors: NDArray[np.float64] | None = None,
) -> Panel:
    label = data.label if label is None else label
    free = [k for k in dims if k not in fixed]
    axes = [data.axes[k] for k in free]
    values = values.reshape([data.signal.shape[k] for k in free])
    if len(axes) > 2:
        title = f"{title}, {_over(how, axes[:-2], 'maps')}"
        values = _reduce_leading(values, how)
        axes = axes[-2:]
    if not axes:
        return Value(title, label, float(values))
    if len(axes) == 2:
        return Map(title, label, values, axes[0], axes[1])
    if 0 in free and len(data.motors) == 2:
        return Scatter(title, label, values, data.motors[0], data.motors[1])
    motor = data.motors[0] if 0 in free and len(data.motors) == 1 else axes[0]
    return Curve(title, label, values, motor, errors)


def _reduce_leading(values: NDArray[np.float64], how: How) -> NDArray[np.float64]:
    stack = values.reshape(-1, *values.shape[-2:])
    return reduce_stack(_Stack(stack), 2, how).frame


class _Stack:
    """An array in memory with a dataset's face."""

    chunks = None

    def __init__(self, values: NDArray[np.float64]) -> None:
        self.values, self.shape, self.dtype = values, values.shape, values.dtype

    def __getitem__(self, key: Any) -> NDArray[np.float64]:
        return np.asarray(self.values[key])


def _title(data: PlotData, fixed: Mapping[int, int], how: How, over: Sequence[int]) -> str:
    parts = [_at(data.axes[k], index) for k, index in fixed.items()]
    axes = [data.axes[k] for k in over if data.signal.shape[k] > 1]
    if axes:
        frames = over[0] < data.signal.ndim - data.frame_ndim
        parts.append(_over(how, axes, ("points", *NOUNS[frames])[data.frame_ndim]))
    return ", ".join(parts)


def _at(axis: PlotAxis, index: int) -> str:
    return f"{axis.name} = {axis.values[index]:.6g} {axis.units}".rstrip()


def _over(how: How, axes: Sequence[PlotAxis], what: str) -> str:
    lengths = " × ".join(str(axis.values.size) for axis in axes)
    if what == "pixels" and len(axes) == 2 and all(axis.is_pixel for axis in axes):
        return f"{how} over the detector ({lengths} pixels)"
    names = " × ".join(axis.name for axis in axes)
    total = f" = {prod(axis.values.size for axis in axes)}" if len(axes) > 1 else ""
    return f"{how} over {names} ({lengths}{total} {what})"
