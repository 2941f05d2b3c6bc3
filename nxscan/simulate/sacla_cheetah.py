"""Simulated SACLA runs as Cheetah writes them: a root group for each hit, panels stacked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import OutputError
from nxscan.simulate.mpccd import Mpccd
from nxscan.simulate.sacla_events import PHOTON_ENERGY
from nxscan.simulate.sacla_file import comment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.simulate.sacla_truth import SaclaRun, SaclaTruth

UNITS_PER_PHOTON = 10.0
"""``adu_per_photon``: Cheetah stores tenths of photons."""

CHEETAH_HC = 12.39842
"""Planck's constant times the speed of light as Cheetah has it, keV Å."""

_LARGEST = np.iinfo(np.int16).max
_BORDER = 2
"""Pixels along each panel's edges that the mask marks as bad."""


def write_cheetah(truth: SaclaTruth, path: str | Path) -> Path:
    """Write the hits of simulated runs: complete tags with beam.

    Images are whole tenths of photons, 0 where they would be negative. ``photon_energy_ev`` is
    that of the shot, and the run's where the spectrometer read nothing.

    Parameters
    ----------
    truth : SaclaTruth
        The runs.
    path : str or Path
        The file; its folder is made if it is missing.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OutputError
        If it exists already.

    """
    target = Path(path)
    if target.exists():
        raise OutputError(f"{target} exists already", "choose another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(target, "w") as file:
        _write_metadata(file.create_group("metadata"), truth)
        for run in truth.runs:
            for tag in hits(run).tolist():
                energy = hit_energy(truth, run, tag)
                group = file.create_group(f"tag-{tag}")
                group["photon_energy_ev"] = energy
                group["photon_wavelength_A"] = CHEETAH_HC * 1e3 / energy
                group["data"] = stacked(truth, tag, run)
    return target


def hits(run: SaclaRun) -> NDArray[np.int64]:
    """Return the tags that Cheetah keeps, ascending."""
    return np.intersect1d(run.complete, run.shots.tags[run.shots.beam])


def hit_energy(truth: SaclaTruth, run: SaclaRun, tag: int) -> float:
    """Return the photon energy of a hit, eV."""
    energy = float(run.value(PHOTON_ENERGY, tag))
    return energy if np.isfinite(energy) else truth.detector.energy * 1e3


def stacked(truth: SaclaTruth, tag: int, run: SaclaRun) -> NDArray[np.int16]:
    """Return all panels of a shot, one below the other, in tenths of photons."""
    whole = np.concatenate([truth.frame(name, tag, run) for name in truth.detector.names])
    tenths = np.rint(whole * (UNITS_PER_PHOTON / truth.detector.adu_per_photon))
    return np.asarray(tenths.clip(0, _LARGEST), dtype=np.int16)


def bad_pixels(detector: Mpccd) -> NDArray[np.uint16]:
    """Return the stacked panels' ``pixelmask``: 1 along the edges of each, 0 is good."""
    rows, columns = detector.shape
    mask = np.ones((rows, columns), np.uint16)
    mask[_BORDER : rows - _BORDER, _BORDER : columns - _BORDER] = 0
    return np.tile(mask, (detector.panels, 1))


def _write_metadata(group: Any, truth: SaclaTruth) -> None:
    detector = truth.detector
    corners = np.array([detector.coordinate(name) for name in detector.names])
    text = h5py.string_dtype()
    names = [f"MPCCD-{detector.panels}-2-001-{k + 1}" for k in range(detector.panels)]
    group["pipeline_version"] = "simulated by nxscan"
    group["run_comment"] = comment(truth)
    group["adu_per_photon"] = UNITS_PER_PHOTON
    group["sensor_id"] = np.array(names, text)
    for axis, letter in enumerate("xyz"):
        group[f"pos{letter}_in_um"] = corners[:, axis]
    group["angle_in_rad"] = np.zeros(detector.panels)
    for letter in "xy":
        group[f"pixelsize{letter}_in_um"] = np.full(detector.panels, detector.pixel)
    group["distance_in_mm"] = detector.sample_distance
    mask = bad_pixels(detector)
    group.create_dataset("pixelmask", data=mask, compression="gzip", shuffle=True)
