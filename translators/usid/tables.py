"""The ancillary datasets of a Main dataset: what its dimensions are, and where each point lies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.model import ArraySignal, UsidTable
from nxscan.translate.h5source import check_filters
from nxscan.translate.h5units import source_units
from nxscan.translate.h5values import text
from nxscan.translators.usid.said import read_attribute

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HINT = "write it again with pyUSID, whose check_if_main says whether a dataset is complete"
_ARBITRARY = frozenset({"a.u.", "a.u", "arb.u.", "arb.units", "arb.unit", "arbitrary"})


@dataclass(frozen=True, eq=False)
class Table:
    """One side of a Main dataset.

    Attributes
    ----------
    name : str
        File and dataset, for messages.
    is_position : bool
        Whether it says where rows lie, else columns.
    labels, units : tuple of str
        Of each dimension, as written.
    indices : ndarray of int64, shape (dimensions, points)
        Which step of each dimension a point is.
    values : ndarray, shape (dimensions, points)
        What was set or measured there, of the type that it was written in.
    attributes : dict of str to object
        What else its datasets say, such as which dimensions are incomplete.

    """

    name: str
    is_position: bool
    labels: tuple[str, ...]
    units: tuple[str, ...]
    indices: NDArray[np.int64]
    values: NDArray[Any]
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def points(self) -> int:
        """How many rows or columns it is for."""
        return int(self.indices.shape[1])

    def cut(self, points: int) -> Table:
        """Return the table of the first points."""
        cut = self.indices[:, :points], self.values[:, :points]
        return replace(self, indices=cut[0], values=cut[1])

    def kept(self) -> UsidTable:
        """Return the table as it was, to be written again."""
        indices = self.indices.astype(np.uint32)
        tables = (indices.T, self.values.T) if self.is_position else (indices, self.values)
        both = [ArraySignal(np.ascontiguousarray(table)) for table in tables]
        return UsidTable(self.labels, self.units, both[0], both[1], self.attributes)

    def is_in_order(self) -> bool:
        """Tell whether it is as USID wants it: unique labels, indices that count from 0."""
        return len(set(self.labels)) == len(self.labels) and not self.indices.min(axis=1).any()


def read_tables(main: Any) -> tuple[Table, Table]:
    """Return the positions and the spectroscopic dimensions of a Main dataset.

    Raises
    ------
    SourceError
        If an ancillary dataset is not there, or contradicts the Main dataset or its twin; it
        names file and dataset.

    """
    for name in ("quantity", "units"):
        if name not in main.attrs:
            raise SourceError(f"{_name(main)} has no attribute {name!r}", _HINT)
    if 0 in main.shape:
        raise SourceError(f"{_name(main)} is empty: its shape is {main.shape}")
    return _table(main, "Position"), _table(main, "Spectroscopic")


def usid_units(said: str) -> str | None:
    """Return a unit as nxscan knows it; None where it is arbitrary or no unit.

    >>> usid_units("a. u."), usid_units("m"), usid_units("Volts"), usid_units("")
    (None, 'm', None, None)
    """
    return None if said.replace(" ", "").lower() in _ARBITRARY else source_units(said)


def _name(node: Any) -> str:
    return f"{node.file.filename}: {node.name}"


def _table(main: Any, kind: str) -> Table:
    along = 0 if kind == "Position" else 1
    indices, values = (_ancillary(main, f"{kind}_{part}", along) for part in ("Indices", "Values"))
    if indices.shape != values.shape:
        raise SourceError(
            f"{_name(main)}: {kind}_Indices has shape {indices.shape}, {kind}_Values "
            f"{values.shape}",
            _HINT,
        )
    dimensions = indices.shape[1 - along]
    labels, units = (_texts(main, indices, name, dimensions) for name in ("labels", "units"))
    others = _texts(main, values, "labels", dimensions)
    if labels != others:
        raise SourceError(
            f"{_name(main)}: the dimensions of {indices.name} are {', '.join(labels)}, those of "
            f"{values.name} {', '.join(others)}",
            _HINT,
        )
    whole = _whole_numbers(indices)
    numbers = np.asarray(values[()])
    if along == 0:
        whole, numbers = whole.T, numbers.T
    further = _attributes(values) | _attributes(indices)
    return Table(_name(indices), along == 0, labels, units, whole, numbers, further)


def _attributes(table: Any) -> dict[str, Any]:
    """Return what an ancillary dataset says beside labels and units; references are addresses."""
    found = {name: read_attribute(table, name) for name in table.attrs}
    return {
        name: value
        for name, value in found.items()
        if value is not None and name not in ("labels", "units")
    }


def _ancillary(main: Any, name: str, along: int) -> Any:
    found = _dereferenced(main, name)
    length = main.shape[along]
    if found.ndim != 2 or found.shape[along] != length or 0 in found.shape:
        wanted = f"({length}, dimensions)" if along == 0 else f"(dimensions, {length})"
        raise SourceError(
            f"{_name(found)} has shape {found.shape}, but {main.name} of shape {main.shape} needs "
            f"{wanted} as {name}",
            _HINT,
        )
    if found.dtype.kind not in "biuf":
        raise SourceError(f"{_name(found)} holds {found.dtype}, not numbers", _HINT)
    check_filters(found)
    return found


def _dereferenced(main: Any, name: str) -> Any:
    reference = main.attrs.get(name)
    if reference is None:
        raise SourceError(f"{_name(main)} has no {name}: it is no complete Main dataset", _HINT)
    if not isinstance(reference, h5py.Reference | h5py.RegionReference):
        raise SourceError(f"{_name(main)}: its {name} is {reference!r}, no reference", _HINT)
    try:
        found = main.file[reference] if reference else None
    except (ValueError, KeyError, RuntimeError, OSError):
        found = None
    if not isinstance(found, h5py.Dataset) or found.name is None:
        raise SourceError(
            f"{_name(main)}: its {name} leads nowhere: the dataset was deleted or not copied along",
            "copy the file as a whole",
        )
    return found


def _texts(main: Any, table: Any, name: str, dimensions: int) -> tuple[str, ...]:
    if name not in table.attrs:
        if name == "units":
            return ("",) * dimensions
        raise SourceError(f"{_name(table)} has no attribute {name!r}", _HINT)
    found = np.atleast_1d(np.asarray(table.attrs[name])).ravel()
    texts = tuple(text(item) for item in found)
    if len(texts) != dimensions:
        raise SourceError(
            f"{_name(table)} has {dimensions} dimensions, but {len(texts)} {name}: "
            f"{', '.join(texts)} (an ancillary dataset of {main.name})",
            _HINT,
        )
    return texts


def _whole_numbers(table: Any) -> NDArray[np.int64]:
    found = np.asarray(table[()])
    if not np.isfinite(found).all():
        raise SourceError(f"{_name(table)}: an index is NaN", _HINT)
    if found.size and (found.min() < 0 or found.max() > np.iinfo(np.uint32).max):
        raise SourceError(
            f"{_name(table)}: indices go from {found.min()} to {found.max()}, not from 0 up", _HINT
        )
    whole = found.astype(np.int64)
    if (whole != found).any():
        raise SourceError(f"{_name(table)}: an index is no whole number", _HINT)
    return whole
