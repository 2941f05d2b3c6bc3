"""Several scans of one command as one, with what moved between them as the slow axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.axes_levels import is_monotone, moves, unevenness

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.bliss.content import Content, Raw

    Column = NDArray[np.float64]

_EVEN = 0.1
_SHOWN = 8


def joined_content(contents: Sequence[Content], points: int) -> Content:
    """Return the content of several scans of ``points`` points each as that of one.

    Columns follow each other; a motor that had one position in each scan has one for each
    point if these differ. What is raw and differs has one value for each point, too.
    """
    first = contents[0]
    names = dict.fromkeys(name for content in contents for name in content.columns)
    columns = {name: _following(contents, name, points) for name in names}
    positions = dict(first.positions)
    for name in dict.fromkeys(name for content in contents for name in content.positions):
        each = np.array([content.positions.get(name, np.nan) for content in contents])
        if name in columns:
            positions.pop(name, None)
        elif np.any(each != each[0]) and np.isfinite(each).any():
            positions.pop(name, None)
            columns[name] = np.repeat(each, points)
    return replace(
        first,
        columns=columns,
        positions=positions,
        units={name: unit for content in contents for name, unit in content.units.items()},
        values=_values([content.values for content in contents], points),
        ended=all(content.ended for content in contents),
    )


def between(contents: Sequence[Content], wanted: str | None) -> str:
    """Return the motor that moved between scans: the one that is asked for, or the only one.

    Of several that differ, the one that steps evenly is meant: what drifts does not.

    Raises
    ------
    SourceError
        If there is none, or nothing decides between several.

    """
    differ = {name: each for name, each in _positions(contents).items() if moves(each)}
    if wanted is not None:
        name = wanted.rpartition("/")[2]
        if name not in differ:
            raise SourceError(
                f"{name!r} has one position in all {len(contents)} scans, or none",
                f"what differs is {_some(differ)}",
            )
        return name
    even = [n for n, e in differ.items() if is_monotone(e) and unevenness(e) < _EVEN]
    for names in (list(differ), even):
        if len(names) == 1:
            return names[0]
    if not differ:
        raise SourceError(
            f"no motor moved between the {len(contents)} scans", "translate them one by one"
        )
    raise SourceError(
        f"{len(differ)} motors moved between the {len(contents)} scans: {_some(differ)}",
        f"say which one is the slow axis: --axes {next(iter(even or differ))}={len(contents)},… "
        f'or, in a mapping, [scans] join = "instrument/positioners/{next(iter(even or differ))}"',
    )


def check_alike(contents: Sequence[Content]) -> None:
    """See that scans go together: one command, and the same detectors of the same frames.

    Raises
    ------
    SourceError
        If they do not; it names both.

    """
    first = contents[0]
    for other in contents[1:]:
        if other.command.text != first.command.text:
            raise SourceError(
                f"{first.group.title} is {first.command.text!r}, but {other.group.title} is "
                f"{other.command.text!r}",
                "join scans of one command",
            )


def _positions(contents: Sequence[Content]) -> dict[str, Column]:
    names = set.intersection(*(set(content.positions) for content in contents))
    found = {
        name: np.array([content.positions[name] for content in contents])
        for name in contents[0].positions
        if name in names
    }
    return {name: each for name, each in found.items() if np.isfinite(each).all()}


def _following(contents: Sequence[Content], name: str, points: int) -> Column:
    """Return a column of all scans; where one has none, its position, or NaN."""
    parts = []
    for content in contents:
        column = content.columns.get(name)
        if column is None or not len(column):
            column = np.full(points, content.positions.get(name, np.nan))
        parts.append(column[:points])
    return np.concatenate(parts)


def _values(each: Sequence[Mapping[str, Raw]], points: int) -> dict[str, Raw]:
    found: dict[str, Raw] = {}
    for name in dict.fromkeys(name for values in each for name in values):
        several = [values.get(name, "") for values in each]
        if all(isinstance(value, str) for value in several):
            texts = [str(value) for value in several]
            same = len(set(texts)) == 1
            found[name] = texts[0] if same else np.repeat(np.array(texts), points)
        else:
            found |= _arrays(name, several, points)
    return found


def _arrays(name: str, several: Sequence[Raw], points: int) -> dict[str, Raw]:
    """Return columns one after the other; those that are none by the number of their scan."""
    if all(isinstance(value, np.ndarray) and len(value) == points for value in several):
        return {name: np.concatenate(several)}
    if all(np.array_equal(several[0], value) for value in several):
        return {name: several[0]}
    return {f"{name}[{number}]": value for number, value in enumerate(several) if len(value)}


def _some(names: Mapping[str, Any]) -> str:
    shown = ", ".join(list(names)[:_SHOWN])
    return (shown or "none") + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
