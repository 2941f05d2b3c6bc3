"""A run from beginning to end: find, plan, compute what is missing, put the result in the file."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscan.errors import OutputError, ProcessError
from nxscan.nexus import read_scan
from nxscan.nexus.results import NewResult, OutputSpec, add_result, check_name, find_result
from nxscan.process import assemble
from nxscan.process.commit_target import commit_target
from nxscan.process.correction import Correction
from nxscan.process.executors import Pool, open_pool
from nxscan.process.identity import describe, identity, parameters_of, scan_fingerprint
from nxscan.process.job import Job
from nxscan.process.journal import Journal, Written
from nxscan.process.lock import held
from nxscan.process.loop import run_units
from nxscan.process.memory import in_flight, limit
from nxscan.process.output import Resolved, resolve
from nxscan.process.partition import Cutter, Partition
from nxscan.process.progress import OnProgress, RunProgress
from nxscan.process.registry import find_correction, find_process
from nxscan.process.required import Required
from nxscan.process.result import Result
from nxscan.process.resume import resume_text
from nxscan.process.shipping import run_shipped, ship
from nxscan.process.spool import MOST_PASSES, passes, spooled
from nxscan.process.tidy import tidy
from nxscan.process.view import make_view, seen, without_metadata

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.process.contract import Process

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Settings:
    """How a process is run; see `Process.run`."""

    on: str | None = None
    into: str | Path | None = None
    corrections: Sequence[Correction | str] = ()
    executor: Any = "threads"
    workers: int | None = None
    memory: int | str | None = None
    fresh: bool = False
    progress: OnProgress | None = None


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
    identity, fingerprint : str
        Of the run, and of the scan.
    signal_path : str
        Where in the file the data lie.

    """

    process: Process
    master: Path
    job: Job
    partition: Partition
    corrections: tuple[Correction, ...]
    identity: str
    fingerprint: str
    signal_path: str


def run(process: Process, source: str | Path | Result, settings: Settings) -> Result:
    """Run a process; see `Process.run`."""
    plan = make_plan(process, source, settings)
    if not settings.fresh:
        found = find_result(plan.master, plan.identity)
        if found is not None:
            _log.info("%s is there already: %s", process.name, found.group)
            tidy(plan.master, plan.identity)
            return Result.load(plan.master, found.group)
    begun = time.time()
    manifest = _manifest(plan) | {"resume": _resume(plan, source, settings)}
    journal = Journal.open(plan.master, plan.identity, manifest, fresh=settings.fresh)
    try:
        job = _compute(plan, journal, settings)
        result = _commit(plan, job, settings, time.time() - begun)
    except BaseException:
        journal.close()
        raise
    journal.remove()
    return result


def _resume(plan: Plan, source: str | Path | Result, settings: Settings) -> str:
    """Return what a user calls to go on with the run."""
    on, path = _subject(source, settings)
    return resume_text(
        plan.process,
        path,
        into=None if settings.into is None else Path(settings.into),
        on=on,
        corrections=plan.corrections,
    )


def _subject(source: str | Path | Result, settings: Settings) -> tuple[str | None, Path]:
    """Return which result is worked on, if any, and the file."""
    if isinstance(source, Result):
        return settings.on or f"{source.group}/{source.default}", Path(source.path)
    return settings.on, Path(source)


def make_plan(process: Process, source: str | Path | Result, settings: Settings) -> Plan:
    """Find out what there is to do; nothing is written but results that the process requires.

    Raises
    ------
    ProcessError
        If the process, a correction or a declared output does not fit the scan.

    """
    on, path = _subject(source, settings)
    target = commit_target(path, None if settings.into is None else Path(settings.into))
    check_name(target.master, process.name)
    scan = read_scan(target.master)
    uuid, signal_path = target.uuid, f"/entry/instrument/{scan.detector}/data"
    corrections = tuple(find_correction(item) for item in settings.corrections)
    if on is not None:
        subject = _result_on(target.master, on)
        scan, uuid, signal_path = subject
    view = make_view(scan, corrections)
    visible = seen(scan, view)
    earlier = _required(process, target.master, settings)
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
    return Plan(
        process=process,
        master=target.master,
        job=job,
        partition=partition,
        corrections=corrections,
        identity=identity(process, scan, corrections, needs),
        fingerprint=fingerprint,
        signal_path=signal_path,
    )


