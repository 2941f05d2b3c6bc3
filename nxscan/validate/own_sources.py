"""What virtual and external datasets read from is there: HDF5 itself would read fill values."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import h5py

from nxscan.hdf5.opening import open_reading
from nxscan.nexus.linktable import LINKED, RELINK, Found, checksum_of, find_files
from nxscan.nexus.master import Opened
from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.tree import beside

_RULE = "source of data"
_CHANGED = f"{RELINK}; results of what it is now go to another file with --into"
_RESTORE = "put it back where it was; HDF5 gives fill values for it without an error"
_MOST_NAMED = 20


def sources(target: Target) -> Iterator[Finding]:
    """Check that all that virtual and external datasets read from is there, and whole.

    Files that hold the frames of a master are those that they were: in size and time, and, where
    the frames are read again, in the checksum that was asked for. Each file is named once,
    however many datasets read from it.
    """
    known = _Known()
    if target.own_entries:
        yield from _recorded(target, known)
    virtual, external = _needed(target)
    for name, datasets in virtual.items():
        if name == ".":
            yield from _in_file(target.file, datasets)
        elif name not in known.wrong:
            yield from _in_other(target.path, name, datasets)
    for name, bytes_needed in external.items():
        if name not in known.wrong and name not in known.moved:
            yield from _external(target.path, name, bytes_needed)


@dataclass
class _Known:
    """What is said of a file already, by the names that mappings have for it."""

    wrong: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)


def _recorded(target: Target, known: _Known) -> Iterator[Finding]:
    """Compare the files that a master recorded with what they are now."""
    found = find_files(Opened(target.file, verify=False), target.path)
    if target.data:
        found = [_compared(item) for item in found]
    wrong = [item for item in found if item.problem]
    for item in islice(wrong, _MOST_NAMED):
        yield Finding("error", f"/{LINKED}", _RULE, item.problem, _CHANGED)
    if len(wrong) > _MOST_NAMED:
        message = f"{len(wrong) - _MOST_NAMED} more files are gone or have changed"
        yield Finding("error", f"/{LINKED}", _RULE, message, _CHANGED)
    known.wrong = {name for item in wrong for name in (item.expected.path, item.expected.place)}
    moved = [item for item in found if not item.problem and str(item.path) != item.expected.place]
    known.moved = {item.expected.place for item in moved} & _external_names(target)
    if known.moved:
        first = next(item for item in moved if item.expected.place in known.moved)
        others = f" (and {len(known.moved) - 1} more files)" if len(known.moved) > 1 else ""
        message = (
            f"{first.expected.place} has moved to {first.path}{others}: nxscan reads it there, "
            "other programs do not"
        )
        hint = f"nxscan relink {target.path.name}"
        yield Finding("error", f"/{LINKED}", _RULE, message, hint)


def _compared(found: Found) -> Found:
    """Compare the checksum of a file, where there is one."""
    if found.problem or not found.expected.checksum:
        return found
    if checksum_of(found.path) == found.expected.checksum:
        return found
    return replace(found, problem=f"{found.path} has changed: its SHA-256 is another one")


def _external_names(target: Target) -> set[str]:
    return {
        os.fsdecode(plist.get_external(k)[0])
        for dataset in target.tree.datasets
        for plist in (dataset.id.get_create_plist(),)
        for k in range(plist.get_external_count())
    }


@dataclass
class _Needs:
    """What is read from one source dataset.

    Attributes
    ----------
    by : dict of str to None
        The datasets that read from it.
    last : tuple of int
        The largest index along each dimension; () where the whole source is read.
    points : int
        How many values a mapping of the whole source takes.

    """

    by: dict[str, None] = field(default_factory=dict)
    last: tuple[int, ...] = ()
    points: int = 0


@dataclass
class _Bytes:
    """What is read from a file of plain bytes: by which datasets, and up to which byte."""

    by: dict[str, None] = field(default_factory=dict)
    end: int = 0


def _needed(target: Target) -> tuple[dict[str, dict[str, _Needs]], dict[str, _Bytes]]:
    """Collect what is read from each dataset of each HDF5 file, and from each other file."""
    virtual: dict[str, dict[str, _Needs]] = {}
    external: dict[str, _Bytes] = {}
    for dataset in target.tree.datasets:
        plist = dataset.id.get_create_plist()
        if dataset.is_virtual:
            _add_mappings(virtual, dataset.name, plist)
        for k in range(plist.get_external_count()):
            name, offset, size = plist.get_external(k)
            needs = external.setdefault(os.fsdecode(name), _Bytes())
            needs.by[dataset.name] = None
            needs.end = max(needs.end, 0 if size == h5py.h5f.UNLIMITED else offset + size)
    return virtual, external


def _add_mappings(needed: dict[str, dict[str, _Needs]], by: str, plist: h5py.h5p.PropDCID) -> None:
    # h5py's virtual_sources makes all of each mapping, of which there are thousands
    for k in range(plist.get_virtual_count()):
        names = plist.get_virtual_filename(k), plist.get_virtual_dsetname(k)
        if any(map(_is_pattern, names)):
            continue  # "%b" stands for a number: HDF5 takes as many as there are
        file, name = (text.replace("%%", "%") for text in names)
        needs = needed.setdefault(file, {}).setdefault(name, _Needs())
        needs.by[by] = None
        source = plist.get_virtual_srcspace(k)
        if source.get_select_type() == h5py.h5s.SEL_ALL:
            needs.points = max(needs.points, plist.get_virtual_vspace(k).get_select_npoints())
        elif source.get_select_npoints() > 0:
            end = tuple(int(index) for index in source.get_select_bounds()[1])
            needs.last = tuple(map(max, needs.last, end)) if needs.last else end


def _is_pattern(name: str) -> bool:
    return "%b" in name.replace("%%", "")


def _in_other(master: Path, name: str, datasets: dict[str, _Needs]) -> Iterator[Finding]:
    found = beside(master, name)
    by = {reader: None for needs in datasets.values() for reader in needs.by}
    if found is None:
        place = "" if Path(name).is_absolute() else f" in {master.parent}"
        yield _missing(by, f"reads from the file {name}, which is not there{place}")
        return
    try:
        with open_reading(found) as file:
            yield from _in_file(file, datasets)
    except OSError as error:
        yield _missing(by, f"reads from the file {found}, which cannot be read: {error}")


def _in_file(file: h5py.File, datasets: dict[str, _Needs]) -> Iterator[Finding]:
    for name, needs in datasets.items():
        shape = _shape_of(file, name)
        where = f"{name} in {Path(file.filename).name}"
        if shape is None:
            message = f"reads from the dataset {where}, which is not there"
            yield _missing(needs.by, message)
        elif needs.last and not _reaches(shape, needs.last):
            message = f"reads {where} up to index {needs.last}, but its shape is {shape}"
            yield _missing(needs.by, message)
        elif math.prod(shape) < needs.points:
            message = f"reads {needs.points} values of {where}, but its shape is {shape}"
            yield _missing(needs.by, message)


def _shape_of(file: h5py.File, name: str) -> tuple[int, ...] | None:
    """Return the shape of a dataset, of which there may be thousands; None where there is none."""
    try:
        shape = h5py.h5d.open(file.id, name.encode()).shape
    except Exception:  # a loop of links, or a target that is damaged
        return None
    return (0,) if shape is None else tuple(shape)


def _reaches(shape: tuple[int, ...], last: tuple[int, ...]) -> bool:
    return len(shape) == len(last) and all(n > k for n, k in zip(shape, last, strict=True))


def _external(master: Path, name: str, needs: _Bytes) -> Iterator[Finding]:
    path = Path(name)
    found = path if path.is_absolute() else beside(master, name)
    if not path.is_absolute():
        yield Finding(
            "warning",
            next(iter(needs.by)),
            _RULE,
            f"reads the bytes of {path}, a relative name that HDF5 looks up in whatever "
            "folder a program runs in",
            "write absolute paths",
        )
    if found is None or not found.exists():
        yield _missing(needs.by, f"reads the bytes of {path}, which is not there")
    elif found.stat().st_size < needs.end:
        have = found.stat().st_size
        yield _missing(needs.by, f"reads {path} up to byte {needs.end}, but it has {have} bytes")


def _missing(by: dict[str, None], message: str) -> Finding:
    first, others = next(iter(by)), len(by) - 1
    said = f"{message} ({others} more datasets read from it, too)" if others else message
    return Finding("error", first, _RULE, said, _RESTORE)
