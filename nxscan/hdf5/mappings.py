"""What a virtual dataset says of where its values lie, read from its creation properties.

h5py's ``virtual_sources`` makes Python objects of all of each mapping; of thousands this reads
what is needed in a fraction of a second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Frames = range | Numbers

UNLIMITED = int(h5py.h5s.UNLIMITED)


@dataclass(frozen=True)
class Hyperslab:
    """A regular selection: along each dimension, blocks at equal distances.

    Attributes
    ----------
    start, stride, count, block : tuple of int
        For each dimension; a count or block of ``UNLIMITED`` goes on as far as there are values.

    """

    start: tuple[int, ...]
    stride: tuple[int, ...]
    count: tuple[int, ...]
    block: tuple[int, ...]

    @classmethod
    def of(cls, shape: Sequence[int]) -> Hyperslab:
        """Return the selection of all of an array."""
        ones = (1,) * len(shape)
        return cls((0,) * len(shape), ones, ones, tuple(shape))

    @property
    def is_unlimited(self) -> bool:
        """Whether it goes on along some dimension."""
        return UNLIMITED in self.count or UNLIMITED in self.block

    @property
    def size(self) -> int:
        """How many values it selects."""
        return math.prod(self.count) * math.prod(self.block)

    @property
    def stops(self) -> tuple[int, ...]:
        """Where it ends along each dimension, as a slice does."""
        parts = zip(self.start, self.stride, self.count, self.block, strict=True)
        return tuple(a + (n - 1) * step + size if n else a for a, step, n, size in parts)

    def within(self, shape: Sequence[int]) -> Hyperslab:
        """Return the selection with an end: as far as an array of this shape goes."""
        if not self.is_unlimited:
            return self
        count, block = list(self.count), list(self.block)
        for axis, length in enumerate(shape):
            left = max(0, length - self.start[axis])
            if block[axis] == UNLIMITED:
                block[axis] = left
            elif count[axis] == UNLIMITED:
                count[axis] = max(0, left - block[axis] + self.stride[axis]) // self.stride[axis]
        return replace(self, count=tuple(count), block=tuple(block))

    def nth(self, number: int) -> Hyperslab:
        """Return one of the blocks along the dimension that has no end."""
        axis = self.count.index(UNLIMITED)
        start, count = list(self.start), list(self.count)
        start[axis] += number * self.stride[axis]
        count[axis] = 1
        return replace(self, start=tuple(start), count=tuple(count))

    def box(self, axis: int) -> tuple[int, int] | None:
        """Return start and length along a dimension; None if there are several blocks."""
        count, block = self.count[axis], self.block[axis]
        if count == 1 or self.stride[axis] == block:
            return self.start[axis], count * block
        return None

    def along(self, axis: int) -> Frames:
        """Return the indices along a dimension."""
        box = self.box(axis)
        if box is not None:
            return range(box[0], box[0] + box[1])
        starts = self.start[axis] + self.stride[axis] * np.arange(self.count[axis], dtype=np.int64)
        return np.asarray((starts[:, None] + np.arange(self.block[axis])).ravel())

    def frames(self, lengths: Sequence[int]) -> Frames:
        """Return what is selected along the leading dimensions, numbered in C order.

        Parameters
        ----------
        lengths : sequence of int
            Lengths of these dimensions.

        """
        if not lengths:
            return range(1)
        found = self.along(0)
        for axis, length in enumerate(lengths[1:], 1):
            inner = self.along(axis)
            if len(found) == 1:
                base = int(found[0]) * length
                found = (
                    range(base + inner.start, base + inner.stop)
                    if isinstance(inner, range)
                    else inner + base
                )
            elif isinstance(found, range) and inner == range(length):
                found = range(found.start * length, found.stop * length)
            else:
                outer = np.asarray(found, np.int64)[:, None]
                found = (outer * length + np.asarray(inner, np.int64)).ravel()
        return found


@dataclass(frozen=True)
class Mapping:
    """One mapping of a virtual dataset.

    Attributes
    ----------
    file, dataset : str
        The source: relative to the file that names it, ``.`` for that file itself. ``%b``
        stands for a number if it `is_pattern`; otherwise nothing does.
    source : Hyperslab or None
        What of the source; None for all.
    target : Hyperslab
        Where it goes.
    is_pattern : bool
        Whether ``%b`` stands for a number, and other percent signs are doubled.

    """

    file: str
    dataset: str
    source: Hyperslab | None
    target: Hyperslab
    is_pattern: bool = False

    def numbered(self, number: int) -> Mapping:
        """Return one of the mappings that a pattern stands for."""
        file, dataset = (
            "%".join(part.replace("%b", str(number)) for part in name.split("%%"))
            for name in (self.file, self.dataset)
        )
        return Mapping(file, dataset, self.source, self.target.nth(number))


def read_mappings(dataset: Any) -> list[Mapping] | None:
    """Read the mappings of a virtual dataset.

    Returns
    -------
    list of Mapping or None
        None if one selects single points, or blocks of different lengths or distances.

    """
    plist = dataset.id.get_create_plist()
    found = []
    try:
        for k in range(plist.get_virtual_count()):
            source = _selected(plist.get_virtual_srcspace(k))
            target = _selected(plist.get_virtual_vspace(k)) or Hyperslab.of(dataset.shape)
            file, place = plist.get_virtual_filename(k), plist.get_virtual_dsetname(k)
            pattern = _is_pattern(file) or _is_pattern(place)
            if not pattern:
                file, place = file.replace("%%", "%"), place.replace("%%", "%")
            found.append(Mapping(file, place, source, target, pattern))
    except _IrregularError:
        return None
    return found


def _is_pattern(name: str) -> bool:
    """Tell whether a name has a number in it; a percent sign that is one is doubled."""
    return "%b" in name and "%b" in name.replace("%%", "")


class _IrregularError(Exception):
    """A selection of single points, or of blocks of different lengths or distances."""


def _selected(space: Any) -> Hyperslab | None:
    """Return a selection; None for all."""
    kind = space.get_select_type()
    if kind == h5py.h5s.SEL_ALL:
        return None
    if kind != h5py.h5s.SEL_HYPERSLABS or not space.is_regular_hyperslab():
        raise _IrregularError
    return Hyperslab(*space.get_regular_hyperslab())
