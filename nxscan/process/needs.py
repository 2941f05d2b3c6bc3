"""What the steps of a run take of memory: what ``--memory`` is held against.

Counted is what is read, with its variances, masks and what corrections make on the way, what
compute returns, for compute's own arrays `Process.bytes_per_value` of what it is given at once,
and `OWN_BYTES` for the run itself. Not counted is what a process holds beyond that, and what the
interpreter and compiled code take.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nxscan.process.partition import hull, volume

if TYPE_CHECKING:
    from nxscan.process.block import Selection
    from nxscan.process.job import Job

OWN_BYTES = 32 * 2**20
"""What the run itself takes: tables of chunks, the journal, and memory that falls to pieces."""
_VARIANCE, _VALID = 4, 1
_TEMPORARIES = 2
"""Arrays that a correction has beside what goes into it."""
_STATES = 3
"""Of a reduction: what has been merged, what is merged with it, and what that makes."""
_BUFFERS = 2
"""Of a stored chunk: as it lies in the file, and decoded."""


def for_blocks(allowed: int) -> int:
    """Return how much of the memory allowed is for blocks."""
    return allowed - min(OWN_BYTES, allowed // 8)


def held(job: Job) -> int:
    """Return the bytes that one value takes once it is read."""
    return job.view.layout.dtype.itemsize + _beside(job)


def unit_bytes(job: Job, unit: Sequence[int]) -> int:
    """Return what a worker needs that reads some blocks together and computes them."""
    largest = max(unit, key=lambda index: volume(job.blocks[index]))
    if len(unit) == 1:
        piece = max((piece for piece, _ in job.steps(largest)), key=volume)
        return volume(piece) * held(job) + read_bytes(job, piece) + compute_bytes(job, largest)
    region = hull([job.blocks[index] for index in unit])
    read = volume(region) * held(job) + read_bytes(job, region)
    return read + compute_bytes(job, largest)


def shared_bytes(job: Job, index: int, parts: Sequence[Selection]) -> int:
    """Return what each worker needs beside the frames that all of them read and compute from."""
    part = max(parts, key=volume)
    reading = volume(part) * held(job) + read_bytes(job, part)
    return max(reading, compute_bytes(job, index))


def read_bytes(job: Job, region: Selection) -> int:
    """Return what is needed to read a region, beside room for its values."""
    view = job.view
    chunk = math.prod(view.signal.chunks or (0,)) * view.signal.dtype.itemsize
    buffers = _BUFFERS * chunk
    if not view.chain:
        return buffers
    part = max(view.parts(region), key=volume)
    raw = max(volume(region) for region in view.sources(part))
    made = max(view.layout.dtype.itemsize, _VARIANCE) + _beside(job)
    return buffers + raw * (view.signal.dtype.itemsize + _beside(job) + _TEMPORARIES * made)


def compute_bytes(job: Job, index: int) -> int:
    """Return what is needed to compute a block that has been read."""
    part = max(volume(part) for _, parts in job.steps(index) for part in parts)
    states = _STATES if job.process.is_reduction else 1
    # where a part is not the whole of what was read, compute is given a copy
    own = job.process.bytes_per_value
    return part * (held(job) + own) + states * job.state_bytes(index)


def _beside(job: Job) -> int:
    """Return the bytes of variance and mask of one value."""
    return (job.noise is not None) * _VARIANCE + job.process.wants_valid * _VALID
