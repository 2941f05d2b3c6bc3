"""The USID face: the same frames as a Main dataset that pyUSID and sidpy open.

Follows the Universal Spectroscopy and Imaging Data model (https://pycroscopy.github.io/USID):
a 2-D Main dataset, positions × spectroscopic, with four ancillary datasets whose dimensions
are listed fastest first. Here a position is a point of the scan, and the detector's pixels
are the spectroscopic dimension. The Main dataset is virtual: no frame is stored twice.
"""

from __future__ import annotations

import itertools
import math
import platform
import socket
from datetime import datetime
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.nexus.groups import GZIP, known
from nxscan.nexus.layout import USID_MAIN
from nxscan.nexus.planes import rows_in_chunk, write_table
from nxscan.nexus.usid_kept import create_compound, kept_face, mark_kept, write_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nxscan.model import Axis, Scan
    from nxscan.model.usid import UsidFace

    Shape = tuple[int, ...]

_MOST_MAPPINGS = 4_000
_MOST_BLOCKS = 2_048
_CHUNK = 1 << 18


def write_usid(file: Any, scan: Scan, source_file: str, source_path: str) -> None:
    """Write the Main dataset of a scan's main signal and its ancillary datasets.

    Parameters
    ----------
    file : h5py.File
        The master.
    scan : Scan
        Whose main signal it is.
    source_file : str
        File that holds the frames, relative to the master; ``"."`` is the master itself.
    source_path : str
        Where the frames are in it.

    """

    def create(channel: Any, name: str) -> Any:
        return _create_virtual(channel, name, scan, source_file, source_path)

    write_face(file, scan, create)


def write_face(file: Any, scan: Scan, create: Callable[[Any, str], Any]) -> None:
    """Write the Main dataset of a scan, which ``create`` makes, and its ancillary datasets.

    Parameters
    ----------
    file : h5py.File
        The master.
    scan : Scan
        Whose main signal it is.
    create : callable
        Is given the channel and the name of the dataset, and returns it.

    """
    channel_path, name = USID_MAIN.rsplit("/", 1)
    channel = file.create_group(channel_path)
    for group in (channel, channel.parent):
        stamp(group)
    face = kept_face(scan)
    if face is not None:
        _write_kept(channel, name, scan, create, face)
        return
    main = create(channel, name)
    stamp(main)
    main.attrs["quantity"] = scan.signal.long_name or "Intensity"
    main.attrs["units"] = known(scan.signal.units)
    axes = scan.main_axes()
    rank = len(scan.scan_shape)
    for kind, part, transposed in (
        ("Position", axes[:rank], False),
        ("Spectroscopic", axes[rank:], True),
    ):
        for suffix, dataset in ancillaries(channel, kind, part, transposed):
            main.attrs[f"{kind}_{suffix}"] = dataset.ref


def _write_kept(
    channel: Any, name: str, scan: Scan, create: Callable[[Any, str], Any], face: UsidFace
) -> None:
    """Write a Main dataset that says what the one that the scan comes from said."""
    mark_kept(channel)
    main = create_compound(channel, name, scan, face) if face.components else create(channel, name)
    stamp(main)
    main.attrs["quantity"], main.attrs["units"] = face.quantity, face.units
    for reference, dataset in write_tables(channel, face):
        main.attrs[reference] = dataset.ref


def stamp(item: Any) -> None:
    """Write when, where and by what a group or dataset was made."""
    item.attrs["time_stamp"] = datetime.now().astimezone().strftime("%Y_%m_%d-%H_%M_%S")
    item.attrs["machine_id"] = socket.gethostname()
    item.attrs["platform"] = platform.platform()
    item.attrs["pyUSID_version"] = "written by nxscan"


def _create_virtual(
    channel: Any, name: str, scan: Scan, source_file: str, source_path: str
) -> h5py.Dataset:
    """Map the N-D frames to 2-D by a few rows of the detector, which HDF5 reads fast.

    Each mapping takes 12 kB or more of whoever opens the dataset, so they are kept few.
    h5py's VirtualLayout copies its source deeply for every mapping: ten times slower.
    """
    shape, rank = scan.signal.shape, len(scan.scan_shape)
    frame = shape[rank:]
    width = frame[-1] if frame else 1
    target = h5py.h5s.create_simple((math.prod(shape[:rank]), math.prod(frame)))
    source = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    place = source_file.replace("%", "%%").encode(), source_path.encode()
    blocks = row_blocks(frame[:-1], _MOST_BLOCKS)
    for slow in _slow_indices(scan.scan_shape, len(blocks)):
        start, stop = _positions(scan.scan_shape, slow)
        column = 0
        for row, rows in blocks:
            columns = math.prod(rows) * width
            target.select_hyperslab((start, column), (stop - start, columns))
            column += columns
            if shape:
                free = shape[len(slow) : rank]
                first = (*slow, *(0 for _ in free), *row, *((0,) if frame else ()))
                extent = (*(1 for _ in slow), *free, *rows, *frame[-1:])
                source.select_hyperslab(first, extent)
            properties.set_virtual(target, *place, source)
    target.select_all()
    kind = h5py.h5t.py_create(scan.signal.dtype.newbyteorder("<"), logical=True)
    return h5py.Dataset(h5py.h5d.create(channel.id, name.encode(), kind, target, properties))


