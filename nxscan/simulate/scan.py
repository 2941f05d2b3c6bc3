"""A simulated rocking scan: frames one at a time, motor readings, counters and the truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.camera import Camera
from nxscan.simulate.counters import ring_counters
from nxscan.simulate.crystal import Crystal, crystal
from nxscan.simulate.curves import elliptic_distance, fwhm_to_sigma, profile
from nxscan.simulate.seeds import Purpose, generator
from nxscan.simulate.tiles import NoiseTile
from nxscan.simulate.trajectory import Trajectory, trajectory
from nxscan.simulate.truth import Truth, center_map, width_map

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    Noise = Literal["exact", "tiled"]
    Map = NDArray[np.float32]

_FLAT_COUNTS = 20000.0


@dataclass(frozen=True, eq=False)
class SimulatedScan:
    """A rocking scan whose frames are made when they are asked for.

    Frame k depends on the seed and k alone: frames may be asked for in any order, more than
    once, from several threads.

    Attributes
    ----------
    crystal : Crystal
        What was seen.
    camera : Camera
        What saw it.
    trajectory : Trajectory
        Where the motors were at each frame.
    counters : dict of str to ndarray, shape (n,)
        ``sec`` (s), ``srcur`` (ring current, mA), ``mon`` (counts), ``epoch`` (s since 1970).
    seed : int
        Seed of all noise.
    exposure : float
        Seconds a frame; the crystal's counts are those of one frame, whatever it is.
    noise : {"exact", "tiled"}
        Poisson counts of each pixel, or a normal deviate of the same variance from a tile.

    """

    crystal: Crystal
    camera: Camera
    trajectory: Trajectory
    counters: dict[str, NDArray[np.float64]]
    seed: int = 0
    exposure: float = 1.0
    noise: Noise = "exact"

    def __len__(self) -> int:
        return len(self.trajectory)

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return self.crystal.shape

    @property
    def motors(self) -> dict[str, NDArray[np.float64]]:
        """Readings of the scanned motors at each frame, the slowest motor first, degrees."""
        return self.trajectory.readings

    @property
    def title(self) -> str:
        """The scan command as SPEC writes it, the fastest motor first."""
        axes = self.trajectory.axes
        parts = [
            f"{name} {axes[name][0]:g} {axes[name][-1]:g} {len(axes[name]) - 1}"
            for name in reversed(list(axes))
        ]
        macro = "ascan" if len(parts) == 1 else "mesh"
        return f"{macro} {' '.join(parts)} {self.exposure:g}"

    def expected(self, k: int) -> Map:
        """Return frame k without noise, in ADU above the camera's offset.

        Background and curve follow the ring current; hot pixels add what they always add.
        """
        return self._expected_rows(self._number(k), slice(None))

    def frame(self, k: int) -> NDArray[np.uint16]:
        """Return frame k, in the order the frames were taken."""
        number = self._number(k)
        rng = generator(self.seed, Purpose.FRAME, number)
        if self.noise == "exact":
            return self.camera.expose(self.expected(number), rng)
        shift = self._tile.shift(rng)
        image = np.empty(self.frame_shape, np.uint16)
        for rows in _bands(self.frame_shape):
            signal = self._expected_rows(number, rows)
            image[rows] = self._tile.expose(signal, self.camera, rows.start, shift)
        return image

    def frames(self) -> Iterator[NDArray[np.uint16]]:
        """Yield every frame in the order it was taken, one at a time."""
        return (self.frame(k) for k in range(len(self)))

    def dark(self, k: int) -> NDArray[np.uint16]:
        """Return dark frame k: no beam, but offset, read noise and hot pixels."""
        return self.camera.expose(self._hot, generator(self.seed, Purpose.DARK, k))

    def flat(self, k: int) -> NDArray[np.uint16]:
        """Return flat frame k: the beam through the objective, without the crystal."""
        signal = _FLAT_COUNTS * self.crystal.illumination + self._hot
        return self.camera.expose(signal, generator(self.seed, Purpose.FLAT, k))

    def saturated(self) -> NDArray[np.bool_]:
        """Return which pixels are expected to saturate in at least one frame; goes over all."""
        limit = self.camera.saturation - self.camera.offset
        found = np.zeros(self.frame_shape, np.bool_)
        for k in range(len(self)):
            found |= self.expected(k) >= limit
        return found

    @cached_property
    def truth(self) -> Truth:
        """What an analysis of this scan should find."""
        return Truth.of(self.crystal, list(self.motors), self._hot > 0)

    def _number(self, k: int) -> int:
        number = k + len(self) if k < 0 else k
        if not 0 <= number < len(self):
            raise IndexError(f"frame {k} of a scan of {len(self)} frames")
        return number

    def _expected_rows(self, k: int, rows: slice) -> Map:
        made = self.crystal
        offsets = [
            (np.float32(reading[k]) - self._centers[name][rows]) * self._per_sigma[name][rows]
            for name, reading in self.motors.items()
        ]
        if len(offsets) == 1:
            q = offsets[0] * offsets[0]
        else:
            q = elliptic_distance(offsets[0], offsets[1], self._correlation[rows])
        current = np.float32(self.counters["srcur"][k] / self.counters["srcur"][0])
        signal = made.background[rows] + made.amplitude[rows] * profile(q, made.lorentz)
        signal *= current
        signal += self._hot[rows]
        return signal

    @cached_property
    def _centers(self) -> dict[str, Map]:
        return {name: np.nan_to_num(center_map(self.crystal, name)) for name in self.motors}

    @cached_property
    def _per_sigma(self) -> dict[str, Map]:
        return {
            name: np.nan_to_num(1 / fwhm_to_sigma(width_map(self.crystal, name)))
            for name in self.motors
        }

    @cached_property
    def _correlation(self) -> Map:
        return np.nan_to_num(self.crystal.correlation)

    @cached_property
    def _hot(self) -> Map:
        return self.camera.hot_map(self.frame_shape, self.seed)

    @cached_property
    def _tile(self) -> NoiseTile:
        return NoiseTile.make(self.frame_shape, self.seed)


def rocking_scan(
    sample: Crystal | None = None,
    *,
    mu: ArrayLike | None = None,
    chi: ArrayLike | None = None,
    camera: Camera | None = None,
    seed: int = 0,
    jitter: float = 0.0,
    zigzag: bool = False,
    backlash: float = 0.0,
    repeats: int = 1,
    frames: int | None = None,
    exposure: float = 1.0,
    noise: Noise = "exact",
) -> SimulatedScan:
    """Rock a crystal in front of a camera.

    With one motor, the beam takes all that there is along the other one. With both, chi is
    the slow one and the curve is a correlated peak in two dimensions (mosaicity).

    Parameters
    ----------
    sample : Crystal, optional
        What is seen; ``crystal()`` by default.
    mu, chi : array_like, optional
        Targets of the motors, degrees; 51 steps of mu from −0.25 to 0.25 if neither is given.
    camera : Camera, optional
        What sees it; ``Camera()`` by default.
    seed : int
        Same seed, same frames, readings and counters.
    jitter, zigzag, backlash, repeats, frames
        As in `trajectory`. Frames are simulated where the motors were, not where they
        should have been.
    exposure : float
        Seconds a frame, as the headers tell it.
    noise : {"exact", "tiled"}
        ``"tiled"`` is several times faster and right in mean and variance where the variance
        is above about 10 ADU².

    Returns
    -------
    SimulatedScan

    Raises
    ------
    NxscanError
        If the motors make no scan, or a crystal with Lorentzian curves is rocked in two.

    Examples
    --------
    >>> scan = rocking_scan(crystal((16, 16)), mu=[-0.1, 0.1], chi=[0, 0.1, 0.2])
    >>> len(scan), scan.trajectory.shape, list(scan.motors)
    (6, (3, 2), ['chi', 'mu'])

    """
    made = sample or crystal()
    targets = {name: values for name, values in (("chi", chi), ("mu", mu)) if values is not None}
    if len(targets) == 2 and made.lorentz:
        raise NxscanError(
            f"a crystal with a Lorentzian part of {made.lorentz} cannot be rocked along mu and "
            "chi: its peak has no finite volume",
            "make it with lorentz=0",
        )
    path = trajectory(
        targets or {"mu": np.linspace(-0.25, 0.25, 51)},
        jitter=jitter,
        zigzag=zigzag,
        backlash=backlash,
        repeats=repeats,
        frames=frames,
        seed=seed,
    )
    counters = ring_counters(len(path), exposure, seed)
    return SimulatedScan(made, camera or Camera(), path, counters, seed, exposure, noise)


def realistic_counts(
    frames: int = 800,
    shape: tuple[int, int] = (2048, 2048),
    *,
    seed: int = 0,
    camera: Camera | None = None,
) -> SimulatedScan:
    """Return a scan whose large frames are made fast, for benchmarks.

    Curves and background are exact; the noise is a normal deviate with the camera's variance,
    from one tile of random numbers that is shifted for every frame.

    Parameters
    ----------
    frames : int
        Steps of mu from −0.25° to 0.25°.
    shape : tuple of int
        Rows and columns of a frame.
    seed : int
        Same seed, same frames.
    camera : Camera, optional
        ``Camera()`` by default.

    Examples
    --------
    >>> scan = realistic_counts(5, (64, 48))
    >>> len(scan), scan.frame(4).shape
    (5, (64, 48))

    """
    mu = np.linspace(-0.25, 0.25, frames)
    return rocking_scan(crystal(shape, seed), mu=mu, camera=camera, seed=seed, noise="tiled")


def _bands(shape: tuple[int, int], pixels: int = 1 << 17) -> Iterator[slice]:
    """Cut a frame into bands of rows that stay in the processor's cache."""
    step = max(1, pixels // shape[1])
    return (slice(row, min(row + step, shape[0])) for row in range(0, shape[0], step))
