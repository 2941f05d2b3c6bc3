"""Parameters of processes and corrections: typed, limited, with help and units."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from nxscan.errors import ProcessError


class ProcessParameters(BaseModel):
    """What a user may set of a process or a correction.

    A pydantic model: give each field a type, a default, limits and a description. A unit is
    told as ``Field(0.1, json_schema_extra={"units": "degree"})``. Unknown names and values of
    the wrong kind are refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def make_parameters(
    model: type[ProcessParameters], owner: str, given: dict[str, Any]
) -> ProcessParameters:
    """Return the parameters, or raise ProcessError with every problem in what was given."""
    try:
        return model(**given)
    except ValidationError as error:
        problems = [_problem(found, given) for found in error.errors()]
        known = ", ".join(model.model_fields) or "none"
        raise ProcessError(
            f"{owner}: " + "; ".join(problems), f"its parameters are: {known}"
        ) from None


def _problem(found: Any, given: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in found["loc"]) or "parameters"
    if found["type"] == "extra_forbidden":
        return f"there is no parameter {name!r}"
    if found["type"] == "missing":
        return f"parameter {name!r} must be given"
    value = given.get(str(found["loc"][0])) if found["loc"] else given
    return f"parameter {name!r} is {value!r}, but: {found['msg']}"
