"""The files of a Lambda series: which modules and parts there are, and what is in each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.h5blocks import Block, block_of, check_alike, located
from nxscan.translate.h5source import is_hdf5, open_source
from nxscan.translate.h5values import read_values, text
from nxscan.translate.rawvalues import iso_time, number_of
from nxscan.translate.sources import natural_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = dict[str, str | NDArray[Any]]

DETECTOR = "instrument/detector"
_LONGEST = 2**24
NOT_GIVEN = "not given, though files beside it were"
NOT_THERE = "not there, though files beside it are"
_DATA = f"/entry/{DETECTOR}/data"
_NAME = re.compile(r"(?P<stem>.+?)(?:_m(?P<module>\d+))?(?:_part(?P<part>\d+))?")
_SUFFIXES = {".nxs", ".h5", ".hdf5", ".hdf", ".nx5"}


@dataclass(frozen=True)
class Name:
    """What a file's name says: the series, the module and the part; None where it has none."""

    stem: str
    module: int | None
    part: int | None

    @classmethod
    def of(cls, path: Path) -> Name:
        """Read the name of a file.

        >>> Name.of(Path("sample_00012_m02_part00001.nxs"))
        Name(stem='sample_00012', module=2, part=1)
        """
        match = _NAME.fullmatch(path.stem)
        if match is None:
            return cls(path.stem, None, None)
        module, part = match["module"], match["part"]
        return cls(
            match["stem"],
            None if module is None else int(module),
            None if part is None else int(part),
        )


@dataclass(frozen=True, eq=False)
class Part:
    """One file of a module; ``block`` is None where it cannot be read, and ``reason`` says why."""

    path: Path
    number: int
    block: Block | None
    values: Values = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Module:
    """One module of the detector with its parts, in their order."""

    number: int
    parts: tuple[Part, ...]

    @property
    def blocks(self) -> list[Block]:
        """Those of the parts that can be read."""
        return [part.block for part in self.parts if part.block is not None]

    @property
    def shape(self) -> tuple[int, int]:
        """Lengths of its frames."""
        height, width = self.blocks[0].frames.shape
        return height, width

    @property
    def values(self) -> Values:
        """What the first of them says."""
        return next((part.values for part in self.parts if part.block is not None), {})

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Numbers of its frames, those that were never written left out."""
        found = [block.numbers[block.written] for block in self.blocks]
        return np.concatenate(found) if found else np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Series:
    """A scan: its modules, and what is missing of it by the names of its files.

    Attributes
    ----------
    folder : Path
        Where it lies.
    title : str
        The name that its files share.
    modules : tuple of Module
        Those that have files that can be read.
    lost : tuple of (str, str)
        Files that are missing or cannot be read, each with the reason.
    declared : int or None
        Frames that were asked for.

    """

    folder: Path
    title: str
    modules: tuple[Module, ...]
    lost: tuple[tuple[str, str], ...]
    declared: int | None

    @property
    def started(self) -> str:
        """When it was begun, in ISO 8601; empty where the files do not say."""
        return iso_time(self.values.get("start_time"))

    @property
    def blocks(self) -> list[Block]:
        """The frames of all its files."""
        return [block for module in self.modules for block in module.blocks]

    @property
    def values(self) -> Values:
        """What the first module says."""
        return self.modules[0].values if self.modules else {}


def is_lambda(file: Any) -> bool:
    """Tell whether an open HDF5 file is one of a Lambda detector."""
    for place in ("entry", f"entry/{DETECTOR}"):
        if file.get(place, getclass=True) is not h5py.Group:
            return False
    detector = file[f"entry/{DETECTOR}"]
    if "entry/translation" in file or not isinstance(detector.get("description"), h5py.Dataset):
        return False
    images = detector.get("data", getclass=True, getlink=True)
    described = text(detector["description"][()]).startswith("Lambda")
    return images is h5py.HardLink and described


def looks_like(path: Path) -> bool:
    """Tell whether a file is of a Lambda detector; by its name if HDF5 cannot open it."""
    if not is_hdf5(path):
        return False
    try:
        with open_source(path) as file:
            return is_lambda(file)
    except SourceError:
        return Name.of(path).module is not None and path.suffix.lower() in _SUFFIXES


def find_series(paths: Iterable[Path]) -> list[Series]:
    """Return the series among files, in the natural order of their names.

    Raises
    ------
    SourceError
        If no file is of a Lambda detector, two files are the same part, or frames of a module
        differ in shape or type.

    """
    listed = located(paths)
    series: dict[tuple[Path, str], list[Path]] = {}
    for path in listed:
        if looks_like(path):
            series.setdefault((path.parent, Name.of(path).stem), []).append(path)
    if not series:
        names = ", ".join(str(path) for path in listed[:3])
        raise SourceError(f"no file of a Lambda detector among {len(listed)} files: {names}")
    ordered = sorted(series, key=lambda key: (str(key[0]), natural_key(key[1])))
    return [_series(folder, stem, series[folder, stem]) for folder, stem in ordered]


def _series(folder: Path, stem: str, paths: Sequence[Path]) -> Series:
    found: dict[tuple[int, int], Part] = {}
    for path in sorted(paths, key=lambda path: natural_key(path.name)):
        name = Name.of(path)
        key = (1 if name.module is None else name.module, name.part or 0)
        if key in found:
            raise SourceError(
                f"{path} and {found[key].path.name} are both module {key[0]}, part {key[1]}",
                "leave one of the two out",
            )
        found[key] = _read_part(path, key[1])
    numbers = sorted({module for module, _ in found})
    modules = [
        _numbered(Module(k, tuple(found[key] for key in sorted(found) if key[0] == k)))
        for k in numbers
    ]
    check_alike([block for module in modules for block in module.blocks])
    there = tuple(module for module in modules if module.blocks)
    lost = (*_unread(found), *_absent(folder, stem, paths, found))
    return Series(folder, stem, there, lost, _declared(there))


def _read_part(path: Path, number: int) -> Part:
    try:
        with open_source(path) as file:
            values = read_values(file["entry"], longest=_LONGEST)
            block = block_of(file.get(_DATA), path, _DATA)
    except SourceError as error:
        reason = error.message.removeprefix(f"{path}: ").removeprefix(f"{path} ")
        return Part(path, number, None, reason=reason)
    sequence = values.pop(f"{DETECTOR}/sequence_number", None)
    if sequence is not None:
        block = replace(block, numbers=_sequence(sequence, block))
    return Part(path, number, block, values)


def _sequence(said: str | NDArray[Any], block: Block) -> NDArray[np.int64]:
    """Return the frames' numbers as the detector counted them, or as they lie in the file."""
    if isinstance(said, str):
        said = np.array([int(said)]) if said.isdecimal() else np.zeros(0)
    fits = said.dtype.kind in "iu" and len(said) == block.frames.count
    return said.astype(np.int64) if fits else block.numbers


