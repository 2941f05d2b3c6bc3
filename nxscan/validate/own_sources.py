"""What virtual and external datasets read from is there: HDF5 itself would read fill values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py

from nxscan.nexus.linked import LINKED, changes
from nxscan.nexus.master import Opened
from nxscan.nexus.opening import open_reading
from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.tree import beside, member

_CHANGED = "restore it, or write results of what it is now to another file with --into"
_RESTORE = "put it back where it was; HDF5 gives fill values for it without an error"


def sources(target: Target) -> Iterator[Finding]:
    """Check that all that virtual and external datasets read from is there, and whole.

    Foreign files that hold the frames of a master are those that they were.
    """
    if target.own_entries:
        for problem in changes(Opened(target.file, verify=False), target.path):
            yield Finding("error", f"/{LINKED}", "source of data", problem, _CHANGED)
    for dataset in target.tree.datasets:
        if dataset.is_virtual:
            yield from _virtual(target, dataset)
        elif dataset.external:
            yield from _external(target.path, dataset)


@dataclass
class _Needs:
    """What the mappings of a virtual dataset read from one source dataset.

    Attributes
    ----------
    last : tuple of int
        The largest index along each dimension; () where the whole source is read.
    points : int
        How many values a mapping of the whole source takes.

    """

    last: tuple[int, ...] = ()
    points: int = 0


def _virtual(target: Target, dataset: h5py.Dataset) -> Iterator[Finding]:
    for name, datasets in _needs(dataset).items():
        if name == ".":
            yield from _in_file(dataset, target.file, datasets)
        else:
            yield from _in_other(target.path, dataset, name, datasets)


def _needs(dataset: h5py.Dataset) -> dict[str, dict[str, _Needs]]:
    """Collect, for each source file and each dataset in it, what is read from it."""
    needed: dict[str, dict[str, _Needs]] = {}
    # h5py's virtual_sources makes all of each mapping, of which there are thousands
    plist = dataset.id.get_create_plist()
    for k in range(plist.get_virtual_count()):
        names = plist.get_virtual_filename(k), plist.get_virtual_dsetname(k)
        if any(map(_is_pattern, names)):
            continue  # "%b" stands for a number: HDF5 takes as many as there are
        file, name = (text.replace("%%", "%") for text in names)
        needs = needed.setdefault(file, {}).setdefault(name, _Needs())
        source = plist.get_virtual_srcspace(k)
        if source.get_select_type() == h5py.h5s.SEL_ALL:
            needs.points = max(needs.points, plist.get_virtual_vspace(k).get_select_npoints())
        elif source.get_select_npoints() > 0:
            end = tuple(int(index) for index in source.get_select_bounds()[1])
            needs.last = tuple(map(max, needs.last, end)) if needs.last else end
    return needed


def _is_pattern(name: str) -> bool:
    return "%b" in name.replace("%%", "")


def _in_other(
    master: Path, dataset: h5py.Dataset, name: str, datasets: dict[str, _Needs]
) -> Iterator[Finding]:
    found = beside(master, name)
    if found is None:
        place = "" if Path(name).is_absolute() else f" in {master.parent}"
        yield _missing(dataset, f"reads from the file {name}, which is not there{place}")
        return
    try:
        with open_reading(found) as file:
            yield from _in_file(dataset, file, datasets)
    except OSError as error:
        yield _missing(dataset, f"reads from the file {found}, which cannot be read: {error}")


def _in_file(
    dataset: h5py.Dataset, file: h5py.File, datasets: dict[str, _Needs]
) -> Iterator[Finding]:
    for name, needs in datasets.items():
        source = member(file, name)
        where = f"{name} in {Path(file.filename).name}"
        if not isinstance(source, h5py.Dataset):
            yield _missing(dataset, f"reads from the dataset {where}, which is not there")
        elif needs.last and not _reaches(source.shape, needs.last):
            message = f"reads {where} up to index {needs.last}, but its shape is {source.shape}"
            yield _missing(dataset, message)
        elif source.size < needs.points:
            message = f"reads {needs.points} values of {where}, but its shape is {source.shape}"
            yield _missing(dataset, message)


def _reaches(shape: tuple[int, ...], last: tuple[int, ...]) -> bool:
    return len(shape) == len(last) and all(n > k for n, k in zip(shape, last, strict=True))


def _external(master: Path, dataset: h5py.Dataset) -> Iterator[Finding]:
    for name, offset, size in dataset.external:
        path = Path(name if isinstance(name, str) else name.decode())
        found = path if path.is_absolute() else beside(master, str(path))
        if not path.is_absolute():
            yield Finding(
                "warning",
                dataset.name,
                "source of data",
                f"reads the bytes of {path}, a relative name that HDF5 looks up in whatever "
                "folder a program runs in",
                "write absolute paths",
            )
        if found is None or not found.exists():
            yield _missing(dataset, f"reads the bytes of {path}, which is not there")
        elif size != h5py.h5f.UNLIMITED and found.stat().st_size < offset + size:
            have = found.stat().st_size
            yield _missing(
                dataset, f"reads {path} up to byte {offset + size}, but it has {have} bytes"
            )


def _missing(dataset: h5py.Dataset, message: str) -> Finding:
    return Finding("error", dataset.name, "source of data", message, _RESTORE)
