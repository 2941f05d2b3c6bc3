"""The maps of a rocking-curve fit: their names, units and numbers, from the rows of its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.fit_report import peak_rows
from nxscan.kernels.lm_model import PSEUDO_VOIGT
from nxscan.model import Axis
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.rocking_curve_plan import Places
    from nxscan.kernels.fit import Task
    from nxscan.model import Scan

    Arrays = dict[str, NDArray[Any]]
    Floats = NDArray[np.float64]

STATUS = (
    "0 converged, 1 too weak, 2 a half of the peak's height lies outside the scan, 3 saturated "
    "(fitted to the other values), 4 masked, 5 a width at its bound, 6 did not converge, 7 fewer "
    "values than parameters; all but 0, 2 and 3 are NaN, and those too if the center lies outside "
    "the scan"
)
"""What the numbers of ``status`` mean, for people."""


@dataclass(frozen=True)
class Map:
    """One map, or one for each peak: ``scale`` times a row of the report plus ``origin``.

    Attributes
    ----------
    name, units, text
        What the output is called.
    row : int
        The row, of the first peak.
    each : bool
        Whether each peak has one.
    scale, origin : float
        From the numbers of the fit to those of the axis.
    errors : bool
        Whether it has errors.
    dtype : dtype
        Of the output.

    """

    name: str
    units: str | None
    text: str
    row: int
    each: bool = True
    scale: float = 1.0
    origin: float = 0.0
    errors: bool = True
    dtype: Any = np.float32


@dataclass(frozen=True)
class Maps:
    """All maps of a fit."""

    maps: tuple[Map, ...]
    peaks: int
    step: int

    def outputs(self, note: str) -> list[Output]:
        """Declare them, and the status."""
        found = [
            Output(
                one.name,
                one.units,
                dims=self._dims(one),
                dtype=one.dtype,
                default=one.name.startswith("center") and self._is_first(one),
                long_name=one.text,
                errors=one.errors,
                note=note,
            )
            for one in self.maps
        ]
        return [*found, Output("status", "", dtype=np.uint8, long_name="status", note=STATUS)]

    def empty(self, pixels: int) -> Arrays:
        """Return arrays to fill in."""
        found: Arrays = {"status": np.empty(pixels, np.uint8)}
        for one in self.maps:
            shape = (self.peaks, pixels) if self._is_stack(one) else (pixels,)
            for name in (one.name, f"{one.name}_errors") if one.errors else (one.name,):
                found[name] = np.empty(shape, one.dtype)
        return found

    def fill(self, found: Arrays, part: slice, values: Floats, errors: Floats) -> None:
        """Put the rows of a tile where they belong."""
        for one in self.maps:
            rows: Any = one.row
            if self._is_stack(one):
                rows = slice(one.row, one.row + self.step * self.peaks, self.step)
            found[one.name][..., part] = values[rows] * one.scale + one.origin
            if one.errors:
                found[f"{one.name}_errors"][..., part] = errors[rows] * abs(one.scale)

    def _is_stack(self, one: Map) -> bool:
        return one.each and self.peaks > 1

    def _is_first(self, one: Map) -> bool:
        return one is next(other for other in self.maps if other.name.startswith("center"))

    def _dims(self, one: Map) -> tuple[Any, ...]:
        if not self._is_stack(one):
            return (...,)
        return (Axis("peak", np.arange(1.0, self.peaks + 1), "", "peak, the largest first"), ...)


def find_maps(scan: Scan, places: Places, task: Task) -> Maps:
    """Return the maps of a fit of ``task`` to the curves of a scan."""
    counts, axes = scan.signal.units, places.axes
    dims, most = len(axes), task.peaks
    maps = [Map("amplitude", counts, "height of the peak", 0)]
    for j, axis in enumerate(axes):
        scale, origin, after = float(places.scale[j]), float(places.origin[j]), places.suffix(axis)
        text = f"center of the peak along {axis.name}"
        maps.append(
            Map(f"center{after}", axis.units, text, 1 + j, True, scale, origin, True, np.float64)
        )
        text = f"FWHM of the peak along {axis.name}"
        maps.append(Map(f"fwhm{after}", axis.units, text, 1 + dims + j, True, scale))
    row = 1 + 2 * dims
    for j in range(dims):
        for k in range(j):
            after = f"_{axes[k].name}_{axes[j].name}" if dims > 2 else ""
            text = f"correlation of {axes[k].name} and {axes[j].name}"
            maps.append(Map(f"correlation{after}", "", text, row))
            row += 1
    if task.kind == PSEUDO_VOIGT:
        maps.append(Map("eta", "", "Lorentzian part of the peak", row))
        row += 1
    size = float(np.prod(places.scale))
    units = _product(counts, [axis.units for axis in axes])
    maps.append(Map("intensity", units, "integral of the peak", row, True, size))
    row = peak_rows(task.kind, dims) * most
    maps.append(Map("background", counts, "background in the middle of the scan", row, False))
    if task.linear:
        for j, axis in enumerate(axes):
            name = f"background_slope{places.suffix(axis)}"
            text, scale = f"slope of the background along {axis.name}", 1 / float(places.scale[j])
            units = _quotient(counts, axis.units)
            maps.append(Map(name, units, text, row + 1 + j, False, scale))
        row += dims
    maps.append(Map("chi_square", "", "reduced chi-square", row + 1, False, errors=False))
    if most > 1:
        maps.append(Map("peaks", "", "number of peaks", row + 2, False, errors=False))
    return Maps(tuple(maps), most, peak_rows(task.kind, dims))


def _product(counts: str | None, others: list[str | None]) -> str | None:
    """Return the unit of an integral; None if one of them is not known.

    >>> _product("counts", ["degree", "degree"]), _product("", ["mm"]), _product(None, ["mm"])
    ('counts*degree^2', 'mm', None)
    """
    if counts is None or None in others:
        return None
    names = [name for name in (counts, *others) if name]
    powers = {name: names.count(name) for name in names}
    return "*".join(name if power == 1 else f"{name}^{power}" for name, power in powers.items())


def _quotient(counts: str | None, other: str | None) -> str | None:
    if counts is None or other is None:
        return None
    return f"{counts or 1}/{other}" if other else counts
