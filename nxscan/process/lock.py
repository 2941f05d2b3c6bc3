"""One writer of a master at a time, between threads, processes and the nodes of a cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nxscan.errors import OutputError
from nxscan.nexus import durable
from nxscan.process.claim import Claim, living_owner, remove_leftovers, take

WAIT = 600.0
"""Seconds to wait for another's commit, which takes about one."""

_FIRST, _LONGEST = 0.01, 1.0


def lock_of(master: Path) -> Path:
    """Return the lock of a master, which lies hidden beside it."""
    return master.with_name(f".{master.name}.lock")


@contextmanager
def held(lock: Path, wait: float = WAIT) -> Iterator[Claim]:
    """Hold a lock, which is a file; wait until nobody else does.

    The lock of a process that has ended is taken over: on this host at once, on another one
    after a minute without a heartbeat.

    Parameters
    ----------
    lock : Path
        The file: ``.scan.nxs.lock`` beside ``scan.nxs``.
    wait : float
        Most seconds to wait for it.

    Yields
    ------
    Claim
        Says, with ``ensure_held()``, whether the lock is still this one's. That is to be asked
        before the step that cannot be undone: to others, a process that stood still for long
        looks dead.

    Raises
    ------
    OutputError
        If another process keeps it for longer than ``wait``; it is named.

    """
    claim: Claim | None = None
    end, delay = time.monotonic() + wait, _FIRST
    try:
        while True:
            with durable.held_signals():
                claim = _take(lock)
            if claim is not None:
                break
            left = end - time.monotonic()
            if left <= 0:
                raise _kept(lock, wait)
            time.sleep(min(delay, left))
            delay = min(2 * delay, _LONGEST)
        remove_leftovers(lock)
        yield claim
    finally:
        if claim is not None:
            with durable.held_signals():
                claim.release()


def _take(lock: Path) -> Claim | None:
    try:
        return take(lock)
    except FileNotFoundError:
        raise OutputError(
            f"cannot write {lock}: the folder {lock.parent} is not there", "see where it went"
        ) from None


def _kept(lock: Path, wait: float) -> OutputError:
    owner = living_owner(lock)
    who = "another process" if owner is None else f"{owner} (since {owner.since_text})"
    return OutputError(
        f"{lock} has been held by {who} for {wait:.0f} s",
        "wait for that process or end it, and run this again: it goes on where it stopped",
    )
