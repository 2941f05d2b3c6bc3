"""Results computed once more from what is recorded of them, and compared."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError, ProcessError
from nxscan.process.correction import Correction
from nxscan.process.registry import find_any, find_process
from nxscan.process.result import Result, results
from nxscan.process.run import run
from nxscan.process.settings import Settings

if TYPE_CHECKING:
    from nxscan.process.contract import Process

__all__ = ["Difference", "Replayed", "replay"]


@dataclass(frozen=True)
class Difference:
    """How an array differs from the one that is in the file.

    Attributes
    ----------
    name : str
        The output; ``NAME_errors`` for its errors.
    values : int
        How many values differ; a value that is missing in one alone differs.
    total : int
        How many there are.
    largest : float
        The largest difference of two values that are there; NaN where there is none.

    """

    name: str
    values: int
    total: int
    largest: float


@dataclass(frozen=True)
class Replayed:
    """What came of computing a result once more.

    Attributes
    ----------
    result : Result
        The result in the file.
    differences : tuple of Difference
        Arrays that are not the same bit for bit.
    problem : str
        Why it could not be computed; empty if it was.
    note : str
        What is no longer as it was: the version of the process.

    """

    result: Result
    differences: tuple[Difference, ...] = ()
    problem: str = ""
    note: str = ""

    @property
    def same(self) -> bool:
        """Whether every array came out the same, bit for bit."""
        return not self.differences and not self.problem


def replay(
    path: str | Path, names: tuple[str, ...] = (), settings: Settings | None = None
) -> Iterator[Replayed]:
    """Run the recorded chain of each result of a file again, and compare what comes out.

    The file is only read: the new results go to a folder of their own, which is removed.

    Parameters
    ----------
    path : path
        The file with results.
    names : tuple of str
        Results (``moments_000``) or processes (``moments``) to look at; all without any. Those
        that they were made from are computed too.
    settings : Settings, optional
        Executor, workers, memory and progress.

    Yields
    ------
    Replayed
        One for each result, in the order in which they came.

    Raises
    ------
    LayoutError
        If the file cannot be read.
    ProcessError
        If it has none of these results.

    """
    every = results(path)
    chosen = {one.group for one in every if not names or {one.group, one.process} & set(names)}
    if not chosen:
        there = ", ".join(one.group for one in every) or "none"
        raise ProcessError(f"{path} has none of {', '.join(names) or 'them'}; there are: {there}")
    needed = _needed(every, chosen)
    with tempfile.TemporaryDirectory(prefix="nxscan-replay-") as folder:
        again = _Again(Path(path), Path(folder) / "replay.nxs", settings or Settings())
        for one in every:
            if one.group in needed:
                found = again.run(one)
                if one.group in chosen:
                    yield found


@dataclass
class _Again:
    """Runs results of one file again, those that others were made from first."""

    path: Path
    into: Path
    settings: Settings

    def __post_init__(self) -> None:
        self.made: dict[str, str] = {}

    def run(self, result: Result) -> Replayed:
        try:
            process, corrections = restored(result)
            settings = replace(
                self.settings,
                on=self._on(result),
                into=None if self.into.exists() else self.into,
                corrections=corrections,
            )
            source = self.into if self.into.exists() else self.path
            found = run(process, source, settings)
        except NxscanError as error:
            return Replayed(result, problem=str(error))
        self.made[result.group] = found.group
        return Replayed(result, tuple(_differences(result, found)), note=_note(result, found))

    def _on(self, result: Result) -> str | None:
        """Return what the new result works on: what came of the one before."""
        place = _worked_on(result)
        if place is None:
            return None
        group, output = place
        if group not in self.made:
            raise ProcessError(f"{group}, which it works on, could not be computed")
        return f"{self.made[group]}/{output}"


def _worked_on(result: Result) -> tuple[str, str] | None:
    """Return group and output of the result that one works on; None where it is the frames."""
    parts = result.stored.signal_path.strip("/").split("/")
    return (parts[1], parts[2]) if len(parts) == 4 and parts[1] != "instrument" else None


def _needed(every: list[Result], chosen: set[str]) -> set[str]:
    needed = set(chosen)
    for one in reversed(every):
        place = _worked_on(one)
        if one.group in needed and place is not None:
            needed.add(place[0])
    return needed


def restored(result: Result) -> tuple[Process, tuple[Correction, ...]]:
    """Return a process and its corrections as they were."""
    stored = result.stored
    process = find_process(stored.module)(**_values(stored.parameters))
    corrections: list[Correction] = []
    for said in stored.corrections:
        made = find_any(f"{said['module']}:{said['class']}").type(**_values(said["parameters"]))
        if isinstance(made, Correction):
            corrections.append(made)
    return process, tuple(corrections)


def _values(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters as they were given; a file must be what it was."""
    found = {}
    for name, value in parameters.items():
        if isinstance(value, dict) and set(value) == {"file", "sha256"}:
            path = Path(value["file"])
            if not path.is_file():
                raise ProcessError(f"{path}, its parameter {name!r}, is not there any more")
            if hashlib.sha256(path.read_bytes()).hexdigest() != value["sha256"]:
                raise ProcessError(f"{path}, its parameter {name!r}, has changed since")
            found[name] = path
        elif isinstance(value, dict) and set(value) == {"array"}:
            raise ProcessError(f"its parameter {name!r} is an array, which is not recorded")
        else:
            found[name] = value
    return found


def _note(result: Result, found: Result) -> str:
    before, now = result.stored.version, found.stored.version
    return "" if before == now else f"version {before} then, {now} now"


def _differences(before: Result, now: Result) -> Iterator[Difference]:
    for name in before.names:
        if name not in now:
            yield Difference(name, before[name].size, before[name].size, float("nan"))
            continue
        yield from _compared(name, before[name], now[name])
        try:
            errors = before.errors(name)
        except ProcessError:
            continue
        yield from _compared(f"{name}_errors", errors, now.errors(name))


def _compared(name: str, before: Any, now: Any) -> Iterator[Difference]:
    if before.shape != now.shape or before.dtype != now.dtype:
        yield Difference(name, before.size, before.size, float("nan"))
        return
    floats = before.dtype.kind in "fc"
    differ = before != now
    if floats:
        differ &= ~(np.isnan(before) & np.isnan(now))
    count = int(np.count_nonzero(differ))
    if count:
        gap = np.abs(before[differ].astype(float) - now[differ].astype(float))
        finite = gap[np.isfinite(gap)]
        yield Difference(
            name, count, before.size, float(finite.max()) if finite.size else float("nan")
        )
