"""The blocks of a run computed: what is missing of every pass, within the memory allowed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from nxscan.process import assemble
from nxscan.process.counting import Counter
from nxscan.process.executors import Pool, open_pool
from nxscan.process.grouping import (
    Group,
    grouped,
    passes,
    result_bytes,
    workers_for,
    writing_for,
)
from nxscan.process.loop import run_units
from nxscan.process.memory import WORKER_BYTES, in_flight, limit
from nxscan.process.needs import for_blocks, unit_bytes
from nxscan.process.partition import hull
from nxscan.process.shipping import run_shipped, ship
from nxscan.process.spool import MOST_PASSES, is_spooled, spooled
from nxscan.process.view import Scratch

if TYPE_CHECKING:
    from concurrent.futures import Future

    from nxscan.process.job import Job
    from nxscan.process.journal import Journal, Written
    from nxscan.process.planning import Plan
    from nxscan.process.settings import Settings

_log = logging.getLogger(__name__)


def compute(plan: Plan, journal: Journal, settings: Settings) -> Job:
    """Compute what is missing of every pass, and return the last one."""
    job = replace(plan.job, folder=journal.folder)
    allowed = limit(settings.memory)
    room = for_blocks(allowed)
    workers = workers_for(job, plan.partition, settings.executor, settings.workers, room)
    writing = 0
    if settings.executor == "threads":
        writing = writing_for(job, plan.partition, workers, room)
        room -= writing * result_bytes(job, plan.partition)
    with open_pool(settings.executor, workers, writing) as pool:
        _say_whose_memory(pool, settings, allowed)
        run = _Run(plan, journal, pool, settings, allowed, room)
        for index in range(plan.process.passes):
            last = index == plan.process.passes - 1
            job = replace(job, pass_index=index, final=plan.job.final and last)
            job = run.compute(job)
            if not last:
                job = replace(job, previous=assemble.finished_state(job))
    return job


def _say_whose_memory(pool: Pool, settings: Settings, allowed: int) -> None:
    if pool.remote and settings.memory is None and settings.executor != "processes":
        _log.info(
            "workers may use %.1f GB in all, a quarter of what this machine has free; theirs may "
            "have more: say so with --memory (memory=)",
            allowed / 1e9,
        )


@dataclass(frozen=True)
class _Run:
    plan: Plan
    journal: Journal
    pool: Pool
    settings: Settings
    allowed: int
    room: int

    def compute(self, job: Job) -> Job:
        """Compute what is missing of a pass; return it as it reads the data."""
        done = self.journal.finished(job.pass_index)
        if len(done) == len(job.blocks):
            return job
        resumed = f"resumed, {len(done)} of {len(job.blocks)} blocks were there" if done else ""
        job, groups, reading = self._reading(job, done, resumed)
        counter = self._counter(job, done, resumed, reading)
        counter.tell()
        alone = [group.blocks for group in groups if not group.shared]
        if alone:
            self._run_units(job, alone, counter)
        scratch = Scratch()
        for group in groups:
            if group.shared:
                self._run_shared(job, group, counter, scratch)
        return job

    def _counter(self, job: Job, done: set[int], *notes: str) -> Counter:
        note = "; ".join(note for note in notes if note)
        return Counter(job, len(done), self.settings.progress, note)

    def _reading(self, job: Job, done: set[int], resumed: str) -> tuple[Job, list[Group], str]:
        """Group the blocks, or copy the data to tiles first where that is cheaper; say which."""
        partition, folder = self.plan.partition, self.journal.folder
        left = [(index,) for index in range(len(job.blocks)) if index not in done]
        self._in_flight(job, left)
        groups = grouped(job, partition, done, self.room, self.pool)
        # where rows are read for their share of a frame, parts of it cost no more than the whole
        count = 1 if job.view.signal.reads_rows else passes(partition, groups)
        note = ""
        if count > MOST_PASSES or (count > 1 and is_spooled(folder)):
            note = (
                f"stored chunks span the detector and would be read {count} times with "
                f"{self.allowed / 1e6:.0f} MB of memory: the frames are copied to tiles first"
            )
            self._say(job, done, resumed, note)
            job = replace(job, view=replace(job.view, signal=spooled(job, self.allowed)))
            groups = [Group((index,)) for group in groups for index in group.blocks]
        elif count > 1:
            note = (
                f"the data are read in {count} passes: stored chunks span several blocks, and "
                f"{self.allowed / 1e6:.0f} MB of memory do not hold all of them (--memory)"
            )
            self._say(job, done, resumed, note)
        return job, groups, note

    def _say(self, job: Job, done: set[int], *notes: str) -> None:
        _log.info("%s: %s", job.process.name, notes[-1])
        self._counter(job, done, *notes).tell()

    def _in_flight(self, job: Job, units: Sequence[tuple[int, ...]]) -> int:
        """Return how many units may be under way, or refuse if not one of them fits."""
        one = max(unit_bytes(job, unit) for unit in _shapes(job, units))
        least = min(one + self.pool.remote * WORKER_BYTES, self.allowed)
        room = max(self.room, least)
        return in_flight(room, one, self.pool.workers, self.pool.remote)

    def _run_units(self, job: Job, units: Sequence[tuple[int, ...]], counter: Counter) -> None:
        """Have every unit read and computed by one worker."""
        most = self._in_flight(job, units)
        ticket = ship(job, self.journal.folder) if self.pool.remote else None

        def start(pool: Pool, unit: tuple[int, ...]) -> Future[list[Written]]:
            if ticket is None:
                return pool.submit(job.run_unit, unit, pool.slots)
            return pool.submit(run_shipped, ticket, unit)

        run_units(self.pool, units, start, most, counter.done)

    def _run_shared(self, job: Job, group: Group, counter: Counter, scratch: Scratch) -> None:
        """Have all workers read what the blocks of a group need, then compute them."""
        region = hull([job.blocks[index] for index in group.blocks])
        frames = job.view.empty(
            region,
            variance=job.noise is not None,
            valid=job.process.wants_valid,
            scratch=scratch,
        )
        most = 2 * self.pool.workers

        def read(pool: Pool, part: Any) -> Future[None]:
            return pool.submit(job.read_part, part, frames, pool.slots)

        def compute(pool: Pool, index: int) -> Future[Written]:
            return pool.submit(job.run_block, index, frames, pool.slots)

        run_units(self.pool, list(job.parts(region)), read, most, _nothing)
        run_units(self.pool, group.blocks, compute, most, partial(_one, counter))


def _shapes(job: Job, units: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Return a unit of each shape: what one needs depends on that alone."""
    found = {
        tuple(p.stop - p.start for p in hull([job.blocks[k] for k in unit])): unit for unit in units
    }
    return list(found.values())


def _one(counter: Counter, index: int, written: Written) -> None:
    counter.done((index,), [written])


def _nothing(part: Any, result: None) -> None:
    """Count nothing: reading alone finishes no block."""
