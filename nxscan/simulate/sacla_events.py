"""What SACLA's event_info holds for every shot: statuses, energies, monitors, motors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.simulate.seeds import Purpose, generator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from nxscan.simulate.sacla_shots import Shots

    Column = NDArray[Any]

LASER = "bl_3/lh_1/laser_pulse_selector_status"
XFEL = "bl_3/eh_1/xfel_pulse_selector_status"
SHUTTER = "bl_3/shutter_1_open_valid_status"
PHOTON_ENERGY = "bl_3/oh_2/photon_energy_in_eV"
PULSE_ENERGY = "bl_3/oh_2/bm_2_pulse_energy_in_joule"
DELAY = "bl_3/eh_4/laser/delay_line_motor_29"
ROCKING = "bl_3/tc/mono_1_position_theta"

FEMTOSECONDS_PER_PULSE = 6.66713134
"""What one pulse of the delay line's motor is."""

MEAN_PULSE = 1e-4
"""Energy of a mean pulse, J."""

TIME_OF_TAG_0 = 1_411_336_383.0
"""Unix time at which tags began to be counted, seconds."""

TAGS_PER_SECOND = 60
"""Tags are counted at 60 Hz, so at 30 Hz every other one is a shot."""

_ENERGY_SPREAD = 3e-4
_HUTCH_CAMERAS = {"eh_1": 4, "eh_2": 4, "eh_3": 4, "eh_4": 4, "eh_5": 5}
_CAMERA_INTEGERS = (
    *("coordinate_x0", "coordinate_x1", "coordinate_y0", "coordinate_y1"),
    *("maximum_xposition", "maximum_yposition", "minimum_xposition", "minimum_yposition"),
)
_CAMERA_FLOATS = ("data_average", "data_maximum", "data_minimum")

# behind the pulse selector in the experimental hutches, so 0 V where a shot is dark
_PHOTODIODES = {
    "eh_1/photodiode": ("user_1", "user_2", "user_3", "user_4"),
    "eh_2/photodiode": ("scm_1", "user_1", "user_2", "user_3"),
    "eh_3/photodiode": ("scm_1", "user_1", "user_2", "user_3"),
    "eh_4/photodiode": ("scm_1", "user_1", "user_2", "user_3"),
    "eh_5/photodiode": ("direct_scm_1", "reflected_scm_1"),
}
_MONITORS = {
    "eh_2/photodiode": ("bm_1",),
    "eh_4/photodiode": ("bm_1",),
    "eh_5/photodiode": ("direct_bm_1", "reflected_bm_1"),
}
_ATTENUATORS = (
    "oh_2/attenuator_Si",
    "eh_2/attenuator_Al",
    "eh_4/attenuator_Al",
    "eh_5/attenuator_Si",
)
_STANDING = {
    "eh_4/laser/nd_filter_motor_26": 12000,
    "eh_4/sample/sample_motor_41_xposition": 1480,
    "eh_4/sample/sample_motor_42_yposition": -2210,
    "eh_4/sample/sample_motor_43_zposition": 905,
}


def event_columns(shots: Shots, *, lost: float, cameras: bool, seed: int) -> dict[str, Column]:
    """Return every column of event_info but the tags, one row for each shot.

    Parameters
    ----------
    shots : Shots
        What happened.
    lost : float
        Part of the rows in which a beam monitor or the spectrometer read nothing: NaN.
    cameras : bool
        Write what the beamline's 21 cameras say as well: eleven columns each.
    seed : int
        Where noise comes from.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        By the path below ``event_info``, with the types that DataConvert writes.

    """
    rng = generator(seed, Purpose.EVENT, int(shots.tags[0]))
    columns = dict(_statuses(shots))
    columns.update(_energies(shots, lost, rng))
    columns.update(_motors(shots))
    columns.update(_monitors(shots, rng))
    if cameras:
        columns.update(_cameras(len(shots.tags), rng))
    return columns


