"""Simulated files of EPICS areaDetector's NDFileHDF5, in its default layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import NxscanError, OutputError
from nxscan.simulate.groups import add_group

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EPICS_SECOND = 1_084_500_600
"""When the first frame was taken, in seconds since EPICS' epoch (1990-01-01 UTC)."""


@dataclass(frozen=True)
class AreaDetectorFile:
    """What a simulated file holds.

    Attributes
    ----------
    images : ndarray, shape (n, y, x)
        The frames, in the order they were taken.
    ids : sequence of int or None
        ``NDArrayUniqueId`` of each frame; by default they count from 1.
    attributes : dict of str to ndarray, shape (n,)
        NDAttributes that were sampled with each frame: motors, counters, texts.
    sources : dict of str to str
        The PV of an attribute, such as ``13IDA:m1.RBV``; those left out are parameters of the
        driver.
    period : float
        Seconds between frames.

    """

    images: NDArray[Any]
    ids: Sequence[int] | None = None
    attributes: dict[str, NDArray[Any]] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    period: float = 0.1

    @property
    def unique(self) -> NDArray[np.int32]:
        """``NDArrayUniqueId`` of each frame."""
        count = len(self.images)
        return np.asarray(range(1, count + 1) if self.ids is None else self.ids, np.int32)


def write_areadetector(file: AreaDetectorFile, path: str | Path) -> Path:
    """Write a file as NDFileHDF5 does in capture and stream mode.

    Parameters
    ----------
    file : AreaDetectorFile
        What to write.
    path : str or Path
        Where to; its folder is made if it is missing.

    Raises
    ------
    NxscanError
        If an attribute has not one value for each frame.
    OutputError
        If the file is there already.

    """
    target, count = Path(path), len(file.images)
    for name, column in {**file.attributes, "NDArrayUniqueId": file.unique}.items():
        if len(column) != count:
            raise NxscanError(f"attribute {name!r} has {len(column)} values for {count} frames")
    if target.exists():
        raise OutputError(f"{target} exists already", "choose another name")
    target.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(target, "w") as out:
        entry = add_group(out, "entry", "NXentry")
        instrument = add_group(entry, "instrument", "NXinstrument")
        detector = add_group(instrument, "detector", "NXdetector")
        shape = file.images.shape[1:]
        data = detector.create_dataset(
            "data", data=file.images, chunks=(1, *shape), maxshape=(None, *shape)
        )
        data.attrs["signal"] = np.int32(1)
        add_group(entry, "data", "NXdata")["data"] = data
        color = add_group(detector, "NDAttributes", "NXcollection")
        _attribute(color, "ColorMode", np.zeros(count, np.int32), "", "Color mode")
        _write_attributes(file, add_group(instrument, "NDAttributes", "NXcollection"))
    return target


def _write_attributes(file: AreaDetectorFile, group: Any) -> None:
    seconds = _EPICS_SECOND + file.period * np.arange(len(file.images))
    whole = np.floor(seconds)
    driver = {
        "NDArrayUniqueId": (file.unique, "The unique ID of the NDArray"),
        "NDArrayTimeStamp": (seconds, "The timestamp of the NDArray as float64"),
        "NDArrayEpicsTSSec": (whole.astype(np.uint32), "The NDArray EPICS timestamp seconds"),
        "NDArrayEpicsTSnSec": (
            np.rint((seconds - whole) * 1e9).astype(np.uint32),
            "The NDArray EPICS timestamp nanoseconds",
        ),
    }
    for name, (column, description) in driver.items():
        _attribute(group, name, column, "", description)
    for name, column in file.attributes.items():
        _attribute(group, name, column, file.sources.get(name, ""), name)


def _attribute(group: Any, name: str, column: Any, source: str, description: str) -> None:
    values = np.asarray(column)
    stored = values.astype("S256") if values.dtype.kind in "US" else values
    dataset = group.create_dataset(name, data=stored, maxshape=(None,), chunks=(16,))
    dataset.attrs["NDAttrName"] = name
    dataset.attrs["NDAttrDescription"] = description
    dataset.attrs["NDAttrSource"] = source or "Driver"
    dataset.attrs["NDAttrSourceType"] = "NDAttrSourceEPICSPV" if source else "NDAttrSourceDriver"
