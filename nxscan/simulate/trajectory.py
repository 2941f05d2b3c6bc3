"""How motors move through a scan: grid, zigzag, repeats, jitter, an early end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.seeds import Purpose, generator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Where each motor was at each frame, in the order the frames were taken.

    Attributes
    ----------
    axes : dict of str to ndarray
        The values each motor was meant to take, slow to fast.
    shape : tuple of int
        Lengths of the axes, and of the repeats last where there are any.
    readings : dict of str to ndarray, shape (n,)
        What each motor's encoder said at each frame.
    index : ndarray of int, shape (n,)
        Where each frame belongs in the flat grid of ``shape``.

    """

    axes: dict[str, Array]
    shape: tuple[int, ...]
    readings: dict[str, Array]
    index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def declared(self) -> int:
        """Frames that a complete scan has."""
        return math.prod(self.shape)


def trajectory(
    motors: Mapping[str, ArrayLike],
    *,
    jitter: float = 0.0,
    zigzag: bool = False,
    backlash: float = 0.0,
    repeats: int = 1,
    frames: int | None = None,
    seed: int = 0,
) -> Trajectory:
    """Lay out a scan.

    Parameters
    ----------
    motors : mapping of str to array_like
        The values of each motor, the slowest motor first.
    jitter : float
        Standard deviation of the readings about their targets, in the motors' unit.
    zigzag : bool
        The fastest motor goes back and forth instead of returning to its start.
    backlash : float
        Added to the fastest motor's readings on rows that go backwards.
    repeats : int
        Frames taken at each position, one after the other.
    frames : int, optional
        How many frames were taken before the scan ended; all of them if not given.
    seed : int
        Same seed, same jitter.

    Raises
    ------
    NxscanError
        If there is no motor, an axis is not 1-D or empty, or a number makes no sense.

    Examples
    --------
    >>> path = trajectory({"chi": [0, 1], "mu": [5, 6, 7]}, zigzag=True)
    >>> path.readings["mu"].tolist(), path.index.tolist()
    ([5.0, 6.0, 7.0, 7.0, 6.0, 5.0], [0, 1, 2, 5, 4, 3])

    """
    axes = {name: _axis(name, values) for name, values in motors.items()}
    _check(axes, jitter, repeats)
    lengths = tuple(len(values) for values in axes.values())
    declared = math.prod(lengths) * repeats
    if frames is not None and not 1 <= frames <= declared:
        raise NxscanError(f"frames must be 1 to {declared}, as the scan has, but is {frames}")
    grid = np.arange(math.prod(lengths)).reshape(-1, lengths[-1])
    if zigzag:
        grid[1::2] = grid[1::2, ::-1].copy()
    index = (grid.ravel()[:, None] * repeats + np.arange(repeats)).ravel()[:frames]
    subscripts = np.unravel_index(index // repeats, lengths)
    rng = generator(seed, Purpose.MOTORS)
    readings = {
        name: axes[name][where] + jitter * rng.standard_normal(len(index))
        for name, where in zip(axes, subscripts, strict=True)
    }
    if zigzag:
        row = np.arange(len(index)) // (lengths[-1] * repeats)
        readings[list(axes)[-1]] += backlash * (row % 2)
    shape = lengths if repeats == 1 else (*lengths, repeats)
    return Trajectory(axes, shape, readings, index.astype(np.int64))


def _axis(name: str, values: ArrayLike) -> Array:
    axis = np.asarray(values, dtype=np.float64)
    if axis.ndim != 1 or not axis.size:
        raise NxscanError(f"motor {name!r} needs a list of values, but has shape {axis.shape}")
    return axis


def _check(axes: dict[str, Array], jitter: float, repeats: int) -> None:
    if not axes:
        raise NxscanError("a scan needs at least one motor, but none is given")
    if repeats < 1 or not jitter >= 0:
        raise NxscanError(
            f"repeats must be 1 or more and jitter 0 or more, but are {repeats} and {jitter}"
        )
