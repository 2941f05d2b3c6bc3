"""Interpolation of frames that are moved by parts of a pixel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft

from nxscan.analysis.corrections.steps import as_floats
from nxscan.kernels.shifting import move
from nxscan.process.correction import Bound, Layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames

_REACH = {"linear": 1, "cubic": 2}
_WHOLE = 1e-6
"""Parts of a pixel that are none."""


@dataclass(frozen=True, eq=False)
class Moved(Bound):
    """Frames at p are those that came in at p + shift.

    Attributes
    ----------
    shifts : ndarray of float64, shape (..., 2)
        (y, x) of every position, in the scan's shape; NaN makes a frame NaN.
    method : str
        ``linear``, ``cubic`` or ``fourier``.

    """

    shifts: NDArray[np.float64]
    method: str

    @property
    def after(self) -> Layout:
        """The same shape, as floats."""
        return as_floats(self.before)

    def source(self, region: Selection) -> Selection:
        """Return what the region is interpolated from: whole frames for ``fourier``."""
        rank, frame = self.before.scan_rank, self.before.frame_shape
        if self.method == "fourier":
            return (*region[:rank], *(slice(0, length) for length in frame))
        values = self.shifts[region[:rank]].reshape(-1, 2)
        values = values[np.isfinite(values).all(axis=1)]
        low, high = (values.min(axis=0), values.max(axis=0)) if len(values) else ([0, 0], [0, 0])
        reach = _REACH[self.method]
        wide = [
            _inside(part.start + int(np.floor(a)) - reach, part.stop + int(np.ceil(b)) + reach, n)
            for part, a, b, n in zip(region[rank:], low, high, frame, strict=True)
        ]
        return (*region[:rank], *wide)

    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Move."""
        dtype, rank = self.after.dtype, self.before.scan_rank
        parts = region[rank:]
        shape = tuple(part.stop - part.start for part in region)
        corner = tuple(part.start for part in parts)
        given, out = _stack(frames.data, rank), np.empty(shape, dtype)
        made = out.reshape(-1, *shape[rank:])
        spread = None if frames.variance is None else _stack(frames.variance, rank)
        variance = None if spread is None else np.empty(made.shape, np.float32)
        good = None if frames.valid is None else _stack(frames.valid, rank)
        valid = None if good is None else np.empty(made.shape, bool)
        origin = tuple(part.start for part in frames.region[rank:])
        shifts = self.shifts[region[:rank]].reshape(-1, 2)
        mover = _Mover(self.method, self.before.frame_shape, origin, corner)
        for k, shift in enumerate(shifts):
            if not np.isfinite(shift).all():
                made[k] = np.nan
            else:
                mover.values(given[k], shift, made[k])
            if variance is not None and spread is not None:
                mover.variances(spread[k], shift, variance[k])
                variance[k][np.isnan(made[k])] = np.nan
            if valid is not None and good is not None:
                mover.valid(good[k], shift, valid[k])
                valid[k] &= ~np.isnan(made[k])
        return replace(
            frames,
            data=out,
            region=region,
            variance=None if variance is None else variance.reshape(shape),
            valid=None if valid is None else valid.reshape(shape),
        )


