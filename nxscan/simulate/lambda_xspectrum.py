"""Simulated Lambda series: a file for each module and part, as X-Spectrum's software leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import NxscanError, OutputError
from nxscan.simulate.groups import add_group

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LambdaSeries:
    """What a simulated series holds.

    Attributes
    ----------
    images : ndarray of unsigned int, shape (n, modules, y, x)
        What each module saw, in the order the frames were taken.
    places : sequence of (int, int)
        Column and row of each module's first pixel, in pixels.
    per_part : int
        Frames of one part file.
    first_part : int
        Number of the first part, 0 or 1.
    masks : ndarray of uint32, shape (modules, y, x), or None
        ``pixel_mask`` of each module: 0 is good.
    flatfields : ndarray of float32, shape (modules, y, x), or None
        Factors that images are to be multiplied with.

    """

    images: NDArray[Any]
    places: tuple[tuple[int, int], ...] = ((0, 0),)
    per_part: int = 1000
    first_part: int = 1
    masks: NDArray[np.uint32] | None = None
    flatfields: NDArray[np.float32] | None = None


def write_lambda(
    series: LambdaSeries, folder: str | Path, name: str = "simulated_lambda_00001"
) -> list[Path]:
    """Write a series as ``<name>_m01_part00001.nxs`` …, the parts of each module in order.

    Parameters
    ----------
    series : LambdaSeries
        What to write.
    folder : str or Path
        Where to; it is made if it is missing.
    name : str
        Name of the series.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    NxscanError
        If there are not as many places as modules.
    OutputError
        If a file is there already; nothing is written then.

    """
    modules = series.images.shape[1]
    if len(series.places) != modules:
        raise NxscanError(f"{modules} modules, but {len(series.places)} places for them")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(series.images), series.per_part)
    paths = {
        (module, start): target / f"{name}_m{module + 1:02d}_part{series.first_part + k:05d}.nxs"
        for module in range(modules)
        for k, start in enumerate(starts)
    }
    there = [path for path in paths.values() if path.exists()]
    if there:
        raise OutputError(f"{there[0]} exists already", "choose another folder or name")
    for (module, start), path in paths.items():
        _write_part(series, module, start, path)
    return list(paths.values())


def _write_part(series: LambdaSeries, module: int, start: int, path: Path) -> None:
    images = series.images[start : start + series.per_part, module]
    with h5py.File(path, "w") as out:
        entry = add_group(out, "entry", "NXentry")
        entry["start_time"] = "2024-05-14T10:30:00+02:00"
        detector = add_group(
            add_group(entry, "instrument", "NXinstrument"), "detector", "NXdetector"
        )
        chunks = (1, *images.shape[1:])
        detector.create_dataset(
            "data",
            data=images,
            chunks=chunks,
            maxshape=(None, *images.shape[1:]),
            compression="gzip",
            compression_opts=2,
        )
        detector["sequence_number"] = np.arange(start + 1, start + len(images) + 1, dtype=np.int32)
        _write_constants(series, module, detector)
        column, row = series.places[module]
        translation = add_group(detector, "translation", "NXgeometry")
        translation["distance"] = np.array([[column, row, 0.0]], np.float32)


def _write_constants(series: LambdaSeries, module: int, detector: Any) -> None:
    height, width = series.images.shape[2:]
    detector["description"] = np.array(["Lambda"], h5py.string_dtype())
    detector["local_name"] = "Lambda 750K (simulated by nxscan)"
    detector["layout"] = f"{width}X{height}"
    detector["sensor_material"] = "Si"
    detector["flatfield_applied"] = np.int32(0)
    detector["pixel_mask_applied"] = np.int32(0)
    detector["bit_depth_readout"] = np.int32(12)
    detector["saturation_value"] = np.array([4095], np.int32)
    numbers = {
        "x_pixel_size": (55.0, "um"),
        "y_pixel_size": (55.0, "um"),
        "sensor_thickness": (300.0, "um"),
        "count_time": (100.0, "ms"),
        "frame_time": (101.0, "ms"),
    }
    for name, (value, units) in numbers.items():
        detector[name] = np.array([value])
        detector[name].attrs["units"] = units
    for name, of_each in (("pixel_mask", series.masks), ("flatfield", series.flatfields)):
        if of_each is not None:
            detector[name] = of_each[module][np.newaxis]
    collection = add_group(detector, "collection", "NXcollection")
    collection["frame_numbers"] = np.array([len(series.images)], np.int32)
    collection["operating_mode"] = "ContinuousReadWrite"
