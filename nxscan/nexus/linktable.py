"""The files that a master reads frames from: what was recorded of them, and where they are now."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import LayoutError
from nxscan.nexus import layout
from nxscan.nexus.groups import GZIP, make_group

if TYPE_CHECKING:
    from nxscan.nexus.master import Opened

LINKED = f"{layout.TRANSLATION}/linked"
HOME = "linked_frames"
"""Group at the root for what detectors' datasets are put together from: validators skip it."""

RELINK = (
    "put it back; where it has moved: nxscan relink FILE --from OLD --to NEW; where nothing but "
    "its time is another one: nxscan relink FILE --accept"
)
TOLERANCE = 2.0
"""Seconds by which the time of a file may differ: file systems round it."""
_FIRST = 64
_SLOW = 0.0005
_THREADS = 16


@dataclass(frozen=True)
class LinkedFile:
    """A file that a master reads frames from.

    Attributes
    ----------
    path : str
        Relative to the master, or absolute on another drive.
    size : int
        Bytes.
    modified : float
        Time of its last change, seconds since 1970.
    place : str
        Where it was when it was linked, absolute: external storage names it so.
    checksum : str
        SHA-256 of the whole file, where one was asked for.

    """

    path: str
    size: int
    modified: float
    place: str = ""
    checksum: str = ""

    @classmethod
    def of(cls, file: str, folder: str, checksum: str = "") -> LinkedFile:
        """Describe a file for a master in ``folder``; both are real paths."""
        found = os.stat(file)  # noqa: PTH116  thousands of files: pathlib takes twice as long
        return cls(relative(file, folder), found.st_size, found.st_mtime, file, checksum)

    def places(self, folder: str) -> Iterator[str]:
        """Yield where it may be for a master in ``folder``: moved along with it, or left."""
        yield os.path.normpath(os.path.join(folder, self.path))  # noqa: PTH118  as above
        if self.place:
            yield self.place


@dataclass(frozen=True)
class Found:
    """A recorded file as it is now.

    Attributes
    ----------
    expected : LinkedFile
        What was recorded.
    path : Path
        Where it is, or should be.
    problem : str
        What is not as it was recorded; empty where all is.
    gone : bool
        Whether it is not there at all.

    """

    expected: LinkedFile
    path: Path
    problem: str = ""
    gone: bool = False

    @classmethod
    def of(cls, expected: LinkedFile, folder: str) -> Found:
        """Look for a file where it may be: one that is as it was recorded comes first."""
        tried = []
        for place in expected.places(folder):
            one = _compared(expected, place)
            if not one.problem:
                return one
            tried.append(one)
        return next((one for one in tried if not one.gone), tried[0])


def _compared(expected: LinkedFile, place: str) -> Found:
    path = Path(place)
    try:
        now = os.stat(place)  # noqa: PTH116  as above
    except (OSError, ValueError):
        return Found(expected, path, f"{path} is not there", gone=True)
    if now.st_size != expected.size:
        had = f"it has {now.st_size} bytes, and had {expected.size}"
        return Found(expected, path, f"{path} has changed: {had}")
    if abs(now.st_mtime - expected.modified) > TOLERANCE:
        return Found(expected, path, f"{path} has changed: its time of last change is another one")
    return Found(expected, path)


def checksum_of(path: Path) -> str:
    """Return the SHA-256 of a file, which is what its checksum is."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def home_of(place: str) -> str:
    """Return the group for what the dataset at a place is put together from.

    >>> home_of("entry/instrument/pco/data")
    'linked_frames/instrument/pco'
    """
    return f"{HOME}/{place.removeprefix(f'{layout.ENTRY}/').removesuffix('/data')}"


def real_paths(paths: Iterable[Path]) -> list[str]:
    """Return where files really lie, whatever links lead to them; each folder is asked once."""
    folders: dict[Path, str] = {}
    found = []
    for path in paths:
        parent = path.parent
        if parent not in folders:
            folders[parent] = os.path.realpath(parent)
        place = os.path.join(folders[parent], path.name)  # noqa: PTH118  as above
        found.append(os.path.realpath(place) if os.path.islink(place) else place)  # noqa: PTH114
    return found


def relative(file: str, folder: str) -> str:
    """Return how a file is named in a link from ``folder``; both are real paths."""
    try:
        return os.path.relpath(file, folder)
    except ValueError:  # another drive
        return file


def write_files(file: Any, files: Sequence[LinkedFile]) -> None:
    """Write what is recorded of the files that a master reads from."""
    parent, name = LINKED.rsplit("/", 1)
    group = make_group(file[parent], name, "NXparameters")
    for column in ("path", "place", "checksum"):
        names = np.array([os.fsencode(getattr(item, column)) for item in files])
        group.create_dataset(column, data=names, **GZIP)
    sizes = np.array([item.size for item in files], "<i8")
    times = np.array([item.modified for item in files], "<f8")
    # the seal leaves out what is compressed, which HDF5 checks: relinking may change it
    group.create_dataset("size", data=sizes, **GZIP)
    group.create_dataset("modified", data=times, **GZIP)


def linked_files(opened: Opened) -> list[LinkedFile]:
    """Return the files that a master reads from, as they were recorded."""
    if LINKED not in opened:
        return []
    group = opened[LINKED]
    names = ("path", "size", "modified", "place", "checksum")
    columns = [opened.value(group[name]).tolist() if name in group else None for name in names]
    count = len(columns[0] or ())
    rows = zip(*([b""] * count if column is None else column for column in columns), strict=True)
    return [
        LinkedFile(os.fsdecode(p), int(s), float(m), os.fsdecode(a), os.fsdecode(c))
        for p, s, m, a, c in rows
    ]


def find_files(opened: Opened, path: Path) -> list[Found]:
    """Look for every file that the master at ``path`` reads from.

    Where the first ones show that a file system is slow, the others are asked for in threads.
    """
    files, folder = linked_files(opened), str(path.absolute().parent)
    start = time.perf_counter()
    found = [Found.of(item, folder) for item in files[:_FIRST]]
    rest = files[_FIRST:]
    if time.perf_counter() - start < _FIRST * _SLOW or not rest:
        return found + [Found.of(item, folder) for item in rest]
    with ThreadPoolExecutor(_THREADS) as pool:
        return found + list(pool.map(lambda item: Found.of(item, folder), rest))


def changes(opened: Opened, path: Path) -> Iterator[str]:
    """Yield what is not as it was recorded of the files that a master reads from."""
    yield from (found.problem for found in find_files(opened, path) if found.problem)


def require_files(opened: Opened, path: Path) -> dict[str, Path]:
    """Return where each file is by the names that mappings have for it.

    Raises
    ------
    LayoutError
        If one is gone or has changed; it names the first, and says how many.

    """
    found = find_files(opened, path)
    wrong = [item for item in found if item.problem]
    if wrong:
        more = f", and {len(wrong) - 1} more files" if len(wrong) > 1 else ""
        raise LayoutError(
            f"the frames of {path} cannot be read: {wrong[0].problem}{more}",
            f"{RELINK}; results of what it is now go to another file with --into",
        )
    return names_of(found)


def names_of(found: Iterable[Found]) -> dict[str, Path]:
    """Return where files are by the names that mappings and external storage have for them."""
    both = list(found)
    names = {item.expected.path: item.path for item in both}
    return names | {item.expected.place: item.path for item in both if item.expected.place}
