"""Files that are there whole or not at all: syncing, publishing, staging folders, signals.

All that differs between operating systems lives in this module, and everything that changes
the disk is told to `observer` before it is done, so that tests can stop it at any point.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import signal
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from nxscan.errors import OutputError

observer: Callable[..., None] | None = None
"""Is told each operation on the disk, by name and arguments; None but in tests."""

_made: set[Path] = set()
"""Staging folders and files that this process made and has not removed."""

_OWNED = re.compile(r"\.(?P<host>\w+)-(?P<pid>\d+)-[0-9a-f]{12}\.[a-z.]+$")
"""How `temporary_name` ends."""

_NO_FOLDER_SYNC = (errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOTSUP)
"""What file systems answer that cannot sync a folder."""

_FULL = [getattr(errno, name) for name in ("ENOSPC", "EFBIG", "EDQUOT") if hasattr(errno, name)]

_ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""Signals that ask a process to end."""


def tell(operation: str, *arguments: Any) -> None:
    """Tell the observer, if there is one, what is about to be done."""
    if observer is not None:
        observer(operation, *arguments)


def sync_file(path: Path) -> None:
    """Have the file's bytes on the disk before this returns."""
    tell("sync", path)
    with path.open("rb+") as file:
        _flush(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the folder's entries on the disk; Windows has no such call and needs none."""
    tell("sync_folder", folder)
    if os.name == "nt":
        return
    with _can_sync_no_folder():
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            _flush(descriptor)
        finally:
            os.close(descriptor)


def _flush(descriptor: int) -> None:
    try:
        # on macOS, fsync leaves the bytes in the drive's cache
        import fcntl

        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # type: ignore[attr-defined, unused-ignore]
    except (ImportError, AttributeError, OSError):
        os.fsync(descriptor)


def open_direct(path: Path) -> BinaryIO | None:
    """Open a file for writing past the system's cache; None where there is no such thing."""
    flags = getattr(os, "O_DIRECT", 0)
    if not flags or not hasattr(os, "pwrite"):
        return None
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | flags), "wb", buffering=0)
    except OSError:  # many file systems in memory or over a network
        return None


def write_direct(file: BinaryIO, offset: int, data: memoryview) -> int:
    """Write aligned bytes to a file that `open_direct` opened; return how many it took.

    Less than all is no error: the ordinary way finds out why, or succeeds.
    """
    try:
        return os.pwrite(file.fileno(), data, offset)
    except OSError:
        return 0


@contextlib.contextmanager
def _can_sync_no_folder() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def publish(staged: Path, final: Path, *, overwrite: bool) -> None:
    """Give a staged file its final name in one step; it may keep the other one, too.

    Raises
    ------
    OutputError
        If ``final`` exists and ``overwrite`` is false, even if it came up a moment ago.

    """
    if overwrite:
        tell("rename", staged, final)
        staged.replace(final)
        return
    try:
        if os.name == "nt" or not link(staged, final):
            _rename_to_new(staged, final)
    except FileExistsError:
        raise exists(final) from None


def _rename_to_new(staged: Path, final: Path) -> None:
    if final.exists():  # Windows looks itself, others do not
        raise FileExistsError(final)
    tell("rename", staged, final)
    staged.rename(final)


def link(path: Path, name: Path) -> bool:
    """Give a file a second name; return False where the file system has no hard links.

    Raises
    ------
    FileExistsError
        If the name is taken.

    """
    tell("link", path, name)
    try:
        os.link(path, name)
    except FileExistsError:
        raise
    except OSError:
        return False
    return True


def keep(path: Path, name: Path) -> None:
    """Have a file under a second name, too, or a copy of it if there are no hard links."""
    if not link(path, name):
        tell("create", name)
        shutil.copyfile(path, name)


def copy(path: Path, name: Path) -> None:
    """Copy the bytes of a file, which costs nothing where the file system can share them."""
    tell("create", name)
    if observer is not None:
        tell("write", name, 0, path.read_bytes())
    if not _shared_copy(path, name):
        shutil.copyfile(path, name)


def _shared_copy(path: Path, name: Path) -> bool:
    """Let the system copy; return False where it cannot, or not between these two files."""
    if not hasattr(os, "copy_file_range"):
        return False
    with path.open("rb") as source, name.open("wb") as target:
        left = os.fstat(source.fileno()).st_size
        while left:
            try:
                count = os.copy_file_range(source.fileno(), target.fileno(), left)
            except OSError as error:
                if is_full(error):
                    raise
                return False
            if not count:
                return False
            left -= count
    return True


def is_full(error: OSError) -> bool:
    """Tell whether a write failed because the disk, or what one may use of it, is full."""
    return error.errno in _FULL


def remove(path: Path) -> None:
    """Remove a file."""
    tell("remove", path)
    path.unlink()


