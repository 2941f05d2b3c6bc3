"""Files that are broken on purpose, and what ``nxscan validate`` says about each."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py

import nxscan
from nxdocs.work import relative
from nxscan.validate import Finding

Break = Callable[[Path], None]


def _edit(change: Callable[[Any], None]) -> Break:
    def apply(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            change(file)

    return apply


def _shorten_axis(file: Any) -> None:
    axis = file["entry/data/mu"]
    values, attributes = axis[:-1], dict(axis.attrs)
    del file["entry/data/mu"]
    file["entry/data/mu"] = values
    file["entry/data/mu"].attrs.update(attributes)


def _move_entry(file: Any) -> None:
    file.attrs["default"] = "scan_1"


def _unknown_unit(file: Any) -> None:
    file["entry/instrument/detector/distance"].attrs["units"] = "milimeters"


def _other_energy(file: Any) -> None:
    file["entry/instrument/beam/incident_energy"][()] = 71.0


def _drop_source(file: Any) -> None:
    del file["entry/instrument/detector/data"]


def _from_the_future(file: Any) -> None:
    file["entry/translation/parameters/layout_version"][()] = 99


def flip_byte(path: Path) -> None:
    """Change one bit in the middle of the frames as they are stored."""
    with h5py.File(path) as file:
        dataset = file["entry/instrument/detector/data"]
        chunk = dataset.id.get_chunk_info(dataset.id.get_num_chunks() // 2)
    place = chunk.byte_offset + chunk.size // 2
    with path.open("r+b") as stream:
        stream.seek(place)
        byte = stream.read(1)
        stream.seek(place)
        stream.write(bytes([byte[0] ^ 1]))


def _cut_off(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)


BREAKS: dict[str, Break] = {
    "the copy was cut off half way": _cut_off,
    "one bit of a frame has changed": flip_byte,
    "the dataset of the frames is gone": _edit(_drop_source),
    "`@default` names a group that is not there": _edit(_move_entry),
    "an axis has one value too few": _edit(_shorten_axis),
    "a unit is misspelled": _edit(_unknown_unit),
    "the energy was changed": _edit(_other_energy),
    "a newer nxscan wrote it": _edit(_from_the_future),
}


def findings_table(good: str | Path) -> str:
    """Break copies of a good file in each way; return a Markdown table of what is found.

    A way that nothing is found wrong with is an error of this page.
    """
    with ThreadPoolExecutor(2) as pool:
        rows = pool.map(lambda item: _row(Path(good), *item), enumerate(BREAKS.items()))
    head = ["| what is wrong | what validate says | what to do |", "|---|---|---|"]
    return "\n".join([*head, *rows])


def _rank(finding: Finding) -> int:
    """Put what says most about a damage first: frames, then rules, then that something changed."""
    if finding.rule == "frame checksum":
        return 0
    return 3 if finding.source != "nxscan" else 2 if finding.rule == "checksum" else 1


def _row(good: Path, number: int, way: tuple[str, Break]) -> str:
    name, damage = way
    path = Path(f"broken_{number}.nxs")
    shutil.copy(good, path)
    damage(path)
    report = nxscan.validate(path, data=True)
    if report.ok:
        raise RuntimeError(f"{name}: nothing was found")
    first = min(report.findings, key=_rank)
    said = relative(first.message).replace("|", "\\|").replace(path.name, "scan.nxs")
    hint = re.sub(r"--\w+|''", r"`\g<0>`", first.hint)  # typography would make dashes of options
    return f"| {name} | **{first.severity}** `{first.path}`: {said} | {hint} |"
