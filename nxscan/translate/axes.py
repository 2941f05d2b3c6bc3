"""Find the axes of a scan in what each motor was read at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nxscan.translate.report import Problem

    Kind = Literal["motor", "repeat", "frame", "position"]


@dataclass(frozen=True, eq=False)
class Dimension:
    """One dimension of a scan that was recognized.

    Attributes
    ----------
    name : str
        The motor that names it, or ``repeat``, ``frame`` (no motor moved) or ``position``
        (a list of positions).
    size : int
        Its length.
    motors : dict of str to ndarray, shape (size,)
        Every motor that moves along it with its values there: the grid's for a grid, the
        readings for a list. The naming motor is first; empty for ``repeat`` and ``frame``.
    kind : {"motor", "repeat", "frame", "position"}
        What it is.
    zigzag : bool
        Every other row was taken backwards.

    """

    name: str
    size: int
    motors: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    kind: Kind = "motor"
    zigzag: bool = False


@dataclass(frozen=True, eq=False)
class AxesFound:
    """The axes that were found, with the evidence.

    Attributes
    ----------
    dimensions : tuple of Dimension
        Slow to fast; empty for a single frame.
    order : ndarray of int, shape (frames,)
        Stored position k (in C order over the dimensions) holds acquired frame ``order[k]``.
    evidence : tuple of str
        One sentence for each thing that was seen, for ``nxscan inspect``.
    problems : tuple of Problem
        What does not fit: an aborted row, candidates between which nothing decides.

    """

    dimensions: tuple[Dimension, ...]
    order: NDArray[np.intp]
    evidence: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions, slow to fast."""
        return tuple(dimension.size for dimension in self.dimensions)


def find_axes(
    motors: Mapping[str, NDArray[np.float64]],
    frames: int,
    *,
    override: Mapping[str, int] | None = None,
) -> AxesFound:
    """Find the scan's axes in the motors' readings, one number a frame in acquisition order."""
    raise NotImplementedError