def remove_folder(folder: Path) -> None:
    """Remove a folder and what is in it, as far as that is possible."""
    tell("remove_folder", folder)
    shutil.rmtree(folder, ignore_errors=True)
    _made.discard(folder)


def exists(path: Path) -> OutputError:
    """Return the error that says that an output is there already."""
    return OutputError(f"{path} exists already", "pass --overwrite to replace it, or another name")


def make_staging(target: Path) -> Path:
    """Make a hidden folder beside ``target`` for files in the making.

    Raises
    ------
    OutputError
        If the folder cannot be made: no such parent, no permission.

    """
    try:
        _make_folder(target.parent)
        prefix = f"{_prefix(target)}{_host()}-{os.getpid()}-"
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=target.parent))
    except OSError as error:
        raise OutputError(
            f"cannot write in {target.parent}: {error.strerror or error}", "choose another folder"
        ) from error
    tell("mkdir", folder)
    _made.add(folder)
    return folder


def make_staging_file(target: Path) -> Path:
    """Make a hidden, empty file beside ``target``: what it links to by relative names is there.

    Raises
    ------
    OutputError
        If it cannot be made: no permission, no space.

    """
    try:
        _make_folder(target.parent)
        token = uuid.uuid4().hex[:8]
        path = target.with_name(f"{_prefix(target)}{_host()}-{os.getpid()}-{token}.tmp")
        path.open("xb").close()
    except OSError as error:
        raise OutputError(
            f"cannot write in {target.parent}: {error.strerror or error}",
            "write the result to another file with --into",
        ) from error
    _made.add(path)
    tell("create", path)
    return path


def remove_staging_file(path: Path) -> None:
    """Remove a staging file, if it has not got its final name."""
    if path.exists():
        remove(path)
    _made.discard(path)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, and have them on the disk."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    tell("mkdir", folder)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def abandoned(target: Path) -> Iterator[Path]:
    """Yield staging folders and files of ``target`` whose process on this host has ended."""
    prefix = _prefix(target)
    for folder in target.parent.glob(f"{glob_escape(prefix)}*.tmp"):
        host, _, rest = folder.name.removeprefix(prefix).partition("-")
        pid = rest.partition("-")[0]
        if host == _host() and pid.isdigit() and not _in_use(folder, int(pid)):
            yield folder


def _in_use(folder: Path, pid: int) -> bool:
    if pid == os.getpid():  # in a container, every process may have this number
        return folder in _made
    return psutil.pid_exists(pid)


def glob_escape(text: str) -> str:
    """Return ``text`` so that a glob matches it literally."""
    import glob

    return glob.escape(text)


def _prefix(target: Path) -> str:
    return f".{target.name}."


def _host() -> str:
    return "".join(c if c.isalnum() else "_" for c in socket.gethostname()) or "host"


@contextlib.contextmanager
def held_signals() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C and its like back until the block ends or the function it yields is called.

    A handler that raises in the middle of one of HDF5's calls crashes the interpreter, or its
    exception is lost. Signals that end the process outright are not held.

    Yields
    ------
    function
        Lets the handlers of the signals that came act now.

    """
    came: list[int] = []
    handlers: dict[int, Any] = {}

    def deliver() -> None:
        while came:
            number = came.pop(0)
            handlers[number](number, None)

    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            if callable(signal.getsignal(number)):
                handlers[number] = signal.signal(number, lambda number, _: came.append(number))
    try:
        yield deliver
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        deliver()


def write_new(path: Path, parts: Sequence[Any], *, sync: bool) -> None:
    """Write a file that is not there yet, of several buffers, one after the other.

    Raises
    ------
    FileExistsError
        If the name is taken; of two that try at once, one succeeds.

    """
    tell("create", path)
    with path.open("xb", buffering=0) as file:
        offset = 0
        for part in parts:
            view = memoryview(part)
            if observer is not None:
                tell("write", path, offset, bytes(view))
            offset += len(view)
            while len(view):
                view = view[file.write(view) :]
        if sync:
            tell("sync", path)
            _flush(file.fileno())


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, unless they are there."""
    _make_folder(folder)


def temporary_name(path: Path, suffix: str = ".tmp") -> Path:
    """Return a name beside ``path`` that nobody else has, and that says whose it is."""
    return path.with_name(f"{path.name}.{_host()}-{os.getpid()}-{uuid.uuid4().hex[:12]}{suffix}")


def is_abandoned(path: Path) -> bool:
    """Tell whether who made a temporary name was a process of this host that has ended.

    Names that this process is using have to be in `in_use`.
    """
    found = _OWNED.search(path.name)
    if found is None or found["host"] != _host():
        return False
    return not _in_use(path, int(found["pid"]))


@contextlib.contextmanager
def in_use(path: Path) -> Iterator[Path]:
    """Mark a temporary name as one that this process is using."""
    _made.add(path)
    try:
        yield path
    finally:
        _made.discard(path)
