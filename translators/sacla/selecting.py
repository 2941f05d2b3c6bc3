"""Shots chosen by what was read with them: dark ones, those without laser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import PlanError
from nxscan.translate.where import chosen, take
from nxscan.translators.sacla.units import split_unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nxscan.translate.build import Found
    from nxscan.translate.where import Condition

    Column = NDArray[np.float64]

TAG = "tag_number"


def select(found: Found, where: tuple[Condition, ...]) -> Found:
    """Return what was found of the shots for which all conditions hold.

    Columns are named as the file has them (``photon_energy_in_eV``), or without the unit.

    Raises
    ------
    PlanError
        If a column is not there, or no shot is left.

    """
    if not where:
        return found
    frames = next(iter(found.detectors.values())).shape[0]
    keep = chosen(where, _named(found), frames)
    if not keep.any():
        said = " and ".join(str(one) for one in where)
        raise PlanError(f"none of {frames} shots has {said}", "ask for another")
    found.parameters["shots chosen"] = " and ".join(str(one) for one in where)
    return take(found, np.flatnonzero(keep))


def _named(found: Found) -> Mapping[str, Column]:
    """Return every column by the name that the file has for it, and without its unit."""
    columns = {**found.motors, **found.counters}
    original = {found.labels.get(name, name): column for name, column in columns.items()}
    return columns | {
        name: column for name, column in original.items() if split_unit(name)[1] is not None
    }
