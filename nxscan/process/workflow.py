"""Several processes one after the other, written down in a file."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nxscan.errors import ProcessError
from nxscan.process.raw_source import Choice
from nxscan.process.registry import find_correction, find_process
from nxscan.process.run import run

if TYPE_CHECKING:
    from nxscan.process.contract import Process
    from nxscan.process.correction import Correction
    from nxscan.process.result import Result
    from nxscan.process.settings import Settings

__all__ = ["Step", "Workflow", "load_workflow", "run_workflow"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(_Table):
    """One process of a workflow."""

    process: str = Field(description="its name, or module:Class")
    parameters: dict[str, Any] = Field({}, description="its parameters")
    corrections: tuple[str, ...] | None = Field(
        None, description="what the frames are read through; by default the workflow's"
    )
    on: str | None = Field(None, description="a result to work on (moments/center)")


class Workflow(_Table):
    """A chain of processes for one scan, and for every scan of a series."""

    name: str = Field("", description="what it is called")
    description: str = Field("", description="what it is for")
    corrections: tuple[str, ...] = Field((), description="what every step reads frames through")
    step: tuple[Step, ...] = Field(description="the processes, in their order")


def load_workflow(path: str | Path) -> Workflow:
    """Read a workflow, and find everything that it names before anything runs.

    Parameters
    ----------
    path : path
        A TOML file: ``corrections = [...]`` and a table ``[[step]]`` for each process; or the
        name of a workflow that comes with nxscan (``mosaicity``).

    Raises
    ------
    ProcessError
        If it cannot be read, or a process, a correction or a parameter is wrong; it lists all.

    Examples
    --------
    >>> load_workflow("dfxm.toml").step[0].process  # doctest: +SKIP
    'moments'

    """
    try:
        found = Workflow.model_validate(tomllib.loads(_read(Path(path))))
    except (OSError, UnicodeDecodeError) as error:
        raise ProcessError(f"{path}: cannot be read: {error}", "check its name") from error
    except tomllib.TOMLDecodeError as error:
        raise ProcessError(f"{path}: is no TOML: {error}", "correct that line") from error
    except ValidationError as error:
        lines = [f"{_where(one['loc'])}: {one['msg']}" for one in error.errors()]
        raise ProcessError(f"{path} is no workflow:" + _listed(lines), _EXAMPLE) from error
    if not found.step:
        raise ProcessError(f"{path} has no step", _EXAMPLE)
    wrong = list(_wrong(found))
    if wrong:
        raise ProcessError(f"{path} cannot be run:" + _listed(wrong))
    return found


def _read(path: Path) -> str:
    """Return the text of a file, or of the workflow of that name that comes with nxscan."""
    if path.exists() or path.suffix or path.name != str(path):
        return path.read_text(encoding="utf-8")
    known = {
        one.name.removesuffix(".toml"): one
        for one in files("nxscan.workflows").iterdir()
        if one.name.endswith(".toml")
    }
    if path.name not in known:
        raise ProcessError(
            f"{path}: there is no such file, and no workflow of that name",
            f"nxscan has: {', '.join(sorted(known))}",
        )
    return known[path.name].read_text(encoding="utf-8")


_EXAMPLE = 'write [[step]] with process = "moments", and corrections = ["dark"] before it'


def run_workflow(workflow: Workflow, source: str | Path, settings: Settings) -> Iterator[Result]:
    """Run the steps on a scan, each as soon as the one before has its result in the file.

    What is finished is found again, so that an interrupted workflow goes on where it was when
    it is given once more.

    Parameters
    ----------
    workflow : Workflow
        The steps.
    source : path
        A master, or raw files, as for `Process.run`.
    settings : Settings
        As for `Process.run`; corrections and ``on`` are the steps' own.

    Yields
    ------
    Result
        Of each step.

    """
    where, chosen = source, settings
    for step in workflow.step:
        process, corrections = _made(workflow, step)
        result = run(process, where, replace(chosen, on=step.on, corrections=corrections))
        yield result
        # the first step may have made the master that the others go into
        where, chosen = result.path, replace(chosen, into=None, choice=Choice())


def _made(workflow: Workflow, step: Step) -> tuple[Process, tuple[Correction, ...]]:
    """Return a step's process, and what it reads frames through."""
    process = find_process(step.process)(**step.parameters)
    texts = step.corrections
    if texts is None:
        texts = () if step.on is not None else workflow.corrections
    return process, tuple(find_correction(text) for text in texts)


def _wrong(workflow: Workflow) -> Iterator[str]:
    for number, step in enumerate(workflow.step, 1):
        try:
            _made(workflow, step)
        except ProcessError as error:
            yield f"step {number} ({step.process}): {error}"


def _where(place: tuple[int | str, ...]) -> str:
    """Return where in the file something is wrong.

    >>> _where(("step", 0, "process"))
    'step 1: process'
    """
    if len(place) > 1 and isinstance(place[1], int):
        return f"{place[0]} {place[1] + 1}" + "".join(f": {part}" for part in place[2:])
    return ": ".join(str(part) for part in place) or "the file"


def _listed(lines: list[str]) -> str:
    return "".join(f"\n  {line}" for line in lines)
