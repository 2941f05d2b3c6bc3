"""What shift detection keeps of frames until all of them are there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.corrections import join

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process import Block

MOST_PIXELS = 512
"""Of a side of a frame."""
MOST_BYTES = 128 * 2**20
"""Of all frames, as 32-bit floats."""


def binning(frame: tuple[int, ...], count: int) -> int:
    """Return how many pixels to average so that frames are small enough.

    >>> binning((512, 512), 41), binning((2048, 2048), 41), binning((2048, 2048), 10_000)
    (1, 4, 36)
    """
    by_side = -(-max(frame) // MOST_PIXELS)
    by_bytes = math.ceil(math.sqrt(4 * count * math.prod(frame) / MOST_BYTES))
    return max(1, min(max(by_side, by_bytes), min(frame) // 32))


def averaged(frames: NDArray[Any], valid: NDArray[np.bool_] | None, factor: int) -> NDArray[Any]:
    """Return frames of bins of factor × factor pixels, NaN where none is valid.

    Whole numbers that are all valid stay what they are if nothing is averaged.
    """
    if valid is not None and not valid.all():
        frames = np.where(valid, frames, np.float32(np.nan))
    if factor == 1:
        return np.array(frames, np.float32) if frames.dtype.kind == "f" else np.array(frames)
    count, height, width = frames.shape
    made = np.empty((count, height // factor, width // factor), np.float32)
    join(np.ascontiguousarray(frames), factor, factor, 1.0, made)
    return made


def places(block: Block, along: int | None, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return for each frame of a block which shift it belongs to."""
    index = np.indices(block.scan_shape).reshape(len(block.scan_shape), -1)
    start = np.array([part.start for part in block.selection[: block.scan_rank]], np.int64)
    index = index + start[:, None]
    if along is not None:
        return np.asarray(index[along], np.int64)
    if not shape:
        return np.zeros(1, np.int64)
    return np.asarray(np.ravel_multi_index(tuple(index), shape), np.int64)


def added(
    first: Mapping[str, NDArray[Any]], second: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Add up frames that belong to the same shift."""
    parts = [part for part in (first, second) if part]
    all_places = np.concatenate([part["place"] for part in parts])
    place = np.unique(all_places)
    made = np.zeros((len(place), *parts[0]["frames"].shape[1:]), np.float32)
    for part in parts:
        for where, frame in zip(np.searchsorted(place, part["place"]), part["frames"], strict=True):
            made[where] += frame
    return {"frames": made, "place": place}


def light(frame: NDArray[Any]) -> float:
    """Return the mean of what is there of a frame, 0 if nothing is."""
    value = float(np.nanmean(frame)) if frame.dtype.kind != "f" or not np.isnan(frame).all() else 0
    return value if math.isfinite(value) else 0.0
