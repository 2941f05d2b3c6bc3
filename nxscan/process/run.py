"""A run from beginning to end: find, plan, compute what is missing, put the result in the file."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nxscan.nexus.results import find_result
from nxscan.process.commit import commit
from nxscan.process.computing import compute
from nxscan.process.journal import Journal
from nxscan.process.planning import Plan, make_plan, subject
from nxscan.process.result import Result
from nxscan.process.resume import resume_text
from nxscan.process.settings import Settings
from nxscan.process.tidy import tidy

if TYPE_CHECKING:
    from nxscan.process.contract import Process

__all__ = ["Settings", "run"]

_log = logging.getLogger(__name__)


def run(process: Process, source: str | Path | Result, settings: Settings) -> Result:
    """Run a process; see `Process.run`."""
    plan = make_plan(process, source, settings, run)
    if not settings.fresh:
        found = find_result(plan.master, plan.identity)
        if found is not None:
            _log.info("%s is there already: %s", process.name, found.group)
            tidy(plan.master, plan.identity)
            return Result.load(plan.master, found.group)
    begun = time.time()
    manifest = plan.manifest() | {"resume": _resume(plan, source, settings)}
    journal = Journal.open(plan.master, plan.identity, manifest, fresh=settings.fresh)
    try:
        job = compute(plan, journal, settings)
        plan.check_unchanged()
        result = commit(plan, job, settings, time.time() - begun)
    except BaseException:
        journal.close()
        raise
    journal.remove()
    return result


def _resume(plan: Plan, source: str | Path | Result, settings: Settings) -> str:
    """Return what a user calls to go on with the run."""
    on, path = subject(source, settings)
    into = None if settings.into is None else Path(settings.into)
    if plan.is_raw:
        path, into = plan.master, None
    return resume_text(plan.process, Path(path), into=into, on=on, corrections=plan.corrections)
