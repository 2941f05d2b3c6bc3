"""Weak beam: what a pixel scatters outside its main peak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field, field_validator

from nxscan.analysis.moments_plan import chosen_axes, places_of
from nxscan.analysis.reduction import good_values
from nxscan.process.contract import Process
from nxscan.process.noise import Noise, NoiseParameters
from nxscan.process.output import Output

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Axis, Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays

    Floats = NDArray[np.float64]

STATUS = "0 ok, 1 weak, 4 masked"
_WEAK, _MASKED = 1, 4
_NEAR = 3.0
"""Values that are no more standard deviations from the median than this make the median."""


class WeakBeamParameters(NoiseParameters):
    """What counts as the main peak."""

    n: float = Field(
        1.0,
        gt=0,
        description="A value is of the main peak if it is more than this many standard deviations "
        "of its pixel's curve above the base.",
    )
    base: Literal["median", "zero"] = Field(
        "median",
        description="What values are counted from: the median of their pixel's curve, which is "
        "its background where the peak takes less than half of the scan, or zero, as in darfix: "
        "for values whose background has been taken off.",
    )
    axes: tuple[str, ...] = Field(
        (), description="Scan axes that have a center, by name; by default all that were scanned."
    )
    threshold: float = Field(
        5.0,
        ge=0,
        description="What is left is weak if it is not above this many of its standard deviations.",
    )

    @field_validator("axes", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(name.strip() for name in given.split(",") if name.strip())
        return tuple(given) if isinstance(given, Sequence) else given


class WeakBeam(Process):
    """Intensity and center of mass of every pixel's curve without its main peak.

    A value I is left out if I - b > n σ, where σ is the standard deviation of the pixel's curve
    over all positions (divided by their number) and b its median, or zero. The rest is weak
    beam: ``intensity`` is the sum of its I - b, ``center`` (``center_mu``, ``center_chi`` ... along
    several motors) their center of mass, and ``left_out`` the number of values left out. With
    ``base="zero"`` and ``n=1`` intensity and center are darfix's, which sets what is above n σ
    to zero; a background of more than n σ, which is common, leaves nothing then.

    ``status`` is 0 ok, 1 weak, 4 masked. Where the intensity is not positive, or the center would
    lie outside the scan, the center is NaN. Errors follow from the detector's noise to first
    order, that of the median included; that noise also decides whether a value next to the
    limit is left out is not in them.

    """

    name = "weak_beam"
    per = "pixel"
    wants_valid = True
    wants_variance = True
    bytes_per_value = 48
    Parameters = WeakBeamParameters

    _places: dict[str, Floats] = {}

    def noise(self, scan: Scan) -> Noise:
        """Return the noise model that the parameters say."""
        found: Noise = self.parameters.model(scan)
        return found

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the maps."""
        given = self.parameters
        axes = chosen_axes(scan, given.axes, self.name)
        names = {axis.name: _name(axis, axes) for axis in axes}
        self._places = {names[axis.name]: places_of(scan, axis) for axis in axes}
        note = f"without what is more than {given.n:g} standard deviations above the {given.base}"
        more: dict[str, Any] = {"errors": True, "note": note}
        centers = [
            Output(
                names[axis.name],
                axis.units,
                default=axis is axes[0],
                long_name=f"weak-beam center of mass of {axis.name}",
                **more,
            )
            for axis in axes
        ]
        return [
            Output("intensity", scan.signal.units, long_name="weak-beam intensity", **more),
            *centers,
            Output("left_out", "", dtype=np.int32, long_name="positions left out", note=note),
            Output("status", "", dtype=np.uint8, long_name="status", note=STATUS),
        ]

    def compute(self, block: Block) -> Arrays:
        """Return the maps of a block, which holds all positions."""
        good = good_values(block)
        values = block.curves.astype(np.float64)
        valid = np.ones(values.shape, bool) if good is None else good.reshape(values.shape)
        variance = np.zeros(values.shape)
        if block.variance is not None:
            variance = block.variance.reshape(values.shape).astype(np.float64)
        found = self._maps(values, valid, variance)
        return {name: array.reshape(block.frame_shape) for name, array in found.items()}

    def _maps(self, values: Floats, valid: NDArray[np.bool_], variance: Floats) -> dict[str, Any]:
        count = valid.sum(axis=0)
        values, variance = np.where(valid, values, 0.0), np.where(valid, variance, 0.0)
        base = np.zeros(values.shape[1])
        if self.parameters.base == "median":
            base = _median(values, valid, count)
        values -= np.where(valid, base, 0.0)
        strong = values > self.parameters.n * _std(values, valid, count)
        kept = valid & ~strong
        weights = np.where(kept, values, 0.0)
        noise = _Noise(kept, np.where(kept, variance, 0.0), weights, self.parameters.base)
        total = weights.sum(axis=0)
        errors = np.sqrt(noise.of_sum(np.ones_like(weights)))
        status = np.where(total > self.parameters.threshold * errors, 0, _WEAK)
        found = {
            "intensity": np.where(count > 0, total, np.nan),
            "intensity_errors": np.where(count > 0, errors, np.nan),
            "left_out": strong.sum(axis=0).astype(np.int32),
            "status": np.where(count > 0, status, _MASKED).astype(np.uint8),
        }
        for name, places in self._places.items():
            found[name], found[f"{name}_errors"] = _center(places, weights, total, noise)
        return found


