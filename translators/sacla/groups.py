"""The runs of a SACLA file, and the detectors of each, found without opening an image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import h5py
import numpy as np

from nxscan.errors import SourceError
from nxscan.translate.h5source import member_names, open_source
from nxscan.translators.sacla.tags import tagged

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Flavor = Literal["tagged", "cheetah"]

STACKED = "mpccd"
"""What the detector of Cheetah's files is called: its panels, one below the other."""

_RUN = re.compile(r"run_(\d+)\Z")
_DETECTOR = "detector_2d_"


@dataclass(frozen=True)
class Run:
    """One run of a file.

    Attributes
    ----------
    path : Path
        The file, absolute.
    name : str
        Its group in the file; ``/`` for Cheetah's files, which are one run.
    number : int
        Its number; 0 where the file does not say.
    flavor : {"tagged", "cheetah"}
        Who wrote it: DataConvert or Cheetah.
    size, modified
        Bytes of the file, and when it was changed last, in seconds since 1970.

    """

    path: Path
    name: str
    number: int
    flavor: Flavor
    size: int
    modified: float

    @property
    def title(self) -> str:
        """What a person would call it."""
        return f"run_{self.number}" if self.number else self.path.stem


def flavor_of(file: Any) -> Flavor | None:
    """Tell what an open HDF5 file is; None if it is none of SACLA's."""
    names = member_names(file)
    if any(_is_run(file, name) for name in names):
        return "tagged"
    shots = tagged(name.encode() for name in names if name.startswith("tag-"))
    if shots and isinstance(file.get(shots[0][1].decode()), h5py.Group):
        return "cheetah" if "data" in file[shots[0][1].decode()] else None
    return None


def _is_run(file: Any, name: str) -> bool:
    group = file.get(name) if _RUN.match(name) else None
    if not isinstance(group, h5py.Group):
        return False
    return "event_info" in group or bool(detector_names(group))


def detector_names(group: Any) -> list[str]:
    """Return the names of a run's detectors, panels by their numbers."""
    found = [
        name
        for name in member_names(group)
        if name.startswith(_DETECTOR) and isinstance(group.get(name), h5py.Group)
    ]
    return sorted(found, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])


def find_runs(paths: Iterable[Path]) -> list[Run]:
    """Return the runs in files, in the order of the files and of the runs' numbers.

    Raises
    ------
    SourceError
        If a file cannot be read, or none has runs.

    """
    found: list[Run] = []
    for path in paths:
        with open_source(path) as file:
            flavor, status = flavor_of(file), path.stat()
            stated = path.absolute(), status.st_size, status.st_mtime
            if flavor == "cheetah":
                found.append(Run(stated[0], "/", 0, flavor, *stated[1:]))
            elif flavor == "tagged":
                names = [name for name in member_names(file) if _is_run(file, name)]
                runs = [Run(stated[0], f"/{n}", _number(n), flavor, *stated[1:]) for n in names]
                found += sorted(runs, key=lambda run: run.number)
    if not found:
        given = ", ".join(str(path) for path in list(paths)[:3])
        raise SourceError(f"{given}: no run of SACLA", "runs are groups named run_206178")
    return found


def _number(name: str) -> int:
    match = _RUN.match(name)
    return int(match[1]) if match else 0


def group_of(file: Any, run: Run) -> Any:
    """Return the group of a run."""
    return file[run.name]


def listed_runs(file: Any) -> NDArray[np.int64]:
    """Return the numbers that ``file_info`` lists."""
    found = file.get("file_info/run_number_list")
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "iu" or not found.size:
        return np.zeros(0, np.int64)
    return np.asarray(found[()], np.int64).ravel()
