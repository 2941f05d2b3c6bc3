"""Axes that an HDF5 file or a mapping gives for data that lie on a grid already."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translate.axes import AxesFound, Dimension
from nxscan.translate.axes_levels import is_monotone, moves

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.report import Report

    Values = NDArray[np.float64]

_GRID = 0.3
"""Largest distance from a grid's levels, in steps, of readings that are taken for a grid."""


@dataclass(frozen=True, eq=False)
class Column:
    """What a motor was read at or set to.

    Attributes
    ----------
    name : str
        The motor.
    values : ndarray of float64
        One value for each step along a dimension (or one more: edges), one for each position
        in the scan's shape, or just one.
    dimension : int or None
        The dimension that it runs along, where that is known.
    axis : bool
        Whether it may be an axis; else it is kept as readings only.

    """

    name: str
    values: Values
    dimension: int | None = None
    axis: bool = True


@dataclass(frozen=True, eq=False)
class Laid:
    """Axes of a grid, and what each motor was read at.

    Attributes
    ----------
    axes : AxesFound
        The dimensions with their motors.
    motors : dict of str to ndarray, shape (frames,)
        Every column, one value for each frame.

    """

    axes: AxesFound
    motors: dict[str, Values]


def lay_out(columns: Sequence[Column], shape: tuple[int, ...], report: Report) -> Laid | None:
    """Give each dimension of gridded data its axes.

    A column of a dimension's length runs along it; one in the scan's shape runs along the
    dimension in which it varies most, if its readings stay near the levels of a grid, and is
    kept as readings in any case. A dimension without a column is counted.

    Parameters
    ----------
    columns : sequence of Column
        The motors, best first.
    shape : tuple of int
        Lengths of the scan's dimensions, slow to fast.
    report : Report
        Takes an error for each column that contradicts the shape, and warnings.

    Returns
    -------
    Laid or None
        None if a column contradicts the shape.

    """
    before = len(report.errors)
    grid = _Grid(shape, report)
    for column in columns:
        grid.add(column)
    return None if len(report.errors) > before else grid.laid()


class _Grid:
    def __init__(self, shape: tuple[int, ...], report: Report) -> None:
        self.shape = shape
        self.report = report
        self.along: list[dict[str, Values]] = [{} for _ in shape]
        self.motors: dict[str, Values] = {}
        self.evidence: list[str] = []

    def add(self, column: Column) -> None:
        """Find the dimension of one column."""
        values = np.asarray(column.values, np.float64)
        if values.size == 1:
            self.motors[column.name] = np.full(math.prod(self.shape), values.ravel()[0])
        elif values.shape == self.shape and values.ndim > 1:
            self._readings(column, values)
        elif values.ndim == 1 and len(self.shape) > 1 and values.size == math.prod(self.shape):
            self._readings(column, values.reshape(self.shape))
        elif values.ndim == 1:
            self._single(column, values)
        else:
            self._refuse(column, f"has the shape {values.shape}")

    def _single(self, column: Column, values: Values) -> None:
        size = len(values)
        if column.dimension is not None:
            fitting = [column.dimension] if column.dimension < len(self.shape) else []
            fitting = [k for k in fitting if size in (self.shape[k], self.shape[k] + 1)]
        else:
            fitting = [k for k, length in enumerate(self.shape) if length == size]
        if len(fitting) != 1:
            self._refuse(column, f"has {size} values", ambiguous=len(fitting) > 1)
            return
        k = fitting[0]
        if size == self.shape[k] + 1:
            values = 0.5 * (values[1:] + values[:-1])
            self.evidence.append(f"{column.name}: edges, stored as centers")
        where = tuple(slice(None) if n == k else None for n in range(len(self.shape)))
        self.motors[column.name] = np.broadcast_to(values[where], self.shape).ravel()
        if column.axis and (size == 1 or moves(values)):
            self._take(column.name, k, values)

    def _readings(self, column: Column, values: Values) -> None:
        """Take readings in the scan's shape; they are an axis if they lie on a grid."""
        self.motors[column.name] = values.ravel()
        if not column.axis or not np.isfinite(values).any():
            return
        spans = [_span(values, k) for k in range(values.ndim)]
        k = int(np.argmax(spans)) if column.dimension is None else column.dimension
        if not spans[k] > 0:
            return
        means = _means(values, k)
        step = _step(means)
        spread = float(np.nanmax(np.abs(values - np.expand_dims(means, _others(values, k)))))
        if spread <= _GRID * step:
            self._take(column.name, k, means)
            self.evidence.append(
                f"{column.name}: {values.size} readings within {spread:.3g} of {len(means)} levels "
                f"along dimension {k}, whose step is {step:.3g}"
            )
        else:
            self.report.warning(
                "axes",
                f"{column.name} is read up to {spread:.3g} away from the levels of a grid along "
                f"dimension {k}, whose step is {step:.3g}: it is kept as readings, not as axis",
            )

    def _take(self, name: str, k: int, values: Values) -> None:
        if not np.isfinite(values).all():
            count = int(np.sum(~np.isfinite(values)))
            message = f"{name} is missing in {count} of {len(values)} steps, so it is no axis"
            self.report.warning("axes", message)
            return
        self.along[k][name] = values

    def _refuse(self, column: Column, what: str, *, ambiguous: bool = False) -> None:
        lengths = " × ".join(map(str, self.shape)) or "one frame"
        place = "" if column.dimension is None else f" dimension {column.dimension} of"
        if ambiguous:
            hint = "say which `dimension` it runs along"
            message = f"{column.name} {what}, which fits several dimensions of the scan, {lengths}"
        else:
            hint = "check its path and dimension"
            message = f"{column.name} {what}, which contradicts{place} the scan's shape, {lengths}"
        self.report.error("axes", message, hint)

    def laid(self) -> Laid:
        """Return the dimensions, those whose axis does not run one way stored upwards."""
        dimensions, places = [], []
        for size, motors in zip(self.shape, self.along, strict=True):
            place = np.arange(size)
            if not motors:
                dimensions.append(Dimension("frame", size, kind="frame"))
            else:
                name = next(iter(motors))
                if not is_monotone(motors[name]):
                    place = np.argsort(motors[name], kind="stable")
                    self.evidence.append(f"{name}: taken in another order, stored upwards")
                ordered = {motor: values[place] for motor, values in motors.items()}
                dimensions.append(Dimension(name, size, ordered))
            places.append(place)
        frames = np.arange(math.prod(self.shape)).reshape(self.shape)
        order = frames[np.ix_(*places)].ravel() if places else frames.ravel()
        return Laid(AxesFound(tuple(dimensions), order, tuple(self.evidence)), self.motors)


def _others(values: Values, k: int) -> tuple[int, ...]:
    return tuple(n for n in range(values.ndim) if n != k)


def _means(values: Values, k: int) -> Values:
    """Return the mean of the readings at each step along a dimension; NaN where there are none."""
    found = np.isfinite(values)
    others = _others(values, k)
    count = found.sum(axis=others)
    total = np.where(found, values, 0.0).sum(axis=others)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _span(values: Values, k: int) -> float:
    means = _means(values, k)
    found = means[np.isfinite(means)]
    return float(np.ptp(found)) if found.size > 1 else 0.0


def _step(means: Values) -> float:
    steps = np.abs(np.diff(means[np.isfinite(means)]))
    return float(np.median(steps)) if steps.size else 0.0