def _result_on(master: Path, on: str) -> tuple[Scan, str, str]:
    name, _, output = on.partition("/")
    result = Result.load(master, name)
    output = output or result.default
    return result.as_scan(output), result.identity, f"/entry/{result.group}/{output}/data"


def _cut(process: Process, view: Any, outputs: Sequence[Resolved]) -> Partition:
    layout = view.layout
    cutter = Cutter(layout.shape, view.signal.dtype.itemsize, layout.scan_rank, layout.edges)
    values = sum(len(output.names) for output in outputs)
    return cutter.cut(process.per, mergeable=process.is_reduction, state_values=values)


def _check_passes(process: Process) -> None:
    if process.passes > 1 and not process.is_reduction:
        raise ProcessError(
            f"process {process.name!r} has {process.passes} passes, but no merge: every pass but "
            "the last must be a reduction",
            "define merge(first, second) and finish(state)",
        )


def _required(process: Process, master: Path, settings: Settings) -> dict[str, Result]:
    """Find the results that a process needs, or run their processes first."""
    found = {}
    for item in process.requires:
        wanted = find_process(item)() if isinstance(item, str) else item
        found[wanted.name] = run(wanted, master, replace(settings, into=None, fresh=False))
    return found


def _as_required(result: Result) -> Required:
    return Required({name: without_metadata(result.as_scan(name)) for name in result.names})


def _manifest(plan: Plan) -> dict[str, Any]:
    return {
        "process": plan.process.name,
        "description": describe(plan.process),
        "corrections": [describe(item) for item in plan.corrections],
        "signal": plan.signal_path,
        "fingerprint": plan.fingerprint,
        "partition": plan.partition.describe(),
        "blocks_total": len(plan.partition),
        "passes": plan.process.passes,
        "blocks": [[[p.start, p.stop] for p in block] for block in plan.partition.blocks],
    }


def _compute(plan: Plan, journal: Journal, settings: Settings) -> Job:
    """Compute what is missing of every pass, and return the last one."""
    job = replace(plan.job, folder=journal.folder)
    with open_pool(settings.executor, settings.workers) as pool:
        for index in range(plan.process.passes):
            last = index == plan.process.passes - 1
            job = replace(job, pass_index=index, final=plan.job.final and last)
            _run_pass(plan, job, journal, pool, settings)
            if not last:
                job = replace(job, previous=assemble.finished_state(job))
    return job


