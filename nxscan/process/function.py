"""A process made of a plain function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, get_type_hints

import numpy as np
from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, create_model

from nxscan.errors import ProcessError
from nxscan.model.names import is_valid_name
from nxscan.process.code_text import code_text
from nxscan.process.contract import Per, Process
from nxscan.process.parameters import ProcessParameters, snake

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.process.block import Block
    from nxscan.process.contract import Arrays
    from nxscan.process.output import Output


class FunctionProcess(Process):
    """What `Process.from_function` makes subclasses of.

    Attributes
    ----------
    function : callable
        The user's.
    declared : tuple of Output
        What it gives, in this order.
    source_text : str
        What tells its code, with the values that it closes over, from any other.

    """

    per: Per = "pixel"
    function: ClassVar[Callable[..., Any]]
    declared: ClassVar[tuple[Output, ...]]
    source_text: ClassVar[str]

    def outputs(self, scan: Scan) -> Sequence[Output]:  # noqa: ARG002  the same for every scan
        """Return what was declared; it is the same for every scan."""
        return self.declared

    def compute(self, block: Block) -> Arrays:
        """Call the function, and name what it gives."""
        names = type(self.parameters).model_fields
        given = {name: getattr(self.parameters, name) for name in names}
        return _named(self.function(block.data, **given), self.declared, self.name)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to workers as what it was made of: the class is made again there."""
        names = type(self.parameters).model_fields
        given = {name: getattr(self.parameters, name) for name in names}
        made_of = (self.function, self.declared, self.per, self.name, self.version, given)
        return from_function, made_of


def from_function(
    function: Callable[..., Any],
    outputs: Sequence[Output],
    per: Per,
    name: str | None,
    version: str,
    parameters: Mapping[str, Any],
) -> Process:
    """Make a process of a function of ``block.data``; see `Process.from_function`.

    Raises
    ------
    ProcessError
        If it is not callable, takes no data, or a parameter cannot be one.

    """
    if not callable(function):
        raise ProcessError(f"{function!r} is a {type(function).__name__}, not a function")
    if not outputs:
        raise ProcessError(
            f"process of {_called(function)}: no outputs are given",
            'such as outputs=[Output("range", units="counts")]',
        )
    name = name or _default_name(function, outputs)
    made = type(
        "".join(part.capitalize() for part in name.split("_")) or "Function",
        (FunctionProcess,),
        {
            "__doc__": _doc(function) or f"The function of {name}.",
            "__module__": getattr(function, "__module__", None) or __name__,
            "per": per,
            "name": name,
            "version": version,
            "function": staticmethod(function),
            "declared": tuple(outputs),
            "source_text": code_text(function),
            "Parameters": _model(function, name, parameters),
        },
    )
    process: Process = made(**parameters)
    return process


def _called(function: Callable[..., Any]) -> str:
    if isinstance(function, functools.partial):
        return _called(function.func)
    return getattr(function, "__name__", type(function).__name__)


def _doc(function: Callable[..., Any]) -> str | None:
    """Return the function's own docstring, not that of its type."""
    doc = inspect.getdoc(function)
    return None if doc == inspect.getdoc(type(function)) else doc


def _default_name(function: Callable[..., Any], outputs: Sequence[Output]) -> str:
    """Return the function's name; a lambda, which has none, is called as its default output."""
    own = snake(_called(function))
    if is_valid_name(own):
        return own
    return next((one.name for one in outputs if one.default), outputs[0].name)


def _named(result: Any, outputs: tuple[Output, ...], owner: str) -> Arrays:
    if isinstance(result, Mapping):
        return dict(result)
    names = [name for one in outputs for name in _names(one)]
    arrays = result if isinstance(result, tuple) else (result,)
    if len(arrays) != len(names):
        raise ProcessError(
            f"process {owner}: the function gave {len(arrays)} "
            f"array{'s' * (len(arrays) != 1)}, but its outputs are {', '.join(names)}",
            "return one array for each, as a tuple in this order, or a dict",
        )
    return {name: np.asarray(array) for name, array in zip(names, arrays, strict=True)}


def _names(output: Output) -> tuple[str, ...]:
    return (output.name, f"{output.name}_errors") if output.errors else (output.name,)


def _model(
    function: Callable[..., Any], owner: str, given: Mapping[str, Any]
) -> type[ProcessParameters]:
    """Make the model of the function's parameters; what is given becomes the default."""
    fields: dict[str, Any] = {}
    for name, annotation, default in _signature(function, owner, given):
        if name.startswith("_") or hasattr(ProcessParameters, name):
            raise ProcessError(f"process {owner}: parameter {name!r} needs another name")
        fields[name] = (annotation, given.get(name, default))
    model: type[ProcessParameters] = create_model(
        "Parameters", __base__=ProcessParameters, __module__=__name__, **fields
    )
    return model


def _signature(
    function: Callable[..., Any], owner: str, given: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, type and default of each parameter after the data; ... is no default."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):  # some built-in functions tell none
        yield from ((name, Any, value) for name, value in given.items())
        return
    first, rest = parameters[:1], parameters[1:]
    if not first or first[0].kind in (first[0].KEYWORD_ONLY, first[0].VAR_KEYWORD):
        raise ProcessError(
            f"process {owner}: {_called(function)} takes no data",
            "its first parameter gets the block's data: def f(data, ...)",
        )
    known, hints = {one.name for one in rest}, _hints(function)
    for one in rest:
        if one.kind is one.VAR_KEYWORD:
            extra = [name for name in given if name not in known]
            yield from ((name, Any, given[name]) for name in extra)
        elif one.kind is one.POSITIONAL_ONLY:
            raise ProcessError(
                f"process {owner}: parameter {one.name!r} of {_called(function)} cannot be "
                "given by name",
                "leave out the / in its signature",
            )
        elif one.kind is not one.VAR_POSITIONAL:
            default = ... if one.default is one.empty else one.default
            yield one.name, _usable(hints.get(one.name), default), default


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError):  # names that only a type checker knows
        return {}


def _usable(hint: Any, default: Any) -> Any:
    """Return a type that pydantic knows: the hint, else that of the default, else any."""
    if hint is None:
        kinds: dict[type, Any] = {bool: bool, int: int | float, float: float, str: str}
        return kinds.get(type(default), Any)
    try:
        TypeAdapter(hint)
    except (PydanticSchemaGenerationError, PydanticUserError):
        return Any
    return hint
