"""Masters that hold results for frames in another file, which is never opened for writing.

Frames of an nxscan master are linked to as they are: its identifier tells them from others.
A foreign dataset becomes a virtual dataset with NeXus' attributes; the size and time of every
file that it needs are recorded, and compared when the master is opened. Paths are relative, so
that both files can be moved together.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError
from nxscan.nexus import durable, layout
from nxscan.nexus.entry import write_checksums, write_entry, write_plots, write_root
from nxscan.nexus.groups import make_field, make_group
from nxscan.nexus.guarded import new_hdf5
from nxscan.nexus.h5signal import HDF5Signal
from nxscan.nexus.publish import remove_leftovers
from nxscan.nexus.seal import write_seal
from nxscan.nexus.stacks import stacks
from nxscan.nexus.tree import text
from nxscan.nexus.usid import write_usid

if TYPE_CHECKING:
    from nxscan.model import Scan
    from nxscan.nexus.master import Opened
    from nxscan.nexus.stacks import Stack

LINKED = f"{layout.TRANSLATION}/linked"
_MOST_MAPPINGS = 2_000
_TOLERANCE = 2.0
"""Seconds by which the time of a file may differ: file systems round it."""


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

    """

    path: str
    size: int
    modified: float

    @classmethod
    def of(cls, file: Path, folder: Path) -> LinkedFile:
        """Describe a file for a master in ``folder``."""
        found = file.stat()
        return cls(relative(file, folder), found.st_size, found.st_mtime)


def relative(file: Path, folder: Path) -> str:
    """Return how a file is named in a link from ``folder``."""
    try:
        return os.path.relpath(file.resolve(), folder.resolve())
    except ValueError:  # another drive
        return str(file.resolve())


def write_linked(scan: Scan, path: Path, identifier: str, files: Sequence[Path] = ()) -> None:
    """Write a master for a scan whose frames stay where they are.

    Parameters
    ----------
    scan : Scan
        The scan; its signals are datasets of HDF5 files.
    path : Path
        The master, which must not be there.
    identifier : str
        That of the master that holds the frames, or, for foreign files, a new one.
    files : sequence of Path
        For foreign frames, every file that they need, the one that holds the dataset first.

    Raises
    ------
    OutputError
        If the master is there or cannot be written.

    """
    remove_leftovers(path)
    staged = durable.make_staging_file(path)
    try:
        with new_hdf5(staged) as (file, _):
            write_root(file, path.name)
            entry = write_entry(file, scan, identifier)
            if scan.frame_checksums is not None:
                write_checksums(entry, scan.frame_checksums)
            write_plots(entry, scan)
            for stack in stacks(scan):
                _link(file, stack, path.parent, foreign=bool(files))
            if files:
                _write_files(file, scan, [LinkedFile.of(item, path.parent) for item in files])
            main = _stored(scan.signal)
            write_usid(file, scan, relative(main.path, path.parent), main.dataset)
            write_seal(file, scan)
        durable.sync_file(staged)
        with durable.held_signals():
            durable.publish(staged, path, overwrite=False)
            durable.sync_folder(path.parent)
    finally:
        durable.remove_staging_file(staged)


def linked_signal(opened: Opened, path: Path, place: str, rank: int) -> HDF5Signal | None:
    """Return foreign frames that a master leads to; None where it leads to none.

    Raises
    ------
    LayoutError
        If a file that they need is gone or has changed.

    """
    if LINKED not in opened:
        return None
    group = opened[LINKED]
    for problem in changes(opened, path):
        raise LayoutError(
            f"the frames of {path} cannot be read: {problem}",
            "restore it, or write results of what it is now to another file with --into",
        )
    holder = (path.parent / linked_files(opened)[0].path).resolve()
    dataset = text(opened.value(group["dataset"]))
    own = opened.attributes(opened[place])
    return HDF5Signal(holder, dataset, rank, lambda _: own)


