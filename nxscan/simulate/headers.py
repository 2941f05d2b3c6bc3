"""Headers as the ID06 microscope wrote them: LIMA's and SPEC's keys, motors and counters."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from nxscan.simulate.scan import SimulatedScan

    Kind = Literal["scan", "dark", "flat"]

_DARK_LEAD = 60.0
_FLAT_LEAD = 30.0
_FLAT_SAMY = 25.0


def motor_positions(scan: SimulatedScan, k: int, kind: Kind = "scan") -> dict[str, float]:
    """Return the position of every motor at frame k.

    Angles are in degrees, lengths in mm, slits included. What depends on energy and
    reflection follows from them: ``diffry`` tilts the crystal by the Bragg angle, ``obpitch``
    is the objective at 2θ, ``obz`` and ``ffz`` lie on the diffracted beam, ``ccmth`` is the
    Bragg angle of the Si (111) monochromator. For a flat the sample is driven out of the beam.
    """
    optics = scan.crystal.microscope
    positions = {
        "mu": 0.0, "chi": 0.0, "phi": 0.0, "omega": 0.0,
        "diffrx": 0.12, "diffry": optics.theta, "diffrz": -1.5,
        "difftx": 0.0, "diffty": 12.45, "difftz": -3.2,
        "samx": 0.104, "samy": -0.087, "samz": 1.352, "smx": 1.48,
        "obx": optics.obx, "oby": -0.314, "obz": optics.height(optics.obx),
        "obpitch": 2 * optics.theta, "obyaw": 0.071, "obroll": 0.0,
        "mainx": optics.mainx, "ffy": 4.2, "ffz": optics.height(-optics.mainx),
        "ffsel": 0.0, "ffpitch": 2 * optics.theta, "nfx": 40.0, "nfy": 150.0, "nfz": 0.0,
        "cdx": -820.0, "cdy": 0.015, "cdz": -0.208, "cdpitch": 0.032, "cdyaw": -0.011,
        "ccmth": optics.monochromator_theta, "ccmy": 2.5, "u22": 7.84,
        "pvg": 0.8, "pvo": 0.012, "phg": 0.8, "pho": -0.045,
        "ssvg": 0.2, "ssvo": 0.003, "sshg": 0.4, "ssho": 0.018,
        "bsy": -1.5, "bsz": 6.0,
    }  # fmt: skip
    if kind == "flat":
        positions["samy"] = _FLAT_SAMY
    row = k if kind == "scan" else 0
    return positions | {name: float(values[row]) for name, values in scan.motors.items()}


def counter_values(scan: SimulatedScan, k: int, kind: Kind = "scan") -> dict[str, float]:
    """Return every counter at frame k; the monitor sees nothing where the shutter is closed."""
    if kind == "scan":
        return {name: float(values[k]) for name, values in scan.counters.items()}
    values = counter_values(scan, 0)
    lead = _DARK_LEAD if kind == "dark" else _FLAT_LEAD
    values["epoch"] += k * scan.exposure - lead
    if kind == "dark":
        values["mon"] = 0.0
    return values


def frame_header(
    scan: SimulatedScan, k: int, kind: Kind = "scan", *, prefix: str = "", suffix: str = ".edf"
) -> dict[str, str]:
    """Return the keys of frame k, without those that describe the bytes.

    Parameters
    ----------
    scan : SimulatedScan
        Whose frame it is.
    k : int
        Number of the frame, in the order the frames were taken.
    kind : {"scan", "dark", "flat"}
        What the frame is.
    prefix, suffix : str
        What the file's name begins and ends with.

    """
    counters = counter_values(scan, k, kind)
    optics, exposure = scan.crystal.microscope, scan.exposure
    pixel = optics.camera_pixel * scan.crystal.binning * 1e-3
    offset_of_scan = ("dark", "flat", "scan").index(kind)
    binning = scan.crystal.binning
    return {
        "acq_autoexpo_mode": "OFF",
        "acq_expo_time": f"{exposure:g}",
        "acq_mode": "Single",
        "acq_nb_frames": "1",
        "acq_trigger_mode": "Internal",
        "beamline": "ID06",
        "camera": "pco.edge",
        "count_time": f"{exposure:g}",
        "d_sample_det": f"{optics.distance:.6g}",
        "dir": f"/data/id06-hxm/inhouse/{optics.material.name}/{prefix.strip('_') or 'scan'}",
        "energy": f"{optics.energy:g}",
        "image_bin": f"<{binning}x{binning}>",
        "image_flip": "<flip x : False,flip y : False>",
        "image_rotation": "Rotation_0",
        "magnification": f"{optics.magnification:.5g}",
        "pixel_size_x": f"{pixel:.6g}",
        "pixel_size_y": f"{pixel:.6g}",
        "point_no": str(k),
        "prefix": prefix,
        "run": str(k),
        "scan_no": str(40 + offset_of_scan),
        "shutter": "closed" if kind == "dark" else "open",
        "suffix": suffix,
        "time": time.asctime(time.gmtime(counters["epoch"])),
        "time_of_day": f"{counters['epoch']:.6f}",
        "time_of_frame": f"{counters['epoch'] - counter_values(scan, 0, kind)['epoch']:.6f}",
        "title": scan.title if kind == "scan" else f"{kind} {exposure:g}",
        "wavelength": f"{optics.wavelength:.6g}",
        **_pair("motor", motor_positions(scan, k, kind)),
        **_pair("counter", counters),
    }


def _pair(name: str, values: dict[str, float]) -> dict[str, str]:
    return {
        f"{name}_mne": " ".join(values),
        f"{name}_pos": " ".join(f"{value:.12g}" for value in values.values()),
    }
