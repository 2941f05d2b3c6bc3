"""Where the results of a run go: into the scan's own master, or into a new one that links to it.

A file that nxscan did not write is never changed, and nothing is put into its folder unless
the user says so. What a source is taken for: an nxscan master; else what a translator opens; else,
if it is HDF5, its default plot.
"""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path

from nxscan.errors import OutputError
from nxscan.hdf5.texts import text
from nxscan.model import Scan
from nxscan.nexus import layout, read_scan
from nxscan.nexus.durable import exists
from nxscan.nexus.foreign import read_foreign
from nxscan.nexus.linked import frames_of, write_linked
from nxscan.nexus.linktable import find_files
from nxscan.nexus.master import Master
from nxscan.process.raw_source import Choice, RawSource, is_hdf5_file, raw_source

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
    is_raw : bool
        Whether it leads to raw files: these need not be looked through again to go on with a run.

    """

    master: Path
    uuid: str
    is_raw: bool = False

    @property
    def key(self) -> str:
        """What tells this scan, as it is now: its identifier, and the state of foreign files.

        A file that nxscan did not write may change in between, and keep its size.
        """
        states = [(path.name, path.stat()) for path in _files_of(self.master)]
        return " ".join([self.uuid, *(f"{n}:{s.st_size}:{s.st_mtime_ns}" for n, s in states)])


def commit_target(
    source: str | Path, into: Path | None = None, choice: Choice | None = None
) -> CommitTarget:
    """Return the master that results of a file go into; make it if it is a new one.

    A master that may be written gets its results itself. Results of a master that is
    read-only, or of files that nxscan did not write, go to a new master that links to the
    frames: ``into``, or else ``<name>_results.nxs`` in the current folder, but never, without
    being told, beside a foreign file, and in no case beside raw files. One that is there for the
    same frames is used again.

    Parameters
    ----------
    source : str or Path
        A master, raw files that a translator opens (a folder, a glob, ``FILE::/5.1``), or any
        NeXus or HDF5 file with a default plot; ``FILE::/path`` then names an NXdata or a dataset.
    into : Path, optional
        The new master.
    choice : Choice, optional
        Which scan of raw files is meant.

    Raises
    ------
    OutputError
        If the new master cannot be written, or is there and holds something else.
    LayoutError, SourceError, PlanError
        If the source cannot be read, or frames are missing, have changed or cannot be linked to.

    """
    choice = choice or Choice()
    # behind a symbolic link, lock and journal would lie beside the link
    file = Path(str(source).partition("::")[0]).resolve()
    own = _identifier(file) if is_hdf5_file(file) else None
    if own is not None:
        choice.refuse(file, "an nxscan master")
        return _of_master(file, own, into)
    raw = raw_source(str(source), choice)
    if raw is not None:
        return _of_raw(raw, into)
    return _of_plot(file, str(source).partition("::")[2], into)


def _of_master(source: Path, own: str, into: Path | None) -> CommitTarget:
    if into is None or _same_file(source, into):
        if _is_writable(source):
            return CommitTarget(source, own)
        if into is not None:
            raise OutputError(f"{source} may not be written", _SAY.replace("OUT", "ANOTHER"))
    target = Path.cwd() / f"{source.stem}_results.nxs" if into is None else into.resolve()
    scan = read_scan(source)
    if target.exists():
        return CommitTarget(target, _reused(target, scan, own))
    write_linked(scan, target, own)
    return CommitTarget(target, own)


def _of_raw(raw: RawSource, into: Path | None) -> CommitTarget:
    target = Path.cwd() / f"{raw.name}_results.nxs" if into is None else into.resolve()
    raw.refuse_folder(target)
    scan = raw.scan()
    if target.exists():
        identifier = _reused(target, scan, None)
        _refuse_other(target, scan)
    else:
        identifier = str(uuid.uuid4())
        write_linked(scan, target, identifier)
    return CommitTarget(target, identifier, is_raw=True)


def _of_plot(source: Path, h5path: str, into: Path | None) -> CommitTarget:
    folder = Path.cwd()
    if into is None and folder.resolve() == source.parent:
        raise OutputError(
            f"{source} is not nxscan's own, and nothing is put beside raw data unasked", _SAY
        )
    target = folder / f"{source.stem}_results.nxs" if into is None else into.resolve()
    if _same_file(source, target):
        raise OutputError(f"{source} is not nxscan's own: nothing is written into it", _SAY)
    scan = read_foreign(source, h5path or None)[0]
    if target.exists():
        return CommitTarget(target, _reused(target, scan, None))
    identifier = str(uuid.uuid4())
    write_linked(scan, target, identifier)
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


def _files_of(master: Path) -> list[Path]:
    """Return the foreign files that a master leads to itself."""
    with Master(master).reading() as opened:
        return [found.path for found in find_files(opened, master)]


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
    there, wanted = read_scan(target), list(frames_of(scan))
    if list(frames_of(there)) != wanted or (own is not None and own != found):
        raise OutputError(
            f"{target} is there and holds another scan, not {wanted[0][0]}",
            "choose another name with --into",
        )
    return found


def _refuse_other(target: Path, scan: Scan) -> None:
    """Raise OutputError if a master of the same frames was made in another way."""
    there = read_scan(target).provenance
    for name in ("translator", "mapping", "parameters"):
        before, now = getattr(there, name), getattr(scan.provenance, name)
        if before != now:
            raise OutputError(
                f"{target} is there and leads to the same frames, but its {name} was "
                f"{before or 'none'}, not {now or 'none'}",
                "choose another name with --into",
            )
