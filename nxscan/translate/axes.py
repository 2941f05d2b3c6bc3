"""Find the axes of a scan in what each motor was read at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from nxscan.errors import PlanError
from nxscan.translate.axes_evidence import (
    follows,
    level_means,
    motor_evidence,
    other_evidence,
    primary_first,
    repeat_evidence,
    roughness,
)
from nxscan.translate.axes_grid import decide
from nxscan.translate.axes_levels import is_monotone, moves, read_motor
from nxscan.translate.axes_override import contradictions, given_parts
from nxscan.translate.axes_parts import describe
from nxscan.translate.report import Problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from nxscan.translate.axes_levels import Reading
    from nxscan.translate.axes_parts import Part, Parts

    Kind = Literal["motor", "repeat", "frame", "position"]

LISTED = "the scan is kept as a list of positions; give its axes with --axes where you know them"
"""What happens to a scan whose axes are not clear, and what a user can do about it."""


@dataclass(frozen=True, eq=False)
class Dimension:
    """One dimension of a scan that was recognized.

    Attributes
    ----------
    name : str
        The motor that names it, or ``repeat``, ``frame`` (no motor moved) or ``position``
        (a list of positions).
    size : int
        Its length.
    motors : dict of str to ndarray, shape (size,)
        Every motor that moves along it with its values there: the grid's for a grid, the
        readings for a list. The naming motor is first; empty for ``repeat`` and ``frame``.
    kind : {"motor", "repeat", "frame", "position"}
        What it is.
    zigzag : bool
        Every other row was taken backwards.

    """

    name: str
    size: int
    motors: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    kind: Kind = "motor"
    zigzag: bool = False


@dataclass(frozen=True, eq=False)
class AxesFound:
    """The axes that were found, with the evidence.

    Attributes
    ----------
    dimensions : tuple of Dimension
        Slow to fast; empty for a single frame.
    order : ndarray of int, shape (frames,)
        Stored position k (in C order over the dimensions) holds acquired frame ``order[k]``.
    evidence : tuple of str
        One sentence for each thing that was seen, for ``nxscan inspect``.
    problems : tuple of Problem
        What does not fit: an aborted row, candidates between which nothing decides.

    """

    dimensions: tuple[Dimension, ...]
    order: NDArray[np.intp]
    evidence: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the dimensions, slow to fast."""
        return tuple(dimension.size for dimension in self.dimensions)


def find_axes(
    motors: Mapping[str, NDArray[np.float64]],
    frames: int,
    *,
    override: Mapping[str, int] | None = None,
) -> AxesFound:
    """Find the scan's axes in the motors' readings.

    Readings are sorted into levels that lie clearly apart, whatever the motor's unit and
    precision; levels that are held for as many frames each and gone through in the same order
    (or to and fro) are a sweep; sweeps that nest, and together hold every frame, are a grid.
    Where they do not, or where something else fits as well, the scan is a list of positions
    and a problem says why: a shape is never guessed.

    Parameters
    ----------
    motors : mapping of str to ndarray, shape (frames,)
        One number a frame, in the order the frames were taken; NaN where it is missing.
        Motors that did not move may be among them.
    frames : int
        Number of frames.
    override : mapping of str to int, optional
        Axes given by hand, slow to fast, with their lengths; ``repeat`` and ``frame`` are
        dimensions along which no motor moved.

    Returns
    -------
    AxesFound
        The dimensions, the order in which frames are stored, evidence and problems.

    Raises
    ------
    PlanError
        If ``override`` names no motor of the scan or does not hold all frames.

    Examples
    --------
    >>> import numpy as np
    >>> mu, chi = np.repeat([0.0, 0.1, 0.2], 2), np.array([1.0, 2, 2, 1, 1, 2])
    >>> found = find_axes({"chi": chi, "mu": mu}, 6)
    >>> found.shape, [dimension.name for dimension in found.dimensions]
    ((3, 2), ['mu', 'chi'])
    >>> found.order.tolist()
    [0, 1, 3, 2, 4, 5]

    """
    values = {name: _plausible(found) for name, found in motors.items()}
    for name, found in values.items():
        if found.shape != (frames,):
            raise PlanError(f"motor {name!r} has readings of shape {found.shape}, not ({frames},)")
    return _Finder(values, frames).find(override)