def _run_pass(plan: Plan, job: Job, journal: Journal, pool: Pool, settings: Settings) -> None:
    done = journal.finished(job.pass_index)
    allowed = limit(settings.memory)
    units = plan.partition.units(allowed // (2 * pool.workers), job.view.bytes_per_value)
    job = _with_few_passes(plan.partition, units, job, journal)
    todo = [left for left in (tuple(k for k in unit if k not in done) for unit in units) if left]
    if not todo:
        return
    note = f"resumed, {len(done)} of {len(job.blocks)} blocks were there" if done else ""
    counter = _Counter(job, len(done), settings.progress, note)
    counter.tell()
    most = in_flight(allowed, max(job.unit_bytes(unit) for unit in todo), pool.workers, pool.remote)
    ticket = ship(replace(job, view=job.view), journal.folder) if pool.remote else None

    def start(pool: Pool, unit: tuple[int, ...]) -> Any:
        if ticket is None:
            return pool.submit(job.run_unit, unit)
        return pool.submit(run_shipped, ticket, unit)

    run_units(pool, todo, start, most, counter.done)


def _with_few_passes(
    partition: Partition, units: Sequence[tuple[int, ...]], job: Job, journal: Journal
) -> Job:
    """Say how often the data are read, or copy them to tiles first where that is cheaper."""
    count = passes(partition, units)
    if count <= 1:
        return job
    if count > MOST_PASSES:
        rank = job.view.stored.scan_rank
        tiles = spooled(job.view.signal, rank, partition.blocks[0], journal.folder)
        return replace(job, view=replace(job.view, signal=tiles))
    _log.info(
        "the data are read in %d passes: stored chunks span several blocks, and memory for all "
        "of them is not there (--memory)",
        count,
    )
    return job


class _Counter:
    """Counts finished blocks and tells how far the run is."""

    def __init__(self, job: Job, before: int, progress: OnProgress | None, note: str = "") -> None:
        self._job, self._progress = job, progress
        self._blocks, self._bytes = before, 0
        itemsize = job.view.signal.dtype.itemsize
        self._sizes = [_size(block) * itemsize for block in job.blocks]
        self._note = note

    def done(self, unit: tuple[int, ...], written: list[Written]) -> None:
        """Count a unit."""
        self._blocks += len(written)
        self._bytes += sum(self._sizes[index] for index in unit)
        self.tell()

    def tell(self, stage: str = "compute") -> None:
        """Tell the progress to who asked for it."""
        if self._progress is None:
            return
        self._progress(
            RunProgress(
                process=self._job.process.name,
                blocks_done=self._blocks,
                blocks_total=len(self._job.blocks),
                bytes_done=self._bytes,
                bytes_total=sum(self._sizes),
                stage=stage,
                note=self._note,
            )
        )


def _size(block: Any) -> int:
    from nxscan.process.partition import volume

    return volume(block)


def _commit(plan: Plan, job: Job, settings: Settings, duration: float) -> Result:
    """Put the result into the master, unless an identical run was faster."""
    _Counter(job, len(job.blocks), settings.progress).tell("commit")
    lock = plan.master.with_name(f".{plan.master.name}.lock")
    with held(lock) as claim:
        found = None if settings.fresh else find_result(plan.master, plan.identity)
        if found is None:
            new = _new_result(plan, job, duration)

            def check(path: Path) -> None:
                _check(path)
                claim.ensure_held()

            found = add_result(plan.master, new, partial(assemble.fill, job), check)
    return Result.load(plan.master, found.group)


def _check(path: Path) -> None:
    from nxscan.validate import validate

    report = validate(path, external=False)
    if not report.ok:
        raise OutputError(
            "the result is not valid and was not added:"
            + "".join(f"\n  {finding.path}: {finding.message}" for finding in report.findings),
            "this is a fault of nxscan or of the process: please report it",
        )


def _new_result(plan: Plan, job: Job, duration: float) -> NewResult:
    facts = describe(plan.process)
    return NewResult(
        process=plan.process.name,
        module=f"{facts['module']}:{facts['class']}",
        version=plan.process.version,
        identity=plan.identity,
        description=(type(plan.process).__doc__ or plan.process.name).strip().splitlines()[0],
        parameters=parameters_of(plan.process.parameters),
        parameter_units=_units(plan.process),
        corrections=[describe(item) for item in plan.corrections],
        signal_path=plan.signal_path,
        fingerprint=plan.fingerprint,
        outputs=tuple(_spec(output) for output in _with_default(job.outputs)),
        duration=duration,
        host=f"{socket.gethostname()}:{os.getpid()}",
        partition=plan.partition.describe(),
    )


def _units(process: Process) -> dict[str, str]:
    found = {}
    for name, field in type(process.parameters).model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and "units" in extra:
            found[name] = str(extra["units"])
    return found


def _with_default(outputs: Sequence[Resolved]) -> list[Resolved]:
    if any(output.default for output in outputs):
        return list(outputs)
    return [replace(outputs[0], default=True), *outputs[1:]]


def _spec(output: Resolved) -> OutputSpec:
    return OutputSpec(
        name=output.name,
        dtype=output.dtype,
        axes=output.axes,
        units=output.units,
        long_name=output.long_name,
        interpretation=output.interpretation,
        default=output.default,
        errors=output.errors,
    )
