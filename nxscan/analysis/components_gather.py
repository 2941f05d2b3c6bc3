"""What components are found from: sums over all pixels' curves, and some of the curves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.reduction import good_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

    Array = NDArray[np.float64]

MOST_EXACT = 2048
"""Positions up to which the whole matrix of products is added up."""
DIRECTIONS = 256
"""Of longer scans: how many directions are looked for in the space of curves."""
_AT_ONCE = 2**21
"""Values that are converted at once: few enough for the processor's cache."""
_SUMS = ("count", "total", "squares", "gram", "sketch")
_ROWS = ("sample", "pixel")


@dataclass(frozen=True)
class Sampling:
    """Which pixels' curves are kept: a random choice that depends on the seed and the pixel alone.

    Attributes
    ----------
    frame : tuple of int
        Lengths of the detector's dimensions.
    share : float
        Part of the pixels that is chosen; 1 is all, 0 is none.
    seed : int
        Of the choice.

    """

    frame: tuple[int, ...]
    share: float
    seed: int

    def numbers(self, block: Block) -> NDArray[np.int64]:
        """Return the number of each pixel of a block in the frame, slow to fast."""
        part = block.selection[block.scan_rank :]
        ranges = [np.arange(one.start, one.stop) for one in part]
        grid = np.meshgrid(*ranges, indexing="ij")
        return np.ravel_multi_index(grid, self.frame).astype(np.int64).ravel()

    def chosen(self, pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which pixels are chosen."""
        if self.share >= 1:
            return np.ones(len(pixels), np.bool_)
        return _mixed(pixels.astype(np.uint64), self.seed) < self.share


def good_pixels(block: Block) -> NDArray[np.bool_]:
    """Tell which pixels have a valid value at every position."""
    good = good_values(block)
    if good is None:
        return np.ones(block.curves.shape[1], np.bool_)
    return np.asarray(good.reshape(block.curves.shape).all(axis=0))


def portions(block: Block, good: NDArray[np.bool_]) -> Iterator[tuple[NDArray[np.intp], Array]]:
    """Yield some good pixels at a time: which they are, and their curves (positions, pixels)."""
    curves, where = block.curves, np.flatnonzero(good)
    step = max(1, _AT_ONCE // max(len(curves), 1))
    for start in range(0, len(where), step):
        some = where[start : start + step]
        whole = int(some[-1]) - int(some[0]) + 1 == len(some)
        part = curves[:, int(some[0]) : int(some[-1]) + 1] if whole else curves[:, some]
        yield some, part.astype(np.float64)


def gather(block: Block, sampling: Sampling, basis: Array | None, *, centered: bool) -> Arrays:
    """Return the sums of a block, and the curves of it that are kept.

    Parameters
    ----------
    block : Block
        With whole curves.
    sampling : Sampling
        Which curves are kept.
    basis : ndarray, shape (positions, directions), or None
        In what directions products are taken; None if in all.
    centered : bool
        Whether each pixel's own mean is taken off first.

    Returns
    -------
    dict
        ``count`` of pixels, ``total`` of their curves, sum of ``squares``, ``gram``: sum of
        x xᵀ in the basis; and of the ``pixel`` chosen the curves, in ``sample``, as they came.

    """
    good, positions = good_pixels(block), len(block.curves)
    width = positions if basis is None else basis.shape[1]
    total, squares, gram = np.zeros(positions), 0.0, np.zeros((width, width))
    for _, curves in portions(block, good):
        if centered:
            curves -= curves.mean(axis=0)
        total += curves.sum(axis=1)
        squares += float(np.vdot(curves, curves))
        seen = curves if basis is None else basis.T @ curves
        gram += seen @ seen.T
    state = _counted(good, total) | {"squares": np.array(squares), "gram": gram}
    return state if sampling.share == 0 else state | _kept(block, good, sampling)


def sketch(block: Block, seed: int, *, centered: bool) -> Arrays:
    """Return the products of G = Σ x xᵀ of a block with random vectors.

    They span the directions in which G is largest (Halko, Martinsson and Tropp 2011, section 4),
    and add up.
    """
    good, positions = good_pixels(block), len(block.curves)
    vectors = np.random.default_rng(seed).standard_normal((positions, DIRECTIONS))
    total, found = np.zeros(positions), np.zeros(vectors.shape)
    for _, curves in portions(block, good):
        if centered:
            curves -= curves.mean(axis=0)
        total += curves.sum(axis=1)
        found += curves @ (curves.T @ vectors)
    return _counted(good, total) | {"sketch": found}


def added(first: Arrays, second: Arrays) -> Arrays:
    """Add up the sums of two parts, and put their curves one after the other."""
    sums = {name: first[name] + second[name] for name in _SUMS if name in first}
    rows = {name: np.concatenate([first[name], second[name]]) for name in _ROWS if name in first}
    return sums | rows


def directions(state: Arrays) -> Array:
    """Return orthonormal directions that span a sketch and the mean: the basis."""
    both = np.column_stack([state["sketch"], state["total"]])
    norms = np.linalg.norm(both, axis=0)
    return np.asarray(np.linalg.qr(both / np.where(norms > 0, norms, 1))[0])


def _counted(good: NDArray[np.bool_], total: Array) -> dict[str, NDArray[Any]]:
    return {"count": np.array(np.count_nonzero(good), np.int64), "total": total}


def _kept(block: Block, good: NDArray[np.bool_], sampling: Sampling) -> dict[str, NDArray[Any]]:
    numbers = sampling.numbers(block)
    chosen = good & sampling.chosen(numbers)
    curves = block.curves if chosen.all() else block.curves[:, chosen]
    return {"sample": np.ascontiguousarray(curves.T), "pixel": numbers[chosen]}


def _mixed(numbers: NDArray[np.uint64], seed: int) -> Array:
    """Return a number between 0 and 1 for each, as good as random (splitmix64, Steele 2014)."""
    step = np.array([0x9E3779B97F4A7C15], np.uint64)
    mixed = (numbers + np.array([seed], np.uint64) * step + 1) * step
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.array([factor], np.uint64)
    return (mixed ^ (mixed >> np.uint64(31))) / math.ldexp(1, 64)
