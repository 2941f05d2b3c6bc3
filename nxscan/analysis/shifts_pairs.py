"""How far frames are shifted against one another: cross-correlation of their texture.

Frames are cut into tiles, and the cross-spectra of the tiles of two frames are added up; the
peak of the correlation that belongs to the sum is refined by Newton's method on its Fourier
series, which is what upsampling it without limit gives (Guizar-Sicairos, Thurman and Fienup,
Optics Letters 33, 156, 2008). Leaving out one tile after the other tells the error: that of
counting, and that of contrast which moves on its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
from scipy.ndimage import uniform_filter

from nxscan.kernels.registration import local_contrast

if TYPE_CHECKING:
    from numpy.typing import NDArray

RADIUS = 4
"""Pixels around a pixel that its contrast is held against."""
SIGNIFICANCE = 6.0
"""Height of a peak over the scatter of the correlation, below which there is none."""
_TILES = 4
_SMALLEST = 16
_REACH = 0.4
_NEWTON = 3
_FARTHEST = 1.5


@dataclass(frozen=True, eq=False)
class Pair:
    """The shift from one frame to another.

    Attributes
    ----------
    first, second : int
        The frames.
    shift : ndarray, shape (2,)
        How far the second is shifted against the first, (y, x).
    without : ndarray, shape (tiles, 2)
        The same without each of the tiles.

    """

    first: int
    second: int
    shift: NDArray[np.float64]
    without: NDArray[np.float64]

    @property
    def variance(self) -> NDArray[np.float64]:
        """Of each component, by the jackknife: (n − 1) / n times the sum of squares."""
        return jackknife(self.without)


def jackknife(without: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the variance of an estimate from those that leave out one part of the data each.

    (n − 1) / n times their sum of squares (Efron, The Jackknife, the Bootstrap and Other
    Resampling Plans, SIAM 1982, equation 3.3).

    >>> values = np.array([1.0, 2.0, 6.0])
    >>> means = np.array([values[1:].mean(), values[[0, 2]].mean(), values[:2].mean()])
    >>> bool(np.isclose(jackknife(means), values.var(ddof=1) / 3))
    True
    """
    count = len(without)
    spread: NDArray[np.float64] = ((without - without.mean(axis=0)) ** 2).sum(axis=0)
    return spread * (count - 1) / count


