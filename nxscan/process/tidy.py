"""What killed runs left beside a master that has their result."""

from __future__ import annotations

import logging
from pathlib import Path

from nxscan.errors import OutputError
from nxscan.nexus import durable
from nxscan.process.journal import discard_all
from nxscan.process.lock import held, lock_of

_log = logging.getLogger(__name__)


def tidy(master: Path, identity: str) -> None:
    """Remove the journals of a finished run, and the lock of a process that has ended.

    To be called when an identical result is found: nothing else would remove what is left of
    a run that was killed when its result was already in the master. What living processes use
    stays; that something cannot be removed is no reason to fail.
    """
    discard_all(master, identity)
    lock = lock_of(master)
    if not any(lock.parent.glob(f"{durable.glob_escape(lock.name)}*")):
        return
    try:
        with held(lock, wait=0):
            pass
    except OutputError as error:
        _log.debug("%s stays: %s", lock, error)
