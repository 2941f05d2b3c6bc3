"""Checks of a mapping beyond its format: units, targets, transforms, wildcards, duplicates.

Each check is a generator of (place in the file, what is wrong).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING

from nxscan.errors import NxscanError
from nxscan.model.names import is_valid_name
from nxscan.model.units import is_unit, root_units
from nxscan.translate import nxdl
from nxscan.translate.mapping_checks_hdf5 import check_hdf5
from nxscan.translate.mapping_model import STATED
from nxscan.translate.mapping_target import (
    RESERVED,
    class_of,
    kind_of,
    path_problems,
    unit_problems,
)
from nxscan.translate.mapping_values import find_zone

if TYPE_CHECKING:
    from nxscan.translate.mapping_model import (
        FieldRule,
        Mapping,
        Rule,
        Transform,
        TransformationRule,
    )

    Place = tuple[str | int, ...]
    Finding = tuple[Place, str]

_TRANSFORMS = {
    "float": {
        "float", "negate", "scale", "wavelength_from_energy", "energy_from_wavelength",
    },
    "int": {"int", "negate"},
    "text": {"text"},
    "time": {"isotime_from_epoch", "isotime_from_ctime", "isotime_from_iso"},
}  # fmt: skip
_NXDL = ".nxdl.xml"
_FREE = ("NXparameters", "NXcollection")
_BETWEEN = {
    "wavelength_from_energy": ("keV", "angstrom"),
    "energy_from_wavelength": ("angstrom", "keV"),
}


def check(mapping: Mapping) -> Iterator[Finding]:
    """Yield everything that is wrong with a mapping whose format is right."""
    yield from _known(mapping)
    yield from _zone(mapping)
    yield from _groups(mapping)
    yield from _application(mapping)
    yield from _duplicates(mapping)
    for index, pattern in enumerate(mapping.not_motors):
        yield from _wildcard(("not_motors", index), pattern)
    for index, rule in enumerate(mapping.fields):
        yield from _field(("field", index), rule, mapping)
    for index, link in enumerate(mapping.transformations):
        yield from _transformation(("transformation", index), link, mapping)
    yield from check_hdf5(mapping)


def _application(mapping: Mapping) -> Iterator[Finding]:
    rule = mapping.application
    if rule is None:
        return
    if not rule.when:
        yield ("application", "when"), "it names no motor: every scan would be one"
    if rule.definition not in application_definitions():
        known = ", ".join(application_definitions()) or "none"
        place = "application", "definition"
        yield place, f"nxscan has no definition {rule.definition!r}; there are: {known}"


def application_definitions() -> list[str]:
    """Return the names of nxscan's own application definitions.

    >>> application_definitions()
    ['NXdfxm']
    """
    names = (item.name for item in files("nxscan.schemas.applications").iterdir())
    return sorted(name.removesuffix(_NXDL) for name in names if name.endswith(_NXDL))


def _known(mapping: Mapping) -> Iterator[Finding]:
    for section in ("motors", "counters"):
        for name, known in getattr(mapping, section).items():
            yield from _unit((section, name, "units"), known.units)
            if known.is_calibrated and known.units is None:
                yield (section, name), "it has a factor or an offset, but no units are given"
            if known.factor is not None and not (math.isfinite(known.factor) and known.factor):
                yield (section, name, "factor"), f"{known.factor} is no factor"
            if known.offset is not None and not math.isfinite(known.offset):
                yield (section, name, "offset"), f"{known.offset} is no offset"


def _unit(place: Place, units: str | None, also: str | None = None) -> Iterator[Finding]:
    if units is not None and units != also and not is_unit(units):
        yield place, f"unit {units!r} is not one that pint knows"


def _zone(mapping: Mapping) -> Iterator[Finding]:
    if mapping.time_zone is not None:
        try:
            find_zone(mapping.time_zone)
        except NxscanError as error:
            yield ("time_zone",), str(error)


def _groups(mapping: Mapping) -> Iterator[Finding]:
    for path, nx_class in mapping.groups.items():
        if not nxdl.class_exists(nx_class):
            yield ("groups", path), f"{nx_class!r} is no base class of NeXus"


def _duplicates(mapping: Mapping) -> Iterator[Finding]:
    yield from _repeated("field", "target", (rule.target for rule in mapping.fields))
    links = (link.target for link in mapping.transformations)
    yield from _repeated("transformation", "target", links)
    yield from _repeated("pairs", "mnemonics", (pair.mnemonics for pair in mapping.pairs))


def _repeated(section: str, key: str, names: Iterable[str]) -> Iterator[Finding]:
    seen: Counter[str] = Counter()
    for index, name in enumerate(names):
        if seen[name]:
            yield (section, index, key), f"a second rule for {name!r}; keep one of them"
        seen[name] += 1


def _wildcard(place: Place, key: str) -> Iterator[Finding]:
    if "**" in key or not key.replace("*", "").strip():
        yield place, f"wildcard {key!r} must have single * between other text"


def _field(place: Place, rule: FieldRule, mapping: Mapping) -> Iterator[Finding]:
    yield from _rule(place, rule)
    if not rule.sources and rule.default is None:
        yield (*place, "from"), f"{rule.target!r} has neither `from` nor `default`"
    if rule.pick and rule.per_frame:
        yield (*place, "pick"), f"{rule.target!r} has both `pick` and `per_frame`"
    definition, problems = _defined(rule.target, mapping)
    for problem in problems:
        yield (*place, "target"), problem
    if definition is not None:
        for problem in unit_problems(definition, rule.units):
            yield (*place, "units"), f"{rule.target!r}: {problem}"
        yield from _kinds(place, rule, definition)
        yield from _default(place, rule, definition)


def _defined(target: str, mapping: Mapping) -> tuple[nxdl.FieldDefinition | None, list[str]]:
    """Return NeXus' definition of a target, or what is wrong with the target."""
    if target in RESERVED:
        return None, [f"{target!r} is {RESERVED[target]}, which nxscan writes itself"]
    if bad := [name for name in target.split("/") if not is_valid_name(name)]:
        return None, [f"{target!r} has {bad[0]!r}, which is no NeXus name"]
    path, _, name = target.rpartition("/")
    problems = (
        [f"{target!r}: {text}" for text in path_problems(path, mapping.known_groups())]
        if path
        else []
    )
    nx_class = class_of(path, mapping.known_groups()) if path else "NXentry"
    if nx_class is None or nx_class in _FREE or not nxdl.class_exists(nx_class):
        return None, problems
    if (nx_class, name) == ("NXdetector", "data"):
        return None, [f"{target!r} is the frames, which nxscan writes itself"]
    found = nxdl.field_definition(nx_class, name)
    if found is None:
        near = nxdl.nearest_fields(nx_class, name)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        problems.append(f"{target!r}: {nx_class} has no field {name!r}{hint}")
    elif found.deprecated:
        problems.append(f"{target!r} is deprecated: {found.deprecated}")
    return found, problems


