"""The cells of a reciprocal-space map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.analysis.reciprocal_plan import COMPONENTS
from nxscan.errors import ProcessError
from nxscan.model import Axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.reciprocal_plan import Positions

    Array = NDArray[np.float64]

_ROOM = 1e-6
"""By what part of its extent a grid is larger than what is in it, so that its ends are inside."""
_MOST_CELLS = 2**27


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells along par, roll and rock, slow to fast.

    Attributes
    ----------
    rows : ndarray of int64, shape (3,)
        Which component each dimension is: 2, 1, 0.
    low, step : ndarray, shape (3,)
        Where it begins, and the size of its cells.
    shape : tuple of int
        Cells.
    keep : tuple of int
        Dimensions that the map keeps.

    """

    rows: NDArray[np.int64]
    low: Array
    step: Array
    shape: tuple[int, int, int]
    keep: tuple[int, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Centers of the cells along the dimensions that are kept."""
        return tuple(self._axis(k) for k in self.keep)

    def kept(self, cells: NDArray[Any]) -> NDArray[Any]:
        """Add up what is not kept."""
        gone = tuple(k for k in range(3) if k not in self.keep)
        return np.asarray(cells.sum(axis=gone))

    def _axis(self, k: int) -> Axis:
        name = COMPONENTS[self.rows[k]]
        centers = self.low[k] + (np.arange(self.shape[k]) + 0.5) * self.step[k]
        return Axis(f"q_{name}", centers, "", f"q {name}")


def make_grid(
    where: Positions, vectors: Array, bins: Sequence[int], components: Sequence[str]
) -> Grid:
    """Return a grid that holds what a scan sees.

    Parameters
    ----------
    where : Positions
        All positions of the scan.
    vectors : ndarray, shape (3, n)
        Scattering vectors of some pixels, those at the edges among them.
    bins : sequence of int
        Cells along rock, roll and par.
    components : sequence of str
        Which are kept; none for those with extent.

    Raises
    ------
    ProcessError
        If fewer than two would be kept, or there are too many cells.

    """
    seen = np.einsum("nij,jp->nip", where.turns, vectors) * where.lengths[:, None, None]
    seen[:, 2] -= 1
    low, high = seen.min(axis=(0, 2)), seen.max(axis=(0, 2))
    wide = high - low > 1e-12
    cells = np.where(wide | (np.asarray(bins) == 1), bins, 1)
    kept = list(components) or [n for n, count in zip(COMPONENTS, cells, strict=True) if count > 1]
    _check(kept, cells)
    inside = vectors.shape[1] == 1
    # positions of motors are at the middle of cells, pixels anywhere
    step = np.where(wide, (high - low) / np.maximum(cells - inside, 1), 1e-6)
    room = 0.5 * step if inside else _ROOM * (high - low)
    low = np.where(wide, low - room, low - 0.5 * step)
    step = np.where(wide & ~np.bool_(inside), step * (1 + 2 * _ROOM), step)
    rows = np.array([2, 1, 0])
    keep = tuple(k for k, row in enumerate(rows) if COMPONENTS[row] in kept)
    # what is not kept is one cell that holds all
    for row in range(3):
        if COMPONENTS[row] not in kept and wide[row]:
            step[row] = (high[row] - low[row]) * (1 + _ROOM) + step[row]
            cells[row] = 1
    shape = tuple(int(cells[row]) for row in rows)
    return Grid(rows, low[rows], step[rows], (shape[0], shape[1], shape[2]), keep)


def _check(kept: Sequence[str], cells: NDArray[np.int64]) -> None:
    if len(set(kept)) < 2:
        raise ProcessError(
            f"reciprocal_space: the scan extends along {', '.join(kept) or 'nothing'} alone, which "
            "is no map",
            "name two of rock, roll, par: components=rock,par",
        )
    if int(np.prod(cells)) > _MOST_CELLS:
        raise ProcessError(
            f"reciprocal_space: {' × '.join(map(str, cells))} cells are too many", "set fewer bins"
        )
