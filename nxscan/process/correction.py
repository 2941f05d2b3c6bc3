"""The contract of a correction: what blocks are read through, in one pass over the data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.process.parameters import Parametrized

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nxscan.model import Axis, Scan
    from nxscan.process.block import Selection
    from nxscan.process.frames import Frames


class Correction(Parametrized, ABC):
    """Something that is done to frames before a process sees them.

    Corrections are applied in the order given, to each block as it is read. Variances go
    through them, too. A subclass is found by its ``name`` (``-c dark``) through the
    entry-point group ``nxscan.corrections``.

    Attributes
    ----------
    name : str
        What it is called; by default the class' name in small letters.
    version : str
        Raise it when what comes out changes: earlier results are then not taken for these.
    Parameters : type of ProcessParameters
        What a user may set.

    """

    _kind = "correction"

    @property
    def needs(self) -> tuple[str, ...]:
        """Identities of the results that it takes values from; none by default."""
        return ()

    def located(self, master: Path) -> Correction:  # noqa: ARG002  (subclasses look into it)
        """Return the correction with what it takes from the master, results of its own scan.

        It is asked before `bind`; one that takes nothing returns itself.
        """
        return self

    @abstractmethod
    def bind(self, scan: Scan, layout: Layout) -> Bound:
        """Return the correction ready for one scan.

        Parameters
        ----------
        scan : Scan
            The scan as it is in the file: dark, flat, counters, metadata are there.
        layout : Layout
            Shape, type and axes of what comes in: corrections before this one may have
            changed them.

        Raises
        ------
        ProcessError
            If the scan has not what the correction needs.

        """


@dataclass(frozen=True, eq=False)
class Layout:
    """Shape, type and axes of a scan at one point of the chain.

    Attributes
    ----------
    shape : tuple of int
        All lengths, the scan's dimensions first.
    dtype : dtype
        Type of the values.
    scan_rank : int
        How many dimensions are the scan's.
    axes : dict of str to Axis
        The axes, as `Scan.axes`.
    edges : tuple of ndarray of int64
        For each dimension, where the stored chunks begin, 0 first and the length last:
        blocks that are cut there are read without decompressing anything twice.
    units : str or None
        Unit of the values.

    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scan_rank: int
    axes: dict[str, Axis]
    edges: tuple[NDArray[np.int64], ...]
    units: str | None = None

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Lengths of the detector's dimensions."""
        return self.shape[self.scan_rank :]


@dataclass(frozen=True, eq=False)
class Bound(ABC):
    """A correction that is ready for one scan. It can be pickled.

    Attributes
    ----------
    before : Layout
        What comes in.

    """

    before: Layout

    @property
    def after(self) -> Layout:
        """What comes out; the same shape and axes, if nothing else is said."""
        return self.before

    def source(self, region: Selection) -> Selection:
        """Return the region of what comes in that ``region`` of what comes out needs.

        A correction that looks at neighbours asks for its halo here.
        """
        return region

    @abstractmethod
    def apply(self, frames: Frames, region: Selection) -> Frames:
        """Return the corrected ``region``, given what `source` asked for.

        It must be a pure function of the frames: every worker calls it.
        """
