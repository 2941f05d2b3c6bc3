"""Read the text of a mapping file, and collect everything that is wrong with it."""

from __future__ import annotations

import difflib
import re
import tomllib
from copy import deepcopy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from nxscan.errors import MappingError
from nxscan.translate.mapping_checks import check
from nxscan.translate.mapping_lines import Lines
from nxscan.translate.mapping_model import Mapping

if TYPE_CHECKING:
    from nxscan.translate.mapping_checks import Finding, Place

    _Numbers = dict[str, list[int]]

_NAMELESS = "nameless"


def parse_mapping(text: str, where: str) -> Mapping:
    """Read a mapping from the text of a TOML file, called ``where`` in messages.

    Raises
    ------
    MappingError
        If it cannot be used; the message lists every problem, with its line.

    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"mapping file {where}: {_syntax(str(error))}") from error
    mapping, problems = _validate(data)
    lines = Lines(text)
    told = dict.fromkeys((lines.find(place), message) for place, message in problems)
    if told or mapping is None:
        ordered = sorted(told, key=lambda item: item[0] or 0)
        parts = [f"  line {line}: {text}" if line else f"  {text}" for line, text in ordered]
        count = f"{len(parts)} problem{'s' * (len(parts) != 1)}"
        raise MappingError("\n".join([f"mapping file {where} has {count}:", *parts]))
    return mapping


def _syntax(message: str) -> str:
    """Say what tomllib found, line first; it calls a duplicate key an overwritten value."""
    found = re.fullmatch(r"(.*) \(at line (\d+), column \d+\)", message, re.DOTALL)
    what, line = (found[1], f"line {found[2]}: ") if found else (message, "")
    duplicate = "overwrite" in what or "twice" in what or "namespace" in what
    return f"{line}{'a key or table is there twice: ' if duplicate else ''}{what}"


def _validate(data: dict[str, Any]) -> tuple[Mapping | None, list[Finding]]:
    """Return the mapping and every problem in it, those of parts beside broken ones included."""
    try:
        mapping = Mapping.model_validate(data)
    except ValidationError as error:
        problems = [_format_problem(item) for item in error.errors()]
        pruned, numbers = _prune(data, error.errors())
        try:
            rest = Mapping.model_validate(pruned)
        except ValidationError:  # pruning could not mend it: its format comes first
            return None, problems
        found = check(rest)
        return None, problems + [(_renumber(place, numbers), text) for place, text in found]
    return mapping, list(check(mapping))


def _place(error: Any) -> Place:
    return tuple(error["loc"])


def _format_problem(error: Any) -> Finding:
    place = _place(error)
    name = ".".join(str(part) for part in place)
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), _known_keys(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return place, f"unknown key {name!r}{hint}"
    if error["type"] == "missing" and isinstance(place[-1], int):
        return place[:-1], f"{name.rpartition('.')[0]!r} has too few values"
    if error["type"] == "missing":
        return place, f"key {name!r} is missing"
    return (
        place,
        f"{name!r} is {error['input']!r}, but {error['msg'][:1].lower()}{error['msg'][1:]}",
    )


@lru_cache(maxsize=1)
def _known_keys() -> list[str]:
    schema = Mapping.model_json_schema(by_alias=True)
    tables = [schema, *schema["$defs"].values()]
    return sorted({key for table in tables for key in table.get("properties", {})})


def _prune(data: dict[str, Any], errors: list[Any]) -> tuple[dict[str, Any], _Numbers]:
    """Return the data without what is broken, and the old index of each item that is left."""
    data = {key: value for key, value in deepcopy(data).items() if key in _top_keys()}
    unknown = [_place(error) for error in errors if error["type"] == "extra_forbidden"]
    broken = {_place(error)[:2] for error in errors if error["type"] != "extra_forbidden"}
    broken |= {place[:2] for place in unknown if len(place) > 1 and not _remove(data, place)}
    numbers: _Numbers = {}
    for key, value in data.items():
        if isinstance(value, list):
            numbers[key] = [k for k in range(len(value)) if (key, k) not in broken]
            data[key] = [value[k] for k in numbers[key]]
        elif isinstance(value, dict):
            data[key] = {name: item for name, item in value.items() if (key, name) not in broken}
    whole = {place[0] for place in broken if len(place) == 1}
    kept = {key: value for key, value in data.items() if key not in whole}
    return {"name": _NAMELESS} | kept, numbers


def _remove(data: Any, place: Place) -> bool:
    """Take an unknown key out of the data, and tell whether it was found."""
    try:
        for part in place[:-1]:
            data = data[part]
        del data[place[-1]]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def _top_keys() -> list[str]:
    return [info.alias or name for name, info in Mapping.model_fields.items()]


def _renumber(place: Place, numbers: _Numbers) -> Place:
    if len(place) > 1 and isinstance(place[1], int) and place[0] in numbers:
        return (place[0], numbers[str(place[0])][place[1]], *place[2:])
    return place
