"""Which blocks are read together, and by how many workers, within the memory allowed.

Blocks that share stored chunks are read together as far as memory goes, so that each chunk is
decoded as seldom as possible. Threads read them into one array that all compute from; workers
in other processes each read blocks of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nxscan.process.cpus import usable_cpus
from nxscan.process.memory import WORKER_BYTES
from nxscan.process.needs import held, shared_bytes, unit_bytes
from nxscan.process.partition import volume

if TYPE_CHECKING:
    from nxscan.process.executors import Pool
    from nxscan.process.job import Job
    from nxscan.process.partition import Partition

_LOCAL = ("threads", "processes")


@dataclass(frozen=True)
class Group:
    """Blocks that are read together.

    Attributes
    ----------
    blocks : tuple of int
        Which blocks.
    shared : bool
        Whether all workers read and compute them, rather than one.

    """

    blocks: tuple[int, ...]
    shared: bool = False


def grouped(
    job: Job, partition: Partition, done: Collection[int], allowed: int, pool: Pool
) -> list[Group]:
    """Group the blocks that are not done yet.

    Parameters
    ----------
    job : Job
        What is done with the blocks.
    partition : Partition
        Which blocks share chunks.
    done : collection of int
        Blocks that are finished.
    allowed : int
        Bytes that the run may use.
    pool : Pool
        The workers.

    """
    cells = [tuple(index for index in cell if index not in done) for cell in partition.cells]
    groups = []
    for cell in cells:
        if len(cell) <= 1:
            groups += [Group(cell)] if cell else []
            continue
        shared = not pool.remote
        together = _together(job, cell, allowed, pool)
        parts = [cell[k : k + together] for k in range(0, len(cell), together)]
        groups += [Group(part, shared and len(part) > 1) for part in parts]
    return groups


def passes(partition: Partition, groups: Sequence[Group]) -> int:
    """Return how often stored chunks are read."""
    cell_of = {index: k for k, cell in enumerate(partition.cells) for index in cell}
    count: dict[int, int] = {}
    for group in groups:
        cell = cell_of[group.blocks[0]]
        count[cell] = count.get(cell, 0) + 1
    return max(count.values(), default=0)


def workers_for(
    job: Job, partition: Partition, executor: Any, workers: int | None, allowed: int
) -> int | None:
    """Return how many workers are worth starting; None where that is not for us to say.

    It is what the user says, or one for each core, but no more than have blocks to compute
    and memory to do so.
    """
    if not (isinstance(executor, str) and executor in _LOCAL):
        return workers
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        return workers
    cell = _largest(job, partition)
    wanted = workers or usable_cpus()
    if executor == "processes":
        fitting = allowed // (unit_bytes(job, cell[:1]) + WORKER_BYTES)
    elif len(cell) > 1:
        # half of the memory is for the frames that all workers share
        fitting = allowed // (2 * _each(job, cell))
    else:
        fitting = allowed // unit_bytes(job, cell)
    return max(1, min(wanted, fitting, len(partition)))


def writing_for(job: Job, partition: Partition, workers: int | None, allowed: int) -> int:
    """Return how many blocks may be written while as many as there are workers are computed.

    As many again, but no more than have memory for their results. A single worker does one
    thing after the other.
    """
    if workers is None or workers < 2:
        return 0
    cell = _largest(job, partition)
    # as in workers_for
    each = 2 * _each(job, cell) if len(cell) > 1 else unit_bytes(job, cell)
    fitting = (allowed - workers * each) // max(1, result_bytes(job, partition))
    return max(0, min(workers, fitting))


def result_bytes(job: Job, partition: Partition) -> int:
    """Return what the results of one block take while they are written."""
    return job.state_bytes(_largest(job, partition)[0])


def _largest(job: Job, partition: Partition) -> tuple[int, ...]:
    """Return the cell with the largest blocks."""
    return max(partition.cells, key=lambda cell: volume(job.blocks[cell[0]]))


def _together(job: Job, cell: tuple[int, ...], allowed: int, pool: Pool) -> int:
    """Return how many blocks of a cell are read together."""
    if pool.remote:
        least = unit_bytes(job, cell[:1]) + WORKER_BYTES
        each = max(1, min(pool.workers, allowed // least))
        left = allowed // each - least
    else:
        left = allowed - pool.workers * _each(job, cell)
    size = max(volume(job.blocks[index]) for index in cell) * held(job)
    return max(1, left // max(size, 1))


def _each(job: Job, cell: tuple[int, ...]) -> int:
    """Return what each worker needs beside frames that all of them share."""
    return max(1, shared_bytes(job, cell[0], list(job.parts(job.blocks[cell[0]]))))
