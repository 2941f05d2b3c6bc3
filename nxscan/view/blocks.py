"""Sums, means and maxima of a stack of frames that never lies in memory as a whole.

One pass over the data, each chunk read once, gives the frame reduced over the scan and the
curve or map reduced over the frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    How = Literal["sum", "mean", "max"]
    Progress = Callable[[int, int], None]
    Key = tuple[slice, ...]

BLOCK_BYTES = 32 << 20
"""Most that one read takes; two reads are in memory at a time."""


@dataclass(frozen=True, eq=False)
class Reduced:
    """A stack reduced in both directions; NaN where nothing was measured.

    Attributes
    ----------
    frame : ndarray of float64
        Reduced over the scan, in the shape of a frame.
    curve : ndarray of float64
        Reduced over the frame's good pixels, in the shape of the scan.

    """

    frame: NDArray[np.float64]
    curve: NDArray[np.float64]


def block_shape(
    shape: tuple[int, ...], chunks: tuple[int, ...] | None, itemsize: int, limit: int = BLOCK_BYTES
) -> tuple[int, ...]:
    """Return the shape of one read: whole chunks, as many as the limit allows.

    >>> block_shape((200, 2048, 2048), (1, 512, 512), 2)
    (4, 2048, 2048)
    >>> block_shape((5000, 2048, 2048), (5000, 64, 64), 2)
    (5000, 64, 64)
    """
    block = [min(n, c) for n, c in zip(shape, chunks or (1,) * len(shape), strict=True)]
    for axis in reversed(range(len(shape))):
        room = limit // max(1, prod(block) * itemsize)
        if room < 2:
            break
        block[axis] = min(shape[axis], block[axis] * room)
    return tuple(block)


def reduce_stack(
    signal: Any,
    frame_ndim: int,
    how: How = "sum",
    *,
    mask: NDArray[np.bool_] | None = None,
    fixed: Mapping[int, int] | None = None,
    progress: Progress | None = None,
) -> Reduced:
    """Reduce a stack over its scan and over its frames, in one pass.

    Parameters
    ----------
    signal : h5py.Dataset or alike
        Anything with ``shape``, ``dtype``, ``chunks`` and slicing.
    frame_ndim : int
        How many of the last dimensions make one frame.
    how : {"sum", "mean", "max"}
        NaN is left out; what has nothing but NaN is NaN.
    mask : ndarray of bool, optional
        True where a pixel is bad, in the shape of a frame.
    fixed : mapping of int to int, optional
        Dimension and the one index of it to use; such a dimension keeps the length 1.
    progress : callable, optional
        Called with the values done and the values in all.

    Notes
    -----
    Pixels that hold a detector's gap value in every frame (the largest number of an unsigned
    type; -1 or -2 where nothing is lower) are NaN in the frame and left out of the curve.

    """
    region = _region(signal.shape, fixed or {})
    shape = tuple(r.stop - r.start for r in region)
    split = len(shape) - frame_ndim
    whole = None if mask is None else mask[tuple(region[split:])]
    dtype = np.dtype(signal.dtype)
    reducer = _Maximum(shape, split) if how == "max" else _Sum(shape, split, how, dtype, whole)
    done, total = 0, prod(shape)
    for key, block in _read_ahead(signal, region):
        here = tuple(
            slice(k.start - r.start, k.stop - r.start) for k, r in zip(key, region, strict=True)
        )
        bad = None if mask is None else mask[key[split:]]
        reducer.add(here, _numbers(block), bad)
        done += block.size
        if progress is not None:
            progress(done, total)
    return reducer.finish()


def _region(shape: tuple[int, ...], fixed: Mapping[int, int]) -> list[slice]:
    return [
        slice(fixed[k] % n, fixed[k] % n + 1) if k in fixed else slice(0, n)
        for k, n in enumerate(shape)
    ]


def _keys(signal: Any, region: list[slice]) -> Iterator[Key]:
    shape = tuple(r.stop - r.start for r in region)
    block = block_shape(shape, signal.chunks, np.dtype(signal.dtype).itemsize)
    starts = (range(r.start, r.stop, step) for r, step in zip(region, block, strict=True))
    for start in product(*starts):
        yield tuple(
            slice(a, min(a + step, r.stop)) for a, step, r in zip(start, block, region, strict=True)
        )


def _read_ahead(signal: Any, region: list[slice]) -> Iterator[tuple[Key, NDArray[Any]]]:
    """Yield the blocks in order; the next one is read while one is worked on."""
    keys = list(_keys(signal, region))
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(signal.__getitem__, keys[0])
        for key, following in zip(keys, [*keys[1:], None], strict=True):
            block = coming.result()
            if following is not None:
                coming = reader.submit(signal.__getitem__, following)
            yield key, block


def _numbers(block: Any) -> NDArray[Any]:
    values = np.asarray(block)
    if values.dtype.kind == "c":
        return np.asarray(np.abs(values))
    return values.astype(np.uint8) if values.dtype.kind == "b" else values


class _Sum:
    """Sums and counts of both directions."""

    def __init__(
        self,
        shape: tuple[int, ...],
        split: int,
        how: How,
        dtype: np.dtype[Any],
        mask: NDArray[np.bool_] | None,
    ) -> None:
        self.shape, self.split = shape, split
        self.mean, self.dtype, self.mask = how == "mean", dtype, mask
        self.frame = np.zeros(shape[split:])
        self.curve = np.zeros(shape[:split])
        self.frame_missing = np.zeros(shape[split:])
        self.curve_missing = np.zeros(shape[:split])

    def add(self, key: Key, block: NDArray[Any], bad: NDArray[np.bool_] | None) -> None:
        head, tail = tuple(range(self.split)), tuple(range(self.split, block.ndim))
        if block.dtype.kind == "f":
            finite = np.isfinite(block)
            if not finite.all():
                block = np.where(finite, block, 0)
                missing = ~finite if bad is None else ~finite & ~bad
                self.frame_missing[key[self.split :]] += missing.sum(axis=head)
                self.curve_missing[key[: self.split]] += missing.sum(axis=tail)
        if bad is not None and bad.any():
            block = np.where(bad, block.dtype.type(0), block)
        self.frame[key[self.split :]] += block.sum(axis=head, dtype=np.float64)
        self.curve[key[: self.split]] += block.sum(axis=tail, dtype=np.float64)

    def finish(self) -> Reduced:
        positions = prod(self.shape[: self.split])
        gaps = _gaps(self.frame, positions, self.dtype)
        if gaps.any():
            self.curve -= self.frame[gaps].sum() / positions
        bad = gaps if self.mask is None else gaps | self.mask
        frame_count = np.where(bad, 0, positions - self.frame_missing)
        curve_count = np.count_nonzero(~bad) - self.curve_missing
        return Reduced(
            _divide(self.frame, frame_count, self.mean),
            _divide(self.curve, curve_count, self.mean),
        )


def _divide(total: NDArray[Any], count: NDArray[Any], mean: bool) -> NDArray[np.float64]:
    values = total / np.maximum(count, 1) if mean else total
    return np.where(count > 0, values, np.nan)


def _gaps(frame: NDArray[np.float64], positions: int, dtype: np.dtype[Any]) -> NDArray[np.bool_]:
    if frame.ndim == 2 and frame.size and dtype.itemsize > 1:
        if dtype.kind == "u":
            return np.asarray(frame == float(np.iinfo(dtype).max) * positions)
        if dtype.kind == "i" and frame.min() >= -2 * positions:
            return np.isin(frame, (-positions, -2 * positions))
    return np.zeros(frame.shape, dtype=bool)


class _Maximum:
    """Maxima of both directions."""

    def __init__(self, shape: tuple[int, ...], split: int) -> None:
        self.split = split
        self.frame = np.full(shape[split:], np.nan)
        self.curve = np.full(shape[:split], np.nan)

    def add(self, key: Key, block: NDArray[Any], bad: NDArray[np.bool_] | None) -> None:
        values = block.astype(np.float64)
        if bad is not None:
            values[..., bad] = np.nan
        values[~np.isfinite(values)] = np.nan
        head, tail = tuple(range(self.split)), tuple(range(self.split, block.ndim))
        for kept, part, axes in (
            (self.frame, key[self.split :], head),
            (self.curve, key[: self.split], tail),
        ):
            kept[part] = np.fmax(kept[part], np.fmax.reduce(values, axis=axes) if axes else values)

    def finish(self) -> Reduced:
        return Reduced(self.frame, self.curve)
