"""How a process travels to workers: once, as a file that each of them reads."""

from __future__ import annotations

import hashlib
import logging
import pickle
import socket
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cloudpickle

from nxscan.errors import ProcessError
from nxscan.nexus.durable import (
    make_staging_file,
    publish,
    remove_staging_file,
    sync_file,
    sync_folder,
)
from nxscan.process.byvalue import dumps_by_value

_log = logging.getLogger(__name__)

_KEPT = 4
"""How many shipped objects a process keeps: two runs at once, of two passes each."""


class _Runs(Protocol):
    def run_unit(self, unit: Any) -> Any: ...


@dataclass(frozen=True)
class Ticket:
    """Where a shipped object is, and how to know that it is that one.

    Attributes
    ----------
    path : Path
        The file.
    checksum : str
        SHA-256 of its content, in hexadecimal.
    python : tuple of int
        The version of Python that wrote it; code cannot be read by another one.

    """

    path: Path
    checksum: str
    python: tuple[int, int]

    def load(self) -> Any:
        """Return the object; a process reads it once.

        Raises
        ------
        ProcessError
            If the file cannot be read here, is damaged, or needs what is not installed here.

        """
        return _cache.get(self)


def ship(obj: Any, folder: Path) -> Ticket:
    """Write an object where workers find it, and return the ticket for it.

    Classes and functions of ``__main__`` and of modules that are not installed go along; those
    of installed packages are found by workers where they are.

    Raises
    ------
    ProcessError
        If the object cannot be pickled.
    OutputError
        If the file cannot be written.

    """
    data = _pickled(obj)
    checksum = hashlib.sha256(data).hexdigest()
    path = Path(folder).absolute() / f"job-{checksum[:32]}.pickle"
    _write(path, data)
    return Ticket(path, checksum, sys.version_info[:2])


def run_shipped(ticket: Ticket, unit: Any) -> Any:
    """Compute a unit with a shipped job; workers are given this."""
    job: _Runs = ticket.load()
    return job.run_unit(unit)


def _pickled(obj: Any) -> bytes:
    try:
        return dumps_by_value(obj)
    except Exception as error:  # a local module may hold what cannot travel: a lock, a file
        _log.debug("not by value: %s", error)
    try:
        return bytes(cloudpickle.dumps(obj))
    except Exception as error:
        raise ProcessError(
            f"{obj!r:.200} cannot be sent to worker processes: {error}",
            "keep open files, locks and the like out of what compute uses, or use threads",
        ) from error


def _write(path: Path, data: bytes) -> None:
    staged = make_staging_file(path)
    try:
        staged.write_bytes(data)
        sync_file(staged)
        publish(staged, path, overwrite=True)
        sync_folder(path.parent)
    finally:
        remove_staging_file(staged)


class _Cache:
    """The objects that were shipped to this process most recently."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: OrderedDict[str, Any] = OrderedDict()

    def get(self, ticket: Ticket) -> Any:
        with self._lock:
            if ticket.checksum not in self._objects:
                self._objects[ticket.checksum] = _read(ticket)
            self._objects.move_to_end(ticket.checksum)
            while len(self._objects) > _KEPT:
                self._objects.popitem(last=False)
            return self._objects[ticket.checksum]


_cache = _Cache()


def _read(ticket: Ticket) -> Any:
    host = socket.gethostname()
    if ticket.python != sys.version_info[:2]:
        theirs, ours = (".".join(map(str, v)) for v in (ticket.python, sys.version_info[:2]))
        raise ProcessError(
            f"the run uses Python {theirs}, but the worker on {host} has {ours}",
            "start the workers in the same environment",
        )
    try:
        data = ticket.path.read_bytes()
    except OSError as error:
        raise ProcessError(
            f"the worker on {host} cannot read {ticket.path}: {error.strerror or error}",
            "the scan must be in a folder that all workers see under the same path",
        ) from error
    if hashlib.sha256(data).hexdigest() != ticket.checksum:
        raise ProcessError(f"{ticket.path} is damaged", "run it again")
    return _unpickled(data, host)


def _unpickled(data: bytes, host: str) -> Any:
    try:
        return pickle.loads(data)  # noqa: S301  the checksum came from the run itself
    except ImportError as error:
        raise ProcessError(
            f"the worker on {host} cannot load the process: {error}",
            "install what is missing where the workers run",
        ) from error
