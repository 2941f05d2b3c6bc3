"""The drift of angles across the field that the objective makes, for a map of a motor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nxscan.analysis.geometry.gradient import Kind, chi_drift, monochromator_drift, two_theta_drift
from nxscan.errors import ProcessError
from nxscan.model.units import convert

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.analysis.space import Space

KINDS: dict[str, Kind] = {"chi": "chi", "obpitch": "two_theta", "ccmth": "monochromator"}
"""Motors whose angles drift, and how."""


def drift(motor: str, values: NDArray[np.float64], units: str, space: Space) -> NDArray[np.float64]:
    """Return what the objective adds to the centers along a motor.

    Parameters
    ----------
    motor : str
        One of `KINDS`.
    values : ndarray, shape (y, x)
        Its centers; of a monochromator, their median is where the drift is computed.
    units : str
        Their unit.
    space : Space
        Where the pixels are; its optics, ``two_theta`` and ``obx`` are known.

    Returns
    -------
    ndarray
        In ``units``, of a shape that broadcasts to that of the map.

    """
    optics, angle, obx = space.optics, space.two_theta, space.obx
    if optics is None or angle is None or obx is None:
        raise ProcessError(f"the drift of {motor} needs the microscope's optics")
    kind = KINDS[motor]
    if kind == "chi":
        found = chi_drift(_across(space, 1), obx, angle)[None, :]
    elif kind == "two_theta":
        found = two_theta_drift(_across(space, 0), obx, angle)[:, None]
    else:
        middle = float(convert(float(np.nanmedian(values)), units, "radian"))
        found = monochromator_drift(_across(space, 0), obx, angle, middle)[:, None]
    return np.asarray(convert(found, "radian", units))


def _across(space: Space, dimension: int) -> NDArray[np.float64]:
    """Return coordinates across the diffracted beam, µm: a layer's are stretched."""
    axis, optics = (space.y, space.x)[dimension], space.optics
    if optics is None:
        raise ProcessError("coordinates across the beam need the microscope's optics")
    return axis.values * (optics.projected_pixel[dimension] / optics.sample_pixel[dimension])
