"""What scans recorded, as a list of many scans needs to know it: at little cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from nxscan.translators.bliss.records import records_of

_FEW = 8


@dataclass(frozen=True)
class Sketch:
    """What a list of scans needs to know of a dataset, at little cost.

    Attributes
    ----------
    name : str
        The counter's, motor's or detector's name.
    shape : tuple of int
        Its shape, the points first.
    dtype : dtype or None
        Type of its values, for images and spectra alone.
    virtual : bool
        Its values lie in other files.

    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None = None
    virtual: bool = False

    @property
    def points(self) -> int:
        """How many points were recorded."""
        return self.shape[0]


def sketches(group: Any, asked: int | None, ranks: dict[str, int]) -> list[Sketch]:
    """Return what was recorded, counters of complete scans being taken for alike.

    To open a dataset takes HDF5 30 µs, and there may be 500 scans of 50 counters: where the
    images and some of the counters have all points that were asked for, the others are not
    looked at. Where any lacks points, all are.

    Parameters
    ----------
    group : h5py.Group
        The scan's.
    asked : int or None
        How many points the command asks for.
    ranks : dict of str to int
        How many dimensions a point of each dataset had in the scans before; it is added to.

    """
    try:
        measured = h5py.h5g.open(group.id, b"measurement")
    except (KeyError, OSError, RuntimeError, ValueError):  # it is not there, a dataset, or damaged
        records = records_of(group)[0].values()
        return [Sketch(one.name, one.shape, one.dtype, one.virtual) for one in records]
    names = [name.decode("utf-8", "replace") for name in measured]
    if asked and all(name in ranks for name in names):
        plain = [name for name in names if not ranks[name]]
        left_out = set(plain) - set(plain[:: max(1, len(plain) // _FEW)])
        looked_at = _sketched(measured, [name for name in names if name not in left_out])
        if looked_at and all(one.virtual or one.points == asked for one in looked_at.values()):
            alike = {name: Sketch(name, (asked,)) for name in left_out}
            found = alike | looked_at
            return [found[name] for name in names if name in found]
    found = _sketched(measured, names)
    ranks.update((name, len(one.shape) - 1) for name, one in found.items())
    return list(found.values())


def _sketched(measured: Any, names: Sequence[str]) -> dict[str, Sketch]:
    found = {}
    for name in names:
        try:
            dataset = h5py.h5d.open(measured, name.encode())
        except (KeyError, OSError):  # a group, or a link that leads nowhere
            continue
        shape = dataset.shape
        if len(shape) == 1:
            found[name] = Sketch(name, shape)
        elif shape:
            virtual = dataset.get_create_plist().get_layout() == h5py.h5d.VIRTUAL
            found[name] = Sketch(name, shape, dataset.dtype, virtual)
    return found
