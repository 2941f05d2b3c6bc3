"""The frames of a scan where they lie: plain bytes of EDF files, to which a master can lead."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nxscan.hdf5.frames import RawFrames
from nxscan.hdf5.virtual import VirtualSignal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nxscan.translators.edf.file import Place


def obstacle(places: Sequence[Place]) -> str:
    """Say why no file can lead to these frames; ``""`` where one can.

    What is compressed, or kept in yet another file, is no row of plain numbers.
    """
    for place in places:
        how = place.codec or place.layout.packing
        if how == "fabio":
            return f"{place.path} keeps its pixels in another file"
        if how:
            return f"{place.path} is compressed ({how})"
    return ""


def linked(
    places: Sequence[Place],
    scan_shape: tuple[int, ...],
    units: str | None = None,
    long_name: str = "",
) -> VirtualSignal:
    """Return frames as a signal that a master can lead to.

    Parameters
    ----------
    places : sequence of Place
        One a position, in C order over ``scan_shape``; none is compressed.
    scan_shape : tuple of int
        The scan's own dimensions, slow to fast; ``()`` for one frame.
    units, long_name : str
        As for every signal.

    """
    sources = [
        RawFrames(
            Path(path),
            tuple(place.offset for place in group),
            group[0].layout.shape,
            np.dtype(dtype),
        )
        for (path, dtype), found in groupby(places, lambda one: (one.path, one.layout.dtype))
        for group in (list(found),)
    ]
    frames = np.arange(len(places), dtype=np.intp)
    return VirtualSignal.of(sources, units, long_name).arranged(scan_shape, frames)
