"""Files that are there whole or not at all: syncing, publishing, staging folders.

All that differs between operating systems lives in this module.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from nxscan.errors import OutputError


def sync_file(path: Path) -> None:
    """Have the file's bytes on the disk before this returns."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the folder's entries on the disk; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(staged: Path, final: Path, *, overwrite: bool) -> None:
    """Give a staged file its final name in one step.

    Raises
    ------
    OutputError
        If ``final`` exists and ``overwrite`` is false, even if it came up a moment ago.

    """
    if overwrite:
        staged.replace(final)
        return
    try:
        _move_new(staged, final)
    except FileExistsError:
        raise exists(final) from None


def _move_new(staged: Path, final: Path) -> None:
    if os.name == "nt":
        staged.rename(final)
        return
    try:
        os.link(staged, final)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if final.exists():
            raise FileExistsError(final) from None
        staged.rename(final)
    else:
        staged.unlink()


def exists(path: Path) -> OutputError:
    """Return the error that says that an output is there already."""
    return OutputError(f"{path} exists already", "pass --overwrite to replace it, or another name")


@contextlib.contextmanager
def staging(target: Path) -> Iterator[Path]:
    """Make a hidden folder beside ``target`` for files in the making; remove it afterwards.

    Raises
    ------
    OutputError
        If the folder cannot be made: no such parent, no permission.

    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        prefix = f"{_prefix(target)}{_host()}-{os.getpid()}-"
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=target.parent))
    except OSError as error:
        raise OutputError(
            f"cannot write in {target.parent}: {error.strerror or error}", "choose another folder"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def abandoned(target: Path) -> Iterator[Path]:
    """Yield staging folders of ``target`` whose process on this host has ended."""
    prefix = _prefix(target)
    for folder in target.parent.glob(f"{glob_escape(prefix)}*.tmp"):
        host, pid, _ = folder.name.removeprefix(prefix).rsplit("-", 2)
        if host == _host() and pid.isdigit() and not psutil.pid_exists(int(pid)):
            yield folder


def glob_escape(text: str) -> str:
    """Return ``text`` so that a glob matches it literally."""
    import glob

    return glob.escape(text)


def _prefix(target: Path) -> str:
    return f".{target.name}."


def _host() -> str:
    return "".join(c if c.isalnum() else "_" for c in socket.gethostname()) or "host"
