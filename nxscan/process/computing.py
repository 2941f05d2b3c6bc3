"""The blocks of a run computed: what is missing of every pass, within the memory allowed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nxscan.process import assemble
from nxscan.process.counting import Counter
from nxscan.process.executors import Pool, open_pool
from nxscan.process.loop import run_units
from nxscan.process.memory import in_flight, limit
from nxscan.process.shipping import run_shipped, ship
from nxscan.process.spool import MOST_PASSES, passes, spooled

if TYPE_CHECKING:
    from nxscan.process.job import Job
    from nxscan.process.journal import Journal
    from nxscan.process.partition import Partition
    from nxscan.process.planning import Plan
    from nxscan.process.settings import Settings

_log = logging.getLogger(__name__)


def compute(plan: Plan, journal: Journal, settings: Settings) -> Job:
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
    counter = Counter(job, len(done), settings.progress, note)
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