def linked_files(opened: Opened) -> list[LinkedFile]:
    """Return the foreign files that a master leads to."""
    if LINKED not in opened:
        return []
    group = opened[LINKED]
    columns = [opened.value(group[name]).tolist() for name in ("path", "size", "modified")]
    return [LinkedFile(text(p), int(s), float(m)) for p, s, m in zip(*columns, strict=True)]


def changes(opened: Opened, path: Path) -> Iterator[str]:
    """Yield what is not as it was recorded of the foreign files that a master leads to."""
    for expected in linked_files(opened):
        file = path.parent / expected.path
        if not file.exists():
            yield f"{file} is not there"
            continue
        now = LinkedFile.of(file, path.parent)
        if now.size != expected.size:
            yield f"{file} has changed: it has {now.size} bytes, and had {expected.size}"
        elif abs(now.modified - expected.modified) > _TOLERANCE:
            yield f"{file} has changed: its time of last change is another one"


def _stored(signal: Any) -> HDF5Signal:
    if not isinstance(signal, HDF5Signal):
        raise LayoutError("only frames in HDF5 files can be linked to", "translate the scan first")
    return signal


def _link(file: Any, stack: Stack, folder: Path, *, foreign: bool) -> None:
    signal = _stored(stack.signal)
    name = relative(signal.path, folder)
    if not foreign:
        file[stack.place] = h5py.ExternalLink(name, signal.dataset)
        return
    virtual = _create_virtual(file, stack.place, name, signal)
    virtual.attrs.update(stack.attributes)


def _create_virtual(file: Any, place: str, name: str, signal: HDF5Signal) -> Any:
    """Map a dataset of another file, one mapping for each index of the slowest dimension.

    nexusformat takes the number of mappings for the length of that dimension. Each takes 25 kB
    to write, and as much of whoever opens the dataset, so a longer one is mapped in one piece.
    """
    shape = signal.shape
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    # in names of sources, "%" begins a pattern
    where = [part.replace("%", "%%").encode() for part in (name, signal.dataset)]
    target, source = h5py.h5s.create_simple(shape), h5py.h5s.create_simple(shape)
    parts = shape[0] if shape[0] <= _MOST_MAPPINGS else 1
    for k in range(parts):
        first, extent = (k, *(0,) * (len(shape) - 1)), (shape[0] // parts, *shape[1:])
        target.select_hyperslab(first, extent)
        source.select_hyperslab(first, extent)
        properties.set_virtual(target, *where, source)
    target.select_all()
    kind = h5py.h5t.py_create(signal.dtype.newbyteorder("<"), logical=True)
    group, last = place.rsplit("/", 1)
    made = h5py.h5d.create(file[group].id, last.encode(), kind, target, properties)
    return h5py.Dataset(made)


def _write_files(file: Any, scan: Scan, files: list[LinkedFile]) -> None:
    parent, name = LINKED.rsplit("/", 1)
    group = make_group(file[parent], name, "NXparameters")
    make_field(group, "dataset", _stored(scan.signal).dataset)
    make_field(group, "path", np.array([item.path for item in files]))
    make_field(group, "size", np.array([item.size for item in files]))
    make_field(group, "modified", np.array([item.modified for item in files]))


def needed_files(dataset: Any) -> Iterator[Path]:
    """Yield every file that a dataset needs, its own first.

    Raises
    ------
    LayoutError
        If one of those that a virtual or external dataset reads from is missing.

    """
    home = Path(dataset.file.filename)
    yield home
    names: list[str] = []
    if dataset.is_virtual:
        names = [source.file_name.replace("%%", "%") for source in dataset.virtual_sources()]
    elif dataset.external:
        names = [name for name, _, _ in dataset.external]
    for name in dict.fromkeys(names):
        if name == ".":
            continue
        found = home.parent / name
        if not found.exists():
            raise LayoutError(
                f"{home}: {dataset.name} reads from {name}, which is not there",
                "put it back: HDF5 gives fill values for it without an error",
            )
        yield found
