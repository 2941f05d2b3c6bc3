"""How USID says what a scan is: kept word for word where a scan comes from USID."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nxscan.model.signal import Signal


@dataclass(frozen=True, eq=False)
class UsidTable:
    """The dimensions of one side of a Main dataset, and where each of its points lies.

    Attributes
    ----------
    labels, units : tuple of str
        What each dimension is called, and its unit, as they were written.
    indices, values : Signal, shape (positions, dimensions) or (dimensions, spectroscopic points)
        The ancillary datasets, in the order that they had.
    attributes : mapping of str to object
        What else they said, such as which dimensions are incomplete.

    """

    labels: tuple[str, ...]
    units: tuple[str, ...]
    indices: Signal
    values: Signal
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class UsidFace:
    """What a USID Main dataset says beside its values.

    Attributes
    ----------
    quantity, units : str
        What the values are, and their unit, as they were written.
    position, spectroscopic : UsidTable
        Its dimensions.
    components : tuple of (str, str)
        Of a compound dataset, its fields in their order, each with the detector whose signal has
        the values. Empty for plain numbers.

    """

    quantity: str
    units: str
    position: UsidTable
    spectroscopic: UsidTable
    components: tuple[tuple[str, str], ...] = ()