class Spectra:
    """Spectra of the tiles of frames.

    Parameters
    ----------
    frames : ndarray, shape (n, y, x)
        The frames; NaN where nothing was measured.
    threads : ThreadPoolExecutor
        Computes.

    """

    def __init__(self, frames: NDArray[Any], threads: ThreadPoolExecutor) -> None:
        height, width = frames.shape[1:]
        self.side = max(_SMALLEST, min(height, width) // _TILES // 2 * 2)
        self._rows, self._columns = height // self.side, width // self.side
        self._base = darkest(frames)
        taper = _taper(self.side)
        self._window = np.outer(taper, taper).astype(np.float32)
        self.tiles = list(threads.map(self._transformed, frames))
        down, across = np.fft.fftfreq(self.side), np.fft.rfftfreq(self.side)
        self._down, self._across = 2 * np.pi * down, 2 * np.pi * across
        self._alone = _log_derivatives(np.correlate(taper, taper, "full")[self.side - 1 :])
        self._twice = np.full(len(across), 2.0)
        self._twice[0] = 1
        if self.side % 2 == 0:
            self._twice[-1] = 1

    def _transformed(self, frame: NDArray[Any]) -> NDArray[np.complex64]:
        contrast = np.empty(frame.shape, np.float32)
        local_contrast(_whole(frame), self._base, RADIUS, contrast)
        side, rows, columns = self.side, self._rows, self._columns
        top = (frame.shape[0] - rows * side) // 2
        left = (frame.shape[1] - columns * side) // 2
        part = contrast[top : top + rows * side, left : left + columns * side]
        tiles = part.reshape(rows, side, columns, side).swapaxes(1, 2).reshape(-1, side, side)
        return np.asarray(scipy.fft.rfft2(tiles * self._window), np.complex64)

    def pair(self, first: int, second: int) -> Pair | None:
        """Return the shift between two frames; None if nothing correlates."""
        cross = self.tiles[first].conj() * self.tiles[second]
        joined = cross.sum(axis=0)[None]
        start = self._highest(joined[0])
        if start is None:
            return None
        shift = start
        for _ in range(_NEWTON):
            step = self._step(self._derivatives(joined, shift), shift)
            if step is None or np.abs(shift + step - start).max() > _FARTHEST:
                return None
            shift = shift + step
        each = self._derivatives(cross, shift)
        whole = tuple(part.sum(axis=0) for part in each)
        steps = [
            self._step(tuple(a - b[None] for a, b in zip(whole, parts, strict=True)), shift)
            for parts in zip(*each, strict=True)
        ]
        without = [step for step in steps if step is not None]
        return Pair(first, second, shift, shift + without) if len(without) == len(steps) else None

    def _step(
        self, derivatives: tuple[NDArray[Any], ...], shift: NDArray[np.float64]
    ) -> NDArray[np.float64] | None:
        """Return the step to the top of the correlation over that of the windows alone."""
        value, slope, bend = (part[0] for part in derivatives)
        if value <= 0:
            return None
        down, across = self._own(shift[0]), self._own(shift[1])
        slope = slope / value
        bend = bend / value - np.outer(slope, slope) - np.diag([down[1], across[1]])
        return _newton(slope - [down[0], across[0]], bend)

    def _own(self, shift: float) -> tuple[float, float]:
        """Return first and second derivative of ln of a window's correlation with itself."""
        at = np.clip(abs(shift), 0, len(self._alone) - 1)
        lags = np.arange(len(self._alone))
        first, second = (
            np.interp(at, lags, self._alone[:, 0]),
            np.interp(at, lags, self._alone[:, 1]),
        )
        return float(np.sign(shift) * first), float(second)

    def _highest(self, cross: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return the peak of a correlation to the pixel, if it stands out."""
        found = scipy.fft.irfft2(cross, (self.side, self.side))
        reach = max(1, int(_REACH * self.side))
        near = np.r_[0:reach, -reach + 1 : 0]
        window = found[np.ix_(near, near)]
        y, x = np.unravel_index(int(np.argmax(window)), window.shape)
        scatter = 1.4826 * float(np.median(np.abs(found)))
        if window[y, x] <= SIGNIFICANCE * scatter:
            return None
        return np.array([near[y], near[x]], np.float64)

    def _derivatives(
        self, cross: NDArray[Any], shift: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], ...]:
        """Return every tile's correlation at a shift, and its first and second derivatives."""
        j, k = self._down, self._across
        up = np.exp(1j * j * shift[0])
        along = np.exp(1j * k * shift[1]) * self._twice
        powers = np.stack([along, 1j * k * along, -k * k * along], axis=1).astype(np.complex64)
        rows = cross @ powers
        ups = np.stack([up, 1j * j * up, -j * j * up]).astype(np.complex64)
        c = (ups @ rows).real.astype(np.float64)
        slope = np.stack([c[:, 1, 0], c[:, 0, 1]], axis=1)
        bend = np.stack([c[:, 2, 0], c[:, 1, 1], c[:, 1, 1], c[:, 0, 2]], axis=1)
        return c[:, 0, 0], slope, bend.reshape(-1, 2, 2)


def all_pairs(
    spectra: Spectra, wanted: Sequence[tuple[int, int]], threads: ThreadPoolExecutor
) -> list[Pair]:
    """Return the shifts between pairs of frames that could be found."""
    found = threads.map(lambda pair: spectra.pair(*pair), wanted)
    return [pair for pair in found if pair is not None]


def darkest(frames: NDArray[Any]) -> float:
    """Return the value of no light: what one value in a hundred is below."""
    hop = tuple(slice(None, None, max(1, length // 64)) for length in frames.shape)
    found = np.nanpercentile(frames[hop].astype(np.float32), 1)
    return float(found) if math.isfinite(found) else 0.0


def _whole(frame: NDArray[Any]) -> NDArray[np.float32]:
    """Return a frame whose missing values are the mean of those around."""
    values = frame.astype(np.float32, copy=False)
    missing = np.isnan(values)
    if not missing.any():
        return values
    side = 2 * RADIUS + 1
    there = uniform_filter((~missing).astype(np.float32), side)
    around = uniform_filter(np.where(missing, np.float32(0), values), side)
    return np.where(missing, around / np.maximum(there, np.float32(1e-3)), values)


def _newton(slope: NDArray[Any], bend: NDArray[Any]) -> NDArray[np.float64] | None:
    """Return the step to the top of a hill; None if there is none."""
    a, b, d = bend[0, 0], bend[0, 1], bend[1, 1]
    area = a * d - b * b
    if not (a < 0 and area > 0):
        return None
    step: NDArray[np.float64] = np.array(
        [b * slope[1] - d * slope[0], b * slope[0] - a * slope[1]], np.float64
    )
    return step / float(area)


def _log_derivatives(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return first and second derivative of ln of an even function, given from 0 on in ones."""
    half = np.log(values[: len(values) // 2])
    whole = np.concatenate([half[:0:-1], half])
    first = np.gradient(whole)
    return np.stack([first, np.gradient(first)], axis=1)[len(half) - 1 :]


def _taper(length: int) -> NDArray[np.float64]:
    """Return a window that falls to zero over an eighth of its length at either end."""
    edge = max(1, length // 8)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / edge)
    return np.concatenate([rise, np.ones(length - 2 * edge), rise[::-1]])
