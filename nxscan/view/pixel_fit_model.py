"""The peak that was fitted to a pixel's curve, from the numbers that are in the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Values = Mapping[str, Floats]


def peaks_of(profile: str, names: Sequence[str], values: Values, places: Floats) -> list[Floats]:
    """Return each peak that was fitted, without the background.

    Parameters
    ----------
    profile : {"gaussian", "lorentzian", "pseudo_voigt"}
        Its profile.
    names : sequence of str
        The motors.
    values : mapping of str to ndarray
        What the result has of the pixel, by the names of its outputs; one number, or one for
        each peak, NaN where there is none.
    places : ndarray, shape (motors, positions)
        Where the peaks are wanted.

    Returns
    -------
    list of ndarray, shape (positions,)
        One for each peak that was found.

    """
    heights = np.atleast_1d(values["amplitude"])
    made = []
    for k, height in enumerate(heights):
        one = {name: np.atleast_1d(each)[k] for name, each in values.items() if np.size(each) > k}
        if np.isfinite(height):
            q = _distance(names, one, places)
            made.append(height * _shape(profile, q, float(one.get("eta", 0.0))))
    return made


def background_of(
    names: Sequence[str], values: Values, places: Floats, middle: Sequence[float]
) -> Floats:
    """Return the background that was fitted: its value in the middle of the scan, and slopes."""
    total = np.full(places.shape[1], float(np.ravel(values["background"])[0]))
    for row, name, origin in zip(places, names, middle, strict=True):
        slope = values.get(_named("background_slope", name, names))
        if slope is not None:
            total += float(np.ravel(slope)[0]) * (row - origin)
    return total


def _named(output: str, motor: str, motors: Sequence[str]) -> str:
    return output if len(motors) == 1 else f"{output}_{motor}"


def _distance(names: Sequence[str], one: Values, places: Floats) -> Floats:
    """Return the squared distance from the center, 1 where the peak has half its height."""
    count = len(names)
    half = [0.5 * float(one[_named("fwhm", name, names)]) for name in names]
    spread = np.empty((count, count))
    for j, first in enumerate(names):
        for k, second in enumerate(names):
            spread[j, k] = half[j] * half[k] * _correlation(first, second, names, one)
    centers = [float(one[_named("center", name, names)]) for name in names]
    away = places - np.array(centers)[:, np.newaxis]
    return np.asarray((away * np.linalg.solve(spread, away)).sum(axis=0))


def _correlation(first: str, second: str, names: Sequence[str], one: Values) -> float:
    if first == second:
        return 1.0
    early, late = sorted((first, second), key=list(names).index)
    return float(one["correlation" if len(names) == 2 else f"correlation_{early}_{late}"])


def _shape(profile: str, q: Floats, eta: float) -> Floats:
    gaussian, lorentzian = np.exp2(-np.minimum(q, 1000.0)), 1 / (1 + q)
    share = {"gaussian": 0.0, "lorentzian": 1.0}.get(profile, eta)
    return (1 - share) * gaussian + share * lorentzian