def _rule(place: Place, rule: Rule) -> Iterator[Finding]:
    yield from _unit((*place, "units_in"), rule.units_in, STATED)
    yield from _unit((*place, "units"), rule.units)
    if rule.within is not None and not rule.within[0] < rule.within[1]:
        yield (*place, "within"), f"{rule.target!r}: within must be [lowest, highest]"
    for candidate in rule.sources:
        yield from _wildcard((*place, "from"), candidate.key)
        yield from _unit((*place, "from"), candidate.units_in, STATED)
        transform = rule.transform_of(candidate)
        if transform == "scale" and rule.factor is None:
            yield (*place, "factor"), f"{rule.target!r}: transform 'scale' needs a factor"
        units_in = rule.units_of(candidate)
        if problem := _conversion(transform, units_in, rule.units):
            yield (*place, "units_in"), f"{rule.target!r} from {candidate.label!r}: {problem}"
    if rule.factor is not None and "scale" not in map(rule.transform_of, rule.sources):
        yield (*place, "factor"), f"{rule.target!r} has a factor, but no transform 'scale'"


def _conversion(transform: Transform | None, units_in: str | None, units: str | None) -> str:
    """Return why a raw value cannot become one in ``units``, or nothing."""
    if units_in == STATED:  # known only when a file is read
        return "" if units is not None else f"units_in is {STATED!r}, but units is not given"
    if any(name is not None and not is_unit(name) for name in (units_in, units)):
        return ""
    if transform in _BETWEEN:
        source, result = _BETWEEN[transform]
        if units_in is None or root_units(units_in) != root_units(source):
            return f"{transform} needs units_in such as {source}, but has {units_in!r}"
        if units is None or root_units(units) != root_units(result):
            return f"{transform} needs units such as {result}, but has {units!r}"
        return ""
    if units_in is None and units is not None:
        return (
            f"units_in is not given, so nothing says how to get {units!r}; {STATED!r} is what "
            "an HDF5 file states"
        )
    if units_in is not None and units is None:
        return f"units_in is {units_in!r}, but units is not given"
    if units_in and units and root_units(units_in) != root_units(units):
        return f"{units_in!r} cannot be converted to {units!r}"
    return ""


