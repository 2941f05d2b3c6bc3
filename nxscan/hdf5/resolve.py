"""Datasets of HDF5 files as signals of the files that hold their values.

HDF5 reads fill values, without an error, where a file that a virtual or external dataset reads
from is missing, cannot be opened since too many are open, or was never written. Here every source
is looked up and checked when the signal is made, and read directly.
"""

from __future__ import annotations

import math
import operator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nxscan.errors import LayoutError
from nxscan.hdf5.assembly import Assembly
from nxscan.hdf5.frames import StoredFrames
from nxscan.hdf5.inventory import describe, describe_all
from nxscan.hdf5.lookup import beside, missing
from nxscan.hdf5.mappings import UNLIMITED, Hyperslab
from nxscan.hdf5.patterns import expanded
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.model.units import UNKNOWN_UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nxscan.hdf5.assembly import Place
    from nxscan.hdf5.inventory import Described
    from nxscan.hdf5.mappings import Frames, Mapping

    Above = tuple[tuple[Path, str], ...]

_DEEPEST = 8
_KINDS = "biufc"


def resolve(
    path: Path,
    dataset: str,
    scan_rank: int,
    *,
    thorough: bool = False,
    absent: set[str] | None = None,
) -> VirtualSignal | None:
    """Return a dataset as a signal of the frames in the files that hold them.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str
        Where it is in the file; links are followed, into other files too.
    scan_rank : int
        How many of its leading dimensions are the scan's.
    thorough : bool
        Whether to open every source of hundreds. Without it all are looked up, but only some
        opened; of the others, one that is not like these is refused when it is read.
    absent : set of str, optional
        Takes the names of files that are not there, of which the frames are then ``NOWHERE``;
        without it, and where no file is there, they are an error.

    Returns
    -------
    VirtualSignal or None
        None where HDF5 has to read it: it holds no numbers, or is virtual and put together of
        parts that are no whole frames of their sources, or which overlap.

    Raises
    ------
    LayoutError
        If a file or dataset that it needs is not there, cannot be read, or has another shape
        than what reads from it says; it names them.
    SourceError
        If the values of a source do not fit the dataset's type.

    """
    try:
        found = describe(path.absolute(), dataset)
        signal = _Resolver(thorough, absent).signal(found, scan_rank, ())
    except (MemoryError, OverflowError) as error:
        raise LayoutError(
            f"{path}: {dataset} has sizes that no dataset has: {error}",
            "the file is damaged: restore it from where it came",
        ) from error
    if signal is not None:
        units = found.texts.get("units", UNKNOWN_UNITS)
        signal.units = None if units == UNKNOWN_UNITS else units
        signal.long_name = found.texts.get("long_name", "")
    return signal


def needed_files(signal: VirtualSignal) -> list[Path]:
    """Return every file that the values of a signal are read from, each once."""
    return list(dict.fromkeys(source.path for source in signal.sources))


class _UnfitError(Exception):
    """A mapping that is no whole frames of its source."""


