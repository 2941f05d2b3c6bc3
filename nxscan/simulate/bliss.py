"""Simulated BLISS masters: many scans in one HDF5 file, images in LIMA's files beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import hdf5plugin
import numpy as np

from nxscan.errors import OutputError
from nxscan.simulate.groups import add_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.simulate.scan import SimulatedScan

_DATA = "entry_0000/instrument/{detector}/data"
_UNITS = {"sec": "s", "epoch": "s", "elapsed_time": "s", "srcur": "mA"}


@dataclass(frozen=True)
class BlissScan:
    """What one scan of a simulated master holds.

    Attributes
    ----------
    scan : SimulatedScan
        Frames, motors and counters; one motor is an ``ascan``, two are an ``fscan2d``. Where it
        has fewer frames than positions, the scan was aborted.
    positions : dict of str to float
        Motors that stood still.
    sweep : dict of str to (float, float)
        A motor that moves during every frame: where it begins, and how far it goes.
    slow : dict of str to ndarray, shape (n,)
        Counters with a time base of their own; ``epoch`` is that. They go into a group N.2.
    running : bool
        The scan has no end yet.

    """

    scan: SimulatedScan
    positions: dict[str, float] = field(default_factory=dict)
    sweep: dict[str, tuple[float, float]] = field(default_factory=dict)
    slow: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    running: bool = False

    @property
    def zigzag(self) -> bool:
        """Every other line was taken backwards."""
        index = self.scan.trajectory.index
        return bool(np.any(np.diff(index) < 0) or np.any(np.diff(index) > 1))

    @property
    def command(self) -> str:
        """The command as BLISS writes it."""
        axes, time = self.scan.trajectory.axes, f"{self.scan.exposure:g}"
        lines = [(name, values[0], _step(values), len(values)) for name, values in axes.items()]
        lines += [(name, start, step, 1) for name, (start, step) in self.sweep.items()]
        if len(lines) == 1:
            name, values = next(iter(axes.items()))
            return f"ascan {name} {values[0]:g} {values[-1]:g} {len(values) - 1} {time}"
        words = " ".join(f"{name} {start:g} {step:g} {n}" for name, start, step, n in lines)
        return f"fscan{len(lines)}d {words} {time}"


def write_bliss(
    scans: Sequence[BlissScan],
    folder: str | Path,
    *,
    name: str = "simulated_0001",
    detector: str = "pco_ff",
    per_file: int = 1000,
) -> Path:
    """Write scans as a BLISS master, and their frames as LIMA's files in ``scan0001/`` ….

    Groups, links, units and attributes are those of a master that BLISS 1.9 wrote; the frames
    are virtual datasets over chunks of one frame, compressed with bitshuffle and LZ4.

    Parameters
    ----------
    scans : sequence of BlissScan
        They become 1.1, 2.1 and so on.
    folder : str or Path
        Where to; it is made if it is missing.
    name : str
        Name of the master, without ``.h5``.
    detector : str
        Name of the camera.
    per_file : int
        Frames of one LIMA file.

    Returns
    -------
    Path
        The master.

    Raises
    ------
    OutputError
        If it exists already.

    """
    path = Path(folder) / f"{name}.h5"
    if path.exists():
        raise OutputError(f"{path} exists already", "choose an empty folder")
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs.update(NX_class="NXroot", creator="Bliss", creator_version="simulated by nxscan")
        for number, one in enumerate(scans, 1):
            _write_scan(file, number, one, detector, per_file)
    return path


def _write_scan(file: Any, number: int, one: BlissScan, detector: str, per_file: int) -> None:
    scan = one.scan
    entry = add_group(file, f"{number}.1", "NXentry")
    instrument = add_group(entry, "instrument", "NXinstrument")
    measured = add_group(entry, "measurement", "NXcollection")
    epoch = scan.counters["epoch"]
    entry["title"] = one.command
    entry["start_time"] = _time(epoch[0])
    if not one.running:
        entry["end_time"] = _time(epoch[-1] + scan.exposure)
        entry["end_reason"] = "SUCCESS" if len(scan) == scan.trajectory.declared else "USER_ABORT"
    add_group(entry, "sample", "NXsample")["name"] = "simulated crystal"
    for motor, values in scan.motors.items():
        _column(instrument, motor, "NXpositioner", "value", values, "deg")
        measured[motor] = h5py.SoftLink(f"{instrument.name}/{motor}/value")
    counters = scan.counters | {"elapsed_time": epoch - epoch[0]}
    for counter, values in counters.items():
        _column(instrument, counter, "NXdetector", "data", values, _UNITS.get(counter, ""))
        measured[counter] = h5py.SoftLink(f"{instrument.name}/{counter}/data")
    _write_positioners(instrument, one)
    _write_parameters(instrument, one)
    _write_detector(file, instrument, number, scan, detector, per_file)
    measured[detector] = h5py.SoftLink(f"{instrument.name}/{detector}/image")
    if one.slow:
        _write_slow(file, number, one)


def _write_positioners(instrument: Any, one: BlissScan) -> None:
    for suffix in ("", "_start", "_end"):
        group = add_group(instrument, f"positioners{suffix}", "NXcollection")
        for motor, position in one.positions.items():
            group[motor] = position
        for motor, values in one.scan.motors.items():
            if suffix:
                group[motor] = values[0 if suffix == "_start" else -1]
            else:
                group[motor] = h5py.SoftLink(f"{instrument.name}/{motor}/value")
            if suffix:
                group[motor].attrs["units"] = "deg"


def _write_parameters(instrument: Any, one: BlissScan) -> None:
    """Write what an ``fscan2d`` was asked for."""
    if one.command.startswith("ascan"):
        return
    axes = one.scan.trajectory.axes
    lines = [(name, values[0], _step(values), len(values)) for name, values in axes.items()]
    lines += [(name, start, step, 1) for name, (start, step) in one.sweep.items()]
    group = add_group(instrument, "fscan_parameters", "NXcollection")
    for prefix, (name, start, step, points) in zip(("slow_", "fast_"), lines[-2:], strict=True):
        group[f"{prefix}motor"] = name
        group[f"{prefix}start_pos"] = start
        group[f"{prefix}step_size"] = step
        group[f"{prefix}npoints"] = points
    group["fast_motor_mode"] = "ZIGZAG" if one.zigzag else "REWIND"
    group["acq_time"] = one.scan.exposure


def _write_detector(
    file: Any, instrument: Any, number: int, scan: SimulatedScan, detector: str, per_file: int
) -> None:
    group = add_group(instrument, detector, "NXdetector")
    shape = scan.frame_shape
    layout = h5py.VirtualLayout((len(scan), *shape), np.uint16)
    folder = Path(file.filename).parent / f"scan{number:04d}"
    folder.mkdir(exist_ok=True)
    for part in range(math.ceil(len(scan) / per_file)):
        frames = range(part * per_file, min((part + 1) * per_file, len(scan)))
        path = folder / f"{detector}_{part:04d}.h5"
        place = _write_lima(path, scan, frames, detector)
        source = h5py.VirtualSource(f"{folder.name}/{path.name}", place, (len(frames), *shape))
        layout[frames.start : frames.stop] = source
    group.create_virtual_dataset("image", layout)
    group["image"].attrs["interpretation"] = "image"
    group["data"] = h5py.SoftLink("image")
    group["type"] = "lima"
    group["local_name"] = detector
    group["description"] = "simulated camera"
    settings = add_group(group, "acq_parameters", "NXcollection")
    settings["acq_expo_time"] = scan.exposure
    settings["acq_nb_frames"] = scan.trajectory.declared


def _write_lima(path: Path, scan: SimulatedScan, frames: range, detector: str) -> str:
    place = _DATA.format(detector=detector)
    with h5py.File(path, "w") as file:
        file.attrs.update(NX_class="NXroot", creator="LIMA", creator_version="simulated by nxscan")
        dataset = file.create_dataset(
            place,
            (len(frames), *scan.frame_shape),
            np.uint16,
            chunks=(1, *scan.frame_shape),
            **hdf5plugin.Bitshuffle(nelems=0, cname="lz4"),
        )
        for k, frame in enumerate(frames):
            dataset[k] = scan.frame(frame)
    return place


def _write_slow(file: Any, number: int, one: BlissScan) -> None:
    """Write counters that were read on their own, whenever they had something to say."""
    entry = add_group(file, f"{number}.2", "NXentry")
    instrument = add_group(entry, "instrument", "NXinstrument")
    measured = add_group(entry, "measurement", "NXcollection")
    entry["title"] = one.command
    entry["start_time"] = _time(one.slow["epoch"][0])
    for counter, values in one.slow.items():
        _column(instrument, counter, "NXdetector", "data", values, _UNITS.get(counter, ""))
        measured[counter] = h5py.SoftLink(f"{instrument.name}/{counter}/data")


def _column(
    instrument: Any, name: str, nx_class: str, key: str, values: NDArray[Any], units: str
) -> None:
    dataset = add_group(instrument, name, nx_class).create_dataset(key, data=values)
    if units:
        dataset.attrs["units"] = units


def _step(values: NDArray[np.float64]) -> float:
    return float(values[1] - values[0]) if len(values) > 1 else 0.0


def _time(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()
