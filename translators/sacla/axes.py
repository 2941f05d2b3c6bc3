"""The scan's axes: shots by tag, or what a table says that moved between them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translate.axes import AxesFound, Dimension, find_axes
from nxscan.translate.build import is_constant
from nxscan.translators.sacla.metadata import column_called
from nxscan.translators.sacla.selecting import TAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nxscan.translate.build import Found
    from nxscan.translate.contract import Options

    Column = NDArray[np.float64]

_STATUS = "_status"


def shot_axes(found: Found, options: Options) -> AxesFound:
    """Return the axes of a scan, and move what they hold out of the counters.

    Without motors that moved there is one dimension, the shots. Its axis is the tag number;
    the statuses run along it as further axes. They do so, too, beside the motors of a list of
    positions. On a grid, where shots lie in several dimensions, they stay counters.

    Parameters
    ----------
    found : Found
        What was found; its counters hold ``tag_number``.
    options : Options
        Axes that the user gives.

    """
    every = [*found.motors, *found.counters]
    given = {column_called(name, every) or name: n for name, n in (options.axes or {}).items()}
    for name in given.keys() & found.counters.keys():
        found.motors[name] = found.counters.pop(name)
    frames = len(found.counters.get(TAG, found.motors.get(TAG, ())))
    moving = any(not is_constant(column) for column in found.motors.values())
    if not given and not moving:
        return _by_tag(found, frames)
    axes = find_axes(found.motors, frames, override=given or None)
    if len(axes.dimensions) != 1:
        return axes
    beside = {name: column[axes.order] for name, column in _statuses(found).items()}
    if TAG in found.counters:
        beside = {TAG: found.counters[TAG][axes.order], **beside}
    only = axes.dimensions[0]
    if only.kind in ("frame", "repeat"):
        return axes
    _drop(found, beside)
    return replace(axes, dimensions=(replace(only, motors={**only.motors, **beside}),))


def _by_tag(found: Found, frames: int) -> AxesFound:
    tags = found.counters[TAG]
    along = {TAG: tags, **_statuses(found)}
    _drop(found, along)
    seen = f"tag_number: {frames} shots from {int(tags[0])} to {int(tags[-1])}"
    return AxesFound((Dimension(TAG, frames, along),), np.arange(frames), (seen,))


def _statuses(found: Found) -> dict[str, Column]:
    """Return what says of each shot what it is, but for the detectors' own."""
    detectors = tuple(f"{name}/" for name in found.detectors)
    return {
        name: column
        for name, column in found.counters.items()
        if name.endswith(_STATUS) and not name.startswith(detectors) and np.isfinite(column).all()
    }


def _drop(found: Found, names: Mapping[str, Column]) -> None:
    for name in names:
        found.counters.pop(name, None)