def _numbered(module: Module) -> Module:
    """Return a module with its frames numbered through its parts, whatever each counts from."""
    blocks = [block for block in module.blocks if len(block.numbers)]
    if all(one.numbers.max() < two.numbers.min() for one, two in pairwise(blocks)):
        return module
    per_part = max(block.frames.count for block in blocks)
    first = min(part.number for part in module.parts)
    parts = []
    for part in module.parts:
        if part.block is not None and len(part.block.numbers):
            begin = (part.number - first) * per_part + 1
            numbers = part.block.numbers - part.block.numbers[0] + begin
            part = replace(part, block=replace(part.block, numbers=numbers))
        parts.append(part)
    return replace(module, parts=tuple(parts))


def _unread(found: dict[tuple[int, int], Part]) -> list[tuple[str, str]]:
    return [(str(part.path), part.reason) for part in found.values() if part.block is None]


def _absent(
    folder: Path, stem: str, paths: Sequence[Path], found: dict[tuple[int, int], Part]
) -> list[tuple[str, str]]:
    """Return the files that the others' names ask for, and those that were not given."""
    given = {path.name for path in paths}
    names = [Name.of(path) for path in paths]
    if all(name.module is None and name.part is None for name in names):
        return []
    modules = {module for module, _ in found}
    parts = {part for _, part in found}
    first = min(parts) if min(parts) <= 1 else 1
    absent = []
    for module in range(min(1, *modules), max(modules) + 1):
        for part in range(first, max(parts) + 1):
            if (module, part) not in found:
                name = _spelled(paths[0], module, part)
                reason = NOT_GIVEN if (folder / name).exists() else NOT_THERE
                absent.append((str(folder / name), reason))
                given.add(name)
    beside = [path for path in folder.glob(f"{glob_text(stem)}_m*") if path.name not in given]
    others = [path for path in beside if Name.of(path).stem == stem]
    return absent + [
        (str(path), NOT_GIVEN) for path in sorted(others) if path.suffix == paths[0].suffix
    ]


def glob_text(name: str) -> str:
    """Return a name so that a glob takes it literally."""
    return re.sub(r"([*?\[])", r"[\1]", name)


def _spelled(like: Path, module: int, part: int) -> str:
    """Return the name of a file of another module and part."""
    name = re.sub(
        r"_m(\d+)(?=(_part\d+)?\.[^.]+$)",
        lambda match: f"_m{module:0{len(match[1])}d}",
        like.name,
    )
    return re.sub(r"_part(\d+)(?=\.[^.]+$)", lambda match: f"_part{part:0{len(match[1])}d}", name)


def _declared(modules: Sequence[Module]) -> int | None:
    """Return how many frames were asked for, where the files say a number that may be it."""
    if not modules:
        return None
    said = number_of(modules[0].values, f"{DETECTOR}/collection/frame_numbers")
    there = max(len(module.numbers) for module in modules)
    return int(said) if said is not None and said >= there else None
