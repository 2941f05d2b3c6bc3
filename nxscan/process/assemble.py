"""Finished blocks put together: states merged, outputs placed where they belong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nxscan.errors import ProcessError
from nxscan.nexus import durable
from nxscan.nexus.result_fill import filler
from nxscan.process.blockfile import block_files, read_block
from nxscan.process.job import owned
from nxscan.process.outcome import check_outputs, check_state
from nxscan.process.reduction import merge_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.process.block import Selection
    from nxscan.process.job import Job

    Arrays = Mapping[str, NDArray[Any]]


def regions(job: Job) -> dict[tuple[tuple[int, int], ...], list[int]]:
    """Group the blocks by the part of the results that they belong to, in their order."""
    found: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for index, block in enumerate(job.blocks):
        key = _key(block, job.process.per, job.view.layout.scan_rank)
        found.setdefault(key, []).append(index)
    return found


def is_split(blocks: Sequence[Selection], per: str, rank: int) -> bool:
    """Tell whether several blocks belong to one part of the results."""
    return len({_key(block, per, rank) for block in blocks}) < len(blocks)


def fill(job: Job, datasets: Mapping[str, Any]) -> None:
    """Write the outputs of every block into datasets, one part after another."""
    with filler(datasets) as filled:
        for part, arrays in results(job):
            for output in job.outputs:
                for name in output.names:
                    filled.put(name, output.place(part), arrays[name])


def results(job: Job) -> Iterator[tuple[Selection, Arrays]]:
    """Yield the outputs of each part."""
    for indices in regions(job).values():
        part = owned(job.blocks[indices[0]], job.process.per, job.view.layout.scan_rank)
        if job.final:
            arrays = load(job, indices[0])
        else:
            state = finished_state(job, indices)
            arrays = check_outputs(job.process, job.outputs, state, part, indices[-1])
        yield part, arrays


def finished_state(job: Job, indices: Sequence[int] | None = None) -> Arrays:
    """Return what `finish` makes of the merged states of some blocks, or of all."""
    chosen = range(len(job.blocks)) if indices is None else indices
    merged = merge_all(job.process, (load(job, index) for index in chosen))
    return check_state(job.process, job.process.finish(merged), chosen[-1])


def load(job: Job, index: int) -> Arrays:
    """Return what a block's file holds."""
    found = read_block(job.folder, job.pass_index, index)
    if found is None:
        damaged = block_files(job.folder).get((job.pass_index, index))
        if damaged is not None:
            durable.remove(damaged)
        raise ProcessError(
            f"block {index} of process {job.process.name!r} was finished, but its file in "
            f"{job.folder} is gone or damaged",
            "run it again: it goes on from the blocks that are left",
        )
    return found


def _key(block: Selection, per: str, rank: int) -> tuple[tuple[int, int], ...]:
    """Return the part of the results that a block belongs to, as a dict can take it."""
    return tuple((piece.start, piece.stop) for piece in owned(block, per, rank))
