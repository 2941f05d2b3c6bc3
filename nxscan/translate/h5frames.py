"""Datasets of raw HDF5 files as signals whose frames stay where they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import SourceError
from nxscan.hdf5.frames import StoredFrames
from nxscan.hdf5.unwritten import unwritten_of
from nxscan.hdf5.virtual import VirtualSignal, joined
from nxscan.hdf5.written import fills_nan
from nxscan.model import Source
from nxscan.translate.h5source import check_filters
from nxscan.translate.h5units import source_units
from nxscan.translate.h5values import attribute

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model.provenance import FrameRole


def signal_of(
    datasets: Sequence[Any],
    frame_rank: int,
    *,
    partial: bool = False,
    units: str | None = None,
    long_name: str = "",
) -> VirtualSignal:
    """Return the frames of datasets, one after the other, as one signal of one scan dimension.

    Parameters
    ----------
    datasets : sequence of h5py.Dataset
        Where the frames are; their last ``frame_rank`` dimensions are a frame's. Virtual
        datasets and those in external files are resolved to where the values lie.
    frame_rank : int
        Dimensions of one frame.
    partial : bool
        Leave out frames at the end that were never written, instead of refusing them.
    units, long_name : str, optional
        Unit and name of the values; without them, what the dataset states.

    Raises
    ------
    SourceError
        If a dataset holds no numbers or no frames, has other frames than the first, was never
        written, or needs a file or filter that is not there; it names file and dataset.

    """
    for dataset in datasets:
        check_frames(dataset, frame_rank)
    said = units if units is not None else source_units(attribute(datasets[0], "units"))
    name = long_name or attribute(datasets[0], "long_name")
    if any(is_indirect(dataset) for dataset in datasets):
        found = joined([_resolved(dataset, frame_rank) for dataset in datasets])
    else:
        sources = [stored_frames(dataset, dataset.ndim - frame_rank) for dataset in datasets]
        found = VirtualSignal.of(sources)
    found.units, found.long_name = said, name
    return _first(found, _written(datasets, frame_rank, partial=partial))


def is_indirect(dataset: Any) -> bool:
    """Tell whether a dataset's values lie elsewhere: it is virtual, or in external files."""
    return bool(dataset.is_virtual or dataset.external)


def check_frames(dataset: Any, frame_rank: int) -> None:
    """Raise SourceError unless a dataset holds frames that can be read."""
    name = f"{dataset.file.filename}: {dataset.name}"
    if dataset.dtype.kind not in "biuf" or dataset.shape is None:
        raise SourceError(f"{name} holds {dataset.dtype}, not numbers", "name another dataset")
    if dataset.ndim < frame_rank:
        raise SourceError(
            f"{name} has {dataset.ndim} dimensions, but one frame has {frame_rank}",
            "name another dataset, or the rank of its frames",
        )
    if 0 in dataset.shape:
        raise SourceError(f"{name} is empty: its shape is {dataset.shape}", "nothing was measured")
    check_filters(dataset)


def stored_frames(dataset: Any, scan_rank: int) -> StoredFrames:
    """Return the frames of a dataset that holds its values itself."""
    return StoredFrames(
        Path(dataset.file.filename).absolute(),
        str(dataset.name),
        dataset.shape,
        dataset.dtype.newbyteorder("="),
        scan_rank,
        dataset.chunks,
    )


def _resolved(dataset: Any, frame_rank: int) -> VirtualSignal:
    if not is_indirect(dataset):
        return VirtualSignal.of([stored_frames(dataset, dataset.ndim - frame_rank)])
    from nxscan.hdf5.resolve import resolve

    path = Path(dataset.file.filename).absolute()
    found = resolve(path, str(dataset.name), dataset.ndim - frame_rank)
    if found is None:
        raise SourceError(
            f"{path}: {dataset.name} is put together of parts that are no whole frames",
            "name the datasets that it is made of",
        )
    frames = math.prod(found.scan_shape)
    return found.arranged((frames,), np.arange(frames))


def _written(datasets: Sequence[Any], frame_rank: int, *, partial: bool) -> int:
    """Return how many frames were written; SourceError if some are missing and may not."""
    total = 0
    for dataset in datasets:
        frames = math.prod(dataset.shape[: dataset.ndim - frame_rank])
        missing = first_unwritten(dataset, frame_rank)
        if missing is None:
            total += frames
        elif partial and total + missing:
            return total + missing
        else:
            raise _unwritten(dataset, frames, missing)
    return total


def _unwritten(dataset: Any, frames: int, missing: int) -> SourceError:
    name = f"{dataset.file.filename}: {dataset.name}"
    if missing == 0:
        return SourceError(
            f"{name} holds nothing: not one of its {frames} frames was ever written",
            "the detector was not saved; choose another with --detector",
        )
    return SourceError(
        f"{name}: of {frames} frames only {missing} were written without a gap",
        "pass --partial to take those, or copy the file again",
    )


def first_unwritten(dataset: Any, frame_rank: int) -> int | None:
    """Return the first frame of which a part was never written; None if all of them were."""
    if is_indirect(dataset) or fills_nan(dataset):
        return None
    lost = unwritten_of(dataset, dataset.ndim - frame_rank)
    return int(np.argmax(lost)) if lost.any() else None


def _first(signal: VirtualSignal, frames: int) -> VirtualSignal:
    """Return the first frames of a signal."""
    if frames == math.prod(signal.scan_shape):
        return signal
    return signal.arranged((frames,), np.arange(frames))


def read_mask(dataset: Any, *, good: int | None, bad: int | None) -> NDArray[np.uint32]:
    """Read a mask of either polarity as NeXus' ``pixel_mask``: 0 is good, 1 is not.

    Parameters
    ----------
    dataset : h5py.Dataset
        The mask; dimensions of length 1 before its last two are left out.
    good, bad : int or None
        The value of good pixels, or that of bad ones; one of them is given.

    """
    values = np.asarray(dataset[()])
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    wrong = values == bad if good is None else values != good
    return np.asarray(wrong, np.uint32)


def file_sources(frames: Mapping[Path, int], role: FrameRole = "scan") -> list[Source]:
    """Return files, each with how many frames it holds, as sources as they are now."""
    found = []
    for path, count in frames.items():
        status = path.stat()
        found.append(Source(str(path), status.st_size, status.st_mtime, count, role))
    return found


def frames_source(signal: VirtualSignal) -> dict[Path, int]:
    """Return every file that holds frames of a signal, with their number."""
    counts: dict[Path, int] = {}
    for tile in signal.tiles[:1]:
        numbers, frames = np.unique(tile.source[tile.source >= 0], return_counts=True)
        for number, count in zip(numbers.tolist(), frames.tolist(), strict=True):
            path = signal.sources[number].path
            counts[path] = counts.get(path, 0) + count
    for source in signal.sources:
        counts.setdefault(source.path, 0)
    return counts
