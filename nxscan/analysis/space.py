"""Where the pixels of a map are in the sample: what the user says, then what the file knows."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from nxscan.analysis.geometry.optics import Layer, Optics, magnification
from nxscan.errors import ProcessError
from nxscan.model.units import convert
from nxscan.process.parameters import ProcessParameters

if TYPE_CHECKING:
    from nxscan.model import Axis, Scan

_PIXELS = ("pixel", "pixels", "px")
_MICROMETER = "um"


class DetectorParameters(ProcessParameters):
    """The detector and the reflection, where the file does not know them."""

    pixel_size: float | None = Field(
        None,
        gt=0,
        description="Of the detector, as the scintillator sees it; by default what the file says.",
        json_schema_extra={"units": "um"},
    )
    two_theta: float | None = Field(
        None,
        gt=0,
        lt=180,
        description="Scattering angle; by default from the motors obpitch, or ffz and mainx.",
        json_schema_extra={"units": "degree"},
    )
    rows: Literal[-1, 1] = Field(
        1, description="1 if rows of the detector grow upwards, -1 if downwards."
    )
    columns: Literal[-1, 1] = Field(
        1, description="1 if columns grow to the left as one looks downstream, -1 to the right."
    )


class SpaceParameters(DetectorParameters):
    """The microscope, where the file does not know it or is not to be believed."""

    magnification: float | None = Field(
        None,
        gt=0,
        description="Of the X-ray objective; by default from the motors mainx and obx. 1 gives "
        "pixels as the detector has them.",
    )
    obx: float | None = Field(
        None,
        description="From the sample to the objective along the beam; by default the motor obx.",
        json_schema_extra={"units": "mm"},
    )
    layer: Layer = Field(
        "projection",
        description="What is along the rows: 'projection' of a volume; or a layer cut by a line "
        "beam, on a detector 'perpendicular' to the optical axis (1 / sin 2θ longer) or "
        "'vertical' (1 / tan 2θ).",
    )
    inverted: bool = Field(
        True, description="Whether the image is upside down and mirrored, as a lens makes it."
    )
    gradient_correction: bool = Field(
        False,
        description="Take off what the objective adds to chi, obpitch and ccmth across the field.",
    )


@dataclass(frozen=True, eq=False)
class Space:
    """Where the pixels of a map are in the sample.

    Attributes
    ----------
    y, x : Axis
        Rows and columns: of the sample in µm, or of the detector, if the magnification or the
        size of its pixels is not known.
    optics : Optics or None
        How they came about.
    two_theta : float or None
        Scattering angle, radians.
    obx : float or None
        From the sample to the objective along the direct beam, µm.
    note : str
        All this for people.

    """

    y: Axis
    x: Axis
    optics: Optics | None
    two_theta: float | None
    obx: float | None
    note: str

    @property
    def units(self) -> str:
        """Unit of both axes."""
        return self.y.units or ""


def make_space(scan: Scan, given: SpaceParameters) -> Space:
    """Find out where the pixels of a map are in the sample.

    Raises
    ------
    ProcessError
        If the map is no picture, or a layer is told without the scattering angle being known.

    """
    if len(scan.frame_shape) != 2:
        raise ProcessError(
            f"{scan.title!r} is no map of rows and columns: its shape is {scan.signal.shape}"
        )
    y, x = scan.main_axes()[-2:]
    angle, obx = find_two_theta(scan, given), motor(scan, "obx", "mm", given.obx)
    optics = _optics(scan, given, angle, y)
    if optics is not None:
        y, x = _in_sample(y, optics, 0), _in_sample(x, optics, 1)
    return Space(y, x, optics, angle, None if obx is None else obx * 1e3, _note(optics, given))


def motor(scan: Scan, name: str, units: str, given: float | None = None) -> float | None:
    """Return where a motor stood that was not scanned, None where that is not known."""
    if given is not None or name in scan.integrated:
        return given
    found = scan.metadata.get(f"instrument/{name}/value")
    if found is None or not found.units or np.ndim(found.value) > 0:
        return None
    return float(convert(float(found.value), found.units, units))


def find_two_theta(scan: Scan, given: DetectorParameters) -> float | None:
    """Return the scattering angle, radians: as given, of the objective, or of the detector."""
    if given.two_theta is not None:
        return math.radians(given.two_theta)
    pitch = motor(scan, "obpitch", "degree")
    if pitch:
        return math.radians(abs(pitch))
    height, along = motor(scan, "ffz", "mm"), motor(scan, "mainx", "mm")
    return math.atan2(abs(height), abs(along)) if height and along else None


def _optics(scan: Scan, given: SpaceParameters, two_theta: float | None, y: Axis) -> Optics | None:
    obx, mainx = motor(scan, "obx", "mm", given.obx), motor(scan, "mainx", "mm")
    enlarged = given.magnification
    if enlarged is None and obx and mainx and abs(mainx) > abs(obx):
        enlarged = magnification(mainx, obx)
    pixel = find_pixel(scan, given)
    if given.layer != "projection" and two_theta is None:
        raise ProcessError(
            f"layer={given.layer} needs the scattering angle, which {scan.title!r} does not tell",
            "set two_theta",
        )
    if enlarged is None or pixel is None or y.units not in _PIXELS:
        return None
    ways = (given.rows, given.columns)
    return Optics(enlarged, pixel, two_theta, given.layer, ways, given.inverted)


def find_pixel(scan: Scan, given: DetectorParameters) -> tuple[float, float] | None:
    """Return the size of the detector's pixels along rows and columns, µm, if it is known."""
    if given.pixel_size is not None:
        return given.pixel_size, given.pixel_size
    found = {path.rpartition("/")[2]: field for path, field in scan.metadata.walk()}
    sizes = [found.get(f"{name}_pixel_size") for name in "yx"]
    known = [size for size in sizes if size is not None and size.units]
    if len(known) < 2:
        return None
    y, x = (
        float(convert(float(np.asarray(size.value)), size.units or "", _MICROMETER))
        for size in known
    )
    return y, x


def _in_sample(axis: Axis, optics: Optics, dimension: int) -> Axis:
    values = optics.axis(axis.values, dimension)
    return replace(axis, values=values, units=_MICROMETER, long_name=axis.name, width=None)


def _note(optics: Optics | None, given: SpaceParameters) -> str:
    if optics is None:
        return "in pixels: magnification or size of pixels not known"
    size = " × ".join(f"{value:.4g}" for value in optics.sample_pixel)
    signs = ", ".join("+-"[sign < 0] for sign in optics.signs)
    return (
        f"pixels of {size} um in the sample (magnification {optics.magnification:.5g}, "
        f"{given.layer}; signs of y, x: {signs})"
    )
