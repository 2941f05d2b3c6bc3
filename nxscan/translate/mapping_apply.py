"""Apply a mapping: look raw keys up, transform and convert them, fill the NeXus fields."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Mapping as AbstractMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError
from nxscan.model import Field
from nxscan.translate import nxdl
from nxscan.translate.mapping_lookup import Found, Lookup
from nxscan.translate.mapping_model import STATED
from nxscan.translate.mapping_target import class_of, classes_of, kind_of
from nxscan.translate.mapping_values import (
    find_zone,
    parse_float,
    parse_int,
    time_from_ctime,
    time_from_epoch,
    time_from_iso,
    transform_numbers,
)
from nxscan.translate.report import MappedField, MissingField

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Group
    from nxscan.translate.mapping_model import Candidate, FieldRule, Mapping, Rule, Scalar
    from nxscan.translate.mapping_target import Kind
    from nxscan.translate.report import Report

    Value = str | int | float | NDArray[Any]

_TEXTS = {"text", "isotime_from_epoch", "isotime_from_ctime", "isotime_from_iso"}


def apply_mapping(
    mapping: Mapping,
    values: AbstractMapping[str, str | NDArray[Any]],
    entry: Group,
    report: Report,
    shape: tuple[int, ...] | None = None,
) -> None:
    """Fill ``entry`` with the NeXus fields that ``mapping`` finds in the raw ``values``.

    Every rule ends in the report: as mapped, as missing, or with the reason why a value that
    is there could not be used. Nothing is guessed: a value that cannot be read is left out.

    Parameters
    ----------
    mapping : Mapping
        The rules.
    values : mapping of str to str or ndarray, shape (frames,)
        RawMetadata.values: one text for a key that is constant, an array of numbers or texts
        for one that varies. Arrays go into per-frame fields in the order they have here.
    entry : Group
        The NXentry to fill.
    report : Report
        Takes what was mapped, what is missing, and problems.
    shape : tuple of int, optional
        Lengths of the scan's dimensions, which fields with a value for each frame have, too; one
        dimension unless told.

    """
    from nxscan.translate.mapping_geometry import apply_geometry

    applier = Applier(mapping, Lookup(mapping, values), entry, report, shape)
    for rule in mapping.fields:
        applier.apply(rule)
    apply_geometry(applier)


@dataclass
class Applier:
    """One application of a mapping to the raw values of one scan."""

    mapping: Mapping
    lookup: Lookup
    entry: Group
    report: Report
    shape: tuple[int, ...] | None = None
    refused: set[str] = field(default_factory=set)

    def apply(self, rule: FieldRule) -> None:
        """Fill the field of one rule, or report why not."""
        definition = self._definition(rule.target)
        kind: Kind = kind_of(definition) if definition else "text"
        choices = definition.choices if definition else ()
        result = self.find(rule, kind, rule.pick, choices)
        if result is not None:
            self._set(rule, result.value, result.found.label, result.found.raw)
        elif rule.default is not None and rule.target not in self.refused:
            default = float(rule.default) if kind == "float" else rule.default
            self._set(rule, default, "default", "")
        else:
            self.missing(rule)

    def find(
        self, rule: Rule, kind: Kind, pick: str | None = None, choices: Sequence[str] = ()
    ) -> Result | None:
        """Return the value of the first candidate that is there and can be used."""
        for candidate in rule.sources:
            found = self.lookup.find(candidate, lambda text: self._warn(rule.target, text))
            if found is None:
                continue
            try:
                if pick is None:
                    value = self._value(rule, candidate, found, kind)
                else:
                    of_each = [self._value(rule, candidate, one, kind) for one in found.each()]
                    value = (min if pick == "min" else max)(of_each, key=_sortable)
                if choices and value not in choices:
                    raise ValueError(f"NeXus allows only {', '.join(choices)}")
                return Result(value, found)
            except ValueError as error:
                self._unusable(rule, found, str(error))
        return None

    def missing(self, rule: Rule) -> None:
        """Report a rule for which nothing was found, or nothing that can be used."""
        tried = tuple(candidate.label for candidate in rule.sources)
        nearest: tuple[str, ...] = ()
        if rule.target not in self.refused:
            nearest = self.lookup.nearest(rule.sources)
            self.report.missing.append(MissingField(rule.target, tried, nearest, rule.required))
        if rule.required:
            names = ", ".join(tried)
            hint = f"the nearest keys are {', '.join(nearest)}" if nearest else ""
            self.report.error(rule.target, f"required, but none of {names} can be used", hint)

    def mapped(self, rule: Rule, value: Value | Scalar, source: str, raw: str) -> None:
        """Report a rule whose field was set."""
        self.report.mapped.append(MappedField(rule.target, source, raw, _show(value), rule.units))

    def _set(self, rule: FieldRule, value: Value | Scalar, source: str, raw: str) -> None:
        path, _, name = rule.target.rpartition("/")
        self.group(path).set(name, Field(value, rule.units))
        self.mapped(rule, value, source, raw)

    def group(self, path: str) -> Group:
        """Return the group at ``path`` below the entry, which is made if need be."""
        classes = [
            found or "NXcollection" for found in classes_of(path, self.mapping.known_groups())
        ]
        return self.entry.group(path, *classes) if path else self.entry

    def _definition(self, target: str) -> nxdl.FieldDefinition | None:
        path, _, name = target.rpartition("/")
        nx_class = class_of(path, self.mapping.known_groups()) if path else "NXentry"
        return nxdl.field_definition(nx_class, name) if nx_class else None

    def _value(self, rule: Rule, candidate: Candidate, found: Found, kind: Kind) -> Value:
        """Return a candidate's value as the field holds it; ValueError says why it cannot."""
        transform = rule.transform_of(candidate)
        if transform in _TEXTS or (transform is None and kind in ("text", "time")):
            return self._text(found, transform)
        numbers = found.numbers(parse_int if _whole(transform, kind) else parse_float)
        if found.varies and not rule.per_frame:
            low, high = np.nanmin(numbers), np.nanmax(numbers)
            raise ValueError(f"it varies over the frames ({low:g} … {high:g}), the field does not")
        units_in = rule.units_of(candidate)
        if units_in == STATED:
            units_in = self.lookup.stated_units(found)
        try:
            value = transform_numbers(numbers, transform, units_in, rule.units, rule.factor)
        except NxscanError as error:
            raise ValueError(error.message) from error
        _check_within(value, rule)
        if found.varies and self.shape is not None:
            value = value.reshape(*self.shape, *value.shape[1:])
        return _plain(value, whole=_whole(transform, kind))

    def _text(self, found: Found, transform: str | None) -> str:
        if found.varies:
            raise ValueError("it varies over the frames, the field does not")
        text = found.text.strip()
        zone = find_zone(self.mapping.time_zone) if self.mapping.time_zone else None
        readers: dict[str | None, Callable[[], str]] = {
            "isotime_from_epoch": lambda: time_from_epoch(text, zone),
            "isotime_from_ctime": lambda: time_from_ctime(text, zone),
            "isotime_from_iso": lambda: time_from_iso(text, zone),
        }
        return readers[transform]() if transform in readers else text

    def _warn(self, target: str, text: str) -> None:
        self.report.warning(target, text)

    def _unusable(self, rule: Rule, found: Found, reason: str) -> None:
        self.refused.add(rule.target)
        text = f"{found.label!r} is {found.raw!r}: {reason}"
        if found.varies and "varies" in reason:
            self.report.note(rule.target, text, "it is kept in the raw metadata")
        else:
            self.report.warning(rule.target, text, "it is left out; a mapping file can say more")