def _statuses(shots: Shots) -> Iterator[tuple[str, Column]]:
    always = np.ones(len(shots.tags), np.int32)
    yield "time_stamp", TIME_OF_TAG_0 + shots.tags / TAGS_PER_SECOND
    yield "acc/accelerator_status", always
    yield LASER, shots.laser.astype(np.int32)
    yield XFEL, shots.beam.astype(np.int32)
    yield SHUTTER, shots.beam.astype(np.int32)
    yield "bl_3/shutter_1_close_valid_status", (~shots.beam).astype(np.int32)
    yield "lh1/shutter_1_open_valid_status", always
    yield "lh1/shutter_1_close_valid_status", always - 1


def _energies(shots: Shots, lost: float, rng: np.random.Generator) -> Iterator[tuple[str, Column]]:
    n = len(shots.tags)
    exact = {
        PHOTON_ENERGY: shots.energy * 1e3 * (1 + _ENERGY_SPREAD * rng.standard_normal(n)),
        PULSE_ENERGY: MEAN_PULSE * shots.pulse,
        "bl_3/oh_2/bm_1_pulse_energy_in_joule": MEAN_PULSE * shots.pulse * _about(0.97, n, rng),
    }
    for path, values in exact.items():
        yield path, np.where(rng.random(n) < lost, np.nan, values).astype(np.float32)
    for monitor in ("bm_1", "bm_2"):
        yield f"bl_3/oh_2/{monitor}_horizontal", _near(0.0, n, rng)
        yield f"bl_3/oh_2/{monitor}_vertical", _near(0.0, n, rng)
        charge = 2e-9 * shots.pulse * _about(1.0, n, rng)
        yield f"{monitor}_signal_in_coulomb", charge.astype(np.float32)


def _motors(shots: Shots) -> Iterator[tuple[str, Column]]:
    delay, n = shots.steps["delay"], len(shots.tags)
    yield "bl_3/lh_1/electrical_delay_in_psec", delay * (FEMTOSECONDS_PER_PULSE * 1e-3)
    yield DELAY, delay
    yield ROCKING, shots.steps["rocking"]
    for path, position in _STANDING.items():
        yield f"bl_3/{path}", np.full(n, position, np.int32)
    for path in _ATTENUATORS:
        yield f"bl_3/{path}_thickness_in_meter", np.full(n, 5e-5, np.float32)
    yield "bl_3/eh_4/laser/mirror_rotation_motor_27_in_degree", np.full(n, 12.25, np.float32)
    yield "bl_3/eh_4/laser/mirror_tilt_motor_28_in_degree", np.full(n, -0.5, np.float32)


def _monitors(shots: Shots, rng: np.random.Generator) -> Iterator[tuple[str, Column]]:
    n = len(shots.tags)
    seen = shots.pulse * shots.beam
    for place, diodes in _PHOTODIODES.items():
        for diode in diodes:
            volts = 0.8 * seen * _about(1.0, n, rng)
            yield f"bl_3/{place}/photodiode_{diode}_in_volt", volts.astype(np.float32)
    for place, monitors in _MONITORS.items():
        for monitor in monitors:
            energy = 0.6 * MEAN_PULSE * seen * _about(1.0, n, rng)
            yield f"bl_3/{place}/{monitor}_pulse_energy_in_joule", energy.astype(np.float32)
            yield f"bl_3/{place}/{monitor}_horizontal", _near(0.0, n, rng)
            yield f"bl_3/{place}/{monitor}_vertical", _near(0.0, n, rng)


def _cameras(n: int, rng: np.random.Generator) -> Iterator[tuple[str, Column]]:
    for hutch, count in _HUTCH_CAMERAS.items():
        for camera in range(1, count + 1):
            place = f"bl_3/{hutch}/camera/camera_{camera}_roi"
            for name in _CAMERA_INTEGERS:
                yield f"{place}_{name}", rng.integers(0, 480, n, dtype=np.int32)
            for name in _CAMERA_FLOATS:
                yield f"{place}_{name}", _near(100.0, n, rng)


def _about(mean: float, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return factors that scatter by a percent."""
    return mean * (1 + 0.01 * rng.standard_normal(n))


def _near(mean: float, n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return values that scatter by 0.1."""
    return (mean + 0.1 * rng.standard_normal(n)).astype(np.float32)
