"""The axes of a scan: what the command asks for, borne out by where the motors were."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from nxscan.translate.axes import AxesFound, find_axes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.report import Report
    from nxscan.translators.bliss.command import Command, Sweep

    Columns = Mapping[str, NDArray[np.float64]]

CLOCKS = ("elapsed_time", "epoch")
"""Counters that say when a point was taken."""

_HELD = 0.5
"""A motor is held along a line if it moves by less than this part of its step."""


def scan_axes(
    commands: Sequence[Command],
    columns: Columns,
    frames: int,
    given: Mapping[str, int] | None,
    slow: Mapping[str, int],
    report: Report,
) -> AxesFound:
    """Return the axes of a scan, or of several that are joined.

    Parameters
    ----------
    commands : sequence of Command
        What the command says of a scan, and what ``fscan_parameters`` says; the first that the
        motors' positions bear out is followed.
    columns : mapping of str to ndarray, shape (frames,)
        Every motor and counter.
    frames : int
        Points, those of all joined scans.
    given : mapping of str to int or None
        Axes that the user gives.
    slow : mapping of str to int
        The motor between joined scans, and how many there are.
    report : Report
        Takes what the command asks for and the positions do not bear out.

    """
    motors = {name for command in commands for name in command.motors}
    moving = {name: columns[name] for name in columns if name in motors or name in slow}
    if given:
        moving |= {name: columns[name] for name in given if name in columns}
        return find_axes(moving, frames, override=given)
    each = frames // math.prod(slow.values())
    for command in commands:
        for sweeps in _orders(command, each):
            override = _override(sweeps, columns, each)
            if override:
                return find_axes(moving, frames, override={**slow, **override})
    timed = all(command.timed for command in commands)
    clock = next((name for name in CLOCKS if timed and _rises(columns.get(name))), None)
    if clock and not slow and frames > 1:
        return find_axes({clock: columns[clock]}, frames, override={clock: frames})
    if slow and not motors:
        return find_axes(moving, frames, override={**slow, "frame": each})
    lacking = [name for name in motors if name not in columns]
    if lacking:
        text = f"the command moves {', '.join(lacking)}, whose positions were not recorded"
        report.warning("axes", text, "give the axes with --axes where you know them")
    return find_axes(moving, frames)


def _orders(command: Command, frames: int) -> list[tuple[Sweep, ...]]:
    """Return the command's dimensions, and the same with fast and slow exchanged."""
    sweeps = command.sweeps
    if not sweeps:
        return []
    if command.points is None and len(sweeps) == 1 and frames % sweeps[0].size == 0:
        return [sweeps]
    return [sweeps] if len(sweeps) == 1 else [sweeps, sweeps[::-1]]


def _override(sweeps: Sequence[Sweep], columns: Columns, frames: int) -> dict[str, int] | None:
    """Return the dimensions' names and lengths if the motors' positions bear them out."""
    sizes = [sweep.size for sweep in sweeps]
    asked = math.prod(sizes)
    if len(sizes) == 1 and asked != frames:
        loops, rest = divmod(frames, asked)
        if rest == 0 and loops > 1:  # a loop over the scan, whose number no command says
            name = _named(sweeps[0], columns)
            return {"repeat": loops, name: asked} if name else None
        sizes = [frames]
    elif asked != frames:
        return None
    found: dict[str, int] = {}
    run = frames
    for sweep, size in zip(sweeps, sizes, strict=True):
        run //= size
        name = _named(sweep, columns)
        if name is None or name in found or (run > 1 and not _is_held(columns[name], size, run)):
            return None
        found[name] = size
    return found


def _named(sweep: Sweep, columns: Columns) -> str | None:
    """Return the motor that names a dimension: the first with a position at every point."""
    if not sweep.motors:
        return "repeat"
    return next((motor for motor in sweep.motors if _complete(columns.get(motor))), None)


def _complete(column: NDArray[np.float64] | None) -> bool:
    return column is not None and bool(np.isfinite(column).all())


def _is_held(column: NDArray[np.float64], size: int, run: int) -> bool:
    """Tell whether a motor keeps its place along each line, and moves between lines."""
    lines = column[: len(column) // (size * run) * size * run].reshape(-1, size, run)
    if size == 1:
        return True
    steps = np.abs(np.diff(lines.mean(axis=2), axis=1))
    return bool(np.max(np.ptp(lines, axis=2)) < _HELD * np.median(steps))


def _rises(column: NDArray[np.float64] | None) -> bool:
    return _complete(column) and column is not None and bool(np.all(np.diff(column) > 0))
