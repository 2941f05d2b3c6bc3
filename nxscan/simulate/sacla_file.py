"""Simulated SACLA runs as "tagged" HDF5, laid out as DataConvert does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import OutputError
from nxscan.simulate.mpccd import ASSEMBLED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.simulate.mpccd import Mpccd
    from nxscan.simulate.sacla_truth import SaclaRun, SaclaTruth

_OCTAL = 5
_EXPOSURE = 1e-3
_TEMPERATURE = -21.27


def write_sacla(truth: SaclaTruth, path: str | Path) -> Path:
    """Write simulated runs into one HDF5 file.

    Groups, names and types are those of the listings of runs 206178 and 257948: units are in
    the names, and nothing has an attribute. The run's comment says that it is simulated.

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
        _text(file, "file_info/format_type", "run_data_format")
        _text(file, "file_info/version", "3.20")
        file["file_info/run_number_list"] = np.array([r.number for r in truth.runs], np.int64)
        for run in truth.runs:
            group = file.create_group(run.group)
            _write_run(group, truth, run)
            for name in truth.names:
                _write_detector(group.create_group(name), truth, run, name)
    return target


def _write_run(group: Any, truth: SaclaTruth, run: SaclaRun) -> None:
    _text(group, "exp_info/comment", comment(truth))
    group["run_info/start_tag_number"] = np.int32(run.shots.tags[0])
    group["run_info/end_tag_number"] = np.int32(run.end_tag)
    config = group.create_group("run_info/sacla_config")
    config["photon_energy_in_eV"] = truth.detector.energy * 1e3
    config["electron_energy_in_eV"] = 7.07231e9
    config["k_parameter"] = 2.09659
    config["repetition_rate"] = 30.0
    numbers = np.arange(1, truth.detector.panels + 1, dtype=np.int32)
    group["run_info/detector_config/detector_2d_list"] = numbers
    events = group.create_group("event_info")
    events["tag_number_list"] = run.listed.astype(np.int32)
    for path, values in run.events.items():
        events[path] = values
    for hutch in range(1, 6):
        events.create_group(f"bl_3/eh_{hutch}/pulse_motor")


def comment(truth: SaclaTruth) -> str:
    """Return the run's comment: that it is simulated, and where the detector stood."""
    detector = truth.detector
    y, x = detector.beam_center
    return (
        f"simulated by nxscan: gold-like rings, distance {detector.sample_distance:.4g} mm, "
        f"center ({y:.4g}, {x:.4g}) pixels, seed {truth.seed}"
    )


def _write_detector(group: Any, truth: SaclaTruth, run: SaclaRun, name: str) -> None:
    _write_info(group.create_group("detector_info"), truth.detector, name)
    writer = _ImageWriter(truth.detector.size_of(name))
    for tag in run.images[name].tolist():
        writer.write(group.id, tag, truth.frame(name, tag, run))


def _write_info(info: Any, detector: Mpccd, name: str) -> None:
    assembled = name == ASSEMBLED
    number = "" if assembled else f"-{detector.names.index(name) + 1}"
    _text(info, "detector_name", f"MPCCD-{detector.panels}-2-001{number}")
    coordinate = (0.0, 0.0, 0.0) if assembled else detector.coordinate(name)
    info["detector_coordinate_in_micro_meter"] = np.array(coordinate, np.float32)
    info["pixel_size_in_micro_meter"] = np.full(2, detector.pixel, np.float32)
    info["detector_type"] = np.int32(_OCTAL)
    numbers = {
        "absolute_gain": detector.gain,
        "detector_rotation_angle_in_degree": 0.0,
        "detector_stage_direction_in_degree": 0.0,
        "detector_stage_shift_weight": 0.0,
        "exposure_time_in_sec": _EXPOSURE,
        "manipulator_position_in_micro_meter": 0.0,
    }
    for key, value in numbers.items():
        info[key] = np.float32(value)


class _ImageWriter:
    """Writes a tag's group in a tenth of the time that h5py's own interface takes."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._space = h5py.h5s.create_simple(shape)
        self._scalar = h5py.h5s.create(h5py.h5s.SCALAR)
        self._status = np.array(1, np.int32)
        self._temperature = np.array(_TEMPERATURE, np.float32)

    def write(self, parent: Any, tag: int, image: NDArray[np.float32]) -> None:
        """Write an image and its statuses as ``tag_<tag>``."""
        group = h5py.h5g.create(parent, f"tag_{tag}".encode())
        float32, int32 = h5py.h5t.IEEE_F32LE, h5py.h5t.STD_I32LE
        one = h5py.h5s.ALL
        for name, kind, space, values in (
            (b"detector_data", float32, self._space, np.ascontiguousarray(image)),
            (b"detector_status", int32, self._scalar, self._status),
            (b"temperature", float32, self._scalar, self._temperature),
        ):
            h5py.h5d.create(group, name, kind, space).write(one, one, values)


def _text(group: Any, path: str, value: str) -> None:
    """Write a text of fixed length that ends with a zero, as DataConvert does."""
    encoded = value.encode()
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(len(encoded) + 1)
    group.create_dataset(path, (), h5py.Datatype(kind), data=np.bytes_(encoded))
