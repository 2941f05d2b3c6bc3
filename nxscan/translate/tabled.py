"""What a translator found of its frames, with what a table says of each of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.translate.where import take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.build import Found
    from nxscan.translate.table import Table

    Columns = dict[str, NDArray[np.float64]]

_OWN = "{} of the frames"


def with_table(found: Found, table: Table, rows: NDArray[np.intp]) -> Found:
    """Return what was found with the table's columns for each frame.

    The table's positions are those asked for: a motor that the frames' own headers have by the
    same name is kept as a counter. Raw keys of the table go beside the frames' own, as
    ``table/KEY`` where both have one.

    Parameters
    ----------
    found : Found
        The frames, and what their own files say.
    table : Table
        The table.
    rows : ndarray of int, shape (frames,)
        The row of each frame, as `join` finds it; frames with -1 are left out.

    """
    kept = np.flatnonzero(rows >= 0)
    if len(kept) < len(rows):
        found, rows = take(found, kept), rows[kept]
    columns = {name: column[rows] for name, column in table.columns.items()}
    motors = {name: columns[name] for name in table.motors}
    exact: dict[str, Any] = {name: column[rows] for name, column in table.keys.items()}
    counters = {name: column for name, column in (columns | exact).items() if name not in motors}
    own = {name: column for name, column in found.motors.items() if name not in columns}
    read = {_own(name, columns): column for name, column in found.counters.items()}
    read |= {_own(name, columns): c for name, c in found.motors.items() if name in columns}
    return replace(
        found,
        motors=motors | own,
        counters=counters | read,
        values=_values(found, table, rows),
        headers=[*found.headers, *table.headers],
        units=_renamed(found.units, columns) | table.units,
        labels=_renamed(found.labels, columns) | table.labels,
        sources=[*found.sources, *(replace(one, frames=0) for one in table.sources)],
    )


def _own(name: str, columns: Columns) -> str:
    return _OWN.format(name) if name in columns else name


def _renamed(said: dict[str, str], columns: Columns) -> dict[str, str]:
    return {_own(name, columns): text for name, text in said.items()}


def _values(found: Found, table: Table, rows: NDArray[np.intp]) -> dict[str, str | NDArray[Any]]:
    """Return the raw values of both, the table's for each frame."""
    said: dict[str, str | NDArray[Any]] = dict(table.values)
    said |= table.texts
    values: dict[str, str | NDArray[Any]] = dict(found.values)
    for key, value in said.items():
        of_rows = isinstance(value, np.ndarray) and value.shape[:1] == (table.rows,)
        own = f"table/{key}" if key in values else key
        values[own] = value[rows] if of_rows else value
    return values
