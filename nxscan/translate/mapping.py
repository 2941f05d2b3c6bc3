"""Mapping files: which raw key becomes which NeXus field, for an instrument."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nxscan.errors import MappingError
from nxscan.model.names import is_valid_name
from nxscan.translate.mapping_apply import apply_mapping
from nxscan.translate.mapping_model import (
    AxisRule,
    Candidate,
    FieldRule,
    Known,
    Mapping,
    Pair,
    ScanRule,
    SignalRule,
    TimeKey,
    TransformationRule,
)
from nxscan.translate.mapping_parse import parse_mapping

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = [
    "AxisRule",
    "Candidate",
    "FieldRule",
    "Known",
    "Mapping",
    "Pair",
    "ScanRule",
    "SignalRule",
    "TimeKey",
    "TransformationRule",
    "apply_mapping",
    "builtin_mapping",
    "builtin_mappings",
    "load_mapping",
    "merge",
    "parse_mapping",
]

_Item = TypeVar("_Item")
_BUILTIN = "nxscan.translators.mappings"


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Parameters
    ----------
    path : Path
        A TOML file; its keys are described in ``schemas/mapping.schema.json``.

    Raises
    ------
    MappingError
        If it cannot be read or used; the message lists every problem, with its line.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MappingError(f"mapping file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MappingError(f"mapping file {path} is not UTF-8 text: {error}") from error
    return parse_mapping(text, str(path))


def builtin_mappings() -> list[str]:
    """Return the names of the mappings that come with nxscan.

    >>> "esrf" in builtin_mappings()
    True
    """
    names = (Path(item.name) for item in files(_BUILTIN).iterdir())
    return sorted(name.stem for name in names if name.suffix == ".toml")


@lru_cache(maxsize=16)
def builtin_mapping(name: str) -> Mapping:
    """Read one of the mapping files that come with nxscan.

    Raises
    ------
    MappingError
        If there is none of this name.

    Examples
    --------
    >>> builtin_mapping("esrf").motors["mu"].units
    'degree'

    """
    if not is_valid_name(name) or name not in builtin_mappings():
        known = ", ".join(builtin_mappings())
        raise MappingError(f"nxscan brings no mapping {name!r}", f"there are: {known}")
    file = files(_BUILTIN) / f"{name}.toml"
    return parse_mapping(file.read_text(encoding="utf-8"), f"{name}.toml")


def merge(base: Mapping, user: Mapping | None) -> Mapping:
    """Return ``base`` extended (or replaced, where the user's file says so) by ``user``.

    The user's motors and counters override those of the same name in what they state, field
    rules and transformations those with the same target, signals and axes those of the same
    name; what [scans] states goes before the base's; so do lists.

    Examples
    --------
    >>> user = parse_mapping('name = "mine"' + chr(10) + 'motors.mu.units = "radian"', "mine")
    >>> merged = merge(builtin_mapping("esrf"), user)
    >>> merged.name, merged.motors["mu"].units, merged.motors["chi"].units
    ('esrf + mine', 'radian', 'degree')

    """
    if user is None:
        return base
    if user.replace:
        return user
    return base.model_copy(
        update={
            "name": f"{base.name} + {user.name}",
            "description": user.description or base.description,
            "time_zone": user.time_zone or base.time_zone,
            "scan_keys": _first_of((*user.scan_keys, *base.scan_keys), str),
            "time_keys": _first_of((*user.time_keys, *base.time_keys), lambda item: item.key),
            "pairs": _first_of((*user.pairs, *base.pairs), lambda item: item.mnemonics),
            "not_motors": _first_of((*user.not_motors, *base.not_motors), str),
            "groups": base.groups | user.groups,
            "application": user.application or base.application,
            "scans": base.scans.model_copy(update=user.scans.stated()),
            "signals": _first_of(
                (*user.signals, *base.signals), lambda item: (item.name, item.role)
            ),
            "axes": _first_of((*user.axes, *base.axes), lambda item: item.name),
            "motors": _merge_known(base.motors, user.motors),
            "counters": _merge_known(base.counters, user.counters),
            "fields": _first_of((*user.fields, *base.fields), lambda item: item.target),
            "transformations": _first_of(
                (*user.transformations, *base.transformations), lambda item: item.target
            ),
        }
    )


def _merge_known(base: dict[str, Known], user: dict[str, Known]) -> dict[str, Known]:
    merged = dict(base)
    for name, known in user.items():
        stated = {key: getattr(known, key) for key in known.model_fields_set}
        merged[name] = base.get(name, Known()).model_copy(update=stated)
    return merged


def _first_of(items: tuple[_Item, ...], key: Callable[[_Item], Hashable]) -> tuple[_Item, ...]:
    """Return the items without later ones of the same key."""
    found: dict[Hashable, _Item] = {}
    for item in items:
        found.setdefault(key(item), item)
    return tuple(found.values())
