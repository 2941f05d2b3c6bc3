"""Links lead somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py

from nxscan.hdf5.opening import open_reading
from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.tree import Link, beside, join, member

_MOST_STEPS = 16
_REPAIR = "remove the link or restore its target"


def links(target: Target) -> Iterator[Finding]:
    """Check that every soft and external link leads to an object; name a missing file."""
    for link in target.tree.links:
        if isinstance(link.leads_to, h5py.ExternalLink):
            yield from _external(target.path, link, link.leads_to)
        else:
            yield from _soft(target.file, link, link.leads_to.path)


def _external(master: Path, link: Link, leads_to: h5py.ExternalLink) -> Iterator[Finding]:
    name, path = str(leads_to.filename), leads_to.path
    found = beside(master, name)
    if found is None:
        place = "" if Path(name).is_absolute() else f" in {master.parent}"
        hint = f"put {Path(name).name} back where it was, or translate the scan again"
        yield _broken(link, f"leads to the file {name}, which is not there{place}", hint)
        return
    try:
        with open_reading(found) as file:
            present = member(file, path) is not None
    except OSError as error:
        hint = f"see whether {found} is a whole HDF5 file that you may read"
        yield _broken(link, f"leads to the file {found}, which cannot be read: {error}", hint)
        return
    if not present:
        yield _broken(link, f"leads to {path} in {found}, and there is no such object in it")


def _soft(file: h5py.File, link: Link, path: str) -> Iterator[Finding]:
    absolute = _absolute(link.path, path)
    if member(file, absolute) is None and not _through_external(file, absolute):
        yield _broken(link, f"leads to {absolute}, and there is no such object")


def _absolute(link: str, path: str) -> str:
    return path if path.startswith("/") else join(link.rpartition("/")[0], path)


def _through_external(file: h5py.File, path: str, steps: int = 0) -> bool:
    """Tell whether a path passes an external link, which is reported by itself."""
    parts = path.strip("/").split("/")
    for count in range(1, len(parts) + 1):
        here = "/" + "/".join(parts[:count])
        link = _link_at(file, here)
        if isinstance(link, h5py.ExternalLink):
            return True
        if isinstance(link, h5py.SoftLink) and steps < _MOST_STEPS:
            onward = "/".join([_absolute(here, link.path), *parts[count:]])
            return _through_external(file, onward, steps + 1)
        if link is None:
            return False
    return False


def _link_at(file: h5py.File, path: str) -> object:
    try:
        return file.get(path, getlink=True)
    except Exception:  # a parent that is no group, or a loop of links
        return None


def _broken(link: Link, message: str, hint: str = _REPAIR) -> Finding:
    return Finding("error", link.path, "link", message, hint)
