"""A scan: one measurement, with all that is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError
from nxscan.model.metadata import Field, Group
from nxscan.model.provenance import Provenance, RawMetadata

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model.axis import Axis
    from nxscan.model.signal import Signal
    from nxscan.model.usid import UsidFace


@dataclass(eq=False)
class Scan:
    """One measurement: its frames, the axes they were taken along, and their metadata.

    Attributes
    ----------
    title : str
        What a person would call it.
    signals : dict of str to Signal
        One per detector, the main one first. Scan dimensions come first, slow to fast.
    axes : dict of str to Axis
        Scan axes, then detector axes. The first axis of a dimension is the one plotted.
    counters : dict of str to Field
        Per-position readings (monitors, epochs, ``frame_number``), in the scan's shape.
    readings : dict of str to Field
        What each motor was read at, for every position, beside the grid in ``axes``.
    integrated : dict of str to Axis
        Motors that moved during every frame alike, and so are no axes: each an axis of role
        ``integrated`` and length 1, whose value is the middle and whose width the extent.
    mask : ndarray or None
        NXdetector's ``pixel_mask``: 0 is good.
    dark : Signal or None
        Dark frames, shape (n, y, x).
    flat : Signal or None
        Flat frames, shape (n, y, x).
    metadata : Group
        NeXus groups and fields of the entry.
    raw_metadata : RawMetadata
        Every header and key as found.
    provenance : Provenance
        Translator, mapping and sources.
    frame_checksums : ndarray of uint32, or None
        CRC-32 of each frame's little-endian bytes, in the scan's shape, once they are stored.
    usid : UsidFace or None
        What the USID dataset that the scan comes from said, to say it again word for word.

    """

    title: str
    signals: dict[str, Signal]
    axes: dict[str, Axis]
    counters: dict[str, Field] = field(default_factory=dict)
    readings: dict[str, Field] = field(default_factory=dict)
    integrated: dict[str, Axis] = field(default_factory=dict)
    mask: NDArray[Any] | None = None
    dark: Signal | None = None
    flat: Signal | None = None
    metadata: Group = field(default_factory=lambda: Group("NXentry"))
    raw_metadata: RawMetadata = field(default_factory=RawMetadata)
    provenance: Provenance = field(default_factory=Provenance)
    frame_checksums: NDArray[np.uint32] | None = None
    usid: UsidFace | None = None

    @property
    def signal(self) -> Signal:
        """The main signal."""
        return next(iter(self.signals.values()))

    @property
    def detector(self) -> str:
        """Name of the main signal's detector."""
        return next(iter(self.signals))

    @property
    def scan_shape(self) -> tuple[int, ...]:
        """Lengths of the scan's own dimensions, slow to fast; () for one frame."""
        dimensions = {axis.dimension for axis in self.axes.values() if axis.role != "detector"}
        return self.signal.shape[: len(dimensions)]

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Lengths of the detector's dimensions; () for a point detector."""
        return self.signal.shape[len(self.scan_shape) :]

    def main_axes(self) -> list[Axis]:
        """Return one axis for each dimension of the signal, the one that plots use."""
        found: dict[int, Axis] = {}
        for axis in self.axes.values():
            found.setdefault(axis.dimension, axis)
        return [found[dimension] for dimension in range(self.signal.ndim)]

    def axes_along(self, dimension: int) -> list[Axis]:
        """Return every axis of one dimension."""
        return [axis for axis in self.axes.values() if axis.dimension == dimension]

    def frame(self, **where: float) -> NDArray[Any]:
        """Return the frame nearest to the given motor values.

        Parameters
        ----------
        **where : float
            A value for a motor of each scan dimension (``mu=0.1, chi=0``); a dimension of
            length 1 may be left out.

        Raises
        ------
        NxscanError
            If a motor is not in the scan, a value is farther than half a step from every
            position, or a dimension is left open.

        """
        return self.signal.read(self.position(**where))

    def position(self, **where: float) -> tuple[int, ...]:
        """Return the index of the position nearest to the given motor values."""
        scan_axes = {name: axis for name, axis in self.axes.items() if axis.role == "scan"}
        for name in where:
            if name not in scan_axes:
                known = ", ".join(scan_axes) or "none"
                raise NxscanError(
                    f"{name!r} is no scan axis of {self.title!r}", f"there are: {known}"
                )
        return tuple(
            _index_along(
                [scan_axes[name] for name in scan_axes if scan_axes[name].dimension == k],
                length,
                where,
            )
            for k, length in enumerate(self.scan_shape)
        )

    def pixel(self, y: int, x: int) -> NDArray[Any]:
        """Return one pixel's values along the scan, in the scan's shape.

        Raises
        ------
        NxscanError
            If the pixel lies outside the frame or the scan has no 2-D frames.

        """
        if len(self.frame_shape) != 2:
            raise NxscanError(f"{self.title!r} has no 2-D frames, so no pixels")
        height, width = self.frame_shape
        if not (0 <= y < height and 0 <= x < width):
            raise NxscanError(f"pixel ({y}, {x}) is outside the frame of {height} × {width}")
        return self.signal.read((..., y, x))

    def to_xarray(self) -> Any:
        """Return the main signal as a lazy ``xarray.DataArray`` with its coordinates."""
        from nxscan.model.export import to_xarray

        return to_xarray(self)

    def to_sidpy(self) -> Any:
        """Return the main signal as a lazy ``sidpy.Dataset`` with its dimensions."""
        from nxscan.model.export import to_sidpy

        return to_sidpy(self)

    def __repr__(self) -> str:
        shape = " × ".join(str(n) for n in self.signal.shape)
        names = ", ".join(axis.name for axis in self.main_axes())
        return f"<Scan {self.title!r}: {self.detector} {shape} ({names}) {self.signal.dtype}>"


def _index_along(axes: list[Axis], length: int, where: dict[str, float]) -> int:
    given = [axis for axis in axes if axis.name in where]
    if not given:
        if length == 1:
            return 0
        names = " or ".join(axis.name for axis in axes)
        raise NxscanError(f"which of the {length} positions along {names}?", f"give {names}=value")
    if len(given) == 1:
        return given[0].index(where[given[0].name])
    spans = [float(np.ptp(axis.values)) or 1.0 for axis in given]
    distance = sum(
        ((axis.values - where[axis.name]) / span) ** 2
        for axis, span in zip(given, spans, strict=True)
    )
    nearest = int(np.argmin(distance))
    for axis in given:
        axis.index(where[axis.name])
    return nearest
