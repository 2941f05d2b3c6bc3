"""Maps of components: the values of every pixel, tile by tile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.components_gather import good_pixels, portions
from nxscan.analysis.components_nmf import coefficients

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.components_find import Found
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

    Array = NDArray[np.float64]

_SUMS = ("intensity", "light", "differences", "seen")
_MAPS = ("maps", "residual", "mean_map")


def maps_of(block: Block, found: Found, *, centered: bool) -> Arrays:
    """Return the maps of a block, NaN where a pixel is left out, and where it stands.

    Returns
    -------
    dict
        ``maps`` (k, pixels of the tile), ``residual``: root mean square of what is left of each
        curve, and ``mean_map`` where that was taken off; sums over the pixels of the ``maps``
        (``intensity``), of all values (``light``), and of the squares of what is left
        (``differences``) and of all values (``seen``); ``start`` of the tile.

    """
    count, pixels = found.curves.shape[1], block.curves.shape[1]
    maps = np.full((count, pixels), np.nan, np.float32)
    residual, means = np.full((2, pixels), np.nan, np.float32)
    sums: dict[str, Any] = {"intensity": np.zeros(count), "light": 0.0}
    sums |= {"differences": 0.0, "seen": 0.0}
    for where, curves in portions(block, good_pixels(block)):
        sums["light"] += curves.sum()
        sums["seen"] += float(np.vdot(curves, curves))
        if centered:
            means[where] = mean = curves.mean(axis=0)
            curves -= mean
        curves -= found.mean[:, None]
        values = _values(curves, found)
        curves -= found.curves @ values
        left = np.einsum("ij,ij->j", curves, curves)
        maps[:, where], residual[where] = values, np.sqrt(left / len(curves))
        sums["intensity"] += values.sum(axis=1)
        sums["differences"] += left.sum()
    tile = block.frame_shape
    made = {"maps": maps.reshape(count, *tile), "residual": residual.reshape(tile)}
    if centered:
        made["mean_map"] = means.reshape(tile)
    start = np.array([part.start for part in block.selection[block.scan_rank :]], np.int64)
    return made | {name: np.asarray(value) for name, value in sums.items()} | {"start": start}


def joined(first: Arrays, second: Arrays) -> Arrays:
    """Put two tiles into the smallest box that holds both, and add up their sums."""
    start = np.minimum(first["start"], second["start"])
    ends = [part["start"] + part["residual"].shape for part in (first, second)]
    shape = tuple(int(length) for length in np.maximum(*ends) - start)
    made: dict[str, NDArray[Any]] = {"start": start}
    for name in _MAPS:
        if name not in first:
            continue
        own = first[name].shape[: first[name].ndim - len(shape)]
        made[name] = np.full((*own, *shape), np.nan, np.float32)
        for part in (first, second):
            box = tuple(
                slice(int(o), int(o) + n)
                for o, n in zip(part["start"] - start, part["residual"].shape, strict=True)
            )
            inside = made[name][(*(slice(None),) * len(own), *box)]
            np.copyto(inside, part[name], where=~np.isnan(part[name]))
    return made | {name: first[name] + second[name] for name in _SUMS}


def _values(curves: Array, found: Found) -> Array:
    if found.unmix.size:
        return np.asarray(found.unmix @ curves)
    return coefficients(curves.T, found.curves)[0].T
