"""Parameters of processes and corrections: typed, limited, with help and units."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from nxscan.errors import ProcessError


class ProcessParameters(BaseModel):
    """What a user may set of a process or a correction.

    A pydantic model: give each field a type, a default, limits and a description. A unit is
    told as ``Field(0.1, json_schema_extra={"units": "degree"})``. Unknown names and values of
    the wrong kind are refused.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Parametrized:
    """What processes and corrections have in common: a name, a version and parameters.

    Attributes
    ----------
    name : str
        By default the class' name in small letters.
    version : str
        Raised when the results change.
    Parameters : type of ProcessParameters
        What a user may set.
    parameters : ProcessParameters
        What was set.

    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = "1"
    Parameters: ClassVar[type[ProcessParameters]] = ProcessParameters

    parameters: Any

    _kind: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            cls.name = snake(cls.__name__)

    def __init__(self, **parameters: Any) -> None:
        owner = f"{self._kind} {self.name}".lstrip()
        self.parameters = make_parameters(self.Parameters, owner, parameters)

    def __repr__(self) -> str:
        given = ", ".join(f"{k}={v!r}" for k, v in self.parameters.model_dump().items())
        return f"{type(self).__name__}({given})"


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


def snake(name: str) -> str:
    """Return a class' name as results are called.

    >>> snake("RockingCurve"), snake("KAM")
    ('rocking_curve', 'kam')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
