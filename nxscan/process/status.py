"""Runs that were begun and have not finished: how far they are, who is at work, how to go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nxscan.errors import OutputError
from nxscan.process.blockfile import block_files
from nxscan.process.claim import living_owner
from nxscan.process.journal import OWNER, discard, journals
from nxscan.process.manifest import read_manifest

_AGAIN = "call it again with the same parameters"
_DROP = "it cannot go on, its manifest is damaged: drop it"


@dataclass(frozen=True)
class RunStatus:
    """An unfinished run.

    Attributes
    ----------
    process : str
        Its process; of a damaged journal, as far as its name says.
    folder : Path
        Its journal.
    blocks_done, blocks_total : int
        Finished blocks and all, of all passes; a total of 0 is not known.
    begun, last : float
        When it began first, and when its last block was finished, in seconds of the epoch.
    owner : str or None
        ``host:pid`` of the process that is at work on it; None if there is none.
    resume : str
        How to go on with it.
    identity : str
        Hash of all that its result depends on.
    damaged : bool
        Whether the manifest cannot be read: it can only be dropped.

    """

    process: str
    folder: Path
    blocks_done: int
    blocks_total: int
    begun: float
    last: float
    owner: str | None
    resume: str
    identity: str
    damaged: bool = False


def unfinished(master: Path) -> list[RunStatus]:
    """Return the unfinished runs on a master, the oldest first.

    Parameters
    ----------
    master : Path
        The file that results go to; it need not be there yet.

    """
    found = [_status(folder) for folder in journals(master)]
    return sorted((status for status in found if status is not None), key=lambda s: s.begun)


def drop(status: RunStatus) -> None:
    """Remove an unfinished run with its blocks.

    Raises
    ------
    OutputError
        If a living process is at work on it, or it cannot be removed.

    """
    try:
        if discard(status.folder):
            return
    except FileNotFoundError:
        raise OutputError(
            f"{status.folder} is not there any more", "its run has finished, or it was dropped"
        ) from None
    except OSError as error:
        raise OutputError(f"cannot remove {status.folder}: {error.strerror or error}") from error
    raise OutputError(
        f"{status.folder} belongs to a run that is under way "
        f"({living_owner(status.folder / OWNER) or 'its owner was not found'})",
        "end that process first",
    )


def _status(folder: Path) -> RunStatus | None:
    """Return what a journal says; None if it was removed a moment ago."""
    manifest = read_manifest(folder)
    try:
        blocks = block_files(folder)
        times = [path.stat().st_mtime for path in blocks.values()]
        made = folder.stat().st_mtime
    except OSError:
        return None
    owner = living_owner(folder / OWNER)
    facts = manifest or {"process": _process_of(folder), "identity": ""}
    begun = _begun(facts, made)
    return RunStatus(
        process=facts["process"],
        folder=folder,
        blocks_done=len(blocks),
        blocks_total=_total(facts),
        begun=begun,
        last=max(times, default=begun),
        owner=None if owner is None else str(owner),
        resume=str(facts.get("resume", _AGAIN)) if manifest else _DROP,
        identity=facts["identity"],
        damaged=manifest is None,
    )


def _begun(facts: dict[str, Any], made: float) -> float:
    try:
        return datetime.fromisoformat(facts["begun"]).timestamp()
    except (KeyError, ValueError):
        return made


def _total(facts: dict[str, Any]) -> int:
    blocks, passes = facts.get("blocks_total", 0), facts.get("passes", 1)
    if isinstance(blocks, list) and all(isinstance(count, int) for count in blocks):
        return sum(blocks)
    return blocks * passes if isinstance(blocks, int) and isinstance(passes, int) else 0


def _process_of(folder: Path) -> str:
    return folder.name.rpartition("-")[0].rpartition(".")[2]
