"""Which of areaDetector's files are one scan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nxscan.errors import SourceError
from nxscan.translate.h5blocks import Block, check_alike, located
from nxscan.translate.sources import natural_key
from nxscan.translators.areadetector.reading import DetectorFile, read_file

_SERIES = re.compile(r"(?P<stem>.*?)[_\-.]?(?P<number>\d+)")


@dataclass(frozen=True, eq=False)
class Series:
    """The files of one scan, in their order."""

    title: str
    files: tuple[DetectorFile, ...]
    others: tuple[Path, ...] = ()

    @property
    def blocks(self) -> list[Block]:
        """The frames of all of them."""
        return [file.block for file in self.files]

    @property
    def started(self) -> str:
        """When the first frame was taken, in ISO 8601; empty where no file says."""
        return next((file.started for file in self.files if file.started), "")


def find_series(paths: Iterable[Path]) -> list[Series]:
    """Return the scans among files: one for each, but files of a single frame go together.

    Raises
    ------
    SourceError
        If no file is areaDetector's, an HDF5 file among them cannot be opened, or files of one
        series differ in shape or type.

    """
    groups: dict[tuple[Path, str], list[DetectorFile]] = {}
    others: list[Path] = []
    for path in sorted(located(paths), key=lambda path: (str(path.parent), natural_key(path.name))):
        series = groups.get((path.parent, _stem(path)))
        found = read_file(path, series[0] if series else None)
        if found is None:
            others.append(path)
        else:
            alone = found.block.frames.count != 1
            name = path.stem if alone else _stem(path)
            groups.setdefault((path.parent, name), []).append(found)
    if not groups:
        names = ", ".join(str(path) for path in others[:3])
        raise SourceError(f"no areaDetector file among {len(others)} files: {names}")
    for files in groups.values():
        check_alike([file.block for file in files])
    return [Series(title, tuple(files), tuple(others)) for (_, title), files in groups.items()]


def joined_series(series: Sequence[Series]) -> Series:
    """Return several scans as one, their files in the order given.

    Raises
    ------
    SourceError
        If their frames differ in shape or type.

    """
    files = tuple(file for one in series for file in one.files)
    check_alike([file.block for file in files])
    return Series(f"{series[0].title} to {series[-1].title}", files, series[0].others)


def _stem(path: Path) -> str:
    """Return the name that the files of a series share: that of a file without its number."""
    match = _SERIES.fullmatch(path.stem)
    return match["stem"] or path.stem if match else path.stem
