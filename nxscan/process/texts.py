"""Parameters that come as text, from a command line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from nxscan.process.parameters import ProcessParameters

_NEXT = re.compile(r",(?=\s*[^\W\d]\w*\s*=)")
_SEVERAL = ("list_type", "tuple_type", "set_type")


def split_options(text: str) -> dict[str, str] | None:
    """Read ``name=value,name=value``; None if it is not written so.

    A comma begins the next parameter only where ``name=`` follows; elsewhere it belongs to
    the value, so that lists and regions need no quotes.

    >>> split_options("region=10:50,20:80,keep=yes")
    {'region': '10:50,20:80', 'keep': 'yes'}
    """
    pairs = [part.partition("=") for part in _NEXT.split(text)]
    names = [name.strip() for name, _, _ in pairs]
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        return None
    if not all(equals for _, equals, _ in pairs):
        return None
    return {name: value.strip() for name, (_, _, value) in zip(names, pairs, strict=True)}


def read_texts(model: type[ProcessParameters], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that texts stand for, as far as the model takes them.

    The text itself comes first (``"3"`` is a number where one is wanted). Where it is
    refused, it is a list (``"1,2,3"``), JSON (``"[[0,1],[2,3]]"``) or ``none``. What no way
    fits stays as the user wrote it, for the message of the error.
    """
    values: dict[str, Any] = dict(given)
    refused = _refused(model, values)
    lists = {name for name, kind in refused.items() if kind.endswith(_SEVERAL)}
    for way in (_as_list, _as_json, _as_none):
        for name in refused.keys() & given.keys():
            values[name] = way(given[name])
        refused = _refused(model, values)
    for name in refused.keys() & given.keys():
        values[name] = _as_list(given[name]) if name in lists else given[name]
    return values


def _refused(model: type[ProcessParameters], values: dict[str, Any]) -> dict[str, str]:
    """Return what the model refuses, each with the kind of the first error."""
    try:
        model(**values)
    except ValidationError as error:
        found: dict[str, str] = {}
        for one in error.errors():
            if one["loc"]:
                found.setdefault(str(one["loc"][0]), one["type"])
        return found
    return {}


def _as_list(text: str) -> Any:
    return [part.strip() for part in text.split(",")]


def _as_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _as_none(text: str) -> Any:
    return None if text.lower() in ("none", "null") else text
