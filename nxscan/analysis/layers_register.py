"""How layers lie to one another in their plane, and how that is undone."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.shifts_frames import light
from nxscan.analysis.shifts_pairs import Spectra, all_pairs
from nxscan.analysis.shifts_solve import Found, solve
from nxscan.errors import ProcessError
from nxscan.process.cpus import usable_cpus

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LAGS = (1, 2)
"""How far apart the layers are that are held against one another."""
_SMALLEST = 32
_ROUNDS = 4
_MOST_ERROR = 1.0
"""Error in pixels above which a layer has not been found in its neighbours."""
_WHOLE = 1e-6
"""Parts of a pixel that are none."""


def register_maps(maps: Floats, names: Sequence[str]) -> tuple[Floats, Floats]:
    """Return how far each map lies from the first one, and one standard deviation, in pixels.

    The errors are those against the brightest map.

    Parameters
    ----------
    maps : ndarray, shape (n, y, x)
        Maps of intensity, NaN where there is none.
    names : sequence of str
        What errors call them.

    Raises
    ------
    ProcessError
        If a map is not to be found in its neighbours, or maps are too small.

    """
    if min(maps.shape[1:]) < _SMALLEST:
        raise ProcessError(
            f"layers: maps of {maps.shape[1]} × {maps.shape[2]} pixels are too small to be "
            f"registered: {_SMALLEST} × {_SMALLEST} are needed",
            "stack them without registration",
        )
    whole = np.zeros((len(maps), 2), np.int64)
    for _ in range(_ROUNDS):
        found = _residual(_cut(maps, whole), names)
        shifts = whole + found.shifts
        better = np.round(shifts - shifts[0]).astype(np.int64)
        if (better == whole).all() or min(_common(maps.shape[1:], better)) < _SMALLEST:
            break
        whole = better
    return shifts - shifts[0], found.errors


def _common(shape: Sequence[int], whole: NDArray[np.int64]) -> tuple[int, int]:
    """Return rows and columns that all maps have in common."""
    lost = np.ptp(whole, axis=0)
    return int(shape[0] - lost[0]), int(shape[1] - lost[1])


def _cut(maps: Floats, whole: NDArray[np.int64]) -> Floats:
    """Return the part that all maps have in common, each moved back by whole pixels.

    What is left to be found is less than a pixel: larger shifts come out a few percent too
    small, because other parts of the sample are at the edges.
    """
    height, width = _common(maps.shape[1:], whole)
    corner = whole - whole.min(axis=0)
    return np.stack(
        [one[y : y + height, x : x + width] for one, (y, x) in zip(maps, corner, strict=True)]
    )


def _residual(maps: Floats, names: Sequence[str]) -> Found:
    count = len(maps)
    pairs = [(k, k + lag) for lag in LAGS for k in range(count - lag)]
    with ThreadPoolExecutor(usable_cpus()) as threads:
        bright = np.array([light(one) for one in maps])
        found = solve(all_pairs(Spectra(maps, threads), pairs, threads), bright)
    lost = ~found.known | (found.errors > _MOST_ERROR).any(axis=1)
    if lost.any():
        where = ", ".join(name for name, is_lost in zip(names, lost, strict=True) if is_lost)
        raise ProcessError(
            f"layers: {where} cannot be found in the neighbouring layers",
            "check their order, or stack them without registration",
        )
    return found


def moved_back(values: Floats, shift: Floats) -> Floats:
    """Return the map that has at p what was at p + shift, between pixels by linear interpolation.

    What comes from outside, or from a pixel without a value, is NaN.

    >>> moved_back(np.array([[1.0, 2.0, 4.0]]), np.array([0.0, 0.5])).tolist()
    [[1.5, 3.0, nan]]
    """
    for axis, distance in enumerate(shift):
        whole = int(np.floor(distance + _WHOLE))
        part = float(distance) - whole
        moved = _whole_pixels(values, whole, axis)
        if part > _WHOLE:
            moved = (1 - part) * moved + part * _whole_pixels(values, whole + 1, axis)
        values = moved
    return values


def _whole_pixels(values: Floats, distance: int, axis: int) -> Floats:
    made = np.full(values.shape, np.nan)
    length = values.shape[axis]
    if abs(distance) >= length:
        return made
    target, source = [slice(None)] * 2, [slice(None)] * 2
    target[axis] = slice(max(0, -distance), length - max(0, distance))
    source[axis] = slice(max(0, distance), length - max(0, -distance))
    made[tuple(target)] = values[tuple(source)]
    return made
