"""An energy scan of a strained crystal, seen by a camera with an offset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import ArraySignal, Axis, Field, Scan
from nxscan.nexus import write_scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

ANGLE = 5.94
"""The monochromator's angle for the unstrained lattice, degrees."""
_OFFSET, _READ_NOISE = 100.0, 3.0
_MOTORS = {"obx": (263.0, "mm"), "mainx": (-5000.0, "mm"), "obpitch": (17.94, "degree")}


def strained(shape: tuple[int, int] = (90, 120)) -> NDArray[np.float64]:
    """Return the strain of every pixel: bent, with the field of one row of dislocations."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(float)
    bent = 1.2e-4 * (y / shape[0] - 0.5)
    away = np.hypot(y - 40.5, x - 70.5) + 4
    return np.asarray(bent + 2e-3 * (y - 40.5) / away**2)


def write_energy_scan(path: str | Path, frames: int = 25) -> Any:
    """Write a scan along ``ccmth`` of that crystal as a master, and return its strain."""
    rng = np.random.default_rng(5)
    strain = strained()
    angle = np.radians(ANGLE)
    center = np.degrees(angle + strain * np.tan(angle))
    places = ANGLE + np.linspace(-0.02, 0.02, frames)
    curves = np.exp(-0.5 * ((places[:, None, None] - center) / 3e-3) ** 2)
    light = rng.poisson(2500 * curves + 4)
    noise = rng.normal(_OFFSET, _READ_NOISE, light.shape)
    data = np.rint(light + noise).astype(np.uint16)
    axes = {"ccmth": Axis("ccmth", places, "degree", "monochromator angle", "scan", 0)}
    for k, (name, n) in enumerate(zip("yx", strain.shape, strict=True), start=1):
        text = f"detector {'row' if name == 'y' else 'column'}"
        axes[name] = Axis(name, np.arange(n) * 1.0, "pixel", text, "detector", k)
    scan = Scan("energy scan", {"pco": ArraySignal(data, "counts", "intensity")}, axes)
    for name, (value, units) in _MOTORS.items():
        group = scan.metadata.group(f"instrument/{name}", "NXinstrument", "NXpositioner")
        group.set("name", Field(name))
        group.set("value", Field(value, units))
    detector = scan.metadata.group("instrument/pco", "NXinstrument", "NXdetector")
    detector.set("x_pixel_size", Field(6.5, "um"))
    detector.set("y_pixel_size", Field(6.5, "um"))
    beam = scan.metadata.group("instrument/beam", "NXinstrument", "NXbeam")
    beam.set("incident_energy", Field(17.0, "keV"))
    write_scan(scan, Path(path))
    return strain
