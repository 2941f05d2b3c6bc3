"""Which columns of a table are positions: a table of text does not say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nxscan.translate.axes import find_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.mapping import Mapping as KeyMapping

    Columns = Mapping[str, NDArray[Any]]

_POSITIONS = re.compile(
    r"(?:(?:sam|stage|sample|pos|position|piezo|scan|motor|m|s|p)[_ .-]?)?"
    r"(?:[xyz]|xx|yy|zz|rx|ry|rz|theta|th|tth|two_?theta|2theta|phi|chi|eta|mu|omega|om|kappa|kap"
    r"|delta|del|gamma|gam|nu|psi|angle|rot|rotation|energy|temperature|temp)"
    r"(?:[_ .-]?(?:pos|position|rbv|readback|set|actual|value|motor|[0-9]))?\Z",
    re.IGNORECASE,
)


def find_motors(columns: Columns, mapping: KeyMapping) -> tuple[str, ...]:
    """Return the columns that are positions.

    Those are the ones that the mapping knows as motors; without any, those along which the rows
    are a grid or a line; without any, those that are called like one (x, samy, theta, energy).

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (rows,)
        The columns of numbers.
    mapping : Mapping
        Its ``motors``, ``counters`` and ``not_motors``.

    """
    known = tuple(name for name in columns if name in mapping.motors)
    if known:
        return known
    candidates = {
        name: column
        for name, column in columns.items()
        if name not in mapping.counters and not mapping.never_a_motor(name)
    }
    called = tuple(name for name in candidates if _POSITIONS.match(name))
    for chosen in (called, tuple(candidates)):
        laid = _along_a_grid({name: candidates[name] for name in chosen})
        if laid:
            return tuple(name for name in candidates if name in {*laid, *called})
    return called


def _along_a_grid(columns: Columns) -> tuple[str, ...]:
    """Return the columns that are axes of a grid or a line; none if the rows are neither."""
    if not columns:
        return ()
    frames = len(next(iter(columns.values())))
    found = find_axes(columns, frames)
    if any(dimension.kind != "motor" for dimension in found.dimensions):
        return ()
    return tuple(name for dimension in found.dimensions for name in dimension.motors)
