"""Owning something through a file: one owner at a time, and dead owners are succeeded.

The file is made with its content in one step (a hard link, or ``O_EXCL``), so that it works
between the nodes of a cluster, where locks of the operating system often do not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from pathlib import Path

from nxscan.errors import OutputError
from nxscan.nexus import durable
from nxscan.process.owner import Owner, is_stale, mine, new_owner, read_owner

_log = logging.getLogger(__name__)

BEAT = 5.0
"""Seconds between heartbeats."""


class Claim:
    """A file that says that this process owns something, kept fresh by a thread.

    Parameters
    ----------
    path : Path
        The file.
    owner : Owner
        Whom it names.

    """

    def __init__(self, path: Path, owner: Owner) -> None:
        self.path = path
        self.owner = owner
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="nxscan-heartbeat", daemon=True)
        self._heart.start()

    def still_held(self) -> bool:
        """Tell whether the file still names this owner."""
        return not self._ended.is_set() and _names(self.path, self.owner)

    def ensure_held(self) -> None:
        """Raise if the file does not name this owner any more.

        Raises
        ------
        OutputError
            If somebody took it for dead, or removed the file.

        """
        if not self.still_held():
            taken = read_owner(self.path)
            raise OutputError(
                f"{self.path} was lost"
                + (f" to {taken}, since {taken.since_text}" if taken else ": the file is gone"),
                "this process stood still for too long, or the file was removed: run it again",
            )

    def release(self) -> None:
        """Give it up; what somebody else has taken meanwhile stays."""
        self.stop()
        try:
            if self.owner.pid == os.getpid() and _names(self.path, self.owner):
                _remove(self.path)
        except OSError as error:  # what it was held for is done
            _log.warning("cannot remove %s: %s", self.path, error)
        mine.discard(self.owner.token)

    def stop(self) -> None:
        """Stop the heartbeat: the file is about to go with its folder."""
        self._ended.set()
        if self._heart is not threading.current_thread():
            self._heart.join(BEAT)

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            if _names(self.path, self.owner):
                with contextlib.suppress(OSError):
                    os.utime(self.path)


def take(path: Path) -> Claim | None:
    """Become the owner, if there is none or it is dead.

    Raises
    ------
    FileNotFoundError
        If its folder is not there.
    OutputError
        If the file cannot be written.

    """
    try:
        found = read_owner(path)
        if found is not None or path.exists():
            if not is_stale(path, found):
                return None
            _log.info("%s was left by %s, which has ended", path, found)
            _take_away(path, found)
        return _claimed(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            "make room on the disk" if durable.is_full(error) else "choose another place (--into)",
        ) from error


def _claimed(path: Path) -> Claim | None:
    owner = new_owner()
    mine.add(owner.token)  # before other threads can see the file
    claim = None
    try:
        if _write(path, owner):
            claim = Claim(path, owner)
    finally:
        if claim is None:
            mine.discard(owner.token)
    return claim


def living_owner(path: Path) -> Owner | None:
    """Return who owns it, if anybody alive does."""
    owner = read_owner(path)
    return None if owner is None or is_stale(path, owner) else owner


def remove_leftovers(path: Path) -> None:
    """Remove temporary files of processes that ended while they took the file.

    Those of another user stay.
    """
    with contextlib.suppress(OSError):
        for left in path.parent.glob(f"{durable.glob_escape(path.name)}.*.tmp"):
            if durable.is_abandoned(left):
                _remove(left)
        guard = _guard(path)
        if guard.exists():
            _remove_dead(guard)


def _write(path: Path, owner: Owner) -> bool:
    """Make the file, whole; return False if it is there."""
    with durable.in_use(durable.temporary_name(path)) as temporary:
        try:
            durable.write_new(temporary, [owner.dump()], sync=True)
            if not durable.link(temporary, path):
                durable.write_new(path, [owner.dump()], sync=True)
        except FileExistsError:
            # the answer to a first try may have been lost on the network
            return _names(path, owner)
        finally:
            _remove(temporary)
        return True


def _take_away(path: Path, dead: Owner | None) -> None:
    """Remove the file of a dead owner, and no other; one process at a time does so.

    Without the guard, a second one that had seen the same dead owner could take away the file
    of the first one, which is by then a living owner.
    """
    guard, me = _guard(path), new_owner()
    mine.add(me.token)
    try:
        if not _write(guard, me):
            _remove_dead(guard)
            return
        _set_aside(path, dead)
    finally:
        if _names(guard, me):
            _remove(guard)
        mine.discard(me.token)


def _guard(path: Path) -> Path:
    return path.with_name(f"{path.name}.takeover")


def _remove_dead(guard: Path) -> None:
    owner = read_owner(guard)
    if is_stale(guard, owner):
        _set_aside(guard, owner)


def _set_aside(path: Path, dead: Owner | None) -> None:
    if read_owner(path) != dead:
        return
    with durable.in_use(durable.temporary_name(path)) as aside:
        try:
            durable.tell("rename", path, aside)
            path.rename(aside)
        except FileNotFoundError:
            return
        taken = read_owner(aside)
        if taken != dead and taken is not None:
            _log.warning("%s came up while it was taken: it is put back", path)
            _write(path, taken)
        _remove(aside)


def _names(path: Path, owner: Owner) -> bool:
    found = read_owner(path)
    return found is not None and found.token == owner.token


def _remove(path: Path) -> None:
    """Remove a file; on Windows, that has to wait for those who are reading it."""
    for _ in range(50):
        try:
            durable.remove(path)
        except FileNotFoundError:
            return
        except PermissionError:
            if os.name != "nt":
                raise
            time.sleep(0.01)
        else:
            return
    _log.warning("cannot remove %s", path)
