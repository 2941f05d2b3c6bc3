"""What files of scans are called, as every system allows, and where they must not lie."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from nxscan.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nxscan.translate.contract import ScanRef

SUFFIXES = (".nxs", ".h5", ".hdf5", ".hdf", ".nx5", ".nexus")
"""What an output file may be called, so that every viewer takes it for HDF5."""

_LONGEST = 100


def clean(text: str) -> str:
    """Return ``text`` as a file may be called on every system.

    >>> clean("5.1 dscan mu 0 1")
    '5.1_dscan_mu_0_1'
    """
    return re.sub(r"[^\w.+-]+", "_", text).strip("._")[:_LONGEST]


def file_stems(refs: Sequence[ScanRef]) -> dict[str, str]:
    """Return for each scan's number what its file is called, without a suffix.

    That is its title; scans of the same title get their numbers, too.
    """
    count = Counter(clean(ref.title).casefold() for ref in refs)
    taken: set[str] = set()
    stems = {}
    for ref in refs:
        name = clean(ref.title)
        if not name or count[name.casefold()] > 1:
            name = f"{name or 'scan'}_{clean(ref.number)}"
        while name.casefold() in taken:
            name += f"_{clean(ref.number)}"
        taken.add(name.casefold())
        stems[ref.number] = name
    return stems


def refuse_beside_raw(target: Path, given: Iterable[Path], files: Iterable[Path]) -> None:
    """Raise OutputError if ``target`` would lie in a folder that raw files lie in.

    Parameters
    ----------
    target : Path
        The file that would be made.
    given : iterable of Path
        What the user named; folders and all below them are out of bounds.
    files : iterable of Path
        The raw files.

    """
    where = target.parent.resolve()
    folders = {folder.resolve() for folder in {path.parent for path in files}}
    whole = {path.resolve() for path in given if path.is_dir()}
    inside = where in folders or any(where.is_relative_to(folder) for folder in whole)
    if inside or _nearest_existing(where) in folders:
        raise OutputError(
            f"{target} lies in the source's folder, where nothing is ever written",
            "give an output in another folder",
        )


def _nearest_existing(folder: Path) -> Path:
    return next((one for one in (folder, *folder.parents) if one.exists()), folder)
