"""What a run is going to do: found out before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import ProcessError
from nxscan.nexus import read_scan
from nxscan.nexus.result_read import has_errors, read_result_scan
from nxscan.nexus.results import check_name
from nxscan.process import assemble
from nxscan.process.commit_target import CommitTarget, commit_target
from nxscan.process.correction import Correction
from nxscan.process.identity import describe, identity, scan_fingerprint
from nxscan.process.job import Job
from nxscan.process.output import Resolved, resolve
from nxscan.process.partition import Cutter, Partition
from nxscan.process.raw_source import Choice
from nxscan.process.registry import find_correction, find_process
from nxscan.process.required import Required
from nxscan.process.result import Result
from nxscan.process.settings import Settings
from nxscan.process.view import make_view, seen, without_metadata

if TYPE_CHECKING:
    from nxscan.model import Axis, Scan, Signal
    from nxscan.process.contract import Process

    RunIt = Callable[[Process, Path, Settings], Result]


@dataclass(frozen=True)
class Plan:
    """What a run is going to do.

    Attributes
    ----------
    process : Process
        What computes.
    master : Path
        Where the result goes.
    job : Job
        The first pass, without a folder yet.
    partition : Partition
        How the scan is cut.
    corrections : tuple of Correction
        What it is read through.
    described, corrections_described : dict, list of dict
        Name, version, code and parameters of the process and of each correction.
    identity, fingerprint : str
        Of the run, and of the scan.
    signal_path : str
        Where in the file the data lie.
    is_raw : bool
        Whether the master was made for raw files, and does to go on with the run.
    state : str
        The state of the files that frames are read from; empty where a result is worked on.

    """

    process: Process
    master: Path
    job: Job
    partition: Partition
    corrections: tuple[Correction, ...]
    described: dict[str, Any]
    corrections_described: list[dict[str, Any]]
    identity: str
    fingerprint: str
    signal_path: str
    is_raw: bool = False
    state: str = ""

    def check_unchanged(self) -> None:
        """Raise ProcessError if a file that frames were read from has changed since."""
        if not self.state:
            return
        try:
            same = CommitTarget(self.master, self.state.partition(" ")[0]).key == self.state
        except OSError:
            same = False
        if not same:
            raise ProcessError(
                f"a file that {self.master} leads to changed while process {self.process.name!r} "
                "read it: no result was added",
                "run it again when nothing writes there any more",
            )

    def manifest(self) -> dict[str, Any]:
        """Return what the journal says of the run."""
        return {
            "process": self.process.name,
            "description": self.described,
            "corrections": self.corrections_described,
            "signal": self.signal_path,
            "fingerprint": self.fingerprint,
            "partition": self.partition.describe(),
            "blocks_total": len(self.partition),
            "passes": self.process.passes,
            "blocks": [[[p.start, p.stop] for p in block] for block in self.partition.blocks],
        }


def subject(source: str | Path | Result, settings: Settings) -> tuple[str | None, str | Path]:
    """Return which result is worked on, if any, and the file."""
    if isinstance(source, Result):
        return settings.on or f"{source.group}/{source.default}", Path(source.path)
    return settings.on, source


def make_plan(
    process: Process, source: str | Path | Result, settings: Settings, run: RunIt
) -> Plan:
    """Find out what there is to do; nothing is written but results that the process requires.

    Those are found, or made with ``run``.

    Raises
    ------
    ProcessError
        If the process, a correction or a declared output does not fit the scan.

    """
    on, path = subject(source, settings)
    into = None if settings.into is None else Path(settings.into)
    target = commit_target(path, into, settings.choice)
    check_name(target.master, process.name)
    scan = read_scan(target.master)
    state = target.key
    uuid, signal_path = state, f"/entry/instrument/{scan.detector}/data"
    corrections = tuple(
        find_correction(item).located(target.master) for item in settings.corrections
    )
    if process.works_on == "result":
        earlier = _worked_on(process, target.master, on, settings, run)
        result = next(iter(earlier.values()))
        on, corrections = f"{result.group}/{result.default}", ()
    else:
        earlier = _required(process, target.master, settings, run)
    if on is not None:
        scan, uuid, signal_path = _result_on(target.master, on)
    view = make_view(scan, corrections)
    visible = seen(scan, view)
    if process.works_on == "result":
        visible.signals.update(_other_signals(result))
        visible.integrated = _scanned(target.master, scan) | scan.integrated
    outputs = resolve(process.outputs(visible), visible, process.per, f"process {process.name!r}")
    fingerprint = scan_fingerprint(scan, uuid)
    partition = _cut(process, view, outputs)
    _check_passes(process)
    job = Job(
        process=process,
        view=view,
        outputs=tuple(outputs),
        blocks=partition.blocks,
        folder=target.master.parent,
        final=not assemble.is_split(partition.blocks, process.per, view.layout.scan_rank),
        noise=process.noise(scan) if process.wants_variance else None,
        required={name: _as_required(result) for name, result in earlier.items()},
    )
    needs = [fingerprint, *(result.identity for result in earlier.values())]
    needs += [found for correction in corrections for found in correction.needs]
    described, corrections_described = describe(process), [describe(one) for one in corrections]
    return Plan(
        process=process,
        master=target.master,
        job=job,
        partition=partition,
        corrections=corrections,
        described=described,
        corrections_described=corrections_described,
        identity=identity(described, scan, corrections_described, needs),
        fingerprint=fingerprint,
        signal_path=signal_path,
        is_raw=target.is_raw,
        state="" if on is not None else state,
    )


def _result_on(master: Path, on: str) -> tuple[Scan, str, str]:
    name, _, output = on.partition("/")
    result = Result.load(master, name)
    output = output or result.default
    return result.as_scan(output), result.identity, f"/entry/{result.group}/{output}/data"


def _cut(process: Process, view: Any, outputs: Sequence[Resolved]) -> Partition:
    layout = view.layout
    cutter = Cutter(layout.shape, view.signal.dtype.itemsize, layout.scan_rank, layout.edges)
    if process.whole_curves:
        return cutter.cut("pixel", mergeable=False)
    values = sum(len(output.names) * _values_each(output) for output in outputs)
    return cutter.cut(process.per, mergeable=process.is_reduction, state_values=values)


def _values_each(output: Resolved) -> int:
    """Return how many numbers an output has for each pixel, position or scan."""
    before = output.shape[: output.own_before]
    after = output.shape[len(output.shape) - output.own_after :]
    return math.prod((*before, *after))


def _check_passes(process: Process) -> None:
    if process.passes > 1 and not process.is_reduction:
        raise ProcessError(
            f"process {process.name!r} has {process.passes} passes, but no merge: every pass but "
            "the last must be a reduction",
            "define merge(first, second) and finish(state)",
        )


def _required(process: Process, master: Path, settings: Settings, run: RunIt) -> dict[str, Result]:
    """Find the results that a process needs, or run their processes first."""
    found = {}
    for item in process.requires:
        wanted = find_process(item)() if isinstance(item, str) else item
        found[wanted.name] = run(
            wanted, master, replace(settings, into=None, fresh=False, choice=Choice())
        )
    return found


def _worked_on(
    process: Process, master: Path, on: str | None, settings: Settings, run: RunIt
) -> dict[str, Result]:
    """Return the result that a process works on: the one that is named, or what it requires."""
    if on is None:
        return _required(process, master, settings, run)
    if settings.corrections:
        raise ProcessError(
            f"process {process.name!r} works on the result {on!r}, and corrections are of frames",
            "leave the corrections out, or leave 'on' out: what it requires is then made through "
            "them",
        )
    result = Result.load(master, on.partition("/")[0])
    return {result.process: result}


def _other_signals(result: Result) -> dict[str, Signal]:
    """Return every array of a result but the default one, errors included."""
    scans = _as_required(result).outputs
    return {name: scan.signal for name, scan in scans.items() if name != result.default}


def _scanned(master: Path, worked_on: Scan) -> dict[str, Axis]:
    """Return the axes of the scan that a result has not, as what it was integrated over."""
    gone = [a for a in read_scan(master).axes.values() if a.name not in worked_on.axes]
    return {axis.name: _integrated(axis) for axis in gone if axis.role == "scan"}


def _integrated(axis: Axis) -> Axis:
    low, high = np.nanmin(axis.values), np.nanmax(axis.values)
    middle, width = np.array([0.5 * (low + high)]), np.array([high - low])
    return replace(axis, values=middle, role="integrated", dimension=0, width=width)


def _as_required(result: Result) -> Required:
    found = {name: result.as_scan(name) for name in result.names}
    for name in result.names:
        if has_errors(result.path, result.group, name):
            errors = f"{name}_errors"
            found[errors] = read_result_scan(result.path, result.group, name, "data_errors")
    return Required({name: without_metadata(scan) for name, scan in found.items()})
