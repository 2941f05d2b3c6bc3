"""What an analysis of a simulated scan should find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.simulate.curves import area, volume

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nxscan.simulate.crystal import Crystal

    Map = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Truth:
    """What an analysis of the scan should find, all maps of shape (y, x).

    Attributes
    ----------
    center, fwhm : dict of str to ndarray
        Center and full width at half maximum for each motor, degrees; NaN outside the grain.
    correlation : ndarray or None
        ρ between the two motors; None where there is only one.
    amplitude, background : ndarray
        Height of the curve above the background, and the background, ADU at the first frame.
    intensity : ndarray
        Integral of the curve over the motors, ADU · degree, or ADU · degree² for two.
    grain : ndarray of bool
        Where there is crystal.
    hot : ndarray of bool
        The camera's hot pixels.

    """

    center: dict[str, Map]
    fwhm: dict[str, Map]
    correlation: Map | None
    amplitude: Map
    background: Map
    intensity: Map
    grain: NDArray[np.bool_]
    hot: NDArray[np.bool_]

    @classmethod
    def of(cls, made: Crystal, motors: Sequence[str], hot: NDArray[np.bool_]) -> Truth:
        """Collect what a scan of one or two motors shows of a crystal."""
        fwhm = {name: width_map(made, name) for name in motors}
        if len(motors) == 1:
            integral = area(made.amplitude, fwhm[motors[0]], made.lorentz)
        else:
            integral = volume(made.amplitude, fwhm["mu"], fwhm["chi"], made.correlation)
        return cls(
            center={name: center_map(made, name) for name in motors},
            fwhm=fwhm,
            correlation=made.correlation if len(motors) == 2 else None,
            amplitude=made.amplitude,
            background=made.background,
            intensity=np.where(made.grain, integral, 0).astype(np.float32),
            grain=made.grain,
            hot=hot,
        )


def center_map(made: Crystal, motor: str) -> Map:
    """Return where the rocking curves along a motor have their centers, degrees."""
    return made.mu if motor == "mu" else made.chi


def width_map(made: Crystal, motor: str) -> Map:
    """Return the full widths at half maximum along a motor, degrees."""
    return made.fwhm_mu if motor == "mu" else made.fwhm_chi
