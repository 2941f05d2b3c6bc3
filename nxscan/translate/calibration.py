"""Raw numbers of motors and counters brought to units: pulses of a stage to femtoseconds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from nxscan.translate.axes import AxesFound
    from nxscan.translate.build import Found
    from nxscan.translate.mapping import Known
    from nxscan.translate.mapping import Mapping as KeyMapping

    Column = NDArray[np.float64]


def calibrated(found: Found, mapping: KeyMapping) -> Found:
    """Return what was found with its motors and counters in the units of the mapping.

    Where the mapping has a ``factor`` or an ``offset`` for one, its value is factor times the
    raw number plus the offset. It is done once, whoever asks first: before the axes are found,
    so that they and conditions on columns are in units.

    Parameters
    ----------
    found : Found
        What a translator found.
    mapping : Mapping
        What it knows of motors and counters.

    """
    if found.calibrated:
        return found
    motors, counters = mapping.motors, mapping.counters
    return replace(
        found,
        motors=_columns(found.motors, motors),
        counters=_columns(found.counters, counters),
        integrated={
            name: (_value(start, motors.get(name)), _value(stop, motors.get(name)))
            for name, (start, stop) in found.integrated.items()
        },
        calibrated=True,
    )


def calibrated_axes(axes: AxesFound, mapping: KeyMapping) -> AxesFound:
    """Return axes that were found in raw numbers, in the units of the mapping."""
    return replace(
        axes,
        dimensions=tuple(
            replace(dimension, motors=_columns(dimension.motors, mapping.motors))
            for dimension in axes.dimensions
        ),
    )


def _columns(columns: Mapping[str, Column], known: Mapping[str, Known]) -> dict[str, Column]:
    return {
        name: known[name].calibrated(column)
        if name in known and known[name].is_calibrated
        else column
        for name, column in columns.items()
    }


def _value(value: float, known: Known | None) -> float:
    return value if known is None else float(known.calibrated(value))
