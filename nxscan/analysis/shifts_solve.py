"""Shifts of all frames from those of pairs, and the line that they lie on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_array, csc_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from nxscan.analysis.shifts_pairs import Pair, jackknife

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 1e-6
"""Variance that no pair's shift is surer than, in squared pixels."""
_ROUNDS = 6
_OUTLIER = 3.0
_CLOSE = 1e-2
_FEWEST_FOR_LINE = 3


@dataclass(frozen=True, eq=False)
class Found:
    """Shifts of frames.

    Attributes
    ----------
    shifts, errors : ndarray, shape (n, 2)
        (y, x), and one standard deviation; NaN where none could be found.

    """

    shifts: NDArray[np.float64]
    errors: NDArray[np.float64]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which frames have a shift."""
        return np.asarray(np.isfinite(self.shifts).all(axis=1))

    @property
    def typical(self) -> float:
        """The median error, infinite if nothing was found."""
        known = self.known
        return float(np.median(self.errors[known])) if known.any() else np.inf


def solve(pairs: Sequence[Pair], light: NDArray[np.float64]) -> Found:
    """Return the shifts of frames that agree best with those of pairs.

    Weighted least squares; pairs that disagree with the others count less and less (Cauchy's
    weights). What the errors of all pairs have in common, as contrast has that moves through
    the same tiles in frame after frame, is in the errors: every solution without one of the
    tiles is a solution for all frames.

    Parameters
    ----------
    pairs : sequence of Pair
        What was found; frames that no pair leads to from the reference have no shift.
    light : ndarray, shape (n,)
        How bright the frames are: the brightest one that is linked is the reference, 0.

    """
    count = len(light)
    nothing = Found(np.full((count, 2), np.nan), np.full((count, 2), np.nan))
    if not pairs:
        nothing.shifts[np.argmax(light)] = nothing.errors[np.argmax(light)] = 0
        return nothing
    first, second = np.array([(p.first, p.second) for p in pairs]).T
    linked = _linked(first, second, light)
    keep = linked[first]
    chosen = [pair for pair, kept in zip(pairs, keep, strict=True) if kept]
    shifts, errors = nothing.shifts, nothing.errors
    reference = int(np.argmax(np.where(linked, light, -np.inf)))
    given = np.array([pair.shift for pair in chosen])
    without = np.array([pair.without for pair in chosen])
    variance = np.array([pair.variance for pair in chosen]) + _LEAST
    for axis in (0, 1):
        graph = _Graph(first[keep], second[keep], linked, reference)
        found, each = graph.robust(given[:, axis], without[:, :, axis], variance[:, axis])
        shifts[linked, axis] = found
        errors[linked, axis] = np.sqrt(jackknife(each.T))
    return Found(shifts, errors)


def _linked(
    first: NDArray[Any], second: NDArray[Any], light: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the frames that are linked to one another, of several such sets the largest."""
    count = len(light)
    links = coo_array((np.ones(len(first)), (first, second)), (count, count))
    _, label = connected_components(links, directed=False)
    largest: NDArray[np.bool_] = label == np.argmax(np.bincount(label))
    return largest


class _Graph:
    """Frames that are linked by pairs, one component of their shifts."""

    def __init__(
        self,
        first: NDArray[Any],
        second: NDArray[Any],
        linked: NDArray[np.bool_],
        reference: int,
    ) -> None:
        place = np.cumsum(linked) - 1
        self._size, self._zero = int(linked.sum()), int(place[reference])
        row = np.arange(len(first))
        signs = np.concatenate([-np.ones(len(first)), np.ones(len(first))])
        where = (np.tile(row, 2), np.concatenate([place[first], place[second]]))
        self._matrix = csc_array((signs, where), (len(first), self._size))
        self._free = np.delete(np.arange(self._size), self._zero)

    def robust(
        self, given: NDArray[Any], without: NDArray[Any], variance: NDArray[Any]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the solution, and those without each tile, shape (n, tiles)."""
        weights = 1 / variance
        found = self._solve(given[:, None], weights)
        for _ in range(_ROUNDS):  # least absolute deviations first: they find who agrees
            rest = (given - self._matrix @ found[:, 0]) ** 2 / variance
            found = self._solve(given[:, None], 1 / (variance * np.sqrt(rest + _CLOSE)))
        for _ in range(_ROUNDS):
            rest = (given - self._matrix @ found[:, 0]) ** 2 / variance
            scale = max(1.0, float(np.median(rest)) / 0.4549)  # the median of χ² of one freedom
            weights = 1 / (variance * (1 + rest / (_OUTLIER**2 * scale)))
            found = self._solve(given[:, None], weights)
        return found[:, 0], self._solve(without, weights)

    def _solve(self, given: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
        part = self._matrix[:, self._free]
        weighted = part.multiply(weights[:, None]).tocsc()
        found = np.zeros((self._size, given.shape[1]))
        if len(self._free):
            found[self._free] = splu((part.T @ weighted).tocsc()).solve(weighted.T @ given)
        return found


def _common(errors: NDArray[np.float64], away: NDArray[np.float64]) -> float:
    """Return how unsure a slope is at least if the errors of all frames have much in common."""
    far = np.isfinite(errors) & (away != 0)
    return float(np.min(errors[far] / np.abs(away[far]), initial=np.inf)) if far.any() else 0.0


def joined(one: Found, other: Found) -> Found:
    """Return the average of two by their errors; where only one knows a frame, what it says."""
    known = [one.known, other.known]
    weights = [
        np.where(at[:, None], 1 / (np.nan_to_num(part.errors) ** 2 + _LEAST), 0)
        for part, at in zip((one, other), known, strict=True)
    ]
    total = weights[0] + weights[1]
    total[total == 0] = np.nan
    shifts = weights[0] * np.nan_to_num(one.shifts) + weights[1] * np.nan_to_num(other.shifts)
    errors = np.sqrt(1 / total)
    zero = [(part.errors == 0).all(axis=1) for part in (one, other)]
    errors[zero[0] & zero[1]] = 0
    return Found(shifts / total, errors)


def line(found: Found, places: NDArray[np.float64]) -> Found:
    """Return the shifts on the line through those that were found: so many pixels per frame.

    Parameters
    ----------
    found : Found
        Shifts of frames.
    places : ndarray, shape (n,)
        What the drift is proportional to, the frames' numbers.

    """
    known = found.known
    if known.sum() < _FEWEST_FOR_LINE:
        return found
    zero = int(np.argmin(np.where(known, np.abs(found.shifts).sum(axis=1), np.inf)))
    shifts, errors = np.empty_like(found.shifts), np.empty_like(found.errors)
    for axis in (0, 1):
        weights = 1 / (found.errors[known, axis] ** 2 + _LEAST)
        design = np.stack([np.ones(known.sum()), places[known] - places[zero]], axis=1)
        for _ in range(_ROUNDS):
            inverse = np.linalg.inv(design.T @ (design * weights[:, None]))
            best = inverse @ (design.T @ (weights * found.shifts[known, axis]))
            rest = found.shifts[known, axis] - design @ best
            spread = rest**2 / (found.errors[known, axis] ** 2 + _LEAST)
            scale = max(1.0, float(np.median(spread)) / 0.4549)
            weights = 1 / (
                (found.errors[known, axis] ** 2 + _LEAST)
                * scale
                * (1 + spread / (_OUTLIER**2 * scale))
            )
        away = places - places[zero]
        shifts[:, axis] = best[1] * away
        errors[:, axis] = np.abs(away) * max(
            float(np.sqrt(inverse[1, 1])), _common(found.errors[:, axis], away)
        )
    return Found(shifts, errors)
