"""Adding to a master: a copy of it is changed, checked, and takes its place in one step.

Whoever has the master open keeps what they had. Stopped at any instant, the old master is
there or the new one; what else is left is a hidden file, which the next run removes.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from nxscan.errors import LayoutError, OutputError
from nxscan.hdf5.heaps import check_heaps
from nxscan.hdf5.opening import comes_from_hdf5
from nxscan.nexus import durable
from nxscan.nexus.guarded import edited_hdf5
from nxscan.nexus.publish import remove_leftovers
from nxscan.nexus.seal import DAMAGE, extend_seal, reason

Append = Callable[[Any, Callable[[], None]], Iterable[str]]
"""Gets the copy, open, and a function to call now and then: it raises what a write has met.

Returns the paths of links that lead to something else than before.
"""


def replace_master(path: Path, append: Append, check: Callable[[Path], None] | None = None) -> None:
    """Replace a master by a copy of it to which something is added.

    The files that it links to, frames above all, are not touched. Two runs that add to one
    master must come one after the other: the caller holds a lock.

    Parameters
    ----------
    path : Path
        The master.
    append : callable
        Adds to the copy. Objects that are there must stay as they are, links aside.
    check : callable, optional
        Is called with the finished copy, beside the master, before it takes its place, and
        raises if it is not valid.

    Raises
    ------
    OutputError
        If the folder cannot be written, the disk is or gets full, or the master was changed by
        another program meanwhile; it is then as it was.
    LayoutError
        If the master is damaged.

    """
    path = path.resolve()
    try:
        remove_leftovers(path)
        before = _state(path)
        with _staged(path) as staged:
            durable.copy(path, staged)
            _edit(path, staged, append)
            _sync_and_check(staged, check)
            with durable.held_signals():
                _publish(staged, path, before)
    except OSError as error:
        raise _explained(error, path) from error


@contextlib.contextmanager
def _staged(path: Path) -> Iterator[Path]:
    """Make a hidden file beside a master; remove it where it was not published."""
    staged: Path | None = None
    try:
        with durable.held_signals():
            staged = durable.make_staging_file(path)
        yield staged
    finally:
        if staged is not None:
            with durable.held_signals(), contextlib.suppress(OSError):
                durable.remove_staging_file(staged)


def _edit(path: Path, staged: Path, append: Append) -> None:
    try:
        check_heaps(staged)
        with edited_hdf5(staged) as (file, tick):
            changed = append(file, tick)
            tick()
            extend_seal(file, changed)
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if not comes_from_hdf5(error):
            raise
        raise LayoutError(
            f"{path} cannot be added to: {reason(error)}", "nxscan validate says what is damaged"
        ) from error


def _sync_and_check(staged: Path, check: Callable[[Path], None] | None) -> None:
    """Have the copy on the disk while the processor checks it."""
    with ThreadPoolExecutor(1) as pool:
        syncing = pool.submit(durable.sync_file, staged)
        if check is not None:
            check(staged)
        syncing.result()


def _publish(staged: Path, path: Path, before: tuple[int, ...]) -> None:
    if _state(path) != before:
        raise OutputError(
            f"{path} was changed by another program while a result was added to it; nothing "
            "was written",
            "run it again: what was computed is kept",
        )
    with contextlib.suppress(OSError):  # a file system without permissions
        shutil.copymode(path, staged)
    durable.publish(staged, path, overwrite=True)
    durable.sync_folder(path.parent)


def _state(path: Path) -> tuple[int, ...]:
    if not path.exists():
        raise LayoutError(f"{path} does not exist")
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _explained(error: OSError, path: Path) -> OutputError:
    """Return what a failed write means to a user."""
    if durable.is_full(error):
        return OutputError(
            f"the disk of {path.parent} is full, the result was not added to {path.name}, which "
            "is as it was",
            "free some space and run it again, or write to another disk with --into",
        )
    return OutputError(
        f"{path} cannot be replaced: {error}",
        "see the folder's permissions, or write to another file with --into",
    )
