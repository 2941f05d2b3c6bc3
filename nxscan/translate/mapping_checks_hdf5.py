"""Checks of what a mapping says of HDF5 files: scans, signals, axes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from nxscan.errors import NxscanError
from nxscan.model.names import is_valid_name
from nxscan.model.units import is_unit, root_units
from nxscan.translate.mapping_model import STATED

if TYPE_CHECKING:
    from nxscan.translate.mapping_checks import Finding, Place
    from nxscan.translate.mapping_model import AxisRule, Candidate, Mapping, ScanRule, SignalRule

_AXIS_TRANSFORMS = (None, "float", "negate")


def check_hdf5(mapping: Mapping) -> Iterator[Finding]:
    """Yield everything that is wrong with the sections for HDF5 files."""
    yield from _scans(mapping.scans)
    for index, signal in enumerate(mapping.signals):
        yield from _signal(("signal", index), signal)
    yield from _all_signals(mapping.signals)
    for index, axis in enumerate(mapping.axes):
        yield from _axis(("axis", index), axis)
    yield from _all_axes(mapping.axes)


def _scans(rule: ScanRule) -> Iterator[Finding]:
    for pattern in rule.groups:
        yield from _path(("scans", "groups"), pattern)
    for name in ("title", "command", "start"):
        yield from _keys(("scans", name), getattr(rule, name))
    if rule.join is not None:
        yield from _path(("scans", "join"), rule.join)
        if "*" in rule.join:
            yield ("scans", "join"), f"{rule.join!r} must name one value, without *"


def _path(place: Place, path: str) -> Iterator[Finding]:
    if "**" in path:
        yield place, f"wildcard {path!r} must have single *, which stands for text without /"
    if ".." in PurePosixPath(path).parts:
        yield place, f"{path!r} leads out of the scan's group; write a path below it"
    if "::" in path or path.startswith("file:"):
        yield place, f"{path!r} names another file; links inside the source are followed"
    if not path.strip("/ "):
        yield place, f"{path!r} names nothing"


def _keys(place: Place, candidates: Iterable[Candidate]) -> Iterator[Finding]:
    for candidate in candidates:
        yield from _path(place, candidate.key)
        if candidate.entries:
            yield place, f"{candidate.label!r}: HDF5 datasets have no entries"


def _unit(place: Place, units: str | None) -> Iterator[Finding]:
    if units is not None and not is_unit(units):
        yield place, f"unit {units!r} is not one that pint knows"


def _signal(place: Place, rule: SignalRule) -> Iterator[Finding]:
    if not is_valid_name(rule.name):
        yield (*place, "name"), f"{rule.name!r} is no NeXus name"
    if not rule.sources:
        yield (*place, "from"), f"signal {rule.name!r} has an empty `from`"
    yield from _keys((*place, "from"), rule.sources)
    for candidate in rule.sources:
        if candidate.transform or candidate.units_in:
            text = f"signal {rule.name!r}: frames are kept as they are, without units_in, transform"
            yield (*place, "from"), text
    yield from _unit((*place, "units"), rule.units)
    yield from _polarity(place, rule)


def _polarity(place: Place, rule: SignalRule) -> Iterator[Finding]:
    given = [name for name in ("good", "bad") if getattr(rule, name) is not None]
    if rule.role == "mask" and len(given) != 1:
        yield (
            (*place, "role"),
            f"mask {rule.name!r} must say either `good` or `bad`: the value of such pixels",
        )
    if rule.role != "mask" and given:
        yield (*place, given[0]), f"{given[0]!r} is for masks, but {rule.name!r} is {rule.role!r}"


def _all_signals(signals: tuple[SignalRule, ...]) -> Iterator[Finding]:
    if signals and not any(signal.role == "scan" for signal in signals):
        yield ("signal", 0, "role"), "no [[signal]] has the role 'scan'"
    seen = set()
    for index, signal in enumerate(signals):
        if (signal.name, signal.role) in seen:
            text = f"a second {signal.role} signal {signal.name!r}; give each a name of its own"
            yield ("signal", index, "name"), text
        seen.add((signal.name, signal.role))


def _axis(place: Place, rule: AxisRule) -> Iterator[Finding]:
    yield from _keys((*place, "from"), rule.sources)
    yield from _axis_units(place, rule)
    for candidate in rule.sources:
        if candidate.transform not in _AXIS_TRANSFORMS:
            text = f"axis {rule.name!r}: the transform of an axis may only be 'negate'"
            yield (*place, "from"), text
    for name in ("first", "last"):
        if isinstance(key := getattr(rule, name), str):
            yield from _path((*place, name), key)
    ends = [name for name in ("first", "last") if getattr(rule, name) is not None]
    if len(ends) == 1:
        yield (*place, ends[0]), f"axis {rule.name!r}: `first` and `last` go together"
    elif bool(rule.sources) == bool(ends):
        which = "both" if ends else "neither"
        text = f"axis {rule.name!r} has {which} `from` and `first`, `last`; it needs one of them"
        yield (*place, "from"), text
    yield from _place_of(place, rule)


def _place_of(place: Place, rule: AxisRule) -> Iterator[Finding]:
    if rule.role == "integrated":
        if rule.sources:
            text = f"axis {rule.name!r} is swept within each frame: give `first` and `last`"
            yield (*place, "from"), text
        if rule.dimension is not None:
            text = f"axis {rule.name!r} is swept within each frame, so it has no dimension"
            yield (*place, "dimension"), text
    elif rule.dimension is None and (rule.role == "detector" or _is_even(rule)):
        text = f"axis {rule.name!r} needs the `dimension` of the data that it runs along"
        yield (*place, "role"), text


def _is_even(rule: AxisRule) -> bool:
    return rule.first is not None and rule.last is not None


def _axis_units(place: Place, rule: AxisRule) -> Iterator[Finding]:
    yield from _unit((*place, "units"), rule.units)
    given = [(("units_in",), rule.units_in)]
    given += [(("from",), candidate.units_in) for candidate in rule.sources]
    for where, units_in in given:
        if units_in is None or units_in == STATED:
            continue
        yield from _unit((*place, *where), units_in)
        try:
            fits = rule.units is not None and root_units(units_in) == root_units(rule.units)
        except NxscanError:  # one of them is no unit, which is said already
            continue
        if not fits:
            text = f"axis {rule.name!r}: {units_in!r} cannot be converted to {rule.units!r}"
            yield (*place, *where), text


def _all_axes(axes: tuple[AxisRule, ...]) -> Iterator[Finding]:
    seen = set()
    for index, axis in enumerate(axes):
        if axis.name in seen:
            yield ("axis", index, "name"), f"a second axis {axis.name!r}; keep one of them"
        seen.add(axis.name)
    scanned = [a.dimension for a in axes if a.role == "scan" and a.dimension is not None]
    taken: dict[int, str] = {}
    for index, axis in enumerate(axes):
        if axis.role != "detector" or axis.dimension is None:
            continue
        place = ("axis", index, "dimension")
        if scanned and axis.dimension <= max(scanned):
            text = f"detector axis {axis.name!r} has dimension {axis.dimension}, but scan axes go "
            yield place, text + f"up to dimension {max(scanned)}; the detector's come last"
        if axis.dimension in taken:
            yield place, f"dimension {axis.dimension} has {taken[axis.dimension]!r} already"
        taken[axis.dimension] = axis.name
