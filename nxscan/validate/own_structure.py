"""The file as such: can it be opened, can all of it be reached, is it NeXus at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py

from nxscan.hdf5.opening import open_reading
from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding

_RULE = "readable HDF5 file"
_AGAIN = "copy or write it again"


def open_file(path: Path) -> h5py.File | Finding:
    """Open a file for reading, or return the one finding that says why it cannot be."""
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
        return open_reading(path)
    except FileNotFoundError:
        return _refusal(f"there is no file {path}", "check the name")
    except IsADirectoryError:
        return _refusal(f"{path} is a folder, not a file", "name the .nxs file in it")
    except PermissionError as error:
        return _refusal(f"{path} may not be read: {error.strerror}", "ask for read permission")
    except OSError as error:
        return _unreadable(path, head if "head" in locals() else b"", str(error))


def _unreadable(path: Path, head: bytes, reason: str) -> Finding:
    if path.is_dir():  # Windows says "permission denied" for it
        return _refusal(f"{path} is a folder, not a file", "name the .nxs file in it")
    if not head:
        return _refusal(f"{path.name} is empty (0 bytes)", _AGAIN)
    if "truncated file" in reason:
        return _refusal(f"{path.name} is cut off, its end is missing: {reason}", _AGAIN)
    if not h5py.is_hdf5(path):
        return _refusal(
            f"{path.name} is not an HDF5 file, it starts with {head!r}",
            "nxscan translate makes NeXus of raw files",
        )
    return _refusal(f"{path.name} cannot be opened: {reason}", _AGAIN)


def _refusal(message: str, hint: str) -> Finding:
    return Finding("error", "/", _RULE, message, hint)


def structure(target: Target) -> Iterator[Finding]:
    """Check that every object can be opened, and that there is an NXentry."""
    for path, reason in target.tree.broken:
        yield Finding("error", path, _RULE, f"cannot be opened: {reason}", _AGAIN)
    if not target.entries:
        yield Finding(
            "error",
            "/",
            "NXentry",
            "no group at the root has NX_class 'NXentry': this HDF5 file is not NeXus",
            "nxscan translate makes NeXus of raw files",
        )
