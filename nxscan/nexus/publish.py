"""How a master and its frames get their names, and how what is not needed any more is found.

At every instant the names hold a whole scan or what they held before, whatever stops the
program or the machine. What an interrupted translation left is removed by the next one to the
same master.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import h5py

from nxscan.errors import OutputError
from nxscan.hdf5.opening import open_reading
from nxscan.nexus import durable
from nxscan.nexus.seal import DAMAGE

_NOT_A_MASTER = (KeyError, AttributeError)
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def staging(path: Path) -> Iterator[Path]:
    """Make a hidden folder for the files of a master in the making; clean up afterwards."""
    folder: Path | None = None
    try:
        with durable.held_signals():
            folder = durable.make_staging(path)
        yield folder
    except BaseException:
        if folder is not None:
            with durable.held_signals(), contextlib.suppress(OSError):
                _clean_up(path, folder)
        raise
    with durable.held_signals():
        _clean_up(path, folder)


def free_frames_name(path: Path) -> str:
    """Name the frames file; one that a reader may have open is never replaced."""
    name, count = f"{path.stem}_frames.h5", 1
    while (path.parent / name).exists():
        count += 1
        name = f"{path.stem}_frames_{count}.h5"
    return name


def publish(path: Path, folder: Path, frames: Path | None, *, overwrite: bool) -> None:
    """Give frames, then master their names; each step is on the disk before the next.

    Parameters
    ----------
    path : Path
        The master's name.
    folder : Path
        Its staging folder, which holds it under the same name.
    frames : Path or None
        The frames in the staging folder, if they stay apart.
    overwrite : bool
        Replace what is there; the frames of that are removed with the staging folder.

    Raises
    ------
    OutputError
        If a name is taken.

    """
    staged = folder / path.name
    if path.exists() and not overwrite:
        raise durable.exists(path)
    if frames is not None:
        durable.sync_file(frames)
    durable.sync_file(staged)
    if frames is not None:
        # who cleans up after a crash must find the master that leads to the frames
        durable.sync_folder(folder)
        durable.sync_folder(path.parent)
        _publish_frames(frames, path)
    if overwrite and linked_frames(path) is not None:
        # and the one whose frames are not needed any more
        durable.keep(path, _replaced(folder))
        durable.sync_folder(folder)
        durable.sync_folder(path.parent)
    durable.publish(staged, path, overwrite=overwrite)


def _publish_frames(frames: Path, path: Path) -> None:
    published = path.parent / frames.name
    try:
        durable.publish(frames, published, overwrite=False)
    except OutputError:
        raise OutputError(
            f"{published} came up while {path.name} was written",
            f"another translation to {path.name} may be under way: wait for it",
        ) from None
    durable.sync_folder(path.parent)


def remove_leftovers(path: Path) -> None:
    """Remove what a translation to ``path``, or a result for it, left when it was killed."""
    for left in durable.abandoned(path):
        _log.info("removing what an interrupted run left: %s", left)
        with contextlib.suppress(OSError):  # it may be another user's
            if left.is_dir():
                _clean_up(path, left)
            else:
                durable.remove(left)


def _clean_up(path: Path, folder: Path) -> None:
    """Remove a staging folder, and the frames beside ``path`` that nothing leads to.

    A master that has no name outside of the staging folder was not published, or has been
    replaced: its frames can go. The folder goes last, since it is what tells.
    """
    # what is removed because of how things stand must not outlive them
    durable.sync_folder(path.parent)
    staged = folder / path.name
    frames = _unused_frames(staged if _has_one_name(staged) else _replaced(folder), path)
    if frames is not None:
        try:
            durable.remove(frames)
        except OSError as error:  # on Windows, while a reader has them open
            _log.warning("cannot remove %s (%s): the next translation tries again", frames, error)
            return
        durable.sync_folder(path.parent)
    durable.remove_folder(folder)


def _unused_frames(master: Path, path: Path) -> Path | None:
    """Return the frames beside ``path`` that only ``master``, in a staging folder, leads to.

    Frames that are named after another master are never ours: one that was made for results
    links to the frames of the scan.
    """
    if not _has_one_name(master):
        return None
    frames = linked_frames(master, beside=path.parent)
    if frames is None or not _is_named_after(path, frames) or not _same_entry(master, frames):
        return None
    return None if any(_may_lead_to(other, frames) for other in path.parent.iterdir()) else frames


def _is_named_after(path: Path, frames: Path) -> bool:
    pattern = rf"{re.escape(path.stem)}_frames(_\d+)?\.h5"
    return frames.parent == path.parent and re.fullmatch(pattern, frames.name) is not None


def _may_lead_to(master: Path, frames: Path) -> bool:
    """Tell whether a file is a master that leads to ``frames``, or might be if it were whole."""
    if master == frames or master.name.startswith(".") or not _is_hdf5(master):
        return False
    try:
        return linked_frames(master, damage=_NOT_A_MASTER) == frames
    except DAMAGE:
        return True


def _is_hdf5(path: Path) -> bool:
    try:
        return path.is_file() and bool(h5py.is_hdf5(path))
    except OSError:
        return False


def _has_one_name(path: Path) -> bool:
    return path.exists() and path.stat().st_nlink == 1


def _replaced(folder: Path) -> Path:
    """Return the name that a master keeps in the staging folder when it is replaced."""
    return folder / "replaced"


def linked_frames(
    master: Path, beside: Path | None = None, *, damage: tuple[type[Exception], ...] = DAMAGE
) -> Path | None:
    """Return the frames file that a master links to, if it has one that is there.

    Parameters
    ----------
    master : Path
        The master.
    beside : Path, optional
        The folder from which its links lead on, where it is in a staging folder.
    damage : tuple of exception types
        What is taken for a master without frames.

    """
    try:
        with open_reading(master) as file:
            for detector in file["entry/instrument"].values():
                link = detector.get("data", getlink=True) if hasattr(detector, "get") else None
                if isinstance(link, h5py.ExternalLink):
                    frames = Path(os.path.normpath((beside or master.parent) / link.filename))
                    return frames if frames.exists() else None
    except damage:
        return None
    return None


def _same_entry(first: Path, second: Path) -> bool:
    identifiers = []
    for path in (first, second):
        try:
            with open_reading(path) as file:
                identifiers.append(file["entry/entry_identifier_uuid"][()])
        except DAMAGE:
            return False
    return bool(identifiers[0] == identifiers[1])


def failed_write(error: OSError, path: Path) -> OutputError:
    """Return what a failed write means to a user."""
    if durable.is_full(error):
        return OutputError(
            f"the disk of {path.parent} is full, {path.name} was not written",
            "free some space or choose another disk",
        )
    return OutputError(f"{path} cannot be written: {error}", "see the folder's permissions")