@dataclass(frozen=True)
class Result:
    """A value that a rule found, and where."""

    value: Value
    found: Found


def _whole(transform: str | None, kind: Kind) -> bool:
    return transform == "int" or (kind == "int" and transform in (None, "negate"))


def _check_within(value: NDArray[np.float64], rule: Rule) -> None:
    if rule.within is None:
        return
    low, high = rule.within
    if np.any((value < low) | (value > high)):
        units = f" {rule.units}" if rule.units else ""
        raise ValueError(
            f"that is {_show(value)}{units}, outside the plausible {low:g} … {high:g}{units}"
        )


def _plain(value: NDArray[np.float64], *, whole: bool) -> Value:
    """Return a single number as Python's own, and whole numbers as such, or raise ValueError."""
    if whole:
        if not np.all(value == np.round(value)):
            raise ValueError("it gives no whole number, which the field holds")
        return int(value) if value.ndim == 0 else value.astype(np.int64)
    return float(value) if value.ndim == 0 else value


def _sortable(value: Any) -> float | datetime | str:
    """Return what a value is sorted by: a text that is a time as such."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else float(value)
    except ValueError:
        return str(value)


def _show(value: Any) -> str:
    """Return a value as reports show it."""
    if isinstance(value, np.ndarray) and value.ndim:
        if value.size > 9:
            return f"{value.size} values, {np.nanmin(value):g} … {np.nanmax(value):g}"
        return " ".join(f"{number:.10g}" for number in value.ravel())
    return f"{float(value):.10g}" if isinstance(value, float | np.ndarray) else str(value)
