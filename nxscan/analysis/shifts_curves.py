"""Shifts of frames from the curves of the sample's pixels, whose contrast may move.

Where each pixel of the sample lights up and darkens on its own, frames next to one another
differ by more than a shift. But a pixel's curve along the scan is smooth, about a Gaussian
(ln of it a parabola), and it is so only where the frames are put together rightly: the shifts
are those that leave least beside parabolas, found by Gauss's and Newton's method. (Registration
by a model of the signal is known from the mapping of relaxation times: Buonaccorsi et al.,
Magnetic Resonance in Medicine 58, 1010, 2007.)

Parabolas of their own take up much of what a uniform drift does to texture that is the same in
every frame; a weak prior, that pixels' parabolas are alike within their observed spread, tells
it then.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.shifts_pairs import darkest, jackknife
from nxscan.analysis.shifts_solve import Found
from nxscan.kernels.registration import curve_equations, soften

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_FRAMES = 400
"""Frames up to which the equations of all of them are solved together."""
PART = 0.1
"""A pixel is lit as long as it has this part of its largest value."""
MISFIT = 0.03
"""What curves differ from Gaussians by, of their height."""
PRIOR = 0.02
_LIT = 24
_BANDS, _COLUMNS = 4, 4
_COARSE, _FINE = 6, 2
_ROUNDS, _DONE = 8, 0.15
_FARTHEST = 2.0
_WEAK = 1e-3
"""A frame is lost that has less than this part of the usual information."""
_MOST_ERROR = 1.0
_DOUBT = 2.0
"""What errors are multiplied by: what parts of a frame have in common, as that curves are no
Gaussians, leaving out parts does not show; simulated errors are twice as large."""


def by_curves(
    frames: NDArray[Any], start: Found, light: NDArray[np.float64], threads: ThreadPoolExecutor
) -> Found:
    """Return the shifts of frames, in pixels.

    Parameters
    ----------
    frames : ndarray, shape (n, y, x)
        The frames, in the order of the scan; NaN where nothing was measured.
    start : Found
        Shifts that are right to about the size of the texture.
    light : ndarray, shape (n,)
        How bright the frames are.
    threads : ThreadPoolExecutor
        Computes.

    """
    equations = _Equations(frames, threads)
    reference = int(np.argmax(np.where(start.known, light, -np.inf)))
    shifts = _filled(start.shifts) - start.shifts[reference]
    step = _COARSE
    for turn in range(_ROUNDS + 1):
        normal, right = equations.add_up(shifts, step)
        change = _solved(normal.sum(axis=0), right.sum(axis=0), reference)
        shifts = shifts + np.clip(change, -_FARTHEST, _FARTHEST)
        if step == _FINE:
            break
        moved = float(np.median(np.abs(change).max(axis=1)))
        step = _FINE if moved < _DONE or turn == _ROUNDS - 1 else step
    whole, known = normal.sum(axis=0), right.sum(axis=0)
    each = np.array(
        [_solved(whole - a, known - b, reference) for a, b in zip(normal, right, strict=True)]
    )
    errors = _DOUBT * np.sqrt(jackknife(each))
    lost = ~_informed(whole) | (errors > _MOST_ERROR).any(axis=1)
    lost[reference] = False
    shifts[lost] = errors[lost] = np.nan
    return Found(shifts, errors)


class _Equations:
    """Frames, smoothed, and what their noise and their curves are like."""

    def __init__(self, frames: NDArray[Any], threads: ThreadPoolExecutor) -> None:
        base = darkest(frames)
        self._frames: NDArray[np.float32] = np.empty(frames.shape, np.float32)
        noise = list(threads.map(lambda k: self._take(frames[k], k, base), range(len(frames))))
        self._floor = float(np.median(noise)) ** 2 + 1e-12
        self._prior = np.zeros(4)
        self._threads = threads

    def _take(self, frame: NDArray[Any], k: int, base: float) -> float:
        """Smooth a frame, and return the noise that is left in it."""
        value = self._frames[k]
        soften(frame.astype(np.float32) - np.float32(base), value)
        part = value[::16]
        rough = part[:, 3:] - 3 * part[:, 2:-1] + 3 * part[:, 1:-2] - part[:, :-3]
        return 1.4826 * float(np.nanmedian(np.abs(rough))) / math.sqrt(20)

    def add_up(
        self, shifts: NDArray[np.float64], step: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the normal equations of shifts, by groups of pixels."""
        count, height = len(self._frames), self._frames.shape[1]
        normal = np.zeros((_BANDS * _COLUMNS, count, 2, count, 2))
        right = np.zeros((_BANDS * _COLUMNS, count, 2))
        found = np.zeros((_BANDS * _COLUMNS, 5))
        edges = np.linspace(0, height, _BANDS + 1).astype(int)

        def band(k: int) -> None:
            group = slice(k * _COLUMNS, (k + 1) * _COLUMNS)
            rows = (int(edges[k]), int(edges[k + 1]))
            curve_equations(
                self._frames, shifts, self._floor, MISFIT**2, PART, _LIT, self._prior,
                rows, step, normal[group], right[group], found[group],
            )  # fmt: skip

        list(self._threads.map(band, range(_BANDS)))
        sums = found.sum(axis=0)
        if sums[0] > 1:
            mean, square = sums[1:3] / sums[0], sums[3:] / sums[0]
            self._prior = np.concatenate([mean, PRIOR / np.maximum(square - mean**2, 1e-9)])
        return normal, right


def _solved(normal: NDArray[Any], right: NDArray[Any], reference: int) -> NDArray[np.float64]:
    """Return the change of shifts; frames without information go along with their neighbours."""
    count = len(right)
    matrix = normal.reshape(2 * count, 2 * count).copy()
    diagonal = np.diag(matrix).copy()
    usual = float(np.median(diagonal[diagonal > 0])) if (diagonal > 0).any() else 1.0
    difference = np.diff(np.eye(count), axis=0)
    matrix += 1e-6 * usual * np.kron(difference.T @ difference, np.eye(2))
    matrix[np.diag_indices(2 * count)] += 1e-9 * usual + 1e-7 * diagonal
    change = np.linalg.solve(matrix, -right.reshape(-1)).reshape(count, 2)
    return np.asarray(change - change[reference])


def _informed(normal: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which frames the equations say something of."""
    count = len(normal)
    known = np.diag(normal.reshape(2 * count, 2 * count)).reshape(count, 2).min(axis=1)
    usual = np.median(known[known > 0]) if (known > 0).any() else np.inf
    return np.asarray(known > _WEAK * usual)


def _filled(shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shifts with those in between where none is known."""
    places = np.arange(len(shifts))
    known = np.isfinite(shifts).all(axis=1)
    return np.stack([np.interp(places, places[known], column[known]) for column in shifts.T], 1)
