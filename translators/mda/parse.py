"""An MDA file read into records: versions 1.2, 1.3 and 1.4, which are laid out alike.

The layout is that of ``saveData_fileFormat.txt`` of EPICS' sscan module: the file's header, the
outermost scan, the scans in it, and extra PVs at the end; a scan states where those in it begin.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from nxscan.errors import SourceError
from nxscan.translators.mda.records import (
    Detector,
    ExtraPV,
    Info,
    MdaFile,
    Positioner,
    ScanRecord,
    Trigger,
)
from nxscan.translators.mda.xdr import LONGEST_TEXT, Cursor, DamagedError

if TYPE_CHECKING:
    Parents = list[tuple[int, int]]

VERSIONS = (1.2, 1.3, 1.4)
HIGHEST_RANK = 5
"""scan4 … scan1 of the sscan module, and scanH for arrays."""
_MOST = 2**31 - 1
_MOST_POSITIONERS, _MOST_DETECTORS, _MOST_TRIGGERS, _MOST_EXTRAS = 64, 1024, 64, 65536
_STRING, _SHORT, _FLOAT, _ENUM, _CHAR, _LONG, _DOUBLE = 0, 29, 30, 31, 32, 33, 34
_TYPES = {_SHORT: ">i4", _FLOAT: ">f4", _ENUM: ">i4", _CHAR: ">i4", _LONG: ">i4", _DOUBLE: ">f8"}
_LEAST = {"positioner": 32, "detector": 16, "trigger": 12, "extra PV": 12}


def read_file(path: Path) -> MdaFile:
    """Read an MDA file as far as it can be read.

    Raises
    ------
    SourceError
        If it is no MDA file, or even the outermost scan is cut or damaged. What is wrong with
        the rest is in the result's ``damage``.

    """
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            return read_opened(file, path, found.st_size, found.st_mtime)
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror or error}", "check that you may read it"
        ) from error


def read_opened(file: BinaryIO, path: Path, size: int, modified: float = 0.0) -> MdaFile:
    """Read an MDA file that is open already, or its bytes.

    Parameters
    ----------
    file : binary file
        It is at its beginning.
    path : Path
        Its name, for messages.
    size : int
        Its bytes.
    modified : float
        Time of its change, seconds since 1970.

    Raises
    ------
    DamagedError
        As `read_file` does.

    """
    return _Parser(file, path, size, modified).read()


class _Parser:
    def __init__(self, file: BinaryIO, path: Path, size: int, modified: float) -> None:
        self.cursor = Cursor(file, path, size)
        self.modified = modified
        self._known: dict[int, tuple[bytes, Info]] = {}
        self._seen: set[int] = set()

    def read(self) -> MdaFile:
        cursor = self.cursor
        version = self._version()
        number = cursor.whole("the scan's number", -_MOST, _MOST)
        rank = cursor.whole("the number of dimensions", 1, HIGHEST_RANK)
        dims = tuple(cursor.whole(f"the length of dimension {k}", 0, _MOST) for k in range(rank))
        regular = cursor.whole("whether it is regular", 0, 1) == 1
        at_extras = cursor.whole("where the extra PVs begin", -(2**31), _MOST) % 2**32
        top = self._scan(rank)
        levels: list[list[ScanRecord]] = [[top]]
        parents: list[Parents] = [[(-1, -1)]]
        damage = self._down(levels, parents, rank)
        extras: tuple[ExtraPV, ...] = ()
        if damage is None:
            try:
                extras = self._extras(at_extras) if at_extras else ()
            except DamagedError as error:
                damage = error
        cursor.seek(1, "the header")
        cursor.position = 0
        cursor.file.seek(0)
        return MdaFile(
            path=cursor.path,
            size=cursor.size,
            modified=self.modified,
            version=version,
            number=number,
            dims=dims,
            regular=regular,
            levels=tuple(tuple(level) for level in levels),
            parents=tuple(tuple(one) for one in parents),
            extras=extras,
            header=cursor.take(top.data, "the header"),
            damage=damage,
        )

    def _version(self) -> float:
        version = round(self.cursor.real("the version"), 4)
        if version not in VERSIONS:
            raise self.cursor.damaged(f"the version is {version:g}", "1.2, 1.3 or 1.4", 0)
        return version

    def _down(
        self, levels: list[list[ScanRecord]], parents: list[Parents], rank: int
    ) -> DamagedError | None:
        """Read the scans within, depth first, up to the first that is damaged; return why."""
        levels += [[] for _ in range(rank - 1)]
        parents += [[] for _ in range(rank - 1)]
        try:
            self._lower(levels, parents, 0, 0)
        except DamagedError as error:
            return error
        return None

    def _lower(
        self, levels: list[list[ScanRecord]], parents: list[Parents], level: int, index: int
    ) -> None:
        scan = levels[level][index]
        for point, offset in enumerate(scan.lower):
            if not offset:
                continue
            what = f"the scan of point {point} of {scan.name or 'a scan'}"
            if offset in self._seen:
                raise self.cursor.damaged(
                    f"{what} is said to be at byte {offset}, as is another", "one of its own"
                )
            self.cursor.seek(offset, what)
            record = self._scan(scan.rank - 1)
            levels[level + 1].append(record)
            parents[level + 1].append((index, point))
            if record.rank > 1:
                self._lower(levels, parents, level + 1, len(levels[level + 1]) - 1)

    def _scan(self, rank: int) -> ScanRecord:
        cursor = self.cursor
        offset = cursor.position
        self._seen.add(offset)
        cursor.whole(f"the rank of a scan of {rank} dimensions", rank, rank)
        requested = cursor.whole("the number of points", 0, _MOST)
        done = cursor.whole("the number of points that are done", 0, requested)
        lower: tuple[int, ...] = ()
        if rank > 1:
            lower = tuple(cursor.array(">u4", requested, "where the scans within begin").tolist())
        name, time = cursor.text("a scan's name"), cursor.text("a scan's time")
        info = self._info(rank)
        data = cursor.position
        extent = requested * info.row_bytes()
        cursor.room(extent, f"the data of {name or 'a scan'}")
        return ScanRecord(
            offset, rank, requested, done, lower, name, time, info, data, data + extent
        )

    def _info(self, rank: int) -> Info:
        """Return a scan's columns; those of a level most often are the same, byte for byte."""
        cursor = self.cursor
        start = cursor.position
        if rank in self._known:
            raw, info = self._known[rank]
            if cursor.size - start >= len(raw) and cursor.take(len(raw), "columns") == raw:
                return info
            cursor.seek(start, "columns")
        positioners = self._count("positioner", _MOST_POSITIONERS)
        detectors = self._count("detector", _MOST_DETECTORS)
        triggers = self._count("trigger", _MOST_TRIGGERS)
        self._room(positioners, detectors, triggers)
        info = Info(
            tuple(self._each(positioners, self._positioner)),
            tuple(self._each(detectors, self._detector)),
            tuple(self._each(triggers, self._trigger)),
        )
        end = cursor.position
        cursor.seek(start, "columns")
        self._known[rank] = (cursor.take(end - start, "columns"), info)
        return info

    def _room(self, positioners: int, detectors: int, triggers: int) -> None:
        least = positioners * _LEAST["positioner"] + detectors * _LEAST["detector"]
        self.cursor.room(least + triggers * _LEAST["trigger"], "descriptions of columns")

    def _count(self, what: str, most: int) -> int:
        return self.cursor.whole(f"the number of {what}s", 0, most)

    @staticmethod
    def _each(count: int, read: Callable[[], Any]) -> list[Any]:
        return [read() for _ in range(count)]

    def _positioner(self) -> Positioner:
        number = self.cursor.whole("a positioner's number", 0, _MOST)
        texts = (
            "name",
            "description",
            "step mode",
            "unit",
            "readback's name",
            "readback's description",
            "readback's unit",
        )
        return Positioner(number, *(self.cursor.text(f"a positioner's {what}") for what in texts))

    def _detector(self) -> Detector:
        number = self.cursor.whole("a detector's number", 0, _MOST)
        texts = ("name", "description", "unit")
        return Detector(number, *(self.cursor.text(f"a detector's {what}") for what in texts))

    def _trigger(self) -> Trigger:
        number = self.cursor.whole("a trigger's number", 0, _MOST)
        return Trigger(number, self.cursor.text("a trigger's name"), self.cursor.real("a command"))

    def _extras(self, offset: int) -> tuple[ExtraPV, ...]:
        self.cursor.seek(offset, "the list of extra PVs")
        count = self._count("extra PV", _MOST_EXTRAS)
        self.cursor.room(count * _LEAST["extra PV"], "extra PVs")
        return tuple(self._extra() for _ in range(count))

    def _extra(self) -> ExtraPV:
        cursor = self.cursor
        name, description = cursor.text("an extra PV's name"), cursor.text("what an extra PV is")
        at = cursor.position
        kind = cursor.whole(f"the type of {name}", 0, _MOST)
        if kind == _STRING:
            return ExtraPV(name, description, "", cursor.text(f"the value of {name}"))
        if kind not in _TYPES:
            known = ", ".join(map(str, (_STRING, *_TYPES)))
            raise cursor.damaged(f"the type of {name} is {kind}", f"one of {known}", at)
        count = cursor.whole(f"the number of values of {name}", 0, _MOST)
        units = cursor.text(f"the unit of {name}")
        values = cursor.array(_TYPES[kind], count, f"the value of {name}")
        if kind == _CHAR:
            return ExtraPV(name, description, units, _characters(values))
        return ExtraPV(name, description, units, values)


def _characters(values: Any) -> str:
    """Return an array of characters as the text that it most often is."""
    raw = bytes((np.asarray(values) & 0xFF).astype(np.uint8))
    return raw.partition(b"\0")[0].decode("latin-1").strip()[:LONGEST_TEXT]
