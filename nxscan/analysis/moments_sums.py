"""The sums that moments need, of a strip of a block's pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.moments import extremes, mirrored_sums, power_sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.moments_plan import Curves
    from nxscan.process.block import Block

    State = dict[str, NDArray[Any]]

_STRIP = 8192
"""Pixels at once: their values and sums stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Strips:
    """The pixels of a block, strip by strip.

    Attributes
    ----------
    frames : ndarray, shape (positions, pixels), in C order
        Values.
    rows : ndarray, shape (k, positions)
        Coefficients of the sums.
    halves : tuple of ndarray, or None
        The first halves of the even and of the odd rows, if all positions are there.
    edge : ndarray of bool, shape (positions,)
        Which positions are at the scan's edge.
    seen : ndarray of bool, shape (pixels,), or None
        Which pixels are valid, if a pixel is so at all positions or at none.
    valid : ndarray of bool, shape (positions, pixels), or None
        Which values are valid, if that changes along the scan.
    variance : ndarray, shape (positions, pixels), or None
        Variance of each value.
    lowest : bool
        Whether the lowest values are wanted.

    """

    frames: NDArray[Any]
    rows: NDArray[np.float64]
    halves: tuple[NDArray[np.float64], NDArray[np.float64]] | None
    edge: NDArray[np.bool_]
    seen: NDArray[np.bool_] | None
    valid: NDArray[np.bool_] | None
    variance: NDArray[Any] | None
    lowest: bool

    @classmethod
    def of(cls, block: Block, curves: Curves, *, lowest: bool) -> Strips:
        """Return the strips of a block."""
        rows, edge = curves.part(block.selection[: block.scan_rank])
        seen, valid = _validity(block)
        frames = np.ascontiguousarray(block.curves)
        variance = block.variance
        if variance is not None:
            variance = np.ascontiguousarray(variance.reshape(frames.shape))
        halves, half = None, (len(frames) + 1) // 2
        if curves.even is not None and block.scan_shape == curves.scan_shape:
            halves = rows[: curves.even, :half].copy(), rows[curves.even :, :half].copy()
        return cls(frames, rows, halves, edge, seen, valid, variance, lowest)

    def __iter__(self) -> Iterator[tuple[slice, State]]:
        pixels = self.frames.shape[1]
        for start in range(0, pixels, _STRIP):
            part = slice(start, min(start + _STRIP, pixels))
            yield part, self._sums(part)

    def whole(self) -> State:
        """Return the sums of all pixels."""
        states = [state for _, state in self]
        if any(state["weights"].shape[1] > 1 for state in states):
            for state in states:
                state["weights"] = np.broadcast_to(state["weights"], state["sums"].shape)
        return {
            name: states[0][name]
            if states[0][name].shape[-1] == 1 < states[0]["sums"].shape[1]
            else np.concatenate([state[name] for state in states], axis=-1)
            for name in states[0]
        }

    def _sums(self, part: slice) -> State:
        """Return the sums of a strip; values that are not finite are left out."""
        sums = self._added(self.frames, part)
        finite = self.frames.dtype.kind != "f" or bool(np.isfinite(sums[0]).all())
        if self.valid is not None or not finite:
            state = self._masked(part)
        else:
            state = self._plain(part, sums)
        if self.variance is not None:
            good = state.pop("good", None)
            if good is None:
                state["variances"] = self._added(self.variance, part)
            else:
                values = np.where(good, self.variance[:, part], np.float32(0))
                state["variances"] = self._added(values, slice(0, values.shape[1]))
        state.pop("good", None)
        return state

    def _plain(self, part: slice, sums: NDArray[np.float64]) -> State:
        weights = self.rows.sum(axis=1)[:, np.newaxis]
        if self.seen is not None:
            seen = self.seen[part]
            weights = weights * seen
            sums[:, ~seen] = 0
        high, low = self._bounds(sums.shape[1])
        extremes(self.frames, part.start, self.edge, high, low)
        return {"sums": sums, "weights": weights, "high": high, "low": low}

    def _masked(self, part: slice) -> State:
        """Return the sums with the weights of the values that are valid, for each pixel."""
        values = self.frames[:, part]
        good = np.isfinite(values) if self.valid is None else self.valid[:, part]
        if self.valid is not None and values.dtype.kind == "f":
            good = good & np.isfinite(values)
        if self.seen is not None:
            good = good & self.seen[part]
        good = np.ascontiguousarray(good)
        every = slice(0, good.shape[1])
        high, low = self._bounds(good.shape[1])
        none = low[:0]
        extremes(np.where(good, values, _least(values.dtype)), 0, self.edge, high, none)
        if self.lowest:
            unused = high.copy()
            extremes(np.where(good, values, _most(values.dtype)), 0, self.edge, unused, low)
        return {
            "sums": self._added(np.where(good, values, values.dtype.type(0)), every),
            "weights": self._added(good.view(np.uint8), every),
            "high": high,
            "low": low,
            "good": good,
        }

    def _added(self, frames: NDArray[Any], part: slice) -> NDArray[np.float64]:
        sums = np.empty((len(self.rows), part.stop - part.start))
        if self.halves is None:
            power_sums(frames, part.start, self.rows, sums)
        else:
            mirrored_sums(frames, part.start, *self.halves, sums)
        return sums

    def _bounds(self, size: int) -> tuple[NDArray[Any], NDArray[Any]]:
        dtype = self.frames.dtype
        low = np.full(size if self.lowest else 0, _most(dtype), dtype)
        return np.full((2, size), _least(dtype), dtype), low


def merge(first: State, second: State) -> State:
    """Join the sums of two parts of the scan."""
    joined = {
        "high": np.maximum(first["high"], second["high"]),
        "low": np.minimum(first["low"], second["low"]),
        "tile": first["tile"],
    }
    for name in ("sums", "weights", "variances"):
        if name in first:
            joined[name] = first[name] + second[name]
    if "dark" in first:
        joined["dark"] = first["dark"]
    return joined


def _validity(block: Block) -> tuple[NDArray[np.bool_] | None, NDArray[np.bool_] | None]:
    """Return which pixels are valid, or which values, or neither if all are."""
    if block.valid is None:
        return None, None
    valid = np.broadcast_to(block.valid, block.data.shape)
    if all(valid.strides[d] == 0 for d in range(block.scan_rank) if valid.shape[d] > 1):
        seen = valid[(0,) * block.scan_rank].ravel()
        return (None if seen.all() else seen), None
    return None, valid.reshape(block.curves.shape)


def _least(dtype: np.dtype[Any]) -> Any:
    return dtype.type(-np.inf) if dtype.kind == "f" else dtype.type(np.iinfo(dtype).min)


def _most(dtype: np.dtype[Any]) -> Any:
    return dtype.type(np.inf) if dtype.kind == "f" else dtype.type(np.iinfo(dtype).max)
