"""A tiled copy of frames whose stored chunks do not fit the blocks, made once for a run.

Chunks that span the detector have to be decompressed as a whole for each tile of it. What
does not fit into memory at once is then read in several passes, or copied to tiles first,
whichever is cheaper: a copy costs about as much as four passes (it is read, compressed,
written and read again).
"""

from __future__ import annotations

import contextlib
import logging
import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hdf5plugin

from nxscan.errors import OutputError
from nxscan.hdf5.h5signal import HDF5Signal
from nxscan.nexus import durable
from nxscan.nexus.frames import store_frames
from nxscan.nexus.guarded import new_hdf5
from nxscan.process.cpus import usable_cpus
from nxscan.process.partition import tiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from nxscan.model import Signal
    from nxscan.process.job import Job

_log = logging.getLogger(__name__)

MOST_PASSES = 4
"""How many passes over the stored data cost as much as a copy."""
_NAME = "spool.h5"
_DATASET = "data"
_TILE_BYTES = 128 * 2**10
"""Stored chunks much smaller than this take longer to find than to read."""
_BUFFERS = 8
"""Pieces of frames that each thread of a copy has in memory, raw and compressed."""


def is_spooled(folder: Path) -> bool:
    """Tell whether a run that was interrupted has left its copy."""
    return (folder / _NAME).exists()


def spooled(job: Job, allowed: int) -> Signal:
    """Copy the frames to tiles that fit the blocks, unless the copy is there already.

    Parameters
    ----------
    job : Job
        What is read in which blocks. The copy goes into its journal, and with it when the run
        is finished.
    allowed : int
        Bytes of memory that the run may use.

    Raises
    ------
    OutputError
        If the disk has no room for it.

    """
    path = job.folder / _NAME
    if not path.exists():
        for left in path.parent.glob(f"{_NAME}.*"):  # the journal is this run's alone
            durable.remove(left)
        _check_room(job.view.signal, path.parent)
        try:
            _copy(job, path, allowed)
        except OSError as error:
            raise _refused(path, error) from error
    return HDF5Signal(path, _DATASET, job.view.stored.scan_rank)


def _copy(job: Job, path: Path, allowed: int) -> None:
    signal = job.view.signal
    _log.info("copying %.1f GB to tiles: %s", signal.nbytes / 1e9, path)
    staged = durable.temporary_name(path)
    with durable.in_use(staged):
        try:
            with new_hdf5(staged) as (file, check):
                if job.process.per == "position":
                    _store_columns(file, job, allowed, check)
                else:
                    _store_tiles(file, job, allowed, check)
            durable.sync_file(staged)
            durable.publish(staged, path, overwrite=True)
        except BaseException:
            with contextlib.suppress(OSError):
                durable.remove(staged)
            raise


def _store_tiles(file: Any, job: Job, allowed: int, check: Callable[[], None]) -> None:
    """Copy frames, several deep and as large as the blocks."""
    signal, rank = job.view.signal, job.view.stored.scan_rank
    tile = _block(job)[rank:]
    frame_bytes = math.prod(signal.shape[rank:]) * signal.dtype.itemsize
    workers = max(1, min(usable_cpus(), allowed // (_BUFFERS * frame_bytes)))
    wanted = -(-_TILE_BYTES // (math.prod(tile) * signal.dtype.itemsize))
    depth = max(wanted, (signal.chunks or (1,) * (rank + 1))[rank - 1])
    depth = min(depth, signal.shape[rank - 1], allowed // (_BUFFERS * workers * frame_bytes))
    chunk = (*(*(1,) * (rank - 1), max(1, depth))[:rank], *tile)
    dataset = _create(file, signal, chunk)
    store_frames(dataset, signal, rank, lambda _: check(), workers)


def _store_columns(file: Any, job: Job, allowed: int, check: Callable[[], None]) -> None:
    """Copy chunks that are deep along the scan, to such that are as deep as the blocks."""
    signal, rank = job.view.signal, job.view.stored.scan_rank
    stored = signal.chunks or signal.shape
    most = max(allowed // 4, math.prod(stored) * signal.dtype.itemsize)
    dataset = _create(file, signal, (*_block(job)[:rank], *stored[rank:]))
    whole = tuple(slice(0, length) for length in signal.shape)
    every = list(range(len(whole)))
    for region in tiles(whole, job.view.stored.edges, every, signal.dtype.itemsize, most):
        dataset[region] = signal.read(region)
        check()


def _block(job: Job) -> tuple[int, ...]:
    """Return the lengths of what is read of the stored values for a block."""
    regions = [job.view.source(block) for block in job.blocks]
    return tuple(
        max(1, *(part.stop - part.start for part in parts)) for parts in zip(*regions, strict=True)
    )


def _create(file: Any, signal: Signal, chunk: tuple[int, ...]) -> Any:
    return file.create_dataset(
        _DATASET,
        signal.shape,
        signal.dtype.newbyteorder("<"),
        chunks=tuple(min(n, length) for n, length in zip(chunk, signal.shape, strict=True)),
        fletcher32=True,
        **hdf5plugin.Bitshuffle(cname="lz4"),
    )


def _check_room(signal: Signal, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if signal.nbytes > free:
        raise OutputError(
            f"{folder.parent} has {free / 1e9:.1f} GB free, but the tiled copy of the frames may "
            f"need {signal.nbytes / 1e9:.1f} GB",
            "free some space, or give the run more memory (--memory), so that it needs no copy",
        )


def _refused(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"the tiled copy of the frames, {path}, cannot be written: {error.strerror or error}",
        "free some space, or give the run more memory (--memory), so that it needs no copy",
    )