class _Finder:
    """Turns decisions about motors into dimensions, order, evidence and problems."""

    def __init__(self, motors: dict[str, NDArray[np.float64]], frames: int) -> None:
        self.motors = motors
        self.frames = frames
        self.missing = {
            name: count
            for name, values in motors.items()
            if (count := int(np.sum(~np.isfinite(values))))
        }
        self.readings = {
            name: read_motor(name, values)
            for name, values in motors.items()
            if frames > 1 and name not in self.missing and moves(values)
        }
        self.evidence: list[str] = []
        self.problems: list[Problem] = []

    def find(self, override: Mapping[str, int] | None) -> AxesFound:
        """Return what is found, or what is given."""
        if override:
            parts = given_parts(self.motors, self.frames, override)
            dimensions, order = self._grid(parts, list(override))
        elif not self.readings:
            dimensions, order = self._still(), np.arange(self.frames)
        else:
            decision = decide(list(self.readings.values()), self.frames)
            doubt = decision.doubt or self._hidden(decision.parts)
            if doubt:
                dimensions, order = self._list(decision.parts, doubt), np.arange(self.frames)
            else:
                dimensions, order = self._grid(decision.parts)
        self._report_missing(override or {})
        return AxesFound(dimensions, order, tuple(self.evidence), tuple(self.problems))

    def _grid(
        self, parts: Parts, given: list[str] | None = None
    ) -> tuple[tuple[Dimension, ...], NDArray[np.intp]]:
        """Lay all frames out on a grid; motors that follow one of its dimensions join it."""
        parts = self._join(parts, fixed=given is not None)
        dimensions = []
        place = np.zeros(self.frames, dtype=np.intp)
        for number, part in enumerate(parts):
            name = given[number] if given else part.name
            dimension, index = self._dimension(name, part, fixed=given is not None)
            dimensions.append(dimension)
            place = place * part.sweep.size + index
            if given and part.motors:
                along = level_means(self.motors[name], part.sweep)
                self.problems += contradictions(part, name, self.motors[name], along)
        self._report_others(name for part in parts for name in part.motors)
        return tuple(dimensions), np.argsort(place, kind="stable")

    def _dimension(
        self, name: str, part: Part, *, fixed: bool
    ) -> tuple[Dimension, NDArray[np.intp]]:
        """Return one dimension, and the place of each frame along it."""
        sweep, index = part.sweep, part.sweep.index(self.frames)
        if not part.motors:
            kind: Kind = "frame" if name == "frame" else "repeat"
            self.evidence.append(repeat_evidence(name, sweep, self.frames))
            return Dimension(name, sweep.size, kind=kind), index
        along = {motor: level_means(self.motors[motor], sweep) for motor in part.motors}
        self._report_part(part)
        if not fixed and not is_monotone(along[name]):
            upward = np.argsort(along[name], kind="stable")
            along = {motor: means[upward] for motor, means in along.items()}
            index = np.argsort(upward)[index]
            self.evidence.append(f"{name}: taken in another order, stored upwards")
        return Dimension(name, sweep.size, along, zigzag=sweep.zigzag), index

    def _join(self, parts: Parts, *, fixed: bool) -> Parts:
        """Add the motors that follow a dimension to it, and let the most regular one name it."""
        used = {name for part in parts for name in part.motors}
        joined: dict[Part, list[str]] = {part: [] for part in parts}
        indices = [(part, part.sweep.index(self.frames)) for part in parts if part.motors]
        for name, reading in self.readings.items():
            leader = None if name in used else _leader(reading, indices)
            if leader is not None:
                joined[leader].append(name)
        return tuple(
            replace(part, motors=(*(part.motors if fixed else self._ranked(part)), *joined[part]))
            for part in parts
        )

    def _ranked(self, part: Part) -> tuple[str, ...]:
        in_order = [name for name in self.motors if name in part.motors]
        means = {name: level_means(self.motors[name], part.sweep) for name in in_order}
        return tuple(primary_first(in_order, means))

    def _list(self, parts: Parts, doubt: str) -> tuple[Dimension, ...]:
        """Keep the frames as a list of positions, with every motor that moved."""
        parts = tuple(replace(part, motors=self._ranked(part)) for part in parts)
        names = [name for part in parts for name in part.motors]
        for part in parts:
            if part.motors:
                self._report_part(part)
        self._report_others(names)
        others = [reading for name, reading in self.readings.items() if name not in names]
        names += [reading.name for reading in sorted(others, key=roughness)]
        self.problems.append(Problem("warning", "axes", doubt, LISTED))
        readings = {name: self.motors[name] for name in names}
        return (Dimension("position", self.frames, readings, "position"),)

    def _still(self) -> tuple[Dimension, ...]:
        if self.frames <= 1:
            return ()
        self.evidence.append(f"no motor that was read in all {self.frames} frames moved")
        return (Dimension("frame", self.frames, kind="frame"),)

    def _hidden(self, parts: Parts) -> str:
        """Say which motor with gaps in its readings may be what seems to be a repeat."""
        if all(part.motors for part in parts):
            return ""
        for name, count in self.missing.items():
            found = self.motors[name][np.isfinite(self.motors[name])]
            if len(found) and moves(found):
                return (
                    f"the readings fit {describe(parts)}, but {name}, which moved, "
                    f"is missing in {count} of {self.frames} frames"
                )
        return ""

    def _report_part(self, part: Part) -> None:
        leader = ""
        for name in part.motors:
            self.evidence.append(motor_evidence(name, self.motors[name], part.sweep, leader))
            leader = part.motors[0]

    def _report_others(self, used: Iterable[str]) -> None:
        names = set(used)
        others = [reading for name, reading in self.readings.items() if name not in names]
        self.evidence += [other_evidence(reading) for reading in others]

    def _report_missing(self, given: Mapping[str, int]) -> None:
        for name, count in self.missing.items():
            text = f"missing in {count} of {self.frames} frames"
            self.evidence.append(f"{name}: {text}")
            if name not in given:
                message = f"{name} is {text}, so it is no axis of the scan"
                self.problems.append(Problem("warning", "axes", message))


def _plausible(readings: ArrayLike) -> NDArray[np.float64]:
    """Return readings as numbers; those so large that their square overflows are missing."""
    values = np.asarray(readings, dtype=np.float64)
    return np.where(np.abs(values) < 1e150, values, np.nan)


def _leader(reading: Reading, indices: Iterable[tuple[Part, NDArray[np.intp]]]) -> Part | None:
    return next((part for part, index in indices if follows(reading, index)), None)
