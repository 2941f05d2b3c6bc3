"""Values on their way through a chain of corrections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Selection


@dataclass(frozen=True, eq=False)
class Frames:
    """A region of a scan: values, and, where they are wanted, variances and masks.

    Attributes
    ----------
    data : ndarray
        The values; a correction may change them in place, since nobody else has them.
    region : tuple of slice
        Which part of the scan this is, one slice for each dimension.
    scan_rank : int
        How many dimensions are the scan's.
    variance : ndarray of float32, or None
        Variance of each value, if it is wanted.
    valid : ndarray of bool, or None
        False where a value is masked or missing, of the shape of ``data``; None where
        everything is valid, or nobody wants to know.

    """

    data: NDArray[Any]
    region: Selection
    scan_rank: int
    variance: NDArray[Any] | None = None
    valid: NDArray[Any] | None = None