class _Mover:
    """How parts of frames are moved, one after another.

    Parameters
    ----------
    method : str
        How values in between are found.
    frame : tuple of int
        Shape of a frame.
    origin, corner : tuple of int
        Where what was read, and what is made, lie in it.

    """

    def __init__(
        self, method: str, frame: tuple[int, ...], origin: tuple[int, ...], corner: tuple[int, ...]
    ) -> None:
        self._method, self._frame = method, frame
        self._origin, self._corner = origin, corner

    def values(self, image: NDArray[Any], shift: NDArray[Any], out: NDArray[Any]) -> None:
        """Move values."""
        if self._method == "fourier" and not _is_whole(shift):
            self._fourier(image, shift, out)
        else:
            self._sum(image, shift, lambda weights: weights, out)

    def variances(self, image: NDArray[Any], shift: NDArray[Any], out: NDArray[Any]) -> None:
        """Move variances: the squares of the weights of the values.

        Those of ``fourier``, whose squares add up to 1, are of a long range; variances, which
        are smooth, are taken linearly in between instead.
        """
        if not np.isfinite(shift).all():
            out[...] = np.nan
            return
        self._sum(image, shift, (lambda w: w) if self._method == "fourier" else np.square, out)

    def valid(self, image: NDArray[Any], shift: NDArray[Any], out: NDArray[Any]) -> None:
        """Find out where all values are valid that a value comes from."""
        if not np.isfinite(shift).all():
            out[...] = False
            return
        found = np.empty(out.shape, np.float32)
        self._sum(np.where(image, np.float32(1), np.float32(np.nan)), shift, np.abs, found)
        out[...] = ~np.isnan(found)

    def _sum(
        self,
        image: NDArray[Any],
        shift: NDArray[Any],
        weigh: Callable[[NDArray[Any]], NDArray[Any]],
        out: NDArray[Any],
    ) -> None:
        method = "linear" if self._method == "fourier" else self._method
        firsts, taps = zip(*(_weights(float(part), method) for part in shift), strict=True)
        taps = tuple(weigh(part).astype(out.dtype) for part in taps)
        move(image, self._origin, self._frame, taps, firsts, self._corner, out)

    def _fourier(self, image: NDArray[Any], shift: NDArray[Any], out: NDArray[Any]) -> None:
        """Move a whole frame by its spectrum; what is missing takes its mean for that."""
        missing = np.isnan(image) if image.dtype.kind == "f" else None
        given = image.astype(out.dtype)
        if missing is not None and missing.any():
            given[missing] = np.nanmean(given) if not missing.all() else 0
        for axis in (0, 1):
            given = _along(given, float(shift[axis]), axis)
        height, width = out.shape
        part = tuple(slice(at, at + n) for at, n in zip(self._corner, (height, width), strict=True))
        out[...] = given[part]
        there = np.zeros(image.shape, np.float32)
        if missing is not None:
            there[missing] = np.nan
        known = np.empty(out.shape, np.float32)
        self._sum(there, shift, lambda weights: weights, known)
        out[np.isnan(known)] = np.nan


def _along(values: NDArray[Any], shift: float, axis: int) -> NDArray[Any]:
    """Move a frame along an axis, mirrored at its ends, which keeps it in one piece there."""
    if abs(shift - round(shift)) < _WHOLE:
        return np.roll(values, -round(shift), axis)
    length = values.shape[axis]
    mirrored = np.concatenate([values, np.flip(values, axis)], axis)
    spectrum = scipy.fft.rfft(mirrored, axis=axis)
    phase = np.exp(2j * np.pi * np.arange(spectrum.shape[axis]) * shift / (2 * length))
    phase[-1] = phase[-1].real
    spectrum *= np.expand_dims(phase, 1 - axis).astype(spectrum.dtype)
    found = scipy.fft.irfft(spectrum, 2 * length, axis=axis)
    return np.asarray(np.take(found, np.arange(length), axis))


def _weights(shift: float, method: str) -> tuple[int, NDArray[np.float64]]:
    """Return where the first neighbour lies, and the weights of it and the next ones."""
    whole = int(np.floor(shift + _WHOLE))
    t = shift - whole
    if t < _WHOLE:
        return whole, np.ones(1)
    if method == "linear":
        return whole, np.array([1 - t, t])
    weights = [
        t * (t * (2 - t) - 1) / 2,
        (t * t * (3 * t - 5) + 2) / 2,
        t * (t * (4 - 3 * t) + 1) / 2,
        t * t * (t - 1) / 2,
    ]
    return whole - 1, np.array(weights)


def _is_whole(shift: NDArray[Any]) -> bool:
    return bool(np.all(np.abs(shift - np.round(shift)) < _WHOLE))


def filled(shifts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shifts, shape (..., 2), with those in between where one is missing.

    They are interpolated in the order of the scan, and those before the first and after the
    last that is known are as these.
    """
    flat = shifts.reshape(-1, 2)
    known = np.isfinite(flat).all(axis=1)
    if known.all() or not known.any():
        return shifts
    places = np.arange(len(flat))
    made = [np.interp(places, places[known], column[known]) for column in flat.T]
    return np.stack(made, axis=1).reshape(shifts.shape)


def _stack(values: NDArray[Any], rank: int) -> NDArray[Any]:
    return np.ascontiguousarray(values).reshape(-1, *values.shape[rank:])


def _inside(start: int, stop: int, length: int) -> slice:
    """Return the part of a range that is inside, a pixel at least."""
    first = min(max(start, 0), length - 1)
    return slice(first, max(min(stop, length), first + 1))
