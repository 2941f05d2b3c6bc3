"""A tiled copy of frames whose stored chunks do not fit the blocks, made once for a run.

Chunks that span the detector have to be decompressed as a whole for each tile of it. What
does not fit into memory at once is then read in several passes, or copied to tiles first,
whichever is cheaper: a copy costs about as much as four passes (it is read, compressed,
written and read again).
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hdf5plugin

from nxscan.errors import OutputError
from nxscan.nexus import durable
from nxscan.nexus.frames import store_frames
from nxscan.nexus.guarded import new_hdf5
from nxscan.nexus.h5signal import HDF5Signal

if TYPE_CHECKING:
    from nxscan.model import Signal
    from nxscan.process.block import Selection
    from nxscan.process.partition import Partition

_log = logging.getLogger(__name__)

MOST_PASSES = 4
"""How many passes over the stored data cost as much as a copy."""
_NAME = "spool.h5"
_DATASET = "data"


def passes(partition: Partition, units: Sequence[Sequence[int]]) -> int:
    """Return how often stored chunks are read, with blocks read together as in ``units``."""
    cell_of = {index: k for k, cell in enumerate(partition.cells) for index in cell}
    count: dict[int, int] = {}
    for unit in units:
        cell = cell_of[unit[0]]
        count[cell] = count.get(cell, 0) + 1
    return max(count.values(), default=0)


def spooled(signal: Signal, rank: int, block: Selection, folder: Path) -> Signal:
    """Copy a signal to tiles of a block's size in ``folder``, unless it is there already.

    Parameters
    ----------
    signal : Signal
        The frames.
    rank : int
        How many of its dimensions are the scan's.
    block : tuple of slice
        A block, whose detector dimensions are the tiles'.
    folder : Path
        The journal's folder; the copy goes when the run is finished.

    Raises
    ------
    OutputError
        If the disk has no room for it.

    """
    path = folder / _NAME
    if not path.exists():
        _check_room(signal, folder)
        staged = durable.temporary_name(path)
        with new_hdf5(staged) as (file, check):
            store_frames(_create(file, signal, rank, block), signal, rank, lambda _: check())
        durable.sync_file(staged)
        durable.publish(staged, path, overwrite=True)
    return HDF5Signal(path, _DATASET, rank)


def _create(file: Any, signal: Signal, rank: int, block: Selection) -> Any:
    tile = tuple(part.stop - part.start for part in block[rank:])
    return file.create_dataset(
        _DATASET,
        signal.shape,
        signal.dtype.newbyteorder("<"),
        chunks=(1,) * rank + tile,
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
    _log.info(
        "copying %.1f GB to tiles first: stored chunks span the detector, and memory for one "
        "pass is not there",
        signal.nbytes / 1e9,
    )
