"""Masters that lead to files which have moved: the paths in them made right."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from nxscan.errors import LayoutError
from nxscan.nexus import layout
from nxscan.nexus.linktable import (
    LINKED,
    TOLERANCE,
    Found,
    LinkedFile,
    checksum_of,
    find_files,
    real_paths,
    relative,
    write_files,
)
from nxscan.nexus.master import Master
from nxscan.nexus.reader import read_scan
from nxscan.nexus.rename import rename_links, rename_sources
from nxscan.nexus.replace import replace_master
from nxscan.validate.gate import refuse_invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    PathLike = str | os.PathLike[str]

_MOST_NAMED = 10


def relink(
    path: PathLike,
    old: PathLike | None = None,
    new: PathLike | None = None,
    *,
    accept: bool = False,
) -> int:
    """Have a master lead to its originals where they are now.

    Every recorded path that begins with the folder ``old`` begins with ``new`` afterwards.
    Results, metadata, identifier and checksums of the master stay, and the originals are only
    looked at.

    Parameters
    ----------
    path : path
        The master.
    old, new : path, optional
        The folder, or the file, that was moved: where it was, and where it is. Without them, or
        if both are the same, every path becomes the one where nxscan finds the file now: after
        master and originals were moved together, other programs find them again, too.
    accept : bool
        Take files of the recorded size although their time of change is another one: you say
        that nothing in them was changed. A program that opens an HDF5 file for writing and only
        reads it (some validators do, through every link) changes its time.

    Returns
    -------
    int
        How many files are found elsewhere now.

    Raises
    ------
    LayoutError
        If nothing that the master leads to lies under ``old``, or a file is not under ``new``
        or is another one than was linked. The master stays as it was.
    OutputError
        If the master cannot be replaced.

    Examples
    --------
    >>> nxscan.relink("scan.nxs", "/data/visitor/raw", "/archive/raw")  # doctest: +SKIP
    5000

    """
    master = Path(path).resolve()
    here = master.parent
    with Master(master).reading() as opened:
        found = find_files(opened, master)
        frames = _frames_files(opened.file, here)
    if not found and not frames:
        raise LayoutError(f"{master} leads to no other files: there is nothing to relink")
    folders = _absolute(old or new or here), _absolute(new or old or here)
    moves = _Moves(master, *folders, accept=accept)
    moved = moves.of_recorded(found)
    names = {**_names(moved, here), **moves.of_frames(frames)}
    moves.check({str(item.path) for item in found} | frames)

    def append(file: Any, tick: Callable[[], None]) -> Iterable[str]:
        _rename(file, names, here, tick)
        if found:
            del file[LINKED]
            write_files(file, [moved.get(item.expected, item.expected) for item in found])
        return []

    replace_master(master, append, _check)
    return moves.count


def _rename(
    file: Any, names: dict[str, tuple[str, str]], folder: Path, tick: Callable[[], None]
) -> None:
    def virtual(name: str) -> str:
        return names.get(_place(folder, name), (name, name))[0]

    def external(name: str) -> str:
        return names.get(name, (name, name))[1]

    rename_sources(file, virtual, external, tick)
    rename_links(file, virtual)


def _frames_files(file: Any, folder: Path) -> set[str]:
    """Return the files of nxscan's own that hold frames of a master elsewhere."""
    places = [f"instrument/{name}/data" for name in file[f"{layout.ENTRY}/instrument"]]
    links = [
        file.get(f"{layout.ENTRY}/{place}", getlink=True)
        for place in (*places, "dark/data", "flat/data")
        if f"{layout.ENTRY}/{place.rpartition('/')[0]}" in file
    ]
    return {_place(folder, one.filename) for one in links if isinstance(one, h5py.ExternalLink)}


def _absolute(path: PathLike) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100  links in it stay: recorded paths may have them


def _place(folder: Path, name: str) -> str:
    return os.path.normpath(folder / name)


