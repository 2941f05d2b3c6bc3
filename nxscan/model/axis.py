"""Axes: what was set or swept along each dimension of a scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nxscan.errors import NxscanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Role = Literal["scan", "integrated", "detector"]

EXACT = frozenset({"tag_number"})
"""Axes whose values name frames: one that is not there has no neighbor to stand for it."""


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a scan.

    Attributes
    ----------
    name : str
        Short name, valid in NeXus (``mu``).
    values : ndarray, shape (n,)
        Centers of the exposures or pixels along the dimension.
    units : str or None
        Unit of ``values``; ``""`` is dimensionless, ``None`` not known.
    long_name : str
        The name for people (``mu, base tilt``).
    role : {"scan", "integrated", "detector"}
        Scanned between frames, swept within each frame, or across the detector.
    dimension : int
        The dimension of the signal that this axis runs along. Motors that move together share
        one; the first of them in ``Scan.axes`` is the one that plots use.
    width : ndarray or None
        Extent of each exposure, in the same unit, where it is known.

    """

    name: str
    values: NDArray[np.float64]
    units: str | None = None
    long_name: str = ""
    role: Role = "scan"
    dimension: int = 0
    width: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def label(self) -> str:
        """Name and unit as a plot shows them."""
        name = self.long_name or self.name
        return f"{name} ({self.units})" if self.units else name

    def index(self, value: float) -> int:
        """Return the index whose value is nearest to ``value``.

        Raises
        ------
        NxscanError
            If ``value`` lies farther from every position than half a step, or is not there
            at all on an axis whose values name frames.

        """
        distance = np.abs(self.values - value)
        nearest = int(np.argmin(distance))
        steps = np.abs(np.diff(np.sort(self.values)))
        reach = 0.5 * float(steps.max()) if steps.size else abs(value) * 1e-6
        if self.name in EXACT:
            reach = 0.0
        if not distance[nearest] <= reach * (1 + 1e-9) + 1e-12:
            low, high = float(self.values.min()), float(self.values.max())
            raise NxscanError(
                f"{self.name}={value:.10g} is not in this scan, whose {self.name} goes from "
                f"{low:.10g} to {high:.10g} {self.units or ''}".rstrip()
            )
        return nearest
