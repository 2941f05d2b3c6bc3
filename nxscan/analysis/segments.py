"""Grains: pixels that hang together without a step in orientation; and their mean orientations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from nxscan.analysis.tilts import TiltParameters, Tilts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Labels = NDArray[np.int32]


class GrainParameters(TiltParameters):
    """What a grain is."""

    threshold: float | None = Field(
        None,
        gt=0,
        description="Neighboring pixels that are misoriented by more belong to different grains, "
        "unless there is another way from one to the other. By default only gaps part grains.",
        json_schema_extra={"units": "degree"},
    )
    neighbors: Literal[4, 8] = Field(
        4, description="Whether pixels that share an edge are neighbors, or a corner, too (8)."
    )
    least: int = Field(1, ge=1, description="Pixels of the smallest grain; smaller ones are none.")


def segment(tilts: Tilts, threshold: float | None, neighbors: int = 4, least: int = 1) -> Labels:
    """Return the grain of every pixel: 1 is the largest, 0 is none.

    Parameters
    ----------
    tilts : Tilts
        How the lattice is tilted.
    threshold : float or None
        Largest misorientation of neighbors in one grain, degrees.
    neighbors : {4, 8}
        Which pixels are neighbors.
    least : int
        Pixels of the smallest grain.

    """
    shape = tilts.valid.shape
    number = np.arange(tilts.valid.size).reshape(shape)
    steps = [(0, 1), (1, 0), (1, 1), (1, -1)][: neighbors // 2]
    pairs = [_joined(tilts, threshold, step, number) for step in steps]
    first, second = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(first), bool), (first, second)), (number.size, number.size))
    _, components = connected_components(graph, directed=False)
    found = components.reshape(shape)
    sizes = np.bincount(found[tilts.valid], minlength=int(found.max()) + 1)
    # the largest first; of two of a size, the one that begins first
    order = np.lexsort((np.arange(len(sizes)), -sizes))
    labels = np.zeros(len(sizes), np.int32)
    labels[order] = np.arange(1, len(sizes) + 1)
    labels[sizes < least] = 0
    return np.where(tilts.valid, labels[found], 0).astype(np.int32)


def _joined(
    tilts: Tilts, threshold: float | None, step: tuple[int, int], number: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return pairs of pixels that lie a step apart and belong together."""
    rows, columns = step
    here = (
        slice(0, number.shape[0] - rows),
        slice(max(0, -columns), number.shape[1] - max(0, columns)),
    )
    there = slice(rows, None), slice(max(0, columns), number.shape[1] + min(0, columns))
    together = tilts.valid[here] & tilts.valid[there]
    if threshold is not None:
        part = Tilts(
            tilts.field[(..., *here)], tilts.angular, tilts.plane, tilts.variance, together
        )
        with np.errstate(invalid="ignore"):
            together = together & (part.distance(tilts.field[(..., *there)]) <= threshold)
    return np.stack([number[here][together], number[there][together]])


def grain_means(values: Array, labels: Labels) -> Array:
    """Return the mean over each grain at each of its pixels, NaN outside grains.

    Parameters
    ----------
    values : ndarray, shape (k, y, x)
        What is averaged.
    labels : ndarray of int, shape (y, x)
        The grain of each pixel.

    """
    counts = np.bincount(labels.ravel())
    inside = labels > 0
    found = np.full(values.shape, np.nan)
    for k, each in enumerate(values):
        sums = np.bincount(labels[inside], each[inside], minlength=len(counts))
        found[k][inside] = (sums / np.maximum(counts, 1))[labels[inside]]
    return found


def mean_tilts(tilts: Tilts, labels: Labels) -> Array:
    """Return the mean orientation of each grain at each of its pixels, as `Tilts.field` has it."""
    means = grain_means(tilts.field, labels)
    if tilts.angular:
        means = means / np.sqrt((means**2).sum(axis=0))
    return means
