"""Write a scan: frames first, master last, final names only for what is complete and valid."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nxscan.errors import OutputError
from nxscan.nexus import durable, layout
from nxscan.nexus.assemble import FramesFile, write_master
from nxscan.nexus.entry import write_plots, write_root
from nxscan.nexus.frames import Progress, create_frames, sample_ratio, store_frames
from nxscan.nexus.groups import make_group
from nxscan.nexus.guarded import new_hdf5
from nxscan.nexus.publish import failed_write, free_frames_name, publish, remove_leftovers, staging
from nxscan.nexus.stacks import Stack, stacks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.nexus.moved import MovedPieces

_TURN = 0.0002
_SPARE_BYTES = 32 * 2**20


def write_scan(
    scan: Scan,
    path: Path,
    *,
    overwrite: bool = False,
    progress: Callable[[Progress], None] | None = None,
    check: Callable[[Path], None] | None = None,
    workers: int | None = None,
) -> Path:
    """Write a scan as an nxscan master, with its frames beside it or inside.

    Everything is made in a hidden folder beside ``path`` and gets its final name when it is
    complete, checked and on the disk: whatever stops this, ``path`` holds a whole scan or
    what it held before.

    Parameters
    ----------
    scan : Scan
        What to write; its signals are read once, frame by frame.
    path : Path
        The master. Frames of more than 64 MiB (stored) go to ``<stem>_frames.h5`` beside it.
    overwrite : bool
        Replace a master that is there.
    progress : callable, optional
        Is told how far it is.
    check : callable, optional
        Is called with the finished master before it gets its name, and raises if it is not
        valid.
    workers : int, optional
        Threads that read and compress.

    Returns
    -------
    Path
        The master, absolute.

    Raises
    ------
    OutputError
        If the output exists, the disk is or gets full, or the folder cannot be written.

    """
    path = path.absolute()
    if path.exists() and not overwrite:
        raise durable.exists(path)
    try:
        remove_leftovers(path)
        with staging(path) as folder:
            frames = _write_files(scan, path, folder, progress, workers)
            with ThreadPoolExecutor(1) as pool:
                # the disk is busy with the frames while the processor checks the master
                syncing = pool.submit(durable.sync_file, frames or folder / path.name)
                if check is not None:
                    check(folder / path.name)
                syncing.result()
            with durable.held_signals():
                publish(path, folder, frames, overwrite=overwrite)
    except OSError as error:
        raise failed_write(error, path) from error
    return path


def _write_files(
    scan: Scan,
    path: Path,
    folder: Path,
    progress: Callable[[Progress], None] | None,
    workers: int | None,
) -> Path | None:
    """Write frames and master into ``folder``; return the frames file if it stays apart.

    The master is written in a thread beside the frames, as far as it does not depend on them.
    """
    identifier = str(uuid.uuid4())
    frames = FramesFile(folder / free_frames_name(path))
    with (
        ThreadPoolExecutor(1, thread_name_prefix="nxscan-master") as pool,
        frames.failing_with_us(),
        _taking_turns(),
    ):
        master = pool.submit(write_master, scan, folder / path.name, identifier, frames)

        def told(done: Progress) -> None:
            frames.look()
            if master.done():
                master.result()  # it failed: it ends after the frames
            if progress is not None:
                progress(done)

        frames.complete(_write_frames(scan, frames.path, identifier, told, workers))
        master.result()
    if frames.apart.result():
        return frames.path
    durable.remove(frames.path)
    return None


@contextmanager
def _taking_turns() -> Iterator[None]:
    """Have threads give way soon: those that compress need Python for a moment only."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, _TURN))
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _write_frames(
    scan: Scan,
    path: Path,
    identifier: str,
    progress: Callable[[Progress], None],
    workers: int | None,
) -> NDArray[np.uint32]:
    """Write a file that holds the frames, and plots in silx by itself.

    Returns the checksums of the main detector's frames.
    """
    checksums: list[NDArray[np.uint32]] = []
    with new_hdf5(path) as (file, check):
        write_root(file, path.name)
        entry = make_group(file, layout.ENTRY, "NXentry", default="data")
        entry["title"] = scan.title
        entry["entry_identifier_uuid"] = identifier
        instrument = make_group(entry, "instrument", "NXinstrument")
        for detector in scan.signals:
            make_group(instrument, detector, "NXdetector")
        write_plots(entry, scan)
        for stack in stacks(scan):
            group, name = stack.place.rsplit("/", 1)
            moved, dataset = _create(file[group], name, stack)
            dataset.attrs.update(stack.attributes)
            _check_space(path, dataset, stack, moved)
            told = _Told(check, _ignore if checksums else progress)
            checksums.append(store_frames(dataset, stack.signal, stack.rank, told, workers, moved))
    return checksums[0]


def _create(group: Any, name: str, stack: Stack) -> tuple[MovedPieces | None, Any]:
    """Create the dataset of a stack, for the source's own chunks where they are fit for it."""
    from nxscan.nexus.moved import movable

    moved = movable(stack.signal)
    dataset = None if moved is None else moved.create(group, name)
    if dataset is not None:
        return moved, dataset
    return None, create_frames(group, name, stack.signal, stack.rank)


@dataclass(frozen=True)
class _Told:
    """Passes progress on, and stops the writing if a write has failed or a signal came."""

    check: Callable[[], None]
    progress: Callable[[Progress], None]

    def __call__(self, progress: Progress) -> None:
        self.check()
        self.progress(progress)


def _ignore(_: Progress) -> None:
    """Report nothing: what is counted are the main detector's frames."""


def _check_space(path: Path, dataset: Any, stack: Stack, moved: MovedPieces | None) -> None:
    free = shutil.disk_usage(path.parent).free
    if stack.signal.nbytes + _SPARE_BYTES <= free:
        return
    expected = (
        stack.signal.nbytes * sample_ratio(dataset, stack.signal, stack.rank)
        if moved is None
        else moved.nbytes
    )
    if expected + _SPARE_BYTES > free:
        raise OutputError(
            f"{path.parent.parent} has {free / 1e9:.2f} GB free, but the frames need about "
            f"{expected / 1e9:.2f} GB",
            "free some space or choose another disk",
        )
