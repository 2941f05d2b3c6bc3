"""The files of an Eiger series: which images the master declares, which data files are there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.h5blocks import Block, block_of, check_alike, located
from nxscan.translate.h5source import external_file, is_hdf5, open_source
from nxscan.translate.h5values import attribute, read_values
from nxscan.translate.rawvalues import iso_time, number_of
from nxscan.translate.runs import runs_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Kind = Literal["master", "data", ""]

DETECTOR = "instrument/detector"
SPECIFIC = f"{DETECTOR}/detectorSpecific"
_LINK = re.compile(r"data_\d{6}")
_MASTER = "_master.h5"
_LONGEST = 2**24
"""Images of which the circles are read; a million of them are nothing unusual."""
_DATA = re.compile(r"(?P<series>.+)_data_\d{6}\.h5")


@dataclass(frozen=True)
class Lost:
    """A data file that the master links to and that gives no images.

    Attributes
    ----------
    place : int
        Which of the master's links it is, from 0.
    path : Path
        Where it should be.
    reason : str
        Why it gives none.
    absent : bool
        It is not there at all.

    """

    place: int
    path: Path
    reason: str
    absent: bool


@dataclass(frozen=True, eq=False)
class Series:
    """An Eiger series: a master and the data files that it links to.

    Attributes
    ----------
    master : Path
        The master.
    size, modified
        Bytes of the master, and when it was changed last, in seconds since 1970.
    blocks : tuple of Block
        The images that are there, in the order of their numbers.
    lost : tuple of Lost
        Data files that are not.
    declared : int or None
        Images that were asked for, ``nimages`` × ``ntrigger``.
    values : dict
        What the master says, by path below its entry.
    others : tuple of Path
        Files that were given and belong to no series.

    """

    master: Path
    size: int
    modified: float
    blocks: tuple[Block, ...]
    lost: tuple[Lost, ...]
    declared: int | None
    values: dict[str, str | NDArray[Any]] = field(default_factory=dict)
    others: tuple[Path, ...] = ()

    @property
    def title(self) -> str:
        """The series' name."""
        return self.master.name.removesuffix(_MASTER).removesuffix(".h5")

    @property
    def started(self) -> str:
        """When it was begun, in ISO 8601; empty where the master does not say."""
        return iso_time(self.values.get(f"{SPECIFIC}/data_collection_date"))

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The number of each image that is there."""
        found = [block.numbers for block in self.blocks]
        return np.concatenate(found) if found else np.zeros(0, np.int64)

    @property
    def first(self) -> int:
        """The number of the first image."""
        lowest = int(self.numbers.min(initial=1 << 40))
        began = not any(lost.place == 0 for lost in self.lost)
        return lowest if began and self.blocks else 1

    def images_of(self, lost: Lost) -> str:
        """Say which images a data file that is lost holds."""
        per_file = max((block.frames.count for block in self.blocks), default=0)
        if not per_file or self.declared is None:
            return "images that nothing numbers"
        start = self.first + lost.place * per_file
        stop = min(start + per_file, self.first + self.declared)
        return f"images {runs_text([range(start, stop)])}" if stop > start else "no more images"


def kind_of(file: Any) -> Kind:
    """Tell whether an open HDF5 file is a series' master, one of its data files, or neither."""
    entry = file.get("entry", getclass=True)
    if entry is not h5py.Group or "entry/translation" in file:
        return ""
    data = file.get("entry/data", getclass=True) if "entry/data" in file else None
    if data is not h5py.Group:
        return ""
    if f"entry/{DETECTOR}" in file:
        return "master" if _links(file["entry/data"]) else ""
    images = file["entry/data"].get("data", getlink=True)
    if not isinstance(images, h5py.HardLink) or "entry/instrument" in file:
        return ""
    return "data" if "image_nr_low" in file["entry/data/data"].attrs else ""


def _links(data: Any) -> list[str]:
    """Return the names in /entry/data that lead to data files, in their order."""
    return sorted(name for name in data if isinstance(name, str) and _LINK.fullmatch(name))


def looks_like(path: Path) -> Kind:
    """Tell what a file is, by its contents, or by its name if HDF5 cannot open it."""
    if not is_hdf5(path):
        return ""
    try:
        with open_source(path) as file:
            return kind_of(file)
    except SourceError:
        if _DATA.fullmatch(path.name):
            return "data"
        return "master" if path.name.endswith(_MASTER) else ""


