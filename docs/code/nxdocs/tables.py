"""Tables that are made from the code: checks, false positives, the mapping format."""

from __future__ import annotations

import types
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from nxscan.translate.mapping import Known
from nxscan.translate.mapping_model import (
    ApplicationRule,
    AxisRule,
    Candidate,
    FieldRule,
    Pair,
    ScanRule,
    SignalRule,
    TimeKey,
    Transform,
    TransformationRule,
)
from nxscan.validate.false_positives import KNOWN
from nxscan.validate.run import CHECKS


def checks_table() -> str:
    """Return a Markdown table of every check that ``nxscan validate`` runs."""
    rows = [
        f"| {check.name} | {check.source} | {_first_line(check.run).removeprefix('Check ')} |"
        for check in CHECKS
    ]
    return "\n".join(["| check | by the rules of | what it looks at |", "|---|---|---|", *rows])


def false_positives_table() -> str:
    """Return a Markdown table of the findings that are set aside."""
    rows = [f"| {known.source} | {known.reason} |" for known in KNOWN]
    return "\n".join(["| validator | why it does not count |", "|---|---|", *rows])


def _first_line(function: Any) -> str:
    text = " ".join((function.__doc__ or "").strip().split("\n\n")[0].split())
    return text.rstrip(".").replace("``", "`").replace("|", "\\|")


def keys_table(model: type[BaseModel]) -> str:
    """Return a Markdown table of the keys of one table of a mapping file."""
    rows = []
    for name, field in model.model_fields.items():
        default = "**required**" if field.is_required() else _default(field.default)
        key, value = field.alias or name, _type(field.annotation)
        rows.append(f"| `{key}` | {value} | {default} | {field.description or ''} |")
    return "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows])


def _default(value: Any) -> str:
    if value is None or value in ((), {}, "") or isinstance(value, BaseModel):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


_NAMES = {
    str: "text",
    bool: "true or false",
    int: "number",
    float: "number",
    Known: "`units`, `long_name` and others",
    Candidate: "a source",
    Pair: "a pair",
    TimeKey: "a time",
    ScanRule: "`groups` and others",
    ApplicationRule: "`definition` and `when`",
    SignalRule: "frames",
    AxisRule: "an axis",
    FieldRule: "a field",
    TransformationRule: "a transformation",
}


def _type(annotation: Any) -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation == Transform:
        return "a transform"
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        kinds = dict.fromkeys(_type(kind) for kind in inner if kind is not types.NoneType)
        return ", ".join(kinds)
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return "list of " + _plural(_type(inner[0]))
        return f"{len(inner)} numbers"
    if origin is dict:
        return f"table: name → {_type(inner[1])}"
    if hasattr(annotation, "__metadata__"):
        return _type(inner[0])
    return _NAMES[annotation]


def _plural(text: str) -> str:
    return f"{text.removeprefix('a ')}s"
