"""How fast the lattice's orientation changes across a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.tilts import TiltProcess

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays
    from nxscan.process.output import Output

    Array = NDArray[np.float64]


class OrientationGradient(TiltProcess):
    """Gradient of the orientation: how fast the lattice turns across the sample, degree / µm.

    ``orientation_gradient`` = √(Σ (∂t/∂x)² + (∂t/∂y)²) over the tilts t, √(|∇µ|² + |∇χ|²) where χ's
    axis is perpendicular to Q, else with the unit scattering vector for t. ``gradient_mu_y`` and so
    on are the derivatives of each center, with their signs, along the sample's own axes.

    Derivatives are differences of the two neighbors in a row or column; beside a gap or at the
    edge, of the pixel and its one neighbor; NaN where there is none. Where magnification or size
    of pixels are not known, they are per pixel.

    """

    bytes_per_value = 350

    def outputs(self, scan: Scan) -> list[Output]:
        """Declare the maps."""
        self.prepare_tilts(scan)
        units = "degree/um" if self._space.optics is not None else "degree/pixel"
        found = [
            self.map_output(
                "orientation_gradient",
                units,
                "orientation gradient",
                default=True,
                note=self.how,
            )
        ]
        found += [
            self.map_output(f"gradient_{name}_{axis}", units, f"d {name} / d {axis}")
            for name in self._motors
            for axis in "yx"
        ]
        return [*found, self.status_output()]

    def compute(self, block: Block) -> Arrays:
        """Return the maps."""
        tilts, status = self.tilts(block), self.status(block)
        steps = [float(np.mean(np.diff(axis.values))) for axis in (self._space.y, self._space.x)]
        scale = np.degrees(1.0) if tilts.angular else 1.0
        slopes = [
            [scale * slope(part, step, k)[0] for k, step in enumerate(steps)]
            for part in tilts.field
        ]
        norm = np.sqrt(np.sum(np.square(slopes), axis=(0, 1)))
        plane = [
            [slope(part, step, k, spread) for k, step in enumerate(steps)]
            for part, spread in zip(tilts.plane, tilts.variance, strict=True)
        ]
        found = {
            "orientation_gradient": norm,
            "orientation_gradient_errors": _error_of_norm(plane),
            "status": status,
        }
        for each in self.maps(block):
            for k, name in enumerate("yx"):
                value, spread = slope(each.values, steps[k], k, each.errors**2)
                label = f"gradient_{each.motor}_{name}"
                found |= {label: value, f"{label}_errors": np.sqrt(spread)}
        return found


def slope(
    values: Array, step: float, axis: int, variance: Array | None = None
) -> tuple[Array, Array]:
    """Return the derivative along an axis, and its variance.

    Parameters
    ----------
    values : ndarray, shape (y, x)
        Values; NaN where there is none.
    step : float
        From one pixel to the next, with its sign.
    axis : {0, 1}
        Along rows' numbers or columns'.
    variance : ndarray, optional
        Variances of the values.

    """
    spread = np.full(values.shape, np.nan) if variance is None else variance
    before, after = _moved(values, axis, -1), _moved(values, axis, 1)
    low = np.where(np.isfinite(before), before, values)
    high = np.where(np.isfinite(after), after, values)
    length = np.isfinite(before).astype(float) + np.isfinite(after)
    length = np.where(np.isfinite(values) & (length > 0), length * step, np.nan)
    noise = np.where(np.isfinite(before), _moved(spread, axis, -1), spread)
    noise = noise + np.where(np.isfinite(after), _moved(spread, axis, 1), spread)
    return (high - low) / length, noise / length**2


def _moved(values: Array, axis: int, by: int) -> Array:
    """Return each pixel's neighbor, NaN beyond the edge."""
    found = np.full(values.shape, np.nan)
    here: list[slice] = [slice(None), slice(None)]
    there: list[slice] = [slice(None), slice(None)]
    here[axis] = slice(None, -1) if by > 0 else slice(1, None)
    there[axis] = slice(1, None) if by > 0 else slice(None, -1)
    found[tuple(here)] = values[tuple(there)]
    return found


def _error_of_norm(slopes: list[list[tuple[Array, Array]]]) -> Array:
    """Return the error of √Σ s², from those of the slopes, to first order."""
    values = np.array([[value for value, _ in row] for row in slopes])
    noise = np.array([[spread for _, spread in row] for row in slopes])
    square = (values**2).sum(axis=(0, 1))
    flat = noise.mean(axis=(0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (values**2 * noise).sum(axis=(0, 1)) / square
    return np.asarray(np.sqrt(np.where(square > 0, found, flat)))
