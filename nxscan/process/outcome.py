"""What a user's compute gave, held against what was declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import ProcessError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Selection
    from nxscan.process.contract import Process
    from nxscan.process.output import Resolved


def allocate(outputs: Sequence[Resolved], part: Selection) -> dict[str, NDArray[Any]]:
    """Return arrays for the outputs of a part of the dimensions that results belong to."""
    return {
        name: np.empty(part_shape(output, part), output.dtype)
        for output in outputs
        for name in output.names
    }


def part_shape(output: Resolved, part: Selection) -> tuple[int, ...]:
    """Return the shape that an output has for a part."""
    shape = output.shape
    inner = tuple(piece.stop - piece.start for piece in part)
    return (*shape[: output.own_before], *inner, *shape[len(shape) - output.own_after :])


def check_outputs(
    process: Process,
    outputs: Sequence[Resolved],
    found: Any,
    part: Selection,
    index: int,
) -> dict[str, NDArray[Any]]:
    """Return what compute gave as arrays of the declared types.

    Raises
    ------
    ProcessError
        If a name is missing or was not declared, a shape is another one, or values would
        change in becoming the declared type.

    """
    where = f"process {process.name!r}, block {index}"
    expected = {name: output for output in outputs for name in output.names}
    given = _mapping(found, where, list(expected))
    for name in expected:
        if name not in given:
            raise ProcessError(
                f"{where}: output {name!r} is missing from what compute returned",
                f"it returned: {', '.join(given) or 'nothing'}",
            )
    for name in given:
        if name not in expected:
            raise ProcessError(
                f"{where}: compute returned {name!r}, which outputs() does not declare",
                f"declared are: {', '.join(expected)}",
            )
    return {
        name: _checked(given[name], output, part, f"{where}: output {name!r}")
        for name, output in expected.items()
    }


def check_state(process: Process, found: Any, index: int) -> dict[str, NDArray[Any]]:
    """Return the partial state of a reduction as arrays."""
    where = f"process {process.name!r}, block {index}"
    state = {k: np.asarray(v) for k, v in _mapping(found, where, []).items()}
    for name, array in state.items():
        if array.dtype.kind not in "biufcSU":
            raise ProcessError(
                f"{where}: state {name!r} is of type {array.dtype}, which is no array of numbers"
            )
    return state


def _mapping(found: Any, where: str, expected: list[str]) -> Mapping[str, Any]:
    if isinstance(found, Mapping):
        return found
    raise ProcessError(
        f"{where}: compute returned {type(found).__name__}, expected a mapping of names to arrays",
        f"return {{{', '.join(f'{name!r}: …' for name in expected)}}}" if expected else "",
    )


def _checked(value: Any, output: Resolved, part: Selection, where: str) -> NDArray[Any]:
    array = np.asarray(value)
    shape = part_shape(output, part)
    if array.shape != shape:
        raise ProcessError(f"{where} has shape {array.shape}, expected {shape}")
    if array.dtype == output.dtype:
        return array
    if array.dtype.kind not in "biuf" or not np.can_cast(array.dtype, output.dtype, "same_kind"):
        raise ProcessError(
            f"{where} is {array.dtype}, expected {output.dtype}",
            "convert it in compute, or declare the type in Output(dtype=...)",
        )
    return array.astype(output.dtype)
