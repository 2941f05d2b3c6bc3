"""Conditions on what was read at each frame: ``laser_pulse_selector_status == 0``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import PlanError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.build import Found

    Column = NDArray[np.float64]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_PART = re.compile(r"\s*([\w.:/-]+?)\s*(==|!=|<=|>=|<|>|=)\s*([-+\w.]+)\s*\Z")


@dataclass(frozen=True)
class Condition:
    """One comparison of a column with a number.

    Attributes
    ----------
    column : str
        The column: its whole name, or the last part of it where that is enough.
    relation : str
        ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
    number : float
        What it is compared with.

    """

    column: str
    relation: str
    number: float

    def __str__(self) -> str:
        return f"{self.column} {self.relation} {self.number!r}"


def parse_where(text: str) -> tuple[Condition, ...]:
    """Read conditions as a user writes them, all of which must hold.

    >>> [str(one) for one in parse_where("laser == 0 and energy > 1e-4")]
    ['laser == 0.0', 'energy > 0.0001']
    """
    found = []
    for part in re.split(r"\band\b|&&|,", text):
        match = _PART.match(part)
        number = None if match is None else _number(match[3])
        if match is None or number is None:
            raise PlanError(
                f"--where {text!r}: {part.strip()!r} is not NAME == NUMBER",
                "write a column, one of == != < <= > >=, and a number; join several by `and`",
            )
        found.append(Condition(match[1], match[2].replace("=", "==", match[2] == "="), number))
    return tuple(found)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def chosen(
    conditions: tuple[Condition, ...], columns: Mapping[str, Column], frames: int
) -> NDArray[np.bool_]:
    """Tell for each frame whether all conditions hold; where a value is missing, none does.

    Parameters
    ----------
    conditions : tuple of Condition
        The conditions.
    columns : mapping of str to ndarray, shape (frames,)
        What was read at each frame.
    frames : int
        Number of frames.

    Raises
    ------
    PlanError
        If a column is not there, or its name could mean several.

    """
    keep = np.ones(frames, np.bool_)
    for condition in conditions:
        values = columns[_meant(condition.column, columns)]
        held = _COMPARE[condition.relation](values, condition.number)
        keep &= held & np.isfinite(values)
    return keep


def _meant(name: str, columns: Mapping[str, Column]) -> str:
    if name in columns:
        return name
    ends = [one for one in columns if one.endswith((f"/{name}", f".{name}", f":{name}"))]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise PlanError(f"--where: {name!r} could be any of {', '.join(ends)}", "name one whole")
    raise PlanError(f"--where: there is no {name!r}", f"there are: {', '.join(columns) or 'none'}")


def keep_where(found: Found, conditions: tuple[Condition, ...]) -> Found:
    """Return what was found of those frames for which all conditions hold.

    Raises
    ------
    PlanError
        If a column is not there, or no frame is left.

    """
    frames = next(iter(found.detectors.values())).shape[0]
    keep = chosen(conditions, {**found.motors, **found.counters}, frames)
    if not keep.any():
        said = " and ".join(str(one) for one in conditions)
        raise PlanError(f"none of {frames} frames has {said}", "ask for another")
    return take(found, np.flatnonzero(keep))


def take(found: Found, rows: NDArray[np.intp]) -> Found:
    """Return what was found of some frames, in the order named."""
    frames = next(iter(found.detectors.values())).shape[0]
    return replace(
        found,
        detectors={
            name: signal.arranged((len(rows),), rows) for name, signal in found.detectors.items()
        },
        motors={name: column[rows] for name, column in found.motors.items()},
        counters={name: column[rows] for name, column in found.counters.items()},
        values={
            key: value[rows]
            if isinstance(value, np.ndarray) and value.shape[:1] == (frames,)
            else value
            for key, value in found.values.items()
        },
    )
