"""Whether sources and tiles make up a signal: types, shapes, numbers, gaps."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nxscan.hdf5.frames import Frames
    from nxscan.hdf5.virtual import Tile


def common_dtype(sources: Sequence[Frames], wanted: np.dtype[Any] | None) -> np.dtype[Any]:
    """Return a type that holds the values of all sources without loss.

    Parameters
    ----------
    sources : sequence of Frames
        At least one.
    wanted : dtype or None
        The type that they shall have.

    Raises
    ------
    SourceError
        If there is none, or the one wanted is not; it names a file and both types.

    """
    if not sources:
        raise SourceError("there are no frames", "name a source that holds some")
    kinds = {source.dtype: source for source in reversed(sources)}
    try:
        dtype = np.result_type(*kinds) if wanted is None else np.dtype(wanted).newbyteorder("=")
    except TypeError:
        dtype = sources[0].dtype
    for kind, source in kinds.items():
        if not holds(dtype, kind):
            other = next((s.path for k, s in kinds.items() if k != kind), "the signal")
            others = ", ".join(str(k) for k in kinds if k != kind) or str(dtype)
            raise SourceError(
                f"{source.path}: values of {kind}, but those of {other} are {others}: "
                f"no type in common holds both",
                "frames of one scan have one type",
            )
    return dtype


def holds(wide: np.dtype[Any], narrow: np.dtype[Any]) -> bool:
    """Tell whether one type holds every value of another.

    Numpy takes float64 for a safe type of 64-bit integers, of which it holds those below 2⁵³.

    >>> holds(np.dtype("f4"), np.dtype("u2")), holds(np.dtype("f8"), np.dtype("u8"))
    (True, False)
    """
    if wide == narrow:
        return True
    if narrow.kind in "iu" and wide.kind in "fc":
        part = wide if wide.kind == "f" else np.empty((), wide).real.dtype
        bits = 8 * narrow.itemsize - (narrow.kind == "i")
        return bits <= int(np.finfo(part).nmant) + 1
    return np.can_cast(narrow, wide, "safe")


def check_tiles(
    sources: Sequence[Frames],
    tiles: Sequence[Tile],
    scan_shape: tuple[int, ...],
    frame_shape: tuple[int, ...],
) -> None:
    """Refuse tiles that do not fit their sources, the scan or the frame.

    Raises
    ------
    SourceError
        It names the file.

    """
    frames = math.prod(scan_shape)
    counts = np.array([source.count for source in sources], np.int64)
    for tile in tiles:
        if len(tile.source) != frames or len(tile.index) != frames:
            raise SourceError(
                f"{sources[0].path}: {len(tile.source)} frames, but the scan's shape {scan_shape} "
                f"has {frames} positions"
            )
        ends = zip(tile.corner, tile.shape, frame_shape, strict=True)
        if any(corner < 0 or corner + length > whole for corner, length, whole in ends):
            raise SourceError(
                f"{sources[0].path}: a tile of {tile.shape} at {tile.corner} is not inside a "
                f"frame of {frame_shape}"
            )
        known = tile.source >= 0
        source, index = tile.source[known], tile.index[known]
        if len(source) and int(source.max()) >= len(sources):
            raise SourceError(f"{sources[0].path}: a tile names a source that is not there")
        beyond = (index < 0) | (index >= counts[source])
        if beyond.any():
            k = int(np.flatnonzero(beyond)[0])
            one = sources[int(source[k])]
            raise SourceError(f"{one.path}: frame {int(index[k])} is asked for, of {one.count}")
        for number in np.unique(source).tolist():
            if sources[number].shape != tile.shape:
                raise SourceError(
                    f"{sources[number].path}: frames of {sources[number].shape}, "
                    f"expected {tile.shape}"
                )


def checked_gap(
    tiles: Sequence[Tile],
    frame_shape: tuple[int, ...],
    dtype: np.dtype[Any],
    gap: float | None,
) -> float | None:
    """Return the value of what no tile covers; None where all is covered.

    Raises
    ------
    SourceError
        If there is none, or the type does not hold it.

    """
    if covers(tiles, frame_shape):
        return None
    if gap is None:
        if dtype.kind in "fc":
            return float("nan")
        raise SourceError(
            f"the tiles do not cover a frame of {frame_shape}, and no {dtype} says that a value "
            "is missing",
            "say which value the gaps between them have",
        )
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        if gap != gap or gap != int(gap) or not info.min <= gap <= info.max:
            raise SourceError(f"{gap} for the gaps between tiles is no value of {dtype}")
    return gap


def covers(tiles: Sequence[Tile], frame_shape: tuple[int, ...]) -> bool:
    """Tell whether tiles cover a frame: in the grid of all their edges, every cell."""
    if any(tile.shape == tuple(frame_shape) for tile in tiles):
        return True
    edges = []
    for axis, length in enumerate(frame_shape):
        ends = itertools.chain.from_iterable(
            (tile.corner[axis], tile.corner[axis] + tile.shape[axis]) for tile in tiles
        )
        edges.append(np.unique(np.array([0, length, *ends], np.int64)))
    covered = np.zeros([len(edge) - 1 for edge in edges], np.bool_)
    for tile in tiles:
        box = tuple(
            slice(*np.searchsorted(edge, [corner, corner + length]).tolist())
            for edge, corner, length in zip(edges, tile.corner, tile.shape, strict=True)
        )
        covered[box] = True
    return bool(covered.all())
