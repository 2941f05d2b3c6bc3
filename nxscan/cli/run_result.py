"""What ``nxscan run`` says about a result."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from nxscan.cli.render import command_line, echo, print_json, table, times

if TYPE_CHECKING:
    from nxscan.process import Result


@dataclass(frozen=True)
class Statistics:
    """Numbers of an output: of its finite values, and the share of the others.

    Where the result has a map of its status, only values whose status is 0, ok, count; ``ok`` is
    their share.
    """

    shape: tuple[int, ...]
    dtype: str
    median: float | None
    min: float | None
    max: float | None
    missing: float
    ok: float | None = None


def statistics(values: Any, status: Any = None) -> Statistics:
    """Return the statistics of an array; none where nothing is finite."""
    import numpy as np

    array = np.asarray(values)
    judged = status is not None and np.shape(status) == array.shape
    counting = array[np.asarray(status) == 0] if judged else array.ravel()
    finite = counting[np.isfinite(counting)]
    missing = 1 - finite.size / counting.size if counting.size else 0.0
    median, low, high = (
        float(of(finite)) if finite.size else None for of in (np.median, np.min, np.max)
    )
    ok = counting.size / array.size if judged and array.size else None
    return Statistics(array.shape, str(array.dtype), median, low, high, missing, ok)


def print_result(result: "Result", *, json: bool) -> None:
    """Print a result: where it is, its outputs, and numbers of the default."""
    status = result["status"] if "status" in result.names else None
    found = statistics(result[result.default], status)
    if json:
        print_json(_plain(result, found))
        return
    path = str(_from_here(result.path))
    typer.echo(f"{path}: /entry/{result.group}")
    echo(table(list(_rows(result, found))))
    typer.echo(f"To look at it: {command_line(['nxscan', 'view', path])}")


def _from_here(path: Path) -> Path:
    """Return a path as seen from the current folder, if it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _rows(result: "Result", found: Statistics) -> Iterator[tuple[str, str, str]]:
    for name in result.names:
        said = _sentence(found) if name == result.default else ""
        yield name, result.units(name) or "-", said


def _sentence(found: Statistics) -> str:
    """Write statistics for people.

    >>> _sentence(Statistics((2, 3), "float64", 0.5, 0.0, 1.0, 0.25))
    'the default plot, 2 × 3: median 0.5, from 0 to 1, 25 % without a value'
    >>> _sentence(Statistics((2, 3), "float64", 0.5, 0.0, 1.0, 0.0, ok=0.5))
    'the default plot, 2 × 3, 50 % ok: median 0.5, from 0 to 1'
    >>> _sentence(Statistics((2, 3, 4), "uint8", 9.0, 0.0, 255.0, 0.0))
    'the default plot, a picture of 2 × 3'
    """
    if found.dtype == "uint8" and len(found.shape) == 3 and found.shape[-1] in (3, 4):
        return f"the default plot, a picture of {times(found.shape[:2])}"
    shape = f"the default plot, {times(found.shape) or 'one value'}"
    shape += "" if found.ok is None else f", {100 * found.ok:.3g} % ok"
    if found.median is None:
        return f"{shape}: no value"
    missing = f", {100 * found.missing:.3g} % without a value" if found.missing else ""
    return f"{shape}: median {found.median:.6g}, from {found.min:.6g} to {found.max:.6g}{missing}"


def _plain(result: "Result", found: Statistics) -> dict[str, Any]:
    return {
        "path": str(result.path),
        "group": f"/entry/{result.group}",
        "process": result.process,
        "default": result.default,
        "outputs": [
            {"name": name, "units": result.units(name), "path": f"/entry/{result.group}/{name}"}
            for name in result.names
        ],
        "statistics": vars(found),
        "parameters": result.parameters,
    }
