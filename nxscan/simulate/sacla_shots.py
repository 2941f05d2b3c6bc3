"""What happens at SACLA from shot to shot: pulses, laser, shutter, motors, particles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.seeds import Purpose, generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ShotPlan:
    """What is asked of the shots.

    Attributes
    ----------
    laser_every : int
        The pump laser is on at the first of so many shots; 0 is never.
    dark_every : int
        The shutter is closed at the last of so many shots; 0 is never.
    spread : float
        Standard deviation of the pulse energy over its mean.
    lost : float
        Part of the rows in which a beam monitor or the spectrometer read nothing: NaN.
    delay, rocking : tuple of int
        Positions of the delay line and of the rocking motor, in pulses. Every rocking position
        is taken at each delay; the image does not depend on either.
    nshots : int
        Shots at each position. After the last position the first follows again.

    """

    laser_every: int = 2
    dark_every: int = 10
    spread: float = 0.1
    lost: float = 0.05
    delay: tuple[int, ...] = (-750, 0, 750, 1500)
    rocking: tuple[int, ...] = (20000,)
    nshots: int = 10

    def __post_init__(self) -> None:
        if not (self.delay and self.rocking and self.nshots >= 1):
            raise NxscanError("a scan needs a delay, a rocking position and a shot at least")
        if not 0 <= self.lost <= 1 or not self.spread >= 0:
            raise NxscanError("lost must be from 0 to 1, and spread 0 or more")


@dataclass(frozen=True, eq=False)
class Shots:
    """What happened at each shot of a run; every array has one value a shot.

    Attributes
    ----------
    tags : ndarray of int64, shape (n,)
        Tag numbers, in the order of time.
    energy : float
        Mean photon energy, keV.
    pulse : ndarray, shape (n,)
        Energy of the pulse over that of a mean one.
    laser, beam : ndarray of bool, shape (n,)
        Was the pump laser on, and the X-ray shutter open?
    steps : dict of str to ndarray of int32, shape (n,)
        Positions of ``delay`` and ``rocking``, in pulses of the motors.
    orientations : ndarray, shape (n, particles)
        Angles of the particles, degrees from 0 to 360.
    streams : ndarray of int64, shape (n,)
        Which random numbers made the image: those of the tag, or of a member of the pool.

    """

    tags: NDArray[np.int64]
    energy: float
    pulse: Floats
    laser: Flags
    beam: Flags
    steps: dict[str, NDArray[np.int32]]
    orientations: Floats
    streams: NDArray[np.int64]


def make_shots(
    tags: NDArray[np.int64], plan: ShotPlan, *, energy: float, particles: int, pool: int, seed: int
) -> Shots:
    """Return what happened at each tag.

    Parameters
    ----------
    tags : ndarray of int64, shape (n,)
        The shots, in the order of time.
    plan : ShotPlan
        What is asked of them.
    energy : float
        Mean photon energy, keV.
    particles : int
        Particles in each shot.
    pool : int
        Shots with beam that differ in more than their pulse's energy; 0 makes all differ.
    seed : int
        Where random numbers come from.

    """
    k = np.arange(len(tags))
    pulse = np.array([generator(seed, Purpose.EVENT, int(t)).standard_normal() for t in tags])
    laser = _every(k, plan.laser_every, 0)
    beam = ~_every(k, plan.dark_every, plan.dark_every - 1)
    state = laser + 2 * beam.astype(np.int64)
    streams = 4 * (k % pool) + state if pool else tags
    position = k // plan.nshots % (len(plan.delay) * len(plan.rocking))
    slow, fast = np.divmod(position, len(plan.rocking))
    return Shots(
        tags=tags,
        energy=energy,
        pulse=np.clip(1 + plan.spread * pulse, 0.1, None),
        laser=laser,
        beam=beam,
        steps={
            "delay": np.array(plan.delay, np.int32)[slow],
            "rocking": np.array(plan.rocking, np.int32)[fast],
        },
        orientations=np.array(
            [360 * generator(seed, Purpose.SHOT, 100 * int(s)).random(particles) for s in streams]
        ),
        streams=streams,
    )


def _every(k: NDArray[np.int64], period: int, which: int) -> Flags:
    return k % period == which if period else np.zeros(len(k), bool)