def row_blocks(lengths: Shape, most: int) -> list[tuple[Shape, Shape]]:
    """Cut the rows of an array into blocks that follow each other, few but small.

    HDF5 takes a time that grows with the square of a mapping's rows to read part of it.

    Parameters
    ----------
    lengths : tuple of int
        Lengths of the dimensions that count rows: all but the fastest.
    most : int
        About how many blocks; no block goes over the end of the last dimension.

    Returns
    -------
    list of (tuple of int, tuple of int)
        First index and extent of each block; along all but the last dimension it is 1 long.

    """
    if not lengths:
        return [((), ())]
    *slow, last = lengths
    step = max(1, -(-math.prod(lengths) // most))
    return [
        ((*index, k), (*(1 for _ in index), min(step, last - k)))
        for index in itertools.product(*(range(n) for n in slow))
        for k in range(0, last, step)
    ]


def _slow_indices(scan_shape: tuple[int, ...], blocks: int) -> Sequence[tuple[int, ...]]:
    """Choose how far the slow scan dimensions are split: fully, where mappings stay few."""
    slow = scan_shape[:-1]
    if math.prod(slow) * blocks > _MOST_MAPPINGS:
        return [()]
    return list(itertools.product(*(range(n) for n in slow)))


def _positions(scan_shape: tuple[int, ...], slow: tuple[int, ...]) -> tuple[int, int]:
    inner = math.prod(scan_shape[len(slow) :])
    start = 0
    for index, length in zip(slow, scan_shape[: len(slow)], strict=True):
        start = start * length + index
    return start * inner, (start + 1) * inner


def ancillaries(channel: Any, kind: str, axes: list[Axis], transposed: bool) -> Any:
    """Write Indices (uint32) and Values (float64: float32 would merge neighbouring tags).

    Parameters
    ----------
    channel : h5py.Group
        Where they go.
    kind : str
        ``Position`` or ``Spectroscopic``.
    axes : list of Axis
        The dimensions, slow to fast.
    transposed : bool
        Whether the dimensions are the rows, as those of spectroscopic datasets.

    Yields
    ------
    str, h5py.Dataset
        ``Indices`` or ``Values``, and the dataset.

    """
    fastest_first = axes[::-1]
    labels = [axis.long_name or axis.name for axis in fastest_first] or ["none"]
    units = [known(axis.units) for axis in fastest_first] or [""]
    lengths = [len(axis) for axis in axes]
    total, columns = math.prod(lengths), max(len(axes), 1)
    rows = rows_in_chunk(lengths, _CHUNK) if transposed else 0
    for suffix, dtype in (("Indices", np.dtype("<u4")), ("Values", np.dtype("<f8"))):
        shape = (columns, total) if transposed else (total, columns)
        chunk = rows * lengths[-1] if rows else min(total, _CHUNK)
        chunks = (columns, chunk) if transposed else (chunk, columns)
        dataset = channel.create_dataset(f"{kind}_{suffix}", shape, dtype, chunks=chunks, **GZIP)
        if rows:
            of_axes = [
                np.arange(n) if suffix == "Indices" else axis.values
                for n, axis in zip(lengths, axes, strict=True)
            ]
            write_table(dataset, of_axes, rows)
        else:
            _write_points(dataset, axes, suffix, transposed=transposed)
        dataset.attrs["labels"] = labels
        dataset.attrs["units"] = units
        yield suffix, dataset


def _write_points(dataset: Any, axes: list[Axis], suffix: str, *, transposed: bool) -> None:
    """Write a table point by point, a chunk at a time."""
    lengths = [len(axis) for axis in axes]
    total, columns = math.prod(lengths), max(len(axes), 1)
    for start in range(0, total, _CHUNK):
        part = np.arange(start, min(start + _CHUNK, total))
        table = np.zeros((columns, len(part)), dataset.dtype)
        for column, index in enumerate(np.unravel_index(part, lengths)[::-1] if axes else ()):
            values = axes[::-1][column].values
            table[column] = index if suffix == "Indices" else values[index]
        if transposed:
            dataset[:, start : start + len(part)] = table
        else:
            dataset[start : start + len(part)] = table.T
