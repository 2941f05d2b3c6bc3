"""What a simulated SACLA run holds, and what analyses of it should find."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nxscan.errors import NxscanError
from nxscan.simulate.mpccd import ASSEMBLED
from nxscan.simulate.seeds import Purpose, generator
from nxscan.simulate.speckle import Pattern

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nxscan.simulate.mpccd import Mpccd
    from nxscan.simulate.powder import Ring
    from nxscan.simulate.sacla_shots import Shots
    from nxscan.simulate.speckle import Speckle

    Tags = NDArray[np.int64]
    Image = NDArray[np.float32]

_Value = TypeVar("_Value", np.float32, np.float64)


@dataclass(frozen=True, eq=False)
class SaclaRun:
    """One run.

    Attributes
    ----------
    number : int
        Its number.
    group : str
        Its group in the file.
    end_tag : int
        ``end_tag_number``: one step past the last tag.
    shots : Shots
        Every shot that happened, whether it has an image or not, in the order of time.
    listed : ndarray of int64, shape (m,)
        ``tag_number_list``; a tag may be there twice, or not at all.
    events : dict of str to ndarray, shape (m,)
        Columns by their path below ``event_info``, row by row those of ``listed``.
    images : dict of str to ndarray of int64
        For each detector the tags that have an image, ascending.

    """

    number: int
    group: str
    end_tag: int
    shots: Shots
    listed: Tags
    events: dict[str, NDArray[Any]]
    images: dict[str, Tags]

    @cached_property
    def complete(self) -> Tags:
        """Tags with a row of event_info and an image on every detector, ascending."""
        found = np.unique(self.listed)
        for tags in self.images.values():
            found = np.intersect1d(found, tags)
        return found

    @cached_property
    def without_image(self) -> Tags:
        """Tags with a row, but without an image on one detector at least, ascending."""
        return np.setdiff1d(self.listed, self.complete)

    @cached_property
    def without_event(self) -> Tags:
        """Tags with an image somewhere, but without a row, ascending."""
        seen = np.unique(np.concatenate([*self.images.values(), np.empty(0, np.int64)]))
        return np.setdiff1d(seen, self.listed)

    def index(self, tag: int) -> int:
        """Return where a tag is among the shots."""
        found = np.flatnonzero(self.shots.tags == tag)
        if not len(found):
            raise NxscanError(f"run {self.number} has no shot with tag {tag}")
        return int(found[0])

    def value(self, path: str, tag: int) -> Any:
        """Return what a column of event_info says about a tag."""
        found = np.flatnonzero(self.listed == tag)
        if not len(found):
            raise NxscanError(f"event_info of run {self.number} has no row for tag {tag}")
        return self.events[path][found[0]]


@dataclass(frozen=True, eq=False)
class SaclaTruth:
    """Simulated runs of one detector, and the closed formulas behind their images.

    Attributes
    ----------
    detector : Mpccd
        Geometry and gain. ``detector.center_on(name)``, ``sample_distance``, ``wavelength``,
        ``pixel`` and ``adu_per_photon`` are what an analysis needs to know.
    speckle : Speckle
        Rings' brightness, width and angular correlation.
    names : tuple of str
        Detectors that are in the file.
    runs : tuple of SaclaRun
        At least one.
    pool : int
        0 where every shot has noise of its own.
    seed : int
        Where random numbers came from.

    """

    detector: Mpccd
    speckle: Speckle
    names: tuple[str, ...]
    runs: tuple[SaclaRun, ...]
    pool: int
    seed: int

    @property
    def run(self) -> SaclaRun:
        """The first run."""
        return self.runs[0]

    @property
    def rings(self) -> tuple[Ring, ...]:
        """Rings with 2θ, q and radius in pixels."""
        return self._patterns[self.detector.names[0]].rings

    def correlation(self, lag: ArrayLike) -> NDArray[np.float64]:
        """Return the normalized angular correlation along a ring, for angles in degrees."""
        return self.speckle.correlation(lag)

    def expected(self, name: str, tag: int, run: SaclaRun | None = None) -> NDArray[np.float64]:
        """Return the photons that a shot brings to each pixel in the mean; NaN in gaps."""
        if name == ASSEMBLED:
            parts = [self.expected(panel, tag, run) for panel in self.detector.names]
            return self._assemble(parts, np.full(self.detector.assembled_shape, np.nan))
        shots, k = self._find(tag, run)
        return self._expected(name, shots, k, float(shots.pulse[k] * shots.beam[k]))

    def frame(self, name: str, tag: int, run: SaclaRun | None = None) -> Image:
        """Return the image of a shot, as the file has it where it has one.

        Parameters
        ----------
        name : str
            Which detector.
        tag : int
            Which shot.
        run : SaclaRun, optional
            Of which run; by default of the one that has the tag.

        Returns
        -------
        ndarray of float32, shape (y, x)
            ADU. With a pool, the pool's image times the pulse's energy: noise is scaled, too.

        """
        if name == ASSEMBLED:
            parts = [self.frame(panel, tag, run) for panel in self.detector.names]
            return self._assemble(parts, np.zeros(self.detector.assembled_shape, np.float32))
        shots, k = self._find(tag, run)
        stream, pulse = int(shots.streams[k]), float(shots.pulse[k])
        if not self.pool:
            expected = self._expected(name, shots, k, pulse * bool(shots.beam[k]))
            return self._expose(name, expected, stream)
        if (name, stream) not in self._members:
            expected = self._expected(name, shots, k, float(shots.beam[k]))
            self._members[name, stream] = self._expose(name, expected, stream)
        return self._members[name, stream] * np.float32(pulse)

    def _find(self, tag: int, run: SaclaRun | None) -> tuple[Shots, int]:
        if run is None:
            run = next((one for one in self.runs if tag in one.shots.tags), self.run)
        return run.shots, run.index(tag)

    def _expected(self, name: str, shots: Shots, k: int, pulse: float) -> NDArray[np.float64]:
        laser = bool(shots.laser[k])
        return self._patterns[name].expected(shots.orientations[k], laser=laser, pulse=pulse)

    def _expose(self, name: str, expected: NDArray[np.float64], stream: int) -> Image:
        panel = self.detector.names.index(name)
        rng = generator(self.seed, Purpose.SHOT, 100 * stream + panel + 1)
        return self._patterns[name].expose(expected, rng)

    def _assemble(self, parts: list[NDArray[_Value]], whole: NDArray[_Value]) -> NDArray[_Value]:
        rows, columns = self.detector.shape
        for name, part in zip(self.detector.names, parts, strict=True):
            y, x = self.detector.corner(name)
            whole[y : y + rows, x : x + columns] = part
        return whole

    @cached_property
    def _patterns(self) -> dict[str, Pattern]:
        return {name: Pattern(self.detector, name, self.speckle) for name in self.detector.names}

    @cached_property
    def _members(self) -> dict[tuple[str, int], Image]:
        """The pool's images with a mean pulse, as far as they were needed."""
        return {}
