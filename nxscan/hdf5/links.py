"""Where a dataset really is, when links lead to it from another file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from nxscan.hdf5.lookup import beside
from nxscan.hdf5.opening import open_reading

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LINKS = 32


def real_place(path: Path, name: str, dataset: Any) -> tuple[Path, str]:
    """Return the file that holds a dataset, and where it is in that.

    Parameters
    ----------
    path, name : Path, str
        The file that it was found in, absolute, and its name there.
    dataset : h5py.Dataset
        It, open.

    Raises
    ------
    OSError
        If a file on the way cannot be opened.

    """
    if os.fsdecode(h5py.h5f.get_name(dataset.id)) == str(path):
        return path, "/" + name.strip("/")
    for _ in range(_MOST_LINKS):
        with open_reading(path) as file:
            onward = _onward(file, name)
        if onward is None:
            return path, "/" + name.strip("/")
        target, name = onward
        found = beside(path, target)
        if found is None:
            break
        path = found.absolute()
    raise OSError(f"{path}: the links to {name} lead nowhere")


def _onward(file: Any, name: str) -> tuple[str, str] | None:
    """Return the file and the name that a link on the way leads to; None if all is here."""
    done, parts = "", [part for part in name.split("/") if part]
    while parts:
        part = parts.pop(0)
        link = (file[done] if done else file).get(part, getlink=True)
        rest = "/".join(["", *parts])
        if isinstance(link, h5py.ExternalLink):
            return link.filename, link.path + rest
        if isinstance(link, h5py.SoftLink):
            holder = "" if link.path.startswith("/") else done
            return ".", f"{holder}/{link.path}{rest}"
        done += f"/{part}"
    return None


def dangling(file: Any, name: str) -> str:
    """Say where the way to a dataset ends that cannot be opened.

    Parameters
    ----------
    file : h5py.File
        The file.
    name : str
        What was looked for.

    """
    for done, target, is_there in _steps(file, name):
        if not is_there:
            said = f"{done} is a link to {target}, which is not there"
            return said if target else f"there is no {done}"
    return f"{name} cannot be read"


def _steps(file: Any, name: str) -> Iterator[tuple[str, str, bool]]:
    """Yield each place on the way, what it links to, and whether it is there."""
    node: Any = file
    done = ""
    for part in name.strip("/").split("/"):
        link = node.get(part, getlink=True) if isinstance(node, h5py.Group) else None
        done += f"/{part}"
        target = ""
        if isinstance(link, h5py.ExternalLink):
            target = f"{link.filename}::{link.path}"
        elif isinstance(link, h5py.SoftLink):
            target = link.path
        try:
            node = node[part]
        except (KeyError, OSError, RuntimeError, ValueError):
            yield done, target, False
            return
        yield done, target, True
