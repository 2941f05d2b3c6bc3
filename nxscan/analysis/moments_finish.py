"""From sums to maps: moments, their errors and the status of every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.central import DARK, EDGES, MIN, NONE, Maps, Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.moments_plan import Along, Curves

    Arrays = dict[str, NDArray[Any]]

STATUS = "0 ok, 1 weak, 2 highest at the scan's edge, 3 saturated, 4 masked"
"""What the numbers of ``status`` mean, for people."""
SHAPES = ("std", "fwhm", "skewness", "kurtosis")
"""What each axis has besides its center, in the order of `Maps.others`."""
_BACKGROUNDS = {"none": NONE, "min": MIN, "edges": EDGES, "dark": DARK}
_ALIGNMENT = 64


@dataclass(frozen=True, eq=False)
class Finish:
    """How sums become maps.

    Attributes
    ----------
    curves : Curves
        What the sums are of.
    background : {"none", "min", "edges", "dark"}
        What is taken off.
    noise : tuple of float
        The variance of a value I is ``noise[0] * I + noise[1]``.
    threshold : float
        In standard deviations of the intensity, what is not weak.
    saturation : float or None
        From where on values are saturated.

    """

    curves: Curves
    background: str
    noise: tuple[float, float]
    threshold: float
    saturation: float | None

    @property
    def rule(self) -> Rule:
        """What the kernel is told."""
        along = self.curves.along
        return Rule(
            linear=np.array([axis.linear for axis in along], np.int64),
            squared=np.array([axis.squared for axis in along], np.int64),
            edge=np.array([axis.edge for axis in along], np.int64),
            edge_row=self.curves.edge_row,
            origin=np.array([axis.origin for axis in along], np.float64),
            scale=np.array([axis.scale for axis in along], np.float64),
            background=_BACKGROUNDS[self.background],
            slope=float(self.noise[0]),
            floor=float(self.noise[1]),
            threshold=float(self.threshold),
            saturation=np.inf if self.saturation is None else float(self.saturation),
        )

    def empty(self, pixels: int) -> Maps:
        """Return maps to fill in.

        They are one piece of memory: large pieces are given in large pages, which takes a
        fraction of the time of many small ones.
        """
        axes = len(self.curves.along)
        parts: list[tuple[tuple[int, ...], type]] = [
            ((2 * axes, pixels), np.float64),
            ((2 + 2 * len(SHAPES) * axes, pixels), np.float32),
            ((pixels,), np.uint8),
        ]
        sizes = [int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind in parts]
        starts = np.cumsum([0] + [size + -size % _ALIGNMENT for size in sizes])
        memory = np.empty(starts[-1], np.uint8)
        arrays: list[NDArray[Any]] = [
            memory[start : start + size].view(kind).reshape(shape)
            for start, size, (shape, kind) in zip(starts[:-1], sizes, parts, strict=True)
        ]
        return Maps(*arrays)

    def named(self, maps: Maps, tile: tuple[int, ...]) -> Arrays:
        """Return the maps by the names of the outputs."""
        found = {"intensity": maps.others[0], "intensity_errors": maps.others[1]}
        for k, along in enumerate(self.curves.along):
            after = self.suffix(along)
            found[f"center{after}"] = maps.centers[2 * k]
            found[f"center{after}_errors"] = maps.centers[2 * k + 1]
            for j, name in enumerate(SHAPES):
                row = 2 + 2 * (len(SHAPES) * k + j)
                found[name + after] = maps.others[row]
                found[f"{name}{after}_errors"] = maps.others[row + 1]
        found["status"] = maps.status
        return {name: values.reshape(tile) for name, values in found.items()}

    def suffix(self, along: Along) -> str:
        """Return what the names of an axis' outputs end with."""
        return f"_{along.axis.name}" if len(self.curves.along) > 1 else ""
