"""The USID face of a scan that comes from USID: its tables, labels and units word for word.

They may say what a scan's axes cannot: indices of a grid with holes, units that are no units, an
arbitrary dimension of one value, dimensions in another order.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.hdf5.h5signal import HDF5Signal
from nxscan.hdf5.texts import text
from nxscan.model.usid import UsidFace, UsidTable
from nxscan.nexus.groups import GZIP
from nxscan.nexus.layout import USID_MAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nxscan.model import Scan
    from nxscan.nexus.master import Opened

_MARK = "ancillaries"
_KEPT = "as in the source"
_DETECTORS = "nexus_detectors"
_CHUNK = 1 << 18
_BLOCK = 8 * 2**20


def kept_face(scan: Scan) -> UsidFace | None:
    """Return the face that a scan brought with it; None where it has none that still fits."""
    face = scan.usid
    if face is None:
        return None
    rows = face.position.indices.shape[0]
    columns = face.spectroscopic.indices.shape[1]
    fits = rows == math.prod(scan.scan_shape) and columns == math.prod(scan.frame_shape)
    there = all(detector in scan.signals for _, detector in face.components)
    return face if fits and there else None


def mark_kept(channel: Any) -> None:
    """Say in a channel that its ancillary datasets are the source's own."""
    channel.attrs[_MARK] = _KEPT


def is_kept(channel: Any) -> bool:
    """Tell whether the ancillary datasets of a channel are the source's own."""
    return text(channel.attrs.get(_MARK, "")) == _KEPT


def write_tables(channel: Any, face: UsidFace) -> Iterator[tuple[str, Any]]:
    """Write the four ancillary datasets as they were.

    Yields
    ------
    str, h5py.Dataset
        Such as ``Position_Indices``, and the dataset.

    """
    for kind, table in (("Position", face.position), ("Spectroscopic", face.spectroscopic)):
        for suffix, signal in (("Indices", table.indices), ("Values", table.values)):
            name = f"{kind}_{suffix}"
            chunks = tuple(min(max(1, length), _CHUNK) for length in signal.shape)
            data = signal.read(...)
            dataset = channel.create_dataset(
                name, data=data.astype(data.dtype.newbyteorder("<")), chunks=chunks, **GZIP
            )
            dataset.attrs.update(table.attributes)
            dataset.attrs["labels"] = list(table.labels)
            dataset.attrs["units"] = list(table.units)
            yield name, dataset


def create_compound(channel: Any, name: str, scan: Scan, face: UsidFace) -> Any:
    """Write a compound Main dataset out of the signals that its fields became.

    HDF5 cannot map several datasets to the fields of one: these values are stored twice.
    """
    signals = [(field, scan.signals[detector]) for field, detector in face.components]
    dtype = np.dtype([(field, signal.dtype.newbyteorder("<")) for field, signal in signals])
    shape = math.prod(scan.scan_shape), math.prod(scan.frame_shape)
    rows = max(1, _CHUNK // max(1, shape[1] * dtype.itemsize))
    chunks = min(rows, shape[0]), min(shape[1], _CHUNK)
    main = channel.create_dataset(name, shape, dtype, chunks=chunks, **GZIP)
    main.attrs[_DETECTORS] = [detector for _, detector in face.components]
    if not scan.scan_shape:
        _write_rows(main, 0, signals, ...)
        return main
    inner = math.prod(scan.scan_shape[1:])
    step = max(1, _BLOCK // max(1, inner * shape[1] * dtype.itemsize))
    for first in range(0, scan.scan_shape[0], step):
        _write_rows(main, first * inner, signals, slice(first, first + step))
    return main


def _write_rows(main: Any, first: int, signals: Any, selection: Any) -> None:
    parts = [(field, signal.read(selection)) for field, signal in signals]
    rows = parts[0][1].size // main.shape[1]
    table = np.empty((rows, main.shape[1]), main.dtype)
    for field, values in parts:
        table[field] = values.reshape(table.shape)
    main[first : first + rows] = table


def read_kept(opened: Opened) -> UsidFace | None:
    """Return the face of a master whose scan came from USID; None for any other."""
    path = USID_MAIN.rpartition("/")[0]
    # the Main dataset of any other is not opened: its mappings take time
    if path not in opened or not is_kept(opened[path]):
        return None
    said = opened.attributes(opened[USID_MAIN])
    detectors = [text(name) for name in said.get(_DETECTORS, ())]
    fields = opened[USID_MAIN].dtype.names or ()
    return UsidFace(
        text(said["quantity"]),
        text(said["units"]),
        _table(opened, f"{path}/Position"),
        _table(opened, f"{path}/Spectroscopic"),
        tuple(zip(fields, detectors, strict=True)) if detectors else (),
    )


def _table(opened: Opened, stem: str) -> UsidTable:
    file = Path(opened.file.filename)
    said = opened.attributes(opened[f"{stem}_Indices"])
    return UsidTable(
        tuple(text(label) for label in said["labels"]),
        tuple(text(unit) for unit in said["units"]),
        HDF5Signal(file, f"/{stem}_Indices", 2, _unsaid),
        HDF5Signal(file, f"/{stem}_Values", 2, _unsaid),
        {name: value for name, value in said.items() if name not in ("labels", "units")},
    )


def _unsaid(_: Any) -> dict[str, Any]:
    """Return no attributes: a table has a unit for each of its dimensions."""
    return {}