def master_of(path: Path) -> Path:
    """Return the master that a data file belongs to, by its name."""
    match = _DATA.fullmatch(path.name)
    return path.with_name(f"{match['series'] if match else path.stem}{_MASTER}")


def find_series(paths: Iterable[Path]) -> list[Series]:
    """Return the series among files, in the order in which their masters are given.

    Raises
    ------
    SourceError
        If a master cannot be read, or there are data files and none; then it names the master.

    """
    found: list[Series] = []
    others: list[Path] = []
    used: set[Path] = set()
    for path in sorted(located(paths), key=lambda path: not path.name.endswith(_MASTER)):
        if path in used:
            continue
        if looks_like(path) == "master":
            series = read_series(path)
            found.append(series)
            used |= {block.path for block in series.blocks} | {lost.path for lost in series.lost}
        else:
            others.append(path)
    others = [path for path in others if path not in used]
    if not found:
        raise _no_master(others)
    return [replace(series, others=tuple(others)) for series in found]


def _no_master(paths: Sequence[Path]) -> SourceError:
    data = [path for path in paths if looks_like(path) == "data"]
    if not data:
        names = ", ".join(str(path) for path in paths[:3])
        return SourceError(f"no Eiger master among {len(paths)} files: {names}")
    master = master_of(data[0])
    there = f"give {master}" if master.exists() else f"copy {master.name} beside it, and give that"
    return SourceError(
        f"{data[0]} is a data file of an Eiger series; its master says how the images belong "
        "together",
        there,
    )


def read_series(master: Path) -> Series:
    """Read a master, and look at every data file that it links to.

    Raises
    ------
    SourceError
        If the master cannot be read, images of two data files have the same numbers, or their
        shape or type differs.

    """
    with open_source(master) as file:
        values = read_values(file["entry"], skip=("data",), longest=_LONGEST)
        links = _links(file["entry/data"])
        targets = [_target(file, name, master) for name in links]
    blocks: list[Block] = []
    lost: list[Lost] = []
    following = 1
    for place, (path, named, dataset) in enumerate(targets):
        if path is None:
            lost.append(Lost(place, named, "it is not there", absent=True))
            continue
        try:
            block = _read_data(path, dataset, following)
        except SourceError as error:
            lost.append(Lost(place, path, error.message, absent=False))
            continue
        following = int(block.numbers[-1]) + 1 if len(block.numbers) else following
        blocks.append(block)
    check_alike(blocks)
    _check_numbers(blocks)
    declared = _declared(values)
    state = master.stat()
    parts = tuple(sorted(blocks, key=lambda block: int(block.numbers.min(initial=1 << 40))))
    return Series(master, state.st_size, state.st_mtime, parts, tuple(lost), declared, values)


def _target(file: Any, name: str, master: Path) -> tuple[Path | None, Path, str]:
    """Return the file that a link of the master leads to, its name, and the dataset there."""
    link = file["entry/data"].get(name, getlink=True)
    if isinstance(link, h5py.ExternalLink):
        found = external_file(master.parent, link.filename)
        return found, master.parent / link.filename, link.path
    return master, master, f"/entry/data/{name}"


def _read_data(path: Path, dataset: str, following: int) -> Block:
    with open_source(path) as file:
        node = file.get(dataset)
        block = block_of(node, path, dataset)
        low, high = attribute(node, "image_nr_low"), attribute(node, "image_nr_high")
    count = block.frames.count
    start = int(low) if low.isdecimal() else following
    if high.isdecimal() and int(high) - start + 1 < count:
        raise SourceError(
            f"{path} says that it holds images {start}–{high}, but holds {count}",
            "copy it again from where it was measured",
        )
    return replace(block, numbers=np.arange(start, start + count, dtype=np.int64))


def _check_numbers(blocks: Sequence[Block]) -> None:
    ordered = sorted((b for b in blocks if len(b.numbers)), key=lambda b: int(b.numbers[0]))
    for one, two in pairwise(ordered):
        if two.numbers[0] <= one.numbers[-1]:
            both = range(int(two.numbers[0]), int(min(one.numbers[-1], two.numbers[-1])) + 1)
            raise SourceError(
                f"images {runs_text([both])} are in both {one.path} and {two.path.name}",
                "a data file of another series was copied over one of this: copy it again",
            )


def _declared(values: dict[str, Any]) -> int | None:
    images = number_of(values, f"{SPECIFIC}/nimages")
    triggers = number_of(values, f"{SPECIFIC}/ntrigger")
    return None if images is None else int(images * (1 if triggers is None else triggers))
