"""Masters with maps of centers in them as `moments` would have left them, but of known values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from helpers.results import new_result
from nxscan.model import ArraySignal, Axis, Field, Scan
from nxscan.nexus import write_scan
from nxscan.nexus.results import OutputSpec, add_result

Maps = Mapping[str, np.ndarray[Any, Any]]
MICROSCOPE = {"obx": 263.0, "mainx": -5000.0, "obpitch": 18.0}
"""Motors in mm and degrees; the magnification is 4737 / 263."""


def master_of(
    path: Path,
    centers: Maps,
    errors: Maps | None = None,
    status: np.ndarray[Any, Any] | None = None,
    *,
    motors: Mapping[str, float] | None = None,
    pixel: float | None = None,
    units: str = "degree",
) -> Path:
    """Write a scan along the motors of ``centers``, and those as a result called ``moments``.

    Parameters
    ----------
    path : Path
        The master.
    centers, errors : mapping of str to ndarray, shape (y, x)
        For each motor.
    status : ndarray, optional
        Of each pixel; by default 0.
    motors : mapping of str to float, optional
        Where others stood: mm, but degrees of those that begin with "obp".
    pixel : float, optional
        Size of the detector's pixels, µm.
    units : str
        Of the motors that were scanned.

    """
    shape = next(iter(centers.values())).shape
    write_scan(_scan(shape, list(centers), motors or {}, pixel, units), path)
    pixels = tuple(
        Axis(name, np.arange(n) * 1.0, "pixel", name, "detector")
        for name, n in zip("yx", shape, strict=True)
    )
    values: dict[str, Any] = {"status": np.zeros(shape, "u1") if status is None else status}
    outputs = []
    for motor, map_ in centers.items():
        name = f"center_{motor}" if len(centers) > 1 else "center"
        known = errors is not None and motor in errors
        text = f"center of mass of {motor}"
        outputs.append(OutputSpec(name, np.dtype("f8"), pixels, units, text, errors=known))
        values[name] = map_
        if errors is not None and known:
            values[f"{name}_errors"] = errors[motor]
    outputs[0] = OutputSpec(**(vars(outputs[0]) | {"default": True}))
    outputs.append(OutputSpec("status", np.dtype("u1"), pixels, "", "status"))

    def fill(datasets: Mapping[str, Any]) -> None:
        for name, dataset in datasets.items():
            dataset[...] = values[name]

    add_result(path, new_result(tuple(outputs)), fill)
    return path


def _scan(
    shape: tuple[int, ...],
    scanned: list[str],
    motors: Mapping[str, float],
    pixel: float | None,
    units: str,
) -> Scan:
    rank = len(scanned)
    axes = {
        name: Axis(name, np.array([-1.0, 1.0]), units, name, "scan", k)
        for k, name in enumerate(scanned)
    }
    for k, (name, length) in enumerate(zip("yx", shape, strict=True)):
        axes[name] = Axis(name, np.arange(length) * 1.0, "pixel", name, "detector", rank + k)
    data = np.ones((2,) * rank + tuple(shape), np.uint16)
    scan = Scan("a scan", {"pco": ArraySignal(data, "counts", "intensity")}, axes)
    for name, value in motors.items():
        group = scan.metadata.group(f"instrument/{name}", "NXinstrument", "NXpositioner")
        group.set("value", Field(value, "degree" if name.startswith("obp") else "mm"))
    if pixel is not None:
        group = scan.metadata.group("instrument/pco", "NXinstrument", "NXdetector")
        group.set("x_pixel_size", Field(float(pixel), "um"))
        group.set("y_pixel_size", Field(float(pixel), "um"))
    return scan
