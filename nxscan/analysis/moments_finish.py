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
    moments,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from nxscan.analysis.moments_plan import Along, Curves

    Arrays = dict[str, NDArray[Any]]

FWHM = 2.3548200450309493
"""Full width at half maximum of a Gaussian of standard deviation 1: sqrt(8 ln 2)."""
OK, WEAK, EDGE, SATURATED, MASKED = range(5)
"""What `status` says of a pixel."""
STATUS = "status: 0 ok, 1 weak, 2 highest at the scan's edge, 3 saturated, 4 masked"
"""The same for people."""
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

    def __call__(self, state: Mapping[str, NDArray[Any]]) -> Arrays:
        """Return the maps of the pixels that the sums belong to, each in one dimension."""
        sums, weights = state["sums"], state["weights"]
        background = self._background(state)
        variances, noise = sums, self.noise
        if "variances" in state:
            variances, noise = state["variances"], (1.0, 0.0)
        maps: Arrays = {}
        out = np.empty((OUTCOMES, sums.shape[1]))
        for along in self.curves.along:
            edge = np.zeros(5)
            if self.background == "edges":
                edge = along.edge_means
            moments(
                sums,
                weights,
                variances,
                along.linear,
                along.squared,
                noise,
                background,
                edge,
                out,
            )
            maps |= self._maps(along, out)
        maps["intensity"] = out[INTENSITY].astype(np.float32)
        maps["intensity_errors"] = out[INTENSITY + _ERRORS].astype(np.float32)
        maps["status"] = self._status(state, out)
        return maps

    def suffix(self, along: Along) -> str:
        """Return what the names of an axis' outputs end with."""
        return f"_{along.axis.name}" if len(self.curves.along) > 1 else ""

    def _background(self, state: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Return the background, its variance, and that of one of the values it is made of."""
        found = np.zeros((3, state["sums"].shape[1]))
        if self.background == "edges":
            count = np.maximum(state["weights"][self.curves.edge_row], 0.5)
            found[0] = state["sums"][self.curves.edge_row] / count
            found[2] = self._variance(state, found[0], self.curves.edge_row)
            found[1] = found[2] / count
            if count.min() < 1:
                found[:, np.broadcast_to(count < 1, found.shape[1:])] = np.nan
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

    def _maps(self, along: Along, out: NDArray[np.float64]) -> Arrays:
        after, scale = self.suffix(along), along.scale
        maps: Arrays = {
            f"center{after}": along.origin + scale * out[CENTER],
            f"center{after}_errors": scale * out[CENTER + _ERRORS],
        }
        for name, row, factor in (
            ("std", STD, scale),
            ("fwhm", STD, FWHM * scale),
            ("skewness", SKEWNESS, 1.0),
            ("kurtosis", KURTOSIS, 1.0),
        ):
            maps[f"{name}{after}"] = (factor * out[row]).astype(np.float32)
            maps[f"{name}{after}_errors"] = (factor * out[row + _ERRORS]).astype(np.float32)
        return maps

    def _status(
        self, state: Mapping[str, NDArray[Any]], out: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        inside, edge = state["high"]
        intensity, error = out[INTENSITY], out[INTENSITY + _ERRORS]
        status = np.where(edge > inside, np.uint8(EDGE), np.uint8(OK))
        status[~(intensity > self.threshold * error)] = WEAK
        if self.saturation is not None:
            status[np.maximum(inside, edge) >= self.saturation] = SATURATED
        status[np.broadcast_to(state["weights"][0] == 0, status.shape)] = MASKED
        return status
