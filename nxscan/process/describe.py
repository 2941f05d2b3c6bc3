"""What a process or a correction is, and what may be set of it, as a user is told."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from nxscan.process.contract import Process
from nxscan.process.correction import Correction
from nxscan.process.output import resolve
from nxscan.process.parameters import ProcessParameters

_KINDS = {
    "number": "number",
    "integer": "whole number",
    "boolean": "true or false",
    "string": "text",
    "null": "none",
    "object": "mapping",
}
_LIMITS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "a multiple of {}",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "minLength": "at least {} letters",
    "maxLength": "at most {} letters",
    "pattern": "like {}",
}


@dataclass(frozen=True)
class ParameterFacts:
    """One parameter: what it takes, within which limits, and what it is for."""

    name: str
    type: str
    required: bool
    default: str
    limits: str
    units: str
    help: str


@dataclass(frozen=True)
class OutputFacts:
    """One output, as it is for a scan along one axis, ``mu``, of an area detector.

    Of a process that works on a result, as it is for centers along ``mu``, ``chi`` and ``ccmth``.
    """

    name: str
    units: str
    dims: str
    dtype: str
    default: bool
    help: str


@dataclass(frozen=True)
class Facts:
    """What a process or a correction is.

    Attributes
    ----------
    doc : str
        Its docstring.
    per : str
        What one result belongs to; empty for a correction.
    version : str
        Its version.
    parameters : tuple of ParameterFacts
        What may be set.
    outputs : tuple of OutputFacts
        What it gives for an example; empty for a correction, and where that cannot be told
        without the user's own scan.

    """

    doc: str
    per: str
    version: str
    parameters: tuple[ParameterFacts, ...]
    outputs: tuple[OutputFacts, ...]

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return self.doc.partition("\n")[0]


def facts_of(cls: type[Process] | type[Correction]) -> Facts:
    """Return what a process or a correction is, from its class alone."""
    return Facts(
        doc=inspect.cleandoc(cls.__doc__ or ""),
        per=_per(cls) if issubclass(cls, Process) else "",
        version=cls.version,
        parameters=tuple(_parameters(cls.Parameters)),
        outputs=_outputs(cls) if issubclass(cls, Process) else (),
    )


class _AnySchema(GenerateJsonSchema):
    """Takes types that JSON does not have, too, as any value."""

    ignored_warning_kinds = {"non-serializable-default", "skipped-choice"}

    def handle_invalid_for_json_schema(self, *_: Any) -> JsonSchemaValue:
        """Say nothing about such a type."""
        return {}


def _parameters(model: type[ProcessParameters]) -> Iterator[ParameterFacts]:
    schema = model.model_json_schema(by_alias=False, schema_generator=_AnySchema)
    shared = schema.get("$defs", {})
    for name, field in model.model_fields.items():
        facts = schema.get("properties", {}).get(name, {})
        required = field.is_required()
        default = "" if required else field.get_default(call_default_factory=True)
        yield ParameterFacts(
            name=name,
            type=_kind(facts, shared),
            required=required,
            default=f"{default}",
            limits=", ".join(_limits(facts, shared)),
            units=str(facts.get("units", "")),
            help=" ".join(str(facts.get("description", "")).split()),
        )


def _kind(facts: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    """Say in words what values a JSON schema takes."""
    if "$ref" in facts:
        return _kind(shared[facts["$ref"].rpartition("/")[2]], shared)
    if "const" in facts or "enum" in facts:
        return " | ".join(str(one) for one in facts.get("enum", [facts.get("const")]))
    ways = facts.get("anyOf", facts.get("oneOf"))
    if ways:
        return " or ".join(dict.fromkeys(_kind(one, shared) for one in ways))
    if facts.get("type") == "array":
        if "prefixItems" in facts:
            return f"({', '.join(_kind(one, shared) for one in facts['prefixItems'])})"
        return f"list of {_kind(facts.get('items', {}), shared)}"
    if facts.get("format") in ("path", "file-path", "directory-path"):
        return "path"
    return _KINDS.get(facts.get("type", ""), "any")


def _limits(facts: Mapping[str, Any], shared: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in facts:
        yield from _limits(shared[facts["$ref"].rpartition("/")[2]], shared)
    for one in facts.get("anyOf", facts.get("oneOf", ())):
        yield from _limits(one, shared)
    fixed = "prefixItems" in facts  # the type has said how many
    for key, text in _LIMITS.items():
        if key in facts and not (fixed and key in ("minItems", "maxItems")):
            value = facts[key]
            yield text.format(value if isinstance(value, str) else f"{value:g}")
    if "items" in facts:
        yield from (f"each {text}" for text in _limits(facts["items"], shared))


def _per(cls: type[Process]) -> str:
    """Return what a result belongs to; it may depend on the parameters."""
    per: object = getattr(cls, "per", None)
    if isinstance(per, str):
        return per
    try:
        return str(cls().per)
    except Exception:  # parameters that must be given, or anything in a user's code
        return ""


@contextmanager
def _unheard() -> Iterator[None]:
    """Have nobody hear what a process says of the example."""
    log = logging.getLogger("nxscan")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def _outputs(cls: type[Process]) -> tuple[OutputFacts, ...]:
    """Ask a process what it gives for an example; a user's code may refuse it in any way."""
    scan = _example() if cls.works_on == "frames" else _example_result()
    try:
        process = cls()
        with _unheard():
            found = resolve(process.outputs(scan), scan, process.per, cls.name)
    except Exception:  # it depends on the scan, then, or on parameters that must be given
        return ()
    default = next((one.name for one in found if one.default), found[0].name)
    return tuple(
        OutputFacts(
            name=one.name,
            units=one.units or "",
            dims=" × ".join(axis.name for axis in one.axes),
            dtype=str(one.dtype),
            default=one.name == default,
            help=one.long_name if one.long_name != one.name.replace("_", " ") else "",
        )
        for one in found
    )


def _example() -> Any:
    from nxscan.model import ArraySignal, Axis, Scan

    axes = [
        Axis("mu", np.linspace(-1, 1, 5), "degree", "mu", "scan", 0),
        Axis("y", np.arange(32.0), "pixel", "y", "detector", 1),
        Axis("x", np.arange(32.0), "pixel", "x", "detector", 2),
    ]
    signal = ArraySignal(np.zeros((5, 32, 32), np.uint16), "counts")
    return Scan("example", {"detector": signal}, {axis.name: axis for axis in axes})


def _example_result() -> Any:
    """Return maps of centers along three motors, as a process that works on a result sees them."""
    from nxscan.model import ArraySignal, Axis, Scan, Signal

    axes = [Axis(name, np.arange(4.0), "pixel", name, "detector", k) for k, name in enumerate("yx")]
    scanned = ("mu", "chi", "ccmth")
    signals: dict[str, Signal] = {
        f"center_{name}": ArraySignal(np.ones((4, 4)) + np.eye(4), "degree", f"center of {name}")
        for name in scanned
    }
    signals["status"] = ArraySignal(np.zeros((4, 4), np.uint8), "", "status")
    swept = {
        name: Axis(name, np.zeros(1), "degree", name, "integrated", 0, np.ones(1))
        for name in scanned
    }
    return Scan("example", signals, {axis.name: axis for axis in axes}, integrated=swept)