class _Resolver:
    """Resolves datasets, and what these read from.

    Parameters
    ----------
    thorough : bool
        Whether to open every source.
    absent : set of str or None
        Takes the names of files that are not there.

    """

    def __init__(self, thorough: bool, absent: set[str] | None = None) -> None:
        self._thorough = thorough
        self._absent = absent
        self._signals: dict[tuple[Path, str, int], VirtualSignal | None] = {}

    def signal(self, found: Described, scan_rank: int, above: Above) -> VirtualSignal | None:
        """Return a dataset as a signal; ``above`` are those that read from it."""
        place = found.path, found.name
        if place in above or len(above) > _DEEPEST:
            raise LayoutError(
                f"{found.path}: {found.name} reads from itself, or through more than {_DEEPEST} "
                "virtual datasets",
                "name the dataset that holds the values",
            )
        key = (*place, scan_rank)
        if key not in self._signals:
            self._signals[key] = self._made(found, scan_rank, (*above, place))
        return self._signals[key]

    def _made(self, found: Described, scan_rank: int, above: Above) -> VirtualSignal | None:
        if found.dtype.kind not in _KINDS or len(found.shape) < scan_rank:
            return None
        assembly = Assembly()
        try:
            if found.is_virtual:
                self._map(assembly, found, scan_rank, above)
            else:
                whole = Hyperslab.of(found.shape)
                frame = found.shape[scan_rank:]
                frames = range(math.prod(found.shape[:scan_rank]))
                self._place(assembly, ((0,) * len(frame), frame), frames, found, whole, above)
        except _UnfitError:
            return None
        scan_shape = found.shape[:scan_rank]
        if scan_shape[:1] == (UNLIMITED,):
            row = math.prod(scan_shape[1:])
            scan_shape = (-(-assembly.length // row), *scan_shape[1:])
        fill = 0 if found.fill is None else np.asarray(found.fill).item()
        return assembly.built(scan_shape, found.shape[scan_rank:], found.dtype, fill)

    def _map(self, assembly: Assembly, found: Described, scan_rank: int, above: Above) -> None:
        if found.mappings is None:
            raise _UnfitError
        mappings = expanded(found.mappings, found.path)
        places = _places(found, mappings, self._absent)
        several = list(dict.fromkeys(place for place in places if place is not None))
        described = describe_all(found, several, thorough=self._thorough)
        sources = dict(zip(several, described, strict=True))
        if not sources:
            raise LayoutError(
                f"{found.path}: {found.name} is virtual, but reads from nothing that is there",
                "put back the files that it reads from",
            )
        for mapping, place in zip(mappings, places, strict=True):
            where = _target(mapping, found, scan_rank)
            if place is None:
                assembly.add_nothing(where)
            else:
                self._map_one(assembly, where, mapping, found, sources[place], scan_rank, above)

    def _map_one(
        self,
        assembly: Assembly,
        where: Place,
        mapping: Mapping,
        found: Described,
        source: Described,
        scan_rank: int,
        above: Above,
    ) -> None:
        target, lengths = mapping.target, where[1]
        values = math.prod(lengths)
        if source.shape[:1] == (UNLIMITED,):
            inner = self.signal(source, len(source.shape) - len(lengths), above)
            if inner is None:
                raise _UnfitError
            source = replace(source, shape=inner.shape)
        if not target.is_unlimited and not _inside(target, found.shape):
            raise LayoutError(
                f"{found.path}: {found.name} has a mapping to beyond its shape {found.shape}",
                "the file is damaged: restore it from where it came",
            )
        selected = _selected(mapping, source, found)
        if target.is_unlimited:
            frames = _endless(target, selected.size // max(1, values), found, scan_rank)
        else:
            frames = target.frames(found.shape[:scan_rank])
        if selected.size != len(frames) * values:
            raise _other_shape(found, source, f"{len(frames) * values} values")
        self._place(assembly, where, frames, source, selected, above)

    def _place(
        self,
        assembly: Assembly,
        place: Place,
        frames: Frames,
        source: Described,
        selected: Hyperslab,
        above: Above,
    ) -> None:
        """Put what is selected of a source at some frames of the signal."""
        lengths = place[1]
        rank = len(source.shape) - len(lengths)
        if source.external is not None:
            raw = source.external.frames(selected, lengths)
            if raw is None or source.dtype.kind not in _KINDS:
                raise _UnfitError
            assembly.add_raw(place, frames, source.external.files, *raw, source.dtype)
            return
        if rank < 0 or source.shape[rank:] != lengths or source.dtype.kind not in _KINDS:
            raise _UnfitError
        if any(selected.box(rank + k) != (0, length) for k, length in enumerate(lengths)):
            raise _UnfitError
        index = selected.frames(source.shape[:rank])
        if source.is_stored:
            stored = StoredFrames(
                source.path,
                source.name,
                source.shape,
                source.dtype.newbyteorder("="),
                rank,
                source.chunks,
            )
            assembly.add_stored(place, frames, stored, index)
            return
        signal = self.signal(source, rank, above)
        if signal is None:
            raise _UnfitError
        assembly.add_signal(place, frames, signal, index)


def _target(mapping: Mapping, found: Described, scan_rank: int) -> Place:
    """Return which part of a frame a mapping fills: its corner, and its lengths."""
    boxes = [mapping.target.box(axis) for axis in range(scan_rank, len(found.shape))]
    if None in boxes:
        raise _UnfitError
    return tuple([box[0] for box in boxes if box]), tuple([box[1] for box in boxes if box])


def _places(
    found: Described, mappings: Sequence[Mapping], absent: set[str] | None
) -> list[tuple[Path, str] | None]:
    """Return the file and the dataset that each mapping reads from; None where it is not there.

    Raises
    ------
    LayoutError
        If one is not there and ``absent``, which takes its name, is not given, or none is there.

    """
    files = {name: beside(found.path, name) for name in {one.file for one in mappings}}
    lost = [name for name in dict.fromkeys(one.file for one in mappings) if files[name] is None]
    if lost and (absent is None or len(lost) == len(files)):
        raise missing(found.path, found.name, lost)
    if absent is not None:
        absent.update(lost)
    paths = [files[one.file] for one in mappings]
    return [
        None if path is None else (path, one.dataset)
        for path, one in zip(paths, mappings, strict=True)
    ]


def _selected(mapping: Mapping, source: Described, found: Described) -> Hyperslab:
    """Return what a mapping takes of its source.

    Raises
    ------
    LayoutError
        If the source has not as much.

    """
    if mapping.source is None:
        return Hyperslab.of(source.shape)
    selected = mapping.source
    if len(selected.start) != len(source.shape):
        raise _other_shape(found, source, f"{len(selected.start)} dimensions")
    selected = selected.within(source.shape)
    if not _inside(selected, source.shape):
        last = tuple(stop - 1 for stop in selected.stops)
        raise _other_shape(found, source, f"up to index {last}")
    return selected


def _inside(selected: Hyperslab, shape: tuple[int, ...]) -> bool:
    return len(shape) == len(selected.start) and all(map(operator.le, selected.stops, shape))


def _other_shape(found: Described, source: Described, wanted: str) -> LayoutError:
    return LayoutError(
        f"{found.path}: {found.name} reads {wanted} of {source.path}::{source.name}, but its "
        f"shape is {source.shape}",
        "restore the file that it was made for; HDF5 would give fill values for what it lacks",
    )


def _endless(target: Hyperslab, count: int, found: Described, scan_rank: int) -> Frames:
    """Return the first frames of a selection that goes on along its slowest dimension."""
    if UNLIMITED in target.count[1:] or UNLIMITED in target.block[1:] or not scan_rank:
        raise _UnfitError
    row = math.prod(len(target.along(axis)) for axis in range(1, scan_rank))
    rows = -(-count // max(1, row))
    if target.block[0] == UNLIMITED:
        ended = replace(target, block=(rows, *target.block[1:]))
    else:
        blocks = -(-rows // target.block[0])
        ended = replace(target, count=(blocks, *target.count[1:]))
    return ended.frames(found.shape[:scan_rank])[:count]
