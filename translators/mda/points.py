"""The points of an MDA file, in the order they were taken: a row of numbers for each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from nxscan.errors import SourceError
from nxscan.translators.mda.columns import Column, find_columns, same_rows
from nxscan.translators.mda.xdr import DamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translators.mda.records import MdaFile, ScanRecord


_FEW, _LITTLE, _AT_MOST = 2**16, 2**26, 64
"""Points and bytes that are always believed; bytes for each of the file's own."""


@dataclass(frozen=True, eq=False)
class Points:
    """The points of a file that are complete.

    Attributes
    ----------
    columns : list of Column
        What was recorded at each.
    numbers : ndarray of float64, shape (columns, points)
        The numbers; NaN where there is none.
    shape : tuple of int
        Lengths of the loops, slow to fast, where each goes through the same number of points.
    spectra : list of ScanRecord
        The scan of each point that holds its spectra, where there are any.
    asked : int
        Points that were asked for.
    left : int
        Points that were taken, but in a row that was not finished.

    """

    columns: list[Column]
    numbers: NDArray[np.float64]
    shape: tuple[int, ...]
    spectra: list[ScanRecord]
    asked: int
    left: int

    @property
    def count(self) -> int:
        """How many points there are."""
        return int(self.numbers.shape[1])


def has_spectra(file: MdaFile) -> bool:
    """Tell whether the innermost loop moved nothing: it is what an array detector read."""
    innermost = file.levels[-1]
    return file.rank > 1 and bool(innermost) and not any(s.info.positioners for s in innermost)


def find_points(file: MdaFile) -> Points:
    """Read the points of all rows that are complete; of a scan of one row, those that are done.

    Raises
    ------
    SourceError
        If the file changed since it was listed.

    """
    depth = file.rank - 1 if has_spectra(file) else file.rank
    columns = find_columns(file, depth)
    try:
        with file.path.open("rb") as opened:
            return _Reader(file, opened, depth, columns).read()
    except OSError as error:
        raise SourceError(
            f"{file.path}: cannot be read: {error.strerror or error}", "check that you may read it"
        ) from error


class _Reader:
    def __init__(self, file: MdaFile, opened: BinaryIO, depth: int, columns: list[Column]) -> None:
        self.file = file
        self.opened = opened
        self.depth = depth
        self.columns = columns
        self._blocks: dict[tuple[int, int], NDArray[np.float64]] = {}
        self._within = self._scans_within() if depth < file.rank else {}

    def read(self) -> Points:
        file, last = self.file, self.depth - 1
        rows = file.levels[last]
        counts = [self._done(k, row) for k, row in enumerate(rows)]
        self._check_extent(sum(counts))
        taken = [
            k
            for k, row in enumerate(rows)
            if self.depth == 1 or (counts[k] == row.requested and counts[k])
        ]
        parts = [self._row(last, k, counts[k]) for k in taken]
        empty = np.empty((len(self.columns), 0))
        spectra = (
            [self._within[k, point] for k in taken for point in range(counts[k])]
            if (self._within)
            else []
        )
        return Points(
            columns=self.columns,
            numbers=np.concatenate(parts, axis=1) if parts else empty,
            shape=self._shape(taken, counts),
            spectra=spectra,
            asked=prod(file.dims[: self.depth]),
            left=sum(counts) - sum(counts[k] for k in taken),
        )

    def _check_extent(self, points: int) -> None:
        """Refuse a file that says it has more points than it could have recorded."""
        extent, size = 8 * len(self.columns) * points, self.file.size
        if points > max(_FEW, size) or extent > max(_LITTLE, _AT_MOST * size):
            raise DamagedError(
                f"{self.file.path}: damaged: {points} points with {len(self.columns)} numbers "
                f"each, expected as many as fit into its {size} bytes",
                "copy it again from where it was taken",
            )

    def _scans_within(self) -> dict[tuple[int, int], ScanRecord]:
        """Return the scans that hold spectra, by row and point."""
        return dict(zip(self.file.parents[-1], self.file.levels[-1], strict=True))

    def _done(self, index: int, row: ScanRecord) -> int:
        """Return how many of a row's points are done, with their spectra."""
        if self.depth == self.file.rank:
            return row.done
        for point in range(row.done):
            spectrum = self._within.get((index, point))
            if spectrum is None or spectrum.done < spectrum.requested:
                return point
        return row.done

    def _row(self, last: int, index: int, count: int) -> NDArray[np.float64]:
        """Return all columns of one row's points; those of outer loops are the same for all."""
        out = np.full((len(self.columns), count), np.nan)
        chain, point = {last: (index, slice(0, count))}, index
        for level in range(last, 0, -1):
            parent, at = self.file.parents[level][point]
            chain[level - 1], point = (parent, slice(at, at + 1)), parent
        for k, column in enumerate(self.columns):
            scan, part = chain[column.level]
            out[k] = self._block(column.level, scan)[column.row, part]
        return out

    def _block(self, level: int, index: int) -> NDArray[np.float64]:
        """Return the numbers of one scan: positioners, then detectors; NaN where not done."""
        key = level, index
        if key not in self._blocks:
            if level == self.depth - 1:
                self._blocks = {one: b for one, b in self._blocks.items() if one[0] != level}
            self._blocks[key] = self._aligned(level, self.file.levels[level][index])
        return self._blocks[key]

    def _aligned(self, level: int, scan: ScanRecord) -> NDArray[np.float64]:
        block = self._numbers(scan)
        block[:, scan.done :] = np.nan
        first = self.file.levels[level][0].info
        if scan.info == first:
            return block
        rows = same_rows(first, scan.info)
        missing = np.full(scan.requested, np.nan)
        return np.array([missing if row is None else block[row] for row in rows]).reshape(
            len(rows), scan.requested
        )

    def _numbers(self, scan: ScanRecord) -> NDArray[np.float64]:
        info, points = scan.info, scan.requested
        self.opened.seek(scan.data)
        raw = self.opened.read(scan.end - scan.data)
        if len(raw) != scan.end - scan.data:
            raise SourceError(
                f"{self.file.path}: it was shortened while it was read: expected "
                f"{scan.end - scan.data} bytes at byte {scan.data}, found {len(raw)}",
                "try again when nothing writes to it",
            )
        set_, read = len(info.positioners), len(info.detectors)
        positions = np.frombuffer(raw, ">f8", set_ * points).reshape(set_, points)
        counts = np.frombuffer(raw, ">f4", read * points, 8 * set_ * points).reshape(read, points)
        return np.concatenate([positions.astype(np.float64), counts.astype(np.float64)])

    def _shape(self, taken: list[int], counts: list[int]) -> tuple[int, ...]:
        """Return the lengths of the loops, where all rows of a level have the same number."""
        if not taken or len({counts[k] for k in taken}) > 1:
            return ()
        shape = [counts[taken[0]]]
        members = taken
        for level in range(self.depth - 1, 0, -1):
            above = Counter(self.file.parents[level][k][0] for k in members)
            if len(set(above.values())) > 1:
                return ()
            shape.insert(0, next(iter(above.values())))
            members = list(above)
        return tuple(shape)
