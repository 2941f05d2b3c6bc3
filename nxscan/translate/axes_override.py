"""Scan axes that the user gives by hand."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import PlanError
from nxscan.translate.axes_parts import Part
from nxscan.translate.axes_sweep import Sweep
from nxscan.translate.report import Problem

if TYPE_CHECKING:
    from nxscan.translate.axes_levels import Values

NOT_MOTORS = ("repeat", "frame")
"""Names that may be given for a dimension along which no motor moved."""

_SHOWN = 12


def given_parts(
    motors: Mapping[str, Values], frames: int, override: Mapping[str, int]
) -> tuple[Part, ...]:
    """Return the dimensions that the user gives, slow to fast, with the ways they were swept.

    Raises
    ------
    PlanError
        If a name is no motor, or the lengths do not hold all frames.

    """
    for name in override:
        if name not in motors and name not in NOT_MOTORS:
            raise PlanError(f"--axes: {name!r} is no motor of this scan", _known(name, motors))
    _check_lengths(frames, override)
    parts, run = [], 1
    for name, size in reversed(list(override.items())):
        part = Part(Sweep(run, size))
        if name in motors:
            part = Part(_directed(name, motors[name], part.sweep), (name,))
        parts.append(part)
        run *= size
    return tuple(reversed(parts))


def contradictions(part: Part, name: str, values: Values, levels: Values) -> Iterator[Problem]:
    """Yield a warning where readings do not bear out the levels they were sorted into."""
    found = np.isfinite(values)
    spread = float(np.max(np.abs(values - levels[part.sweep.index(len(values))])[found]))
    step = float(np.median(np.abs(np.diff(levels)))) if len(levels) > 1 else 0.0
    rounding = 1e-9 * float(np.max(np.abs(levels)))
    if spread > 0.5 * step * (1 + 1e-6) + rounding:
        yield Problem(
            "warning",
            "axes",
            f"{name} is read up to {spread:.3g} away from the {len(levels)} levels that --axes "
            f"gives it, whose step is {step:.3g}",
            "check the order and the lengths in --axes",
        )
    if not found.all():
        missing = f"{name} is missing in {np.sum(~found)} of {len(found)} frames"
        yield Problem("warning", "axes", f"{missing}; its levels are those of the others")


def _check_lengths(frames: int, override: Mapping[str, int]) -> None:
    sizes = list(override.values())
    if min(sizes) < 1 or math.prod(sizes) != frames:
        names = " × ".join(override)
        lengths = " × ".join(str(size) for size in sizes)
        total = f" = {math.prod(sizes)}" if len(sizes) > 1 else ""
        raise PlanError(
            f"{frames} frames, but axes {names} have {lengths}{total} positions",
            "pass other --axes",
        )


def _directed(name: str, values: Values, sweep: Sweep) -> Sweep:
    """Return the sweep as a zigzag if every other pass through it goes backwards."""
    table = values.reshape(-1, sweep.size, sweep.run)
    found = np.isfinite(table)
    if not np.all(found.any(axis=(0, 2))):
        raise PlanError(
            f"--axes: {name!r} is missing in {np.sum(~found)} of {values.size} frames, "
            "among them all of one level",
            "pass other --axes",
        )
    if not found.all():
        return sweep
    rows = table.mean(axis=2)
    rows -= rows.mean(axis=1, keepdims=True)
    backward = rows @ rows[0] < 0
    zigzag = len(rows) > 1 and np.array_equal(backward, np.arange(len(rows)) % 2 == 1)
    return Sweep(sweep.run, sweep.size, zigzag=zigzag)


def _known(name: str, motors: Iterable[str]) -> str:
    def likeness(motor: str) -> float:
        return difflib.SequenceMatcher(None, name.lower(), motor.lower()).ratio()

    names = sorted(motors, key=likeness, reverse=True)
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there are {', '.join(names[:_SHOWN])}{rest}" if names else "it has no motors"
