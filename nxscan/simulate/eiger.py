"""Simulated Eiger series: a master and its data files, laid out as DECTRIS' FileWriter does."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import h5py
import hdf5plugin
import numpy as np

from nxscan.errors import OutputError
from nxscan.simulate.groups import add_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Packing = Literal["bslz4", "lz4"] | None


@dataclass(frozen=True)
class EigerSeries:
    """What a simulated series holds.

    Attributes
    ----------
    images : ndarray of unsigned int, shape (n, y, x)
        The images, in the order they were taken.
    per_file : int
        Images of one data file.
    triggers : int
        How many triggers the images were taken with: ``ntrigger`` × ``nimages`` = n.
    first : int
        Number of the first image, ``image_nr_start``.
    goniometer : dict of str to ndarray, shape (n,)
        Where each circle stood when an image began, in degrees.
    increments : dict of str to float
        How far a circle turns during an image, in degrees; 0 for those left out.
    mask : ndarray of uint32, shape (y, x), or None
        ``pixel_mask``: 0 is good; bits 0 gap, 1 dead, 2 under- and 3 over-responding, 4 noisy.
    flatfield : ndarray of float32, shape (y, x), or None
        Factors that the detector multiplies images with.
    packing : {"bslz4", "lz4", None}
        How chunks are compressed.

    """

    images: NDArray[Any]
    per_file: int = 1000
    triggers: int = 1
    first: int = 1
    goniometer: dict[str, NDArray[Any]] = field(default_factory=dict)
    increments: dict[str, float] = field(default_factory=dict)
    mask: NDArray[np.uint32] | None = None
    flatfield: NDArray[np.float32] | None = None
    packing: Packing = "bslz4"


def write_eiger(series: EigerSeries, folder: str | Path, name: str = "simulated_eiger_1") -> Path:
    """Write a series as ``<name>_master.h5`` and ``<name>_data_000001.h5`` ….

    Parameters
    ----------
    series : EigerSeries
        What to write.
    folder : str or Path
        Where to; it is made if it is missing.
    name : str
        Name of the series.

    Returns
    -------
    Path
        The master.

    Raises
    ------
    OutputError
        If the master is there already.

    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    master = target / f"{name}_master.h5"
    if master.exists():
        raise OutputError(f"{master} exists already", "choose another folder or name")
    starts = range(0, len(series.images), series.per_file)
    names = [f"{name}_data_{k:06d}.h5" for k in range(1, len(starts) + 1)]
    for start, file in zip(starts, names, strict=True):
        _write_data(series, start, target / file)
    with h5py.File(master, "w") as out:
        entry = add_group(out, "entry", "NXentry")
        entry["definition"] = "NXmx"
        data = add_group(entry, "data", "NXdata")
        for k, file in enumerate(names, 1):
            data[f"data_{k:06d}"] = h5py.ExternalLink(file, "/entry/data/data")
        _write_detector(series, add_group(entry, "instrument", "NXinstrument"))
        _write_goniometer(series, add_group(entry, "sample", "NXsample"))
    return master


def _write_data(series: EigerSeries, start: int, path: Path) -> None:
    images = series.images[start : start + series.per_file]
    packings: dict[Packing, dict[str, Any]] = {
        "bslz4": dict(hdf5plugin.Bitshuffle(nelems=0, cname="lz4")),
        "lz4": dict(hdf5plugin.LZ4()),
        None: {},
    }
    with h5py.File(path, "w") as out:
        data = add_group(add_group(out, "entry", "NXentry"), "data", "NXdata")
        stored = data.create_dataset(
            "data",
            data=images,
            chunks=(1, *images.shape[1:]),
            maxshape=(None, *images.shape[1:]),
            **packings[series.packing],
        )
        stored.attrs["image_nr_low"] = np.int32(series.first + start)
        stored.attrs["image_nr_high"] = np.int32(series.first + start + len(images) - 1)


def _write_detector(series: EigerSeries, instrument: Any) -> None:
    height, width = series.images.shape[1:]
    bits = series.images.dtype.itemsize * 8
    beam = add_group(instrument, "beam", "NXbeam")
    _number(beam, "incident_wavelength", 0.9763, "angstrom")
    detector = add_group(instrument, "detector", "NXdetector")
    detector["description"] = "Dectris EIGER2 Si 1M (simulated by nxscan)"
    detector["detector_number"] = "E-00-0000"
    detector["sensor_material"] = "Si"
    _number(detector, "sensor_thickness", 0.00045, "m")
    _number(detector, "x_pixel_size", 7.5e-05, "m")
    _number(detector, "y_pixel_size", 7.5e-05, "m")
    _number(detector, "detector_distance", 0.25, "m")
    _number(detector, "beam_center_x", width / 2, "pixel")
    _number(detector, "beam_center_y", height / 2, "pixel")
    _number(detector, "count_time", 0.00999, "s")
    _number(detector, "frame_time", 0.01, "s")
    _number(detector, "detector_readout_time", 1e-05, "s")
    _number(detector, "threshold_energy", 6350.0, "eV")
    for name in ("countrate_correction_applied", "flatfield_correction_applied"):
        detector[name] = np.int32(1)
    detector["pixel_mask_applied"] = np.int32(1)
    detector["bit_depth_image"] = np.int32(bits)
    detector["bit_depth_readout"] = np.int32(16)
    specific = detector.create_group("detectorSpecific")
    specific["nimages"] = np.int32(len(series.images) // series.triggers)
    specific["ntrigger"] = np.int32(series.triggers)
    specific["x_pixels_in_detector"] = np.int32(width)
    specific["y_pixels_in_detector"] = np.int32(height)
    specific["countrate_correction_count_cutoff"] = np.uint32(min(2**bits - 2, 133343))
    specific["data_collection_date"] = "2024-05-14T10:30:00.123456+02:00"
    specific["trigger_mode"] = "ints"
    _number(specific, "photon_energy", 12700.0, "eV")
    for name, image in (("pixel_mask", series.mask), ("flatfield", series.flatfield)):
        if image is not None:
            specific[name] = image


def _write_goniometer(series: EigerSeries, sample: Any) -> None:
    goniometer = add_group(sample, "goniometer", "NXtransformations")
    for name, starts in series.goniometer.items():
        step = series.increments.get(name, 0.0)
        _number(goniometer, name, np.asarray(starts, np.float64), "degree")
        _number(goniometer, f"{name}_end", np.asarray(starts, np.float64) + step, "degree")
        _number(goniometer, f"{name}_increment", step, "degree")
        _number(goniometer, f"{name}_range_average", step, "degree")
        _number(goniometer, f"{name}_range_total", step * len(starts), "degree")


def _number(group: Any, name: str, value: Any, units: str) -> None:
    group[name] = value
    group[name].attrs["units"] = units
