"""The finished blocks of a run, in a folder beside the master, so that no work is lost."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from nxscan import __version__
from nxscan.errors import OutputError
from nxscan.nexus import durable
from nxscan.process.blockfile import Written, block_files, read_block, write_block
from nxscan.process.claim import Claim, take
from nxscan.process.manifest import FORMAT, go_together, read_manifest, write_manifest

__all__ = ["Journal", "Written", "discard", "discard_all", "journals", "read_block", "write_block"]

_log = logging.getLogger(__name__)

OWNER = "owner.lock"
"""The file in a journal that says which process is at work in it."""

_SUFFIX = ".journal"
_UNFINISHED = ".journal.tmp"
_PLACE = r"\.(?P<process>\w+)-[0-9a-f]{12}(\.\d+)?"


class Journal:
    """What a run has finished: one file for each block, and a manifest.

    A run owns its journal while it works; a second run of the same identity, at the same
    time, gets one of its own. What is left of an interrupted one is gone on with.

    Attributes
    ----------
    folder : Path
        Where the block files are.
    resumed : int
        How many blocks of an earlier run it had when it was opened, of all passes.

    """

    def __init__(self, folder: Path, claim: Claim, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self._claim = claim
        self._manifest = manifest
        self.resumed = len(block_files(folder))

    @classmethod
    def open(cls, master: Path, identity: str, manifest: dict[str, Any], *, fresh: bool) -> Journal:
        """Go on with an interrupted run's journal, the one with most blocks, or make one.

        Parameters
        ----------
        master : Path
            Where the result will be; the journal lies beside it.
        identity : str
            Hash of all that the result depends on, in hexadecimal digits.
        manifest : dict
            What the run is: ``process``, ``partition``, ``blocks_total`` and more.
        fresh : bool
            Drop what interrupted runs have left, and begin anew.

        Raises
        ------
        OutputError
            If the folder cannot be written in.

        """
        whole = {
            **manifest,
            "format": FORMAT,
            "identity": identity,
            "master": master.name,
            "begun": datetime.now().astimezone().isoformat(),
            "host": socket.gethostname(),
            "nxscan": __version__,
        }
        journal: Journal | None = None
        try:
            with durable.held_signals():
                durable.make_folder(master.parent)
                _sweep(master)
                if fresh:
                    discard_all(master, identity)
                journal = _resume(cls, master, whole) or _make(cls, master, whole)
        except KeyboardInterrupt:
            if journal is not None:
                journal.close()
            raise
        except OSError as error:
            raise OutputError(
                f"cannot write in {master.parent}: {error.strerror or error}",
                "make room on the disk"
                if durable.is_full(error)
                else "choose another place (--into)",
            ) from error
        return journal

    def finished(self, pass_index: int) -> set[int]:
        """Return which blocks of a pass are there."""
        return {block for index, block in block_files(self.folder) if index == pass_index}

    def note(self, **facts: Any) -> None:
        """Write facts into the manifest (``resume="nxscan run ..."``)."""
        self._manifest |= facts
        write_manifest(self.folder, self._manifest)

    def close(self) -> None:
        """Stop working in it; the blocks stay for the next run."""
        with durable.held_signals():
            self._claim.release()

    def remove(self) -> None:
        """Remove it, and what interrupted runs of the same identity left: the result is there.

        That it cannot be removed is no reason for the run to fail.
        """
        if not self._claim.still_held():
            _log.warning("%s was taken over by another run, which will remove it", self.folder)
            self._claim.release()
            return
        try:
            with durable.held_signals():
                _remove(self.folder, self._claim)
                master = self.folder.with_name(self._manifest["master"])
                discard_all(master, self._manifest["identity"])
        except (OSError, OutputError) as error:
            _log.warning("cannot remove %s: %s", self.folder, error)


def journals(master: Path) -> Iterator[Path]:
    """Yield the journals of a master, those whose manifest is damaged included."""
    pattern = re.compile(re.escape(f".{master.stem}") + _PLACE + re.escape(_SUFFIX))
    for folder in sorted(master.parent.glob(f".{durable.glob_escape(master.stem)}.*{_SUFFIX}")):
        if pattern.fullmatch(folder.name):
            manifest = read_manifest(folder)
            if manifest is None or manifest["master"] == master.name:
                yield folder


def discard(folder: Path) -> bool:
    """Remove a journal; return False, and leave it, if a living process owns it."""
    claim = take(folder / OWNER)
    if claim is None:
        return False
    _remove(folder, claim)
    return True


def discard_all(master: Path, identity: str) -> None:
    """Remove the journals of a run that nobody is at work on: they are not needed any more.

    One is left when a run is killed after its result is in the master. That it cannot be
    removed is no reason to fail.
    """
    _sweep(master)
    for folder in journals(master):
        manifest = read_manifest(folder)
        if manifest is not None and manifest["identity"] == identity:
            try:
                discard(folder)
            except (OSError, OutputError) as error:
                _log.warning("cannot remove %s: %s", folder, error)


def _resume(cls: type[Journal], master: Path, whole: dict[str, Any]) -> Journal | None:
    fitting = [folder for folder in journals(master) if _fits(folder, whole)]
    for folder in sorted(fitting, key=lambda folder: -len(block_files(folder))):
        try:
            claim = take(folder / OWNER)
        except FileNotFoundError:  # it was removed a moment ago
            continue
        except OutputError as error:
            _log.warning("cannot go on with %s, perhaps another user's: %s", folder, error)
            continue
        if claim is not None:
            return _taken(cls, folder, claim, whole)
    return None


def _taken(cls: type[Journal], folder: Path, claim: Claim, whole: dict[str, Any]) -> Journal:
    """Make an interrupted run's journal this one's."""
    try:
        earlier = read_manifest(folder) or whole
        _clean(folder)
        journal = cls(folder, claim, {**earlier, **whole, "begun": earlier["begun"]})
        journal.note()
    except BaseException:
        claim.release()
        raise
    return journal


def _fits(folder: Path, whole: dict[str, Any]) -> bool:
    found = read_manifest(folder)
    return found is not None and go_together(found, whole)


def _clean(folder: Path) -> None:
    """Remove what killed workers were writing; those that still are do so in vain."""
    for path in folder.glob("*.tmp"):
        # others may be asking whether it is owned, with files of their own that come and go
        if not path.name.startswith(OWNER):
            with contextlib.suppress(FileNotFoundError):
                durable.remove(path)


def _make(cls: type[Journal], master: Path, whole: dict[str, Any]) -> Journal:
    """Make a journal: it has its manifest before it has its name."""
    stem, number = f".{master.stem}.{whole['process']}-{whole['identity'][:12]}", 0
    while True:
        folder = master.with_name(stem + (f".{number}" if number else "") + _SUFFIX)
        if not folder.exists() and _publish(folder, whole):
            # a moment ago, an identical run may have found it before this one owned it
            with contextlib.suppress(FileNotFoundError):
                claim = take(folder / OWNER)
                if claim is not None:
                    return cls(folder, claim, whole)
        number += 1


def _publish(folder: Path, whole: dict[str, Any]) -> bool:
    """Make a journal under a temporary name, and rename it; return False if the name is taken."""
    temporary = durable.temporary_name(folder.with_suffix(""), _UNFINISHED)
    with durable.in_use(temporary):
        try:
            durable.tell("mkdir", temporary)
            temporary.mkdir()
            write_manifest(temporary, whole)
            durable.publish(temporary, folder, overwrite=True)
        except OSError:
            if not folder.exists():
                raise
            return False
        finally:
            if temporary.exists():
                durable.remove_folder(temporary)
    durable.sync_folder(folder.parent)
    return True


def _remove(folder: Path, claim: Claim) -> None:
    """Remove a journal that a claim is held on: at every instant it is whole, or has no name."""
    temporary = durable.temporary_name(folder.with_suffix(""), _UNFINISHED)
    with durable.in_use(temporary):
        claim.stop()
        try:
            durable.publish(folder, temporary, overwrite=True)
            durable.sync_folder(folder.parent)
            durable.remove_folder(temporary)
        finally:
            claim.release()


def _sweep(master: Path) -> None:
    """Remove journals that were being made or removed by processes that have ended."""
    pattern = re.compile(re.escape(f".{master.stem}") + _PLACE + r"\..*" + re.escape(_UNFINISHED))
    for folder in master.parent.glob(f".{durable.glob_escape(master.stem)}.*{_UNFINISHED}"):
        if pattern.fullmatch(folder.name) and durable.is_abandoned(folder):
            durable.remove_folder(folder)
