"""Who owns a file: a process of a host; whether it is still there."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import psutil

from nxscan.nexus import durable

SILENT = 60.0
"""Seconds without a heartbeat after which an owner on another host is taken for dead."""

_CLOCK = 2.0
"""Seconds that the start time of one process may differ by, as the system's clock is set."""

mine: set[str] = set()
"""Tokens that this process holds."""


@dataclass(frozen=True)
class Owner:
    """Who owns a file.

    Attributes
    ----------
    host, pid : str, int
        The process.
    space : str
        Which numbering of processes ``pid`` belongs to: containers have their own.
    started : float
        When the process began, in seconds of the epoch: numbers are used again.
    token : str
        Tells this owner from any other, be it of the same process.
    since : float
        When it became the owner.

    """

    host: str
    pid: int
    space: str
    started: float
    token: str
    since: float = field(default_factory=time.time)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"

    @property
    def since_text(self) -> str:
        """When it became the owner, for a message."""
        return datetime.fromtimestamp(self.since).astimezone().isoformat(" ", "seconds")

    def dump(self) -> bytes:
        """Return the owner as the content of a file."""
        return json.dumps(asdict(self)).encode()

    @property
    def is_local(self) -> bool:
        """Whether it can be looked up among this host's processes."""
        return (self.host, self.space) == (socket.gethostname(), _space())


def new_owner() -> Owner:
    """Return this process as an owner, with a token of its own."""
    pid = os.getpid()
    return Owner(socket.gethostname(), pid, _space(), _started(pid), uuid.uuid4().hex)


def read_owner(path: Path) -> Owner | None:
    """Return whom a file names as its owner; None if there is none, or it is damaged."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        owner = Owner(**json.loads(path.read_bytes()))
        datetime.fromtimestamp(owner.since)
        return owner
    return None


def is_stale(path: Path, owner: Owner | None) -> bool:
    """Tell whether the owner that a file names is dead.

    On this host the process is looked up; one that is stopped is alive. On another, the file
    must have had a heartbeat in the last `SILENT` seconds of the file system's own clock.
    """
    if owner is not None and owner.is_local:
        return not _is_running(owner)
    try:
        return _now_at(path) - path.stat().st_mtime > SILENT
    except OSError:  # it was removed a moment ago
        return False


def _is_running(owner: Owner) -> bool:
    if owner.pid == os.getpid():  # in a container, every process may have this number
        return owner.token in mine
    try:
        process = psutil.Process(owner.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - owner.started) < _CLOCK
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False


def _now_at(path: Path) -> float:
    """Return the time by the clock of the file system, which may be another host's."""
    probe = durable.temporary_name(path)
    try:
        with probe.open("xb"):
            pass
        return probe.stat().st_mtime
    except OSError:
        return time.time()
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()


@cache
def _started(pid: int) -> float:
    return psutil.Process(pid).create_time()


def _space() -> str:
    """Return a name of the namespace that process numbers are in; empty where there is one."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