def _kinds(place: Place, rule: FieldRule, definition: nxdl.FieldDefinition) -> Iterator[Finding]:
    kind = kind_of(definition)
    allowed = _TRANSFORMS[kind]
    for transform in dict.fromkeys(map(rule.transform_of, rule.sources)):
        if transform is None and kind == "time":
            text = f"{rule.target!r} is a time: it needs one of {', '.join(sorted(allowed))}"
            yield (*place, "transform"), text
        elif transform is not None and transform not in allowed:
            text = f"{rule.target!r} is {definition.type} in NeXus, which {transform!r} cannot give"
            yield (*place, "transform"), text


def _default(place: Place, rule: FieldRule, definition: nxdl.FieldDefinition) -> Iterator[Finding]:
    if rule.default is None:
        return
    is_text = kind_of(definition) in ("text", "time")
    if isinstance(rule.default, str) != is_text:
        text = f"{rule.target!r} is {definition.type} in NeXus, but its default is {rule.default!r}"
        yield (*place, "default"), text
    elif definition.choices and rule.default not in definition.choices:
        text = f"{rule.target!r} must be one of {', '.join(definition.choices)}"
        yield (*place, "default"), f"{text}, but its default is {rule.default!r}"


def _transformation(place: Place, link: TransformationRule, mapping: Mapping) -> Iterator[Finding]:
    yield from _rule(place, link)
    problems = list(path_problems(link.group, mapping.known_groups())) if link.group else []
    if not is_valid_name(link.name):
        problems.append(f"{link.name!r} is no NeXus name")
    if not link.group or class_of(link.group, mapping.known_groups()) not in (
        "NXtransformations",
        None,
    ):
        problems.append("it must lie in an NXtransformations group of what it moves")
    elif "/" not in link.group:
        problems.append("it moves no component: use a path such as instrument/detector/…")
    for problem in problems:
        yield (*place, "target"), f"{link.target!r}: {problem}"
    yield from _link_units(place, link)
    allowed = ("float", "negate", "scale")
    for transform in {*map(link.transform_of, link.sources)} - {None, *allowed}:
        text = f"{link.target!r}: a link's transform must be one of {', '.join(allowed)}"
        yield (*place, "transform"), f"{text}, but is {transform!r}"
    if link.depends_on != "." and not is_valid_name(link.depends_on):
        text = f"{link.target!r}: depends_on must be . or a link's name, but is {link.depends_on!r}"
        yield (*place, "depends_on"), text
    if not math.hypot(*link.vector) > 0:
        yield (*place, "vector"), f"{link.target!r}: vector {list(link.vector)} has no direction"
    if not link.sources:
        yield (*place, "from"), f"{link.target!r} has no `from`"


def _link_units(place: Place, link: TransformationRule) -> Iterator[Finding]:
    yield from _unit((*place, "offset_units"), link.offset_units)
    wanted = "m" if link.type == "translation" else "degree"
    if link.units is None or (is_unit(link.units) and root_units(link.units) != root_units(wanted)):
        text = f"{link.target!r} is a {link.type}: units must be such as {wanted}"
        yield (*place, "units"), f"{text}, but are {link.units!r}"
    if (link.offset is None) != (link.offset_units is None):
        yield (*place, "offset"), f"{link.target!r}: offset and offset_units go together"
    elif (
        link.offset_units
        and is_unit(link.offset_units)
        and root_units(link.offset_units) != "meter"
    ):
        text = f"{link.target!r}: offset_units must be a length, but are {link.offset_units!r}"
        yield (*place, "offset_units"), text
