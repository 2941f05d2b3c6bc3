"""Where the goniometer's circles stood in each image, and how far they turned meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.rawvalues import number_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.report import Report

    Column = NDArray[np.float64]
    Values = Mapping[str, str | NDArray[Any]]

_GROUPS = ("sample/goniometer", "instrument/detector/goniometer")
_DERIVED = ("_end", "_increment", "_range_average", "_range_total")


@dataclass
class Circles:
    """What the goniometer says of the images that are taken.

    Attributes
    ----------
    motors : dict of str to ndarray, shape (images,)
        The center of each image's sweep, or where the circle stood.
    widths : dict of str to ndarray, shape (images,)
        How far a circle turned during each image, for those that did and moved on between.
    integrated : dict of str to tuple of (float, float)
        Circles that turned over the same range in every image.
    units : dict of str to str
        Their units, as the file states them.
    columns : dict of str to ndarray, shape (images,)
        The raw keys that have one value for each image, cut to those that are taken.

    """

    motors: dict[str, Column] = field(default_factory=dict)
    widths: dict[str, Column] = field(default_factory=dict)
    integrated: dict[str, tuple[float, float]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    columns: dict[str, Column] = field(default_factory=dict)


def read_circles(values: Values, places: NDArray[np.int64], report: Report) -> Circles:
    """Read the circles of the images that are taken.

    Parameters
    ----------
    values : mapping
        What the master says.
    places : ndarray of int64, shape (images,)
        Which of all images of the series each is, from 0.
    report : Report
        Takes what does not fit.

    """
    circles = Circles()
    for key in _names(values):
        _read_circle(circles, values, key, places, report)
    return circles


def _names(values: Values) -> Iterator[str]:
    for group in _GROUPS:
        for key in values:
            inside, _, name = key.rpartition("/")
            if inside == group and "@" not in name and not name.endswith(_DERIVED):
                yield key


def _read_circle(
    circles: Circles, values: Values, key: str, places: NDArray[np.int64], report: Report
) -> None:
    name = key.rpartition("/")[2]
    start = _column(values, key, places, report)
    if start is None:
        return
    end = _column(values, f"{key}_end", places, report)
    if end is None:
        end = start + (number_of(values, f"{key}_increment") or 0.0)
    for suffix, column in (("", start), ("_end", end)):
        if isinstance(values.get(key + suffix), np.ndarray):
            circles.columns[key + suffix] = column
    circles.motors[name] = (start + end) / 2
    if isinstance(units := values.get(f"{key}@units"), str):
        circles.units[name] = units
    width = end - start
    turned = bool(np.any(width != 0))
    if turned and np.ptp(start) == 0 and np.ptp(end) == 0:
        circles.integrated[name] = (float(start[0]), float(end[0]))
    elif turned:
        circles.widths[name] = width


def _column(values: Values, key: str, places: NDArray[np.int64], report: Report) -> Column | None:
    """Return one number for each image; NaN where the file has none."""
    found = values.get(key)
    if isinstance(found, str):
        number = number_of(values, key)
        return None if number is None else np.full(len(places), number)
    if found is None or found.dtype.kind not in "iuf":
        return None
    column = np.full(len(places), np.nan)
    inside = places < len(found)
    column[inside] = found[places[inside]]
    if not inside.all():
        report.warning(key, f"has {len(found)} values for {int(places.max()) + 1} images")
    return column
