"""What a scan recorded: its counters, motors and images, by name, unread."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from nxscan.translate.h5source import member_names
from nxscan.translate.h5values import attribute
from nxscan.translators.bliss.members import is_damaged, member

_log = logging.getLogger(__name__)
_RECORDED = ("data", "image", "value", "signal")
_NO_DEVICES = ("positioners", "fscan_parameters")


@dataclass(frozen=True)
class Record:
    """One dataset with a value for each point.

    Attributes
    ----------
    name : str
        The counter's, motor's or detector's name.
    path : Path
        The file that holds the dataset.
    place : str
        Where it is in that file.
    shape : tuple of int
        Its shape, the points first.
    dtype : dtype
        Type of its values.
    units : str
        Unit that it states; empty if none.
    virtual : bool
        Its values lie in other files.
    motor : bool
        It is the position of a motor.

    """

    name: str
    path: Path
    place: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    units: str = ""
    virtual: bool = False
    motor: bool = False

    @property
    def points(self) -> int:
        """How many points were recorded."""
        return self.shape[0]

    @property
    def rank(self) -> int:
        """Dimensions of one point: 2 for an image, 1 for a spectrum, 0 for a number."""
        return len(self.shape) - 1


def records_of(group: Any) -> tuple[dict[str, Record], dict[str, str]]:
    """Return what lies under ``measurement`` and ``instrument``, and links that lead nowhere.

    Returns
    -------
    dict of str to Record
        By name; ``measurement`` first, then what only ``instrument`` has.
    dict of str to str
        Name and target of each link that leads nowhere.

    """
    found: dict[str, Record] = {}
    broken: dict[str, str] = {}
    measured = member(group, "measurement")
    for name in member_names(measured):
        _take(name, measured, name, found, broken)
    devices, dangling = _devices(group, {*found, *broken})
    if measured is None:
        return found | devices, broken | dangling
    # a device may hold arrays that are no counters, and `measurement` lists those that are
    of_points = {name: item for name, item in devices.items() if item.motor or item.rank == 2}
    return found | of_points, broken


def _devices(group: Any, known: set[str]) -> tuple[dict[str, Record], dict[str, str]]:
    """Return what the devices under ``instrument`` recorded, and motors under ``positioners``."""
    found: dict[str, Record] = {}
    broken: dict[str, str] = {}
    instrument = member(group, "instrument")
    for name in member_names(instrument):
        device = None if name in known or name.startswith(_NO_DEVICES) else member(instrument, name)
        if isinstance(device, h5py.Group):
            key = next((key for key in _RECORDED if _holds(device, key)), None)
            if key is not None:
                _take(name, device, key, found, broken)
    positioners = member(group, "instrument/positioners")
    for name in member_names(positioners):
        if name not in known and name not in found:
            _take(name, positioners, name, found, {}, motor=True)
    return found, broken


def _holds(group: Any, key: str) -> bool:
    """Tell whether a group has a member, be it a link that leads nowhere."""
    return group.get(key, getlink=True, default=None) is not None


def _take(
    name: str,
    group: Any,
    key: str,
    found: dict[str, Record],
    broken: dict[str, str],
    *,
    motor: bool = False,
) -> None:
    """Take one dataset, wherever its link leads."""
    item = member(group, key)
    if item is None:
        link = group.get(key, getlink=True, default=None)
        target = f"{getattr(link, 'filename', '')} {getattr(link, 'path', key)}".strip()
        broken[name] = target
        if is_damaged(group, key):
            where = f"{group.file.filename}: {group.name}/{key}"
            _log.warning("%s is damaged, and left out: copy the file again", where)
        return
    if not isinstance(item, h5py.Dataset) or not item.shape:
        return
    found[name] = Record(
        name=name,
        path=Path(item.file.filename),
        place=str(item.name),
        shape=item.shape,
        dtype=item.dtype,
        units=attribute(item, "units"),
        virtual=item.is_virtual,
        motor=motor or str(item.name).endswith("/value"),
    )
