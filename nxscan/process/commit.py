"""A finished run put into the master, under its lock."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nxscan.nexus.results import NewResult, OutputSpec, add_result, find_result
from nxscan.process import assemble
from nxscan.process.counting import Counter
from nxscan.process.lock import held, lock_of
from nxscan.process.result import Result

if TYPE_CHECKING:
    from nxscan.process.contract import Process
    from nxscan.process.job import Job
    from nxscan.process.output import Resolved
    from nxscan.process.planning import Plan
    from nxscan.process.settings import Settings


def commit(plan: Plan, job: Job, settings: Settings, duration: float) -> Result:
    """Put the result into the master, unless an identical run was faster."""
    Counter(job, len(job.blocks), settings.progress).tell("commit")
    with held(lock_of(plan.master)) as claim:
        found = None if settings.fresh else find_result(plan.master, plan.identity)
        if found is None:
            new = _new_result(plan, job, duration)

            def check(path: Path) -> None:
                _check(path)
                claim.ensure_held()

            found = add_result(plan.master, new, partial(assemble.fill, job), check)
    return Result.load(plan.master, found.group)


def _check(path: Path) -> None:
    from nxscan.validate.gate import refuse_invalid

    refuse_invalid(
        path,
        "the result is not valid and was not added",
        "this is a fault of nxscan or of the process: please report it",
    )


def _new_result(plan: Plan, job: Job, duration: float) -> NewResult:
    facts = plan.described
    return NewResult(
        process=plan.process.name,
        module=f"{facts['module']}:{facts['class']}",
        version=plan.process.version,
        identity=plan.identity,
        description=(type(plan.process).__doc__ or plan.process.name).strip().splitlines()[0],
        parameters=facts["parameters"],
        parameter_units=_units(plan.process),
        corrections=plan.corrections_described,
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
        note=output.note,
    )
