"""BLISS masters written by hand with h5py, without the code under test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np


def add_scan(
    file: Any,
    name: str,
    title: str,
    *,
    motors: Mapping[str, Any] | None = None,
    counters: Mapping[str, Any] | None = None,
    images: Mapping[str, Any] | None = None,
    positions: Mapping[str, float] | None = None,
    units: Mapping[str, str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    ended: bool = True,
) -> Any:
    """Add a scan's group as BLISS writes it, and return it."""
    group = file.create_group(name)
    group["title"] = title
    group["start_time"] = "2023-03-08T03:11:00.332696+01:00"
    if ended:
        group["end_time"] = "2023-03-08T03:12:41.034123+01:00"
    said = dict(units or {})
    for kind, key, found in (
        ("NXpositioner", "value", motors),
        ("NXdetector", "data", counters),
        ("NXdetector", "image", images),
    ):
        for device, values in (found or {}).items():
            place = f"/{name}/instrument/{device}"
            if not isinstance(values, h5py.VirtualLayout):
                group[f"instrument/{device}/{key}"] = np.asarray(values)
            else:
                group.require_group(f"instrument/{device}").create_virtual_dataset(key, values)
            group[f"instrument/{device}"].attrs["NX_class"] = kind
            if device in said:
                group[f"instrument/{device}/{key}"].attrs["units"] = said[device]
            group[f"measurement/{device}"] = h5py.SoftLink(f"{place}/{key}")
    for device, position in (positions or {}).items():
        group[f"instrument/positioners/{device}"] = float(position)
        if device in said:
            group[f"instrument/positioners/{device}"].attrs["units"] = said[device]
    for key, value in (parameters or {}).items():
        group[f"instrument/fscan_parameters/{key}"] = value
    return group


def new_master(path: Path) -> Any:
    """Return a new master, open for writing."""
    file = h5py.File(path, "w")
    file.attrs.update(NX_class="NXroot", creator="Bliss")
    return file


def frames(count: int, shape: tuple[int, int] = (4, 6), first: int = 0) -> Any:
    """Return frames of which frame k, pixel p is 1000 (first + k) + p."""
    pixels = np.arange(shape[0] * shape[1]).reshape(shape)
    return (1000 * (first + np.arange(count))[:, None, None] + pixels).astype(np.uint16)
