"""What a scan command asks for: which motors, how many points, what each frame sweeps over."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

_STEPS = re.compile(r"[ad](\d?|n)scan")
_MESH = re.compile(r"[ad]\d?mesh")
_FSCAN = re.compile(r"fscan(?:\d+d)?|fsweep|finterlaced|fscanloop")
_TIMED = frozenset({"ct", "sct", "loopscan", "timescan", "ftimescan", "limatake"})


@dataclass(frozen=True)
class Sweep:
    """One dimension that a command asks for.

    Attributes
    ----------
    motors : tuple of str
        The motors that move along it; none for a repeat.
    size : int
        Its length.
    starts, stops : tuple of float
        The first and last position of each motor, as the command has them.

    """

    motors: tuple[str, ...]
    size: int
    starts: tuple[float, ...] = ()
    stops: tuple[float, ...] = ()


@dataclass(frozen=True)
class Command:
    """A scan command, as far as it is understood.

    Attributes
    ----------
    text : str
        The command as the file has it.
    sweeps : tuple of Sweep
        Its dimensions, slow to fast; empty if no motor moves or it is not understood.
    points : int or None
        How many points it asks for, where it says.
    integrated : dict of str to tuple of (float, float)
        Motors that move during each frame alone: where they begin and where they end.
    timed : bool
        No motor moves: points follow each other in time.

    """

    text: str
    sweeps: tuple[Sweep, ...] = ()
    points: int | None = None
    integrated: dict[str, tuple[float, float]] = field(default_factory=dict)
    timed: bool = False

    @property
    def motors(self) -> tuple[str, ...]:
        """Every motor that it moves between frames."""
        return tuple(motor for sweep in self.sweeps for motor in sweep.motors)


def parse_command(text: str) -> Command:
    """Understand a scan command; what is not understood gives no sweeps and no points.

    ``ascan``-like commands count intervals, ``fscan``-like ones points of a constant step; the
    first motor of a mesh is the fast one, that of ``fscan2d`` the slow one. A fast motor with a
    single point of a certain length moves during each frame, and not between frames.

    Examples
    --------
    >>> parse_command("ascan eta 15.24 19.24 50 1").points
    51
    >>> parse_command("fscan2d chi -1 0.08 62 diffrz -1.5 3.5 1 1 1.00041").integrated
    {'diffrz': (-1.5, 2.0)}

    """
    words = text.split()
    reader = _reader(words[0]) if words else None
    if reader is None:
        return Command(text)
    try:
        found = reader(words[1:])
    except (ValueError, IndexError):
        return Command(text)
    points = None if words[0] == "fscanloop" else found.points
    return replace(found, text=text, points=points)


def from_parameters(text: str, values: Mapping[str, str]) -> Command | None:
    """Return the command that a group ``fscan_parameters`` describes; None if it does not.

    Parameters
    ----------
    text : str
        The scan's title.
    values : mapping of str to str
        The group's fields, among them ``motor``, ``start_pos``, ``step_size`` and ``npoints``,
        or these with ``slow_`` and ``fast_`` before them.

    """
    prefixes = [prefix for prefix in ("slow_", "fast_", "") if f"{prefix}motor" in values]
    try:
        sweeps = [_described(values, prefix) for prefix in prefixes]
    except (KeyError, ValueError):
        return None
    if not sweeps:
        return None
    loops = _whole(values.get("nscans", "1")) or 1
    if loops > 1 and len(sweeps) == 1:
        sweeps.insert(0, Sweep((), loops))
    return replace(_swept(sweeps), text=text)


def _reader(name: str) -> Callable[[Sequence[str]], Command] | None:
    if name in _TIMED:
        return lambda words: _timed(name, words)
    if _STEPS.fullmatch(name):
        return _steps
    if _MESH.fullmatch(name):
        return _mesh
    if name == "f2scan":
        return _f2scan
    return _fscan if _FSCAN.fullmatch(name) else None


def _timed(name: str, words: Sequence[str]) -> Command:
    points = 1 if name in ("ct", "sct") else _whole(words[0]) if name == "loopscan" else None
    return Command("", points=points, timed=True)


def _steps(words: Sequence[str]) -> Command:
    """Read ``m start stop`` of each motor, then the intervals and the time."""
    motors, starts, stops = [], [], []
    rest = list(words)
    while len(rest) >= 3 and _number(rest[0]) is None:
        motors.append(rest[0])
        starts.append(float(rest[1]))
        stops.append(float(rest[2]))
        rest = rest[3:]
    return _asked([Sweep(tuple(motors), int(rest[0]) + 1, tuple(starts), tuple(stops))])


def _mesh(words: Sequence[str]) -> Command:
    """Read ``m start stop intervals`` of each motor, the fast one first."""
    sweeps = []
    rest = list(words)
    while len(rest) >= 4 and _number(rest[0]) is None:
        sweeps.append(Sweep((rest[0],), int(rest[3]) + 1, (float(rest[1]),), (float(rest[2]),)))
        rest = rest[4:]
    return _asked(sweeps[::-1])


def _fscan(words: Sequence[str]) -> Command:
    """Read ``m start step points`` of each motor, the slow one first."""
    sweeps = []
    rest = list(words)
    while len(rest) >= 4 and _number(rest[0]) is None:
        sweeps.append(_stepped((rest[0],), (float(rest[1]),), (float(rest[2]),), int(rest[3])))
        rest = rest[4:]
    return _swept(sweeps)


def _f2scan(words: Sequence[str]) -> Command:
    """Read ``m start step`` of the motor and of its slave, then the points."""
    starts, steps = (float(words[1]), float(words[4])), (float(words[2]), float(words[5]))
    return _asked([_stepped((words[0], words[3]), starts, steps, int(words[6]))])


def _swept(sweeps: Sequence[Sweep]) -> Command:
    """Return the command of a continuous scan: its fast motor moves during the frames."""
    fast = sweeps[-1]
    if len(sweeps) > 1 and fast.size == 1 and fast.starts[0] != fast.stops[0]:
        found = _asked(sweeps[:-1])
        return replace(found, integrated={fast.motors[0]: (fast.starts[0], fast.stops[0])})
    return _asked(
        [replace(s, stops=tuple(_last(a, b, s.size) for a, b in _ends(s))) for s in sweeps]
    )


def _asked(sweeps: Sequence[Sweep]) -> Command:
    if not sweeps or any(sweep.size < 1 for sweep in sweeps):
        raise ValueError("no points")
    return Command("", tuple(sweeps), math.prod(sweep.size for sweep in sweeps))


def _ends(sweep: Sweep) -> list[tuple[float, float]]:
    return list(zip(sweep.starts, sweep.stops, strict=True))


def _last(start: float, end: float, size: int) -> float:
    """Return where the last point begins, of points that reach from ``start`` to ``end``."""
    return start + (end - start) * (size - 1) / size


def _stepped(
    motors: tuple[str, ...], starts: tuple[float, ...], steps: tuple[float, ...], size: int
) -> Sweep:
    """Return a sweep whose stops are where its last point ends."""
    stops = tuple(start + size * step for start, step in zip(starts, steps, strict=True))
    return Sweep(motors, size, starts, stops)


def _described(values: Mapping[str, str], prefix: str) -> Sweep:
    motor = values[f"{prefix}motor"].removeprefix("axis:")
    start, step = float(values[f"{prefix}start_pos"]), float(values[f"{prefix}step_size"])
    return _stepped((motor,), (start,), (step,), int(float(values[f"{prefix}npoints"])))


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _whole(word: str) -> int | None:
    found = _number(word)
    return int(found) if found is not None and found >= 1 else None
