"""Where the results of a run go: into the scan's own master, or into a new one that links to it.

A file that nxscan did not write is never changed, and nothing is put into its folder unless
the user says so.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from nxscan.errors import LayoutError, OutputError
from nxscan.model import Scan
from nxscan.nexus import layout, read_scan
from nxscan.nexus.durable import exists
from nxscan.nexus.foreign import read_foreign
from nxscan.nexus.linked import linked_files, write_linked
from nxscan.nexus.master import Master
from nxscan.nexus.tree import text

_SAY = "say where results go: --into OUT.nxs"


@dataclass(frozen=True)
class CommitTarget:
    """A master that results go into.

    Attributes
    ----------
    master : Path
        The master; it is there.
    uuid : str
        The identifier of its entry, the same in every master of one scan.

    """

    master: Path
    uuid: str

    @property
    def key(self) -> str:
        """What tells this scan, as it is now: its identifier, and the state of foreign files.

        A file that nxscan did not write may change in between, and keep its size.
        """
        states = [(path.name, path.stat()) for path in _files_of(self.master)]
        return " ".join([self.uuid, *(f"{n}:{s.st_size}:{s.st_mtime_ns}" for n, s in states)])


def commit_target(source: Path, into: Path | None = None) -> CommitTarget:
    """Return the master that results of a file go into; make it if it is a new one.

    A master that may be written gets its results itself. Results of a master that is
    read-only, or of a file that nxscan did not write, go to a new master that links to the
    frames: ``into``, or else ``<name>_results.nxs`` in the current folder, but never, without
    being told, beside a foreign file. One that is there for the same frames is used again.

    Parameters
    ----------
    source : Path
        A master, or any NeXus or HDF5 file with a default plot; ``FILE::/path`` names an NXdata
        or a dataset of a file that nxscan did not write.
    into : Path, optional
        The new master.

    Raises
    ------
    OutputError
        If the new master cannot be written, or is there and holds something else.
    LayoutError
        If the source cannot be read, or frames are missing or have changed.

    """
    name, _, h5path = str(source).partition("::")
    # behind a symbolic link, lock and journal would lie beside the link
    source = Path(name).resolve()
    own = _identifier(source)
    if own is not None and (into is None or _same_file(source, into)):
        if _is_writable(source):
            return CommitTarget(source, own)
        if into is not None:
            raise OutputError(f"{source} may not be written", _SAY.replace("OUT", "ANOTHER"))
    target = _default_target(source, own) if into is None else into.resolve()
    if own is None and _same_file(source, target):
        raise OutputError(f"{source} is not nxscan's own: nothing is written into it", _SAY)
    if own is None:
        scan, files = read_foreign(source, h5path or None)
    else:
        scan, files = read_scan(source), _files_of(source)
    if target.exists():
        return CommitTarget(target, _reused(target, scan, own))
    identifier = own or str(uuid.uuid4())
    try:
        write_linked(scan, target, identifier, files)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error}", _SAY) from error
    return CommitTarget(target, identifier)


def _identifier(path: Path) -> str | None:
    """Return the identifier of an nxscan master; None for another HDF5 file."""
    with Master(path).reading() as opened:
        if f"{layout.PARAMETERS}/layout_version" not in opened:
            return None
        return text(opened.value(opened[f"{layout.ENTRY}/entry_identifier_uuid"]))


def _is_writable(path: Path) -> bool:
    real = path.resolve()
    return os.access(real, os.W_OK) and os.access(real.parent, os.W_OK)


def _same_file(source: Path, target: Path) -> bool:
    return target.exists() and target.samefile(source)


def _default_target(source: Path, own: str | None) -> Path:
    folder = Path.cwd()
    if own is None and folder.resolve() == source.resolve().parent:
        raise OutputError(
            f"{source} is not nxscan's own, and nothing is put beside raw data unasked", _SAY
        )
    return folder / f"{source.stem}_results.nxs"


def _files_of(master: Path) -> list[Path]:
    """Return the foreign files that a master leads to itself."""
    with Master(master).reading() as opened:
        return [(master.parent / found.path).resolve() for found in linked_files(opened)]


def _reused(target: Path, scan: Scan, own: str | None) -> str:
    """Return the identifier of a master that is there, if it is one for the same frames.

    Raises
    ------
    OutputError
        If it is not.

    """
    found = _identifier(target)
    if found is None:
        raise exists(target)
    there = read_scan(target).signal
    same_frames = _place(there) == _place(scan.signal) and (own is None or own == found)
    if not same_frames:
        raise OutputError(
            f"{target} is there and holds another scan, not {_place(scan.signal)[0]}",
            "choose another name with --into",
        )
    return found


def _place(signal: object) -> tuple[Path, str]:
    """Return where frames lie."""
    path, dataset = getattr(signal, "path", None), getattr(signal, "dataset", "")
    if not isinstance(path, Path):
        raise LayoutError("the frames are not in an HDF5 file", "translate the scan first")
    return path.resolve(), dataset
