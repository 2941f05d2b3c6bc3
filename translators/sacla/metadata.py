"""The mapping of a SACLA run: one set of rules for every detector, columns by their last name."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from nxscan.translate.mapping import (
    FieldRule,
    Known,
    Mapping,
    TransformationRule,
    builtin_mapping,
    merge,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from numpy.typing import NDArray

    Column = NDArray[np.float64]

_Rule = TypeVar("_Rule", FieldRule, TransformationRule)

PLACEHOLDER = "{detector}"
"""Stands for a detector's name in the keys of the mapping."""

_TARGET = "instrument/detector"


def sacla_mapping(
    user: Mapping | None, detectors: Sequence[str], columns: Collection[str]
) -> Mapping:
    """Return SACLA's mapping with rules for each detector, extended by the user's.

    Parameters
    ----------
    user : Mapping or None
        The user's mapping.
    detectors : sequence of str
        The detectors of the scan; a rule for ``instrument/detector`` is one for each.
    columns : collection of str
        What was recorded for each shot. The mapping may name it by the last part of its path
        (``delay_line_motor_29``), where that is one column alone.

    """
    merged = merge(builtin_mapping("sacla"), user)
    return merged.model_copy(
        update={
            "fields": _for_each(merged.fields, detectors),
            "transformations": _for_each(merged.transformations, detectors),
            "groups": merged.groups | {f"instrument/{name}": "NXdetector" for name in detectors},
            "motors": _by_column(merged.motors, columns),
            "counters": _by_column(merged.counters, columns),
        }
    )


def _for_each(rules: Iterable[_Rule], detectors: Sequence[str]) -> tuple[_Rule, ...]:
    found: list[_Rule] = []
    for rule in rules:
        if not rule.target.startswith(f"{_TARGET}/"):
            found.append(rule)
            continue
        for name in detectors:
            target = f"instrument/{name}{rule.target.removeprefix(_TARGET)}"
            sources = tuple(
                one.model_copy(update={"key": one.key.replace(PLACEHOLDER, name)})
                for one in rule.sources
            )
            found.append(rule.model_copy(update={"target": target, "sources": sources}))
    return tuple(found)


def _by_column(known: dict[str, Known], columns: Collection[str]) -> dict[str, Known]:
    """Return what is known of columns by their whole names."""
    ends = {name: column_called(f"/{name}", columns) for name in known}
    found = {column: known[name] for name, column in ends.items() if column is not None}
    return found | known


def column_called(name: str, columns: Collection[str]) -> str | None:
    """Return the column that a name means: its own, or the end of one; None if not one alone.

    >>> column_called("motor_29", ["eh_4/laser/motor_29", "eh_4/motor_30"])
    'eh_4/laser/motor_29'
    """
    if name in columns:
        return name
    ends = [column for column in columns if column.endswith(f"/{name.removeprefix('/')}")]
    return ends[0] if len(ends) == 1 else None


def derived(columns: dict[str, Column], labels: dict[str, str]) -> dict[str, str]:
    """Return what follows from the columns of the shots that the scan holds.

    ``…/mean`` and ``…/std`` of photon energies, of the shots that have one; ``…/first`` and
    ``…/last`` of times.

    Parameters
    ----------
    columns : dict of str to ndarray
        What was recorded for each shot.
    labels : dict of str to str
        What the file calls each.

    """
    found: dict[str, str] = {}
    for name, column in columns.items():
        path, finite = f"event_info/{labels.get(name, name)}", column[np.isfinite(column)]
        last = path.rpartition("/")[2]
        if not finite.size:
            continue
        if last.startswith("photon_energy"):
            found[f"{path}/mean"] = repr(float(finite.mean()))
            if finite.size > 1:
                found[f"{path}/std"] = repr(float(finite.std(ddof=1)))
        elif last == "time_stamp":
            found[f"{path}/first"] = repr(float(finite.min()))
            found[f"{path}/last"] = repr(float(finite.max()))
    return found
