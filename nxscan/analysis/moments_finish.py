"""From sums to maps: moments, their errors and the status of every pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.kernels.central import (
    CENTER,
    INTENSITY,
    KURTOSIS,
    OUTCOMES,
    SKEWNESS,
    STD,
    judge,
    moments,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nxscan.analysis.moments_plan import Along, Curves

    Arrays = dict[str, NDArray[Any]]

FWHM = 2.3548200450309493
"""Full width at half maximum of a Gaussian of standard deviation 1: sqrt(8 ln 2)."""
STATUS = "status: 0 ok, 1 weak, 2 highest at the scan's edge, 3 saturated, 4 masked"
"""What the numbers of `judge` mean, for people."""
_ERRORS = 5


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

    @np.errstate(over="ignore")
    def __call__(self, state: Mapping[str, NDArray[Any]], maps: Arrays, part: slice) -> None:
        """Fill in a part of the maps, from the sums of its pixels."""
        sums, weights = state["sums"], state["weights"]
        background = self._background(state)
        variances, noise = sums, self.noise
        if "variances" in state:
            variances, noise = state["variances"], (1.0, 0.0)
        out = np.empty((OUTCOMES, sums.shape[1]))
        for along in self.curves.along:
            moments(
                sums,
                weights,
                variances,
                along.linear,
                along.squared,
                along.edge,
                noise,
                background,
                out,
            )
            self._fill(maps, part, along, out)
        _fill(maps, "intensity", part, out, INTENSITY)
        known = np.empty(0)
        if "variances" in state:
            known = self._variance(state, None, self.curves.along[0].squared[0])
        judge(
            state["high"],
            weights[0],
            out,
            background,
            known,
            self.noise,
            self.threshold,
            np.inf if self.saturation is None else self.saturation,
            maps["status"][part],
        )

    def empty(self, pixels: int) -> Arrays:
        """Return maps to fill in."""
        names = ["intensity"]
        for along in self.curves.along:
            after = self.suffix(along)
            names += [name + after for name in ("center", "std", "fwhm", "skewness", "kurtosis")]
        maps: Arrays = {}
        for name in names:
            kind = np.float64 if name.startswith("center") else np.float32
            maps[name] = np.empty(pixels, kind)
            maps[f"{name}_errors"] = np.empty(pixels, kind)
        return maps | {"status": np.empty(pixels, np.uint8)}

    def suffix(self, along: Along) -> str:
        """Return what the names of an axis' outputs end with."""
        return f"_{along.axis.name}" if len(self.curves.along) > 1 else ""

    def _background(self, state: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Return the background, its variance, and 1 / the number of values it is made of."""
        found = np.zeros((3, state["sums"].shape[1]))
        row = self.curves.edge_row
        if self.background == "edges":
            count = state["weights"][row]
            share = np.divide(1.0, count, out=np.full(count.shape, np.nan), where=count > 0)
            found[2] = share
            found[0] = state["sums"][row] * share
            found[1] = self._variance(state, found[0], row) * share
        elif self.background == "min":
            found[0] = state["low"]
            found[1] = self._variance(state, found[0], self.curves.along[0].squared[0])
        elif self.background == "dark":
            found[:2] = state["dark"]
        return found

    def _variance(self, state: Mapping[str, NDArray[Any]], values: Any, row: int) -> Any:
        """Return the variance of a value: as it was propagated, else as the model says."""
        if "variances" in state:
            return state["variances"][row] / np.maximum(state["weights"][row], 0.5)
        return np.maximum(self.noise[0] * values + self.noise[1], 0)

    def _fill(self, maps: Arrays, part: slice, along: Along, out: NDArray[np.float64]) -> None:
        after, scale = self.suffix(along), along.scale
        _fill(maps, f"center{after}", part, out, CENTER, scale)
        maps[f"center{after}"][part] += along.origin
        _fill(maps, f"std{after}", part, out, STD, scale)
        _fill(maps, f"fwhm{after}", part, out, STD, FWHM * scale)
        _fill(maps, f"skewness{after}", part, out, SKEWNESS)
        _fill(maps, f"kurtosis{after}", part, out, KURTOSIS)


def _fill(
    maps: Arrays,
    name: str,
    part: slice,
    out: NDArray[np.float64],
    row: int,
    factor: float = 1.0,
) -> None:
    """Fill in a part of a map and of its errors."""
    for target, values in ((maps[name], out[row]), (maps[f"{name}_errors"], out[row + _ERRORS])):
        np.multiply(values, factor, out=target[part], casting="same_kind")