def _name(axis: Axis, axes: Sequence[Axis]) -> str:
    return "center" if len(axes) == 1 else f"center_{axis.name}"


def _median(values: Floats, valid: NDArray[np.bool_], count: NDArray[Any]) -> Floats:
    """Return the median of what is valid of each curve, 0 of none."""
    if valid.all():
        return np.asarray(np.median(values, axis=0))
    ordered = np.sort(np.where(valid, values, np.inf), axis=0)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    columns = np.arange(values.shape[1])
    last = len(values) - 1
    middle = 0.5 * (ordered[low, columns] + ordered[np.minimum(high, last), columns])
    return np.where(count > 0, middle, 0.0)


def _std(values: Floats, valid: NDArray[np.bool_], count: NDArray[Any]) -> Floats:
    """Return the standard deviation of what is valid of each curve, divided by n."""
    number = np.maximum(count, 1)
    away = np.where(valid, values - values.sum(axis=0) / number, 0.0)
    return np.asarray(np.sqrt(np.square(away).sum(axis=0) / number))


def _center(places: Floats, weights: Floats, total: Floats, noise: _Noise) -> tuple[Floats, Floats]:
    """Return the centers of mass and their errors; NaN where there are none."""
    middle = 0.5 * (places.min() + places.max())
    x = places - middle
    divisor = np.where(total > 0, total, np.nan)
    center = x @ weights / divisor
    center[~(np.abs(center) <= np.abs(x).max())] = np.nan
    return center + middle, np.sqrt(noise.of_sum(x[:, np.newaxis] - center)) / divisor


class _Noise:
    """The variance of sums Σ l (I - b) over the values that were kept.

    The median b of n values of equal Gaussian noise v has the variance π v / 2n, and with each
    of them the covariance v / n, since b and their mean differ by what does not depend on the
    mean. Values that are far from it, on a peak, have no part in it.
    """

    def __init__(
        self, kept: NDArray[np.bool_], variance: Floats, values: Floats, base: str
    ) -> None:
        self._kept, self._variance = kept, variance
        self._near = kept & (np.square(values) <= _NEAR**2 * variance) & (base == "median")
        count = np.maximum(self._near.sum(axis=0), 1)
        self._of_mean = np.where(self._near, variance, 0.0).sum(axis=0) / count**2

    def of_sum(self, lever: Floats) -> Floats:
        """Return the variance of the sum with the factors l."""
        whole, near = (np.where(part, lever, 0.0).sum(axis=0) for part in (self._kept, self._near))
        own = (np.square(lever) * self._variance).sum(axis=0)
        common = (0.5 * np.pi * whole**2 - 2 * whole * near) * self._of_mean
        return np.asarray(np.maximum(own + common, 0.0))
