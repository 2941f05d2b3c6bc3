"""The mapping of a BLISS scan: ESRF's conventions, what the file states, the user's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from collections.abc import Mapping as AbstractMapping
from typing import TYPE_CHECKING, TypeVar

from nxscan.model import Field
from nxscan.model.names import nexus_name
from nxscan.translate.mapping import (
    FieldRule,
    Known,
    Mapping,
    TransformationRule,
    builtin_mapping,
    merge,
)
from nxscan.translate.rawvalues import is_time
from nxscan.translate.report import MappedField

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.translate.mapping import Candidate
    from nxscan.translate.report import Report

_Rule = TypeVar("_Rule", FieldRule, TransformationRule)

PLACEHOLDER = "{detector}"
"""Stands for the main detector's name in the keys of a mapping."""

_TARGET = "instrument/detector"


def bliss_mapping(user: Mapping | None, stated: Collection[str] = ()) -> Mapping:
    """Return BLISS' mapping with the motors of ESRF's, extended by the user's.

    Parameters
    ----------
    user : Mapping or None
        The user's mapping, which goes before all else.
    stated : collection of str
        Motors and counters whose unit the file states: it goes before conventions.

    """
    own, esrf = builtin_mapping("bliss"), builtin_mapping("esrf")
    motors = esrf.motors | own.motors
    counters = dict(own.counters)
    for known in (motors, counters):
        for name in known.keys() & set(stated):
            known[name] = Known(long_name=known[name].long_name)
    update = {"motors": motors, "counters": counters, "application": esrf.application}
    return merge(own.model_copy(update=update), user)


def of_detector(mapping: Mapping, detector: str, group: str, *, frames: bool) -> Mapping:
    """Return a mapping whose rules are those of one detector.

    Parameters
    ----------
    mapping : Mapping
        Its keys name the detector as ``{detector}``, its targets as ``instrument/detector``.
    detector : str
        The detector's name in the file.
    group : str
        The name of its NeXus group.
    frames : bool
        It has frames; a counter has no pixels, no distance and no mask.

    """

    def named(candidate: Candidate) -> Candidate:
        return candidate.model_copy(update={"key": candidate.key.replace(PLACEHOLDER, detector)})

    def aimed(rules: Iterable[_Rule]) -> tuple[_Rule, ...]:
        found = []
        for rule in rules:
            own = rule.target.startswith(f"{_TARGET}/")
            if frames or not own:
                place = f"instrument/{group}{rule.target.removeprefix(_TARGET)}"
                sources = tuple(named(one) for one in rule.sources)
                target = place if own else rule.target
                found.append(rule.model_copy(update={"target": target, "sources": sources}))
        return tuple(found)

    return mapping.model_copy(
        update={
            "fields": aimed(mapping.fields),
            "transformations": aimed(mapping.transformations),
            "groups": mapping.groups | {f"instrument/{group}": "NXdetector"},
        }
    )


def with_attenuators(mapping: Mapping, names: Collection[str]) -> Mapping:
    """Return a mapping with the transmission of each attenuator in the beam's way.

    Parameters
    ----------
    mapping : Mapping
        What is extended.
    names : collection of str
        Groups below ``instrument`` that the file says are attenuators.

    """
    rules, groups = [], {}
    for name in names:
        group = f"instrument/{nexus_name(name)}"
        source = {"key": f"instrument/{name}/transmission"}
        rules.append(
            FieldRule.model_validate(
                {"target": f"{group}/attenuator_transmission", "from": source, "units": ""}
            )
        )
        groups[group] = "NXattenuator"
    return mapping.model_copy(
        update={"fields": (*mapping.fields, *rules), "groups": mapping.groups | groups}
    )


def set_times(scan: Scan, values: AbstractMapping[str, object], report: Report) -> None:
    """Set when the scan began and ended, which BLISS writes as NeXus does, with the zone."""
    for name in ("start_time", "end_time"):
        said = values.get(name)
        if name in scan.metadata.fields or not isinstance(said, str):
            continue
        if not is_time(said):
            report.warning(name, f"{said!r} is no time", "it is left out")
            continue
        scan.metadata.set(name, Field(said))
        report.mapped.append(MappedField(name, name, said, said))
