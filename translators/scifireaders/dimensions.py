"""The dimensions of a sidpy dataset: which are the scan's, and their axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import Axis
from nxscan.model.names import nexus_name
from nxscan.translate.axes import AxesFound, Dimension
from nxscan.translate.axes_levels import is_monotone
from nxscan.translators.usid.tables import usid_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.report import Report

    Values = NDArray[np.float64]

_SCANNED = ("SPATIAL", "TEMPORAL", "POINT_CLOUD")
_SAYS_NOTHING = ("generic", "none", "", "unknown", "numpy array")
_RESERVED = ("data", "errors", "title", "frame_number", "frame", "position", "repeat")


@dataclass(frozen=True, eq=False)
class Side:
    """One dimension of a dataset.

    Attributes
    ----------
    place : int
        Which one.
    name, label : str
        What it is called, short and for people.
    units : str or None
        As nxscan knows it.
    kind : str
        sidpy's type: ``SPATIAL``, ``SPECTRAL``, …
    values : ndarray of float64
        What it is at each step.

    """

    place: int
    name: str
    label: str
    units: str | None
    kind: str
    values: Values

    @property
    def is_scanned(self) -> bool:
        """Whether it counts positions or times, and not what a detector tells apart."""
        return self.kind in _SCANNED

    @property
    def is_axis(self) -> bool:
        """Whether its values can be the axis of a plot."""
        return bool(np.isfinite(self.values).all()) and is_monotone(self.values)


def sides_of(dataset: Any) -> list[Side]:
    """Return the dimensions of a sidpy dataset, those of the scan first, else in their order.

    Spatial and temporal dimensions and points of a cloud are the scan's; spectral, reciprocal
    and channel dimensions, and those of an unknown type, are the detector's.
    """
    found = [_side(dataset, place) for place in range(dataset.ndim)]
    return sorted(found, key=lambda side: not side.is_scanned)


def _side(dataset: Any, place: int) -> Side:
    # sidpy keeps the dimensions in a dictionary that has no public name
    dimension = dataset._axes[place]
    name, quantity = str(dimension.name).strip(), str(dimension.quantity).strip()
    plain = quantity.lower() in _SAYS_NOTHING or quantity.lower() == name.lower()
    label = name if plain else f"{name}, {quantity}"
    kind = getattr(dimension.dimension_type, "name", str(dimension.dimension_type))
    values = np.asarray(dimension.values, np.float64)
    return Side(place, name, label, sidpy_units(str(dimension.units)), kind, values)


def sidpy_units(said: str) -> str | None:
    """Return a unit as nxscan knows it; sidpy says ``generic`` where nobody said one.

    >>> sidpy_units("nm"), sidpy_units("generic"), sidpy_units("counts")
    ('nm', None, 'counts')
    """
    return None if said.strip().lower() in _SAYS_NOTHING else usid_units(said)


def scan_axes(sides: list[Side], cloud: dict[str, Values] | None) -> AxesFound:
    """Return the scan's dimensions; one alone with the coordinates of a cloud is a list."""
    count = int(np.prod([len(side.values) for side in sides], dtype=np.int64))
    evidence = tuple(
        f"{side.name}: {side.kind.lower()}, {len(side.values)} steps" for side in sides
    )
    if cloud is not None and len(sides) == 1:
        dimensions = (Dimension("position", count, cloud, kind="position"),)
        return AxesFound(dimensions, np.arange(count), evidence)
    found = tuple(_dimension(side) for side in sides if len(side.values) > 1)
    return AxesFound(found, np.arange(count), evidence)


def _dimension(side: Side) -> Dimension:
    size = len(side.values)
    if not np.isfinite(side.values).all():
        return Dimension("frame", size, kind="frame")
    kind = "motor" if side.is_axis else "position"
    return Dimension(side.name, size, {side.name: side.values}, kind)  # type: ignore[arg-type]


def motors_of(sides: list[Side]) -> dict[str, Values]:
    """Return what each scanned dimension was at, for every position."""
    shape = [len(side.values) for side in sides]
    grids = np.meshgrid(*(side.values for side in sides), indexing="ij") if sides else []
    return {
        side.name: np.ascontiguousarray(values).reshape(int(np.prod(shape)))
        for side, values in zip(sides, grids, strict=True)
    }


def frame_axes(sides: list[Side], report: Report) -> list[Axis]:
    """Return an axis for each of the detector's dimensions."""
    found: list[Axis] = []
    for k, side in enumerate(sides):
        name = nexus_name(side.name, {*_RESERVED, *(axis.name for axis in found)})
        values, units, label = side.values, side.units, side.label
        if not side.is_axis and (len(sides) > 1 or not np.isfinite(values).all()):
            report.note("axes", f"{side.name} does not go one way: its steps are counted")
            values, units, label = np.arange(len(values), dtype=np.float64), "", f"{label} step"
        found.append(Axis(name, values, units, label, "detector", k))
    return found
