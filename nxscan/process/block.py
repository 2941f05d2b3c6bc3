"""A part of a scan, as a process sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Selection = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Block:
    """A part of a scan: dimensions of the scan first, slow to fast, those of the detector last.

    Attributes
    ----------
    data : ndarray
        The values, read through the corrections. Per pixel, the scan's dimensions are whole
        (unless the process is a reduction) and the detector's a tile; per position, the
        detector's are whole and the positions a part.
    selection : tuple of slice
        Where the block stands in the scan, one slice for each dimension of ``data``.
    scan_rank : int
        How many of the dimensions are the scan's.
    axes : mapping of str to ndarray
        Values of every axis along the block. A motor that was read at each position is there
        as it was set; ``readings`` has what was read.
    counters, readings : mapping of str to ndarray
        Per-position values of the block's positions, in the shape of its scan dimensions.
    valid : ndarray of bool, or None
        False where a value is masked or missing; of the shape of ``data`` or such that it
        broadcasts to it. Only for a process with ``wants_valid``.
    variance : ndarray of float32, or None
        Variance of each value. Only for a process with ``wants_variance``.
    required : mapping of str to mapping of str to ndarray
        For each process in ``requires``, its outputs, the block's part of them.
    previous : mapping of str to ndarray
        What ``finish`` gave after the pass before; empty in the first.
    pass_index : int
        Which pass this is, from 0.

    """

    data: NDArray[Any]
    selection: Selection
    scan_rank: int
    axes: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    counters: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    readings: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    valid: NDArray[Any] | None = None
    variance: NDArray[Any] | None = None
    required: Mapping[str, Mapping[str, NDArray[Any]]] = field(default_factory=dict)
    previous: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    pass_index: int = 0

    @property
    def scan_shape(self) -> tuple[int, ...]:
        """Lengths of the block's scan dimensions."""
        return self.data.shape[: self.scan_rank]

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Lengths of the block's detector dimensions."""
        return self.data.shape[self.scan_rank :]

    @property
    def frames(self) -> NDArray[Any]:
        """The values with all positions in one dimension: (positions, y, x)."""
        return self.data.reshape(-1, *self.frame_shape)

    @property
    def curves(self) -> NDArray[Any]:
        """The values with all positions in one dimension and all pixels in another."""
        frames = self.frames
        return frames.reshape(len(frames), -1)

    def __repr__(self) -> str:
        where = ", ".join(f"{part.start}:{part.stop}" for part in self.selection)
        return f"<Block [{where}] {self.data.dtype}>"
