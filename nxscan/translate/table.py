"""What was written down of a scan elsewhere than with its frames: one row for each point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Source

    Column = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A table of positions: motors, counters and texts, one row a point, in the order taken.

    Attributes
    ----------
    name : str
        Where it is, for messages.
    columns : dict of str to ndarray of float64, shape (rows,)
        Every column of numbers, in the table's order; NaN where a cell is empty.
    motors : tuple of str
        Which of them were set (positioners); the others were read.
    keys : dict of str to ndarray of int64, shape (rows,)
        Columns of whole numbers, exactly: numbers of shots, frames, files.
    texts : dict of str to ndarray of str, shape (rows,)
        Columns of texts, such as names of files.
    units, labels : dict of str to str
        What the table states for its columns.
    shape : tuple of int
        Lengths of its nested loops, slow to fast, where it knows them; their product is at least
        the number of rows.
    values : mapping of str to str or ndarray
        Everything else that it says, for the mapping and the raw metadata.
    headers : sequence of bytes
        Its header, byte for byte.
    sources : tuple of Source
        Its files.

    """

    name: str
    columns: dict[str, Column]
    motors: tuple[str, ...] = ()
    keys: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    texts: dict[str, NDArray[np.str_]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    values: Mapping[str, str | NDArray[Any]] = field(default_factory=dict)
    headers: Sequence[bytes] = ()
    sources: tuple[Source, ...] = ()

    @property
    def rows(self) -> int:
        """How many points it has."""
        every: list[NDArray[Any]] = [*self.columns.values(), *self.texts.values()]
        return len(every[0]) if every else 0


@dataclass(frozen=True, eq=False)
class Match:
    """Which row of a table belongs to which frame.

    Attributes
    ----------
    rows : ndarray of int, shape (frames,)
        The row of each frame; -1 where it has none.
    unknown : ndarray
        Keys of rows that belong to no frame, in the table's order.
    repeated : ndarray
        Keys that more than one row has; the first is taken.

    """

    rows: NDArray[np.intp]
    unknown: NDArray[Any]
    repeated: NDArray[Any]


def match(table: NDArray[Any], frames: NDArray[Any]) -> Match:
    """Find the row of each frame by its key, wherever it stands.

    Parameters
    ----------
    table : ndarray of int or str, shape (rows,)
        The key of each row.
    frames : ndarray of the same kind, shape (frames,)
        The key of each frame.

    Examples
    --------
    >>> found = match(np.array([7, 5, 9]), np.array([5, 6, 7]))
    >>> found.rows.tolist(), found.unknown.tolist()
    ([1, -1, 0], [9])

    """
    order = np.argsort(table, kind="stable")
    ordered = table[order]
    place = np.searchsorted(ordered, frames)
    inside = np.minimum(place, max(len(table) - 1, 0))
    there = ordered[inside] == frames if len(table) else np.zeros(len(frames), np.bool_)
    rows = np.where(there, order[inside] if len(table) else -1, -1)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    return Match(rows.astype(np.intp), table[~np.isin(table, frames)], repeated)
