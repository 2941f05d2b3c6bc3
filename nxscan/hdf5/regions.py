"""Selections as regions: boxes without steps, which are read and then indexed."""

from __future__ import annotations

import itertools
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nxscan.model.signal import Selection

    Region = tuple[slice, ...]


@dataclass(frozen=True)
class Bounds:
    """The smallest region that holds a selection, and how it is taken from there.

    Attributes
    ----------
    region : tuple of slice
        One for each dimension, without steps.
    index : tuple of int or slice
        What takes the selection from the region.
    steps : tuple of int
        The step along each dimension.

    """

    region: Region
    index: tuple[int | slice, ...]
    steps: tuple[int, ...]

    @property
    def lengths(self) -> tuple[int, ...]:
        """Lengths of the region."""
        return tuple(part.stop - part.start for part in self.region)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the selection."""
        return tuple(
            -(-length // part.step)
            for length, part in zip(self.lengths, self.index, strict=True)
            if isinstance(part, slice)
        )

    @property
    def is_region(self) -> bool:
        """Whether the selection has all values of the region, in their order."""
        return all(step == 1 for step in self.steps)


def bounds(shape: tuple[int, ...], selection: Selection) -> Bounds | None:
    """Return the bounds of a selection; None where it is not one, which HDF5 then refuses.

    >>> bounds((4, 10), (-1, slice(2, 9, 3)))
    Bounds(region=(slice(3, 4, None), slice(2, 9, None)), index=(0, slice(None, None, 3)), \
steps=(1, 3))
    """
    parts = _expanded(len(shape), selection)
    if parts is None:
        return None
    region: list[slice] = []
    index: list[int | slice] = []
    for part, length in zip(parts, shape, strict=True):
        try:
            taken = _taken(part, length)
        except (TypeError, ValueError):
            return None
        if taken is None:
            return None
        # an empty range ends where it begins
        last = taken[-1] + 1 if taken else taken.start
        region.append(slice(min(taken.start, last), last))
        index.append(slice(None, None, taken.step) if isinstance(part, slice) else 0)
    steps = tuple(part.step if isinstance(part, slice) else 1 for part in index)
    return Bounds(tuple(region), tuple(index), steps)


def _expanded(rank: int, selection: Selection) -> tuple[Any, ...] | None:
    given = selection if isinstance(selection, tuple) else (selection,)
    at = [k for k, part in enumerate(given) if part is Ellipsis]
    missing = rank - len(given) + len(at)
    if len(at) > 1 or missing < 0:
        return None
    place = at[0] if at else len(given)
    return (*given[:place], *(slice(None),) * missing, *given[place + 1 :])


def _taken(part: Any, length: int) -> range | None:
    if isinstance(part, slice):
        taken = range(length)[part]
        return taken if taken.step > 0 else None
    if isinstance(part, bool):
        return None
    index = operator.index(part)
    if not -length <= index < length:
        return None
    return range(index % length, index % length + 1)


def chunk_regions(
    shape: tuple[int, ...], chunks: tuple[int, ...], region: Region
) -> Iterator[Region]:
    """Yield the region of every chunk that a region touches."""
    starts = (
        range(part.start // step * step, part.stop, step)
        for part, step in zip(region, chunks, strict=True)
    )
    for origin in itertools.product(*starts):
        yield tuple(
            slice(start, min(start + step, length))
            for start, step, length in zip(origin, chunks, shape, strict=True)
        )
