"""Where a mapping's rule leads: the classes along its path and the field's definition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Mapping as AbstractMapping
from typing import TYPE_CHECKING, Literal

from nxscan.model.units import is_unit, root_units
from nxscan.translate import nxdl

if TYPE_CHECKING:
    Kind = Literal["float", "int", "text", "time"]

CLASSES = {
    "aperture": "NXaperture",
    "attenuator": "NXattenuator",
    "beam": "NXbeam",
    "beam_stop": "NXbeam_stop",
    "collimator": "NXcollimator",
    "crystal": "NXcrystal",
    "detector": "NXdetector",
    "environment": "NXenvironment",
    "fabrication": "NXfabrication",
    "filter": "NXfilter",
    "insertion_device": "NXinsertion_device",
    "instrument": "NXinstrument",
    "lens": "NXxraylens",
    "mirror": "NXmirror",
    "monitor": "NXmonitor",
    "monochromator": "NXmonochromator",
    "parameters": "NXparameters",
    "polarizer": "NXpolarizer",
    "positioner": "NXpositioner",
    "sample": "NXsample",
    "sensor": "NXsensor",
    "slit": "NXslit",
    "source": "NXsource",
    "transformations": "NXtransformations",
    "user": "NXuser",
}
"""The class of a group by its name, a trailing number left out; a mapping may add others."""

RESERVED = {
    "title": "the scan's title",
    "definition": "the application definition",
    "entry_identifier_uuid": "the entry's identity",
}
"""Fields that nxscan itself writes."""

_KINDS: dict[str, Kind] = {
    "NX_FLOAT": "float",
    "NX_NUMBER": "float",
    "NX_INT": "int",
    "NX_UINT": "int",
    "NX_POSINT": "int",
    "NX_BOOLEAN": "int",
    "NX_DATE_TIME": "time",
}
_EXAMPLES = {
    "NX_ANGLE": "radian",
    "NX_AREA": "m^2",
    "NX_CHARGE": "C",
    "NX_CROSS_SECTION": "m^2",
    "NX_CURRENT": "A",
    "NX_DIMENSIONLESS": "",
    "NX_EMITTANCE": "m*radian",
    "NX_ENERGY": "J",
    "NX_FLUX": "1/s/m^2",
    "NX_FREQUENCY": "Hz",
    "NX_LENGTH": "m",
    "NX_MASS": "g",
    "NX_MASS_DENSITY": "g/m^3",
    "NX_PERIOD": "s",
    "NX_PER_LENGTH": "1/m",
    "NX_POWER": "W",
    "NX_PRESSURE": "Pa",
    "NX_SCATTERING_LENGTH_DENSITY": "1/m^2",
    "NX_SOLID_ANGLE": "steradian",
    "NX_TEMPERATURE": "K",
    "NX_TIME": "s",
    "NX_TIME_OF_FLIGHT": "s",
    "NX_UNITLESS": "",
    "NX_VOLTAGE": "V",
    "NX_VOLUME": "m^3",
    "NX_WAVELENGTH": "m",
    "NX_WAVENUMBER": "1/m",
}
_IN_PIXELS = {"beam_center_x", "beam_center_y"}


def class_of(path: str, groups: AbstractMapping[str, str]) -> str | None:
    """Return the class of the group at ``path`` below the entry, or None if nothing tells.

    >>> class_of("instrument/detector_2", {}), class_of("sample/stage", {})
    ('NXdetector', None)
    """
    if path in groups:
        return groups[path]
    name = path.rpartition("/")[2]
    return CLASSES.get(name) or CLASSES.get(re.sub(r"_?\d+$", "", name))


def classes_of(path: str, groups: AbstractMapping[str, str]) -> tuple[str | None, ...]:
    """Return the classes of the groups along ``path``, the first below the entry first.

    >>> classes_of("instrument/detector", {})
    ('NXinstrument', 'NXdetector')
    """
    names = path.split("/") if path else []
    return tuple(class_of("/".join(names[: k + 1]), groups) for k in range(len(names)))


def path_problems(path: str, groups: AbstractMapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with a path of groups: no class known, or not allowed where it is."""
    parent = "NXentry"
    for name, nx_class in zip(path.split("/"), classes_of(path, groups), strict=True):
        if nx_class is None:
            yield f"the class of group {name!r} is not known; name it in [groups]"
            return
        if not nxdl.class_exists(nx_class):
            yield f"group {name!r} is {nx_class}, which is no base class of NeXus"
            return
        allowed = nxdl.definition(parent)
        if nx_class not in allowed.groups and not allowed.any_group:
            yield f"NeXus has no {nx_class} inside {parent}"
        parent = nx_class


def kind_of(definition: nxdl.FieldDefinition) -> Kind:
    """Return what a field holds: a number, a whole number, a text or a time."""
    return _KINDS.get(definition.type, "text")


def unit_problems(definition: nxdl.FieldDefinition, units: str | None) -> Iterator[str]:
    """Yield what is wrong with the unit that a mapping gives a field."""
    category = definition.units
    if category is None:
        if units and kind_of(definition) in ("text", "time"):
            yield f"{definition.name} holds a {kind_of(definition)}, but has units {units!r}"
        return
    if units is None:
        yield f"{definition.name} is {category} in NeXus, but no units are given"
    elif is_unit(units) and not _fits(definition.name, category, units):
        yield f"{definition.name} is {category} in NeXus, but its units are {units!r}"


def _fits(name: str, category: str, units: str) -> bool:
    if name in _IN_PIXELS and root_units(units) == "pixel":
        return True
    if category in ("NX_UNITLESS", "NX_DIMENSIONLESS"):
        return root_units(units) in ("dimensionless", "count")
    example = _EXAMPLES.get(category, category)
    return not is_unit(example) or root_units(example) == root_units(units)