class _Moves:
    """What has moved from one folder to another, and what is wrong with it there.

    Parameters
    ----------
    master : Path
        The master.
    old, new : Path
        Where files were, and where they are.
    accept : bool
        Whether a time of change may be another one.

    """

    def __init__(self, master: Path, old: Path, new: Path, *, accept: bool) -> None:
        self._master, self._old, self._new, self._accept = master, old, new, accept
        self._problems: list[str] = []
        self.count = 0

    def of_recorded(self, found: Sequence[Found]) -> dict[LinkedFile, LinkedFile]:
        """Return what is recorded of each file that has moved, and what shall be."""
        moved = {}
        for item in found:
            expected = item.expected
            # master and originals may have been moved together before, and these then again
            was = expected.places(str(self._master.parent))
            moves = (self._moved(Path(place)) for place in was)
            place = item.path if self._old == self._new else next(filter(None, moves), None)
            now = None if place is None else self._same(expected, place)
            if now is not None:
                moved[expected] = now
        return moved

    def of_frames(self, frames: Iterable[str]) -> dict[str, tuple[str, str]]:
        """Return the new relative and absolute name of each file of frames that has moved."""
        names = {}
        for was in frames:
            place = self._moved(Path(was))
            if place is None or self._old == self._new:
                continue
            self.count += 1
            if place.exists():
                (real,) = real_paths([place])
                names[was] = relative(real, str(self._master.parent)), real
            else:
                self._problems.append(f"{place} is not there")
        return names

    def check(self, files: set[str]) -> None:
        """Raise LayoutError if nothing has moved, or something is not there or not the same."""
        name = self._master.name
        if self._problems:
            count = len(self._problems)
            named = self._problems[:_MOST_NAMED]
            more = [f"and {count - _MOST_NAMED} more"] if count > _MOST_NAMED else []
            raise LayoutError(
                f"{name} stays as it was:\n  " + "\n  ".join([*named, *more]),
                "put the same files there, or translate the scan again",
            )
        if not self.count:
            raise LayoutError(
                f"none of the {len(files)} files that {name} leads to lies in {self._old}",
                f"they lie in {_common(files)}",
            )

    def _moved(self, was: Path) -> Path | None:
        for old in (self._old, self._old.resolve()):
            if was.is_relative_to(old):
                return self._new / was.relative_to(old)
        return None

    def _same(self, expected: LinkedFile, place: Path) -> LinkedFile | None:
        """Return what is to be recorded of a file in its new place, if it is the one recorded."""
        self.count += 1
        try:
            (real,) = real_paths([place])
            now = LinkedFile.of(real, str(self._master.parent), expected.checksum)
        except OSError:
            self._problems.append(f"{place} is not there")
            return None
        if now.size != expected.size:
            message = f"{place} has {now.size} bytes, but {expected.size} were linked"
            self._problems.append(message)
            return None
        if abs(now.modified - expected.modified) <= TOLERANCE:
            return replace(now, modified=expected.modified)
        if not expected.checksum:
            if self._accept:
                return now
            self._problems.append(
                f"{place} has another time of last change than what was linked (cp -p and "
                "rsync -t keep it; --accept takes it as it is)"
            )
        elif checksum_of(place) != expected.checksum:
            self._problems.append(f"{place} has other bytes than what was linked")
        else:
            return now
        return None


def _common(files: set[str]) -> str:
    try:
        return os.path.commonpath([str(Path(name).parent) for name in files])
    except ValueError:  # on several drives
        return ", ".join(sorted(files)[:_MOST_NAMED])


def _names(moved: dict[LinkedFile, LinkedFile], folder: Path) -> dict[str, tuple[str, str]]:
    """Return the new relative and absolute name for each old place of a file."""
    names = {}
    for before, after in moved.items():
        new = after.path, after.place
        names[_place(folder, before.path)] = new
        if before.place:
            names[before.place] = new
    return names


def _check(staged: Path) -> None:
    read_scan(staged)
    refuse_invalid(
        staged,
        "the master with the new paths does not pass validation, and stays as it was",
        "nxscan validate says whether it did before",
    )
