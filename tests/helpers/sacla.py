"""Runs of SACLA written by hand, whose every value says which tag it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ENERGY = "bl_3/oh_2/photon_energy_in_eV"
LASER = "bl_3/lh_1/laser_pulse_selector_status"
FIRST = 219_817_020
SHAPE = (4, 6)


def image_of(tag: int, panel: int = 1, shape: tuple[int, ...] = SHAPE) -> np.ndarray[Any, Any]:
    """Return the image of a tag, whose pixels are the tag's last digits and the panel's number."""
    pixels = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(shape)
    return (pixels + 100 * (tag % 10_000) + 0.25 * panel).astype(np.float32)


def energy_of(tag: int) -> float:
    """Return the photon energy of a tag, which float32 holds."""
    return 8000.0 + (tag % 1000) / 8


def laser_of(tag: int) -> int:
    """Return the laser's status of a tag."""
    return (tag // 2) % 2


def write_run(
    path: Path,
    listed: Sequence[int] | None = None,
    images: Mapping[str, Iterable[int]] | None = None,
    *,
    number: int = 206178,
    padded: bool = False,
    columns: Mapping[str, Any] | None = None,
    chunks: tuple[int, int] | None = None,
) -> Path:
    """Write a run as DataConvert does; more runs go into the same file.

    Parameters
    ----------
    path : Path
        The file.
    listed : sequence of int, optional
        ``tag_number_list``; five tags by default.
    images : mapping of str to iterable of int, optional
        For each detector the tags that have an image, written in this order.
    number, padded
        The run's number, with six digits at least.
    columns : mapping, optional
        Further columns of ``event_info``.
    chunks : tuple of int, optional
        Store images in such chunks, compressed.

    """
    tags = np.array(FIRST + 2 * np.arange(5) if listed is None else listed, np.int64)
    panels = {"detector_2d_1": dict.fromkeys(tags.tolist())} if images is None else images
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "a") as file:
        before = file["file_info/run_number_list"][()] if "file_info" in file else []
        if "file_info" in file:
            del file["file_info"]
        file["file_info/run_number_list"] = np.array([*before, number], np.int64)
        run = file.create_group(f"run_{number:06d}" if padded else f"run_{number}")
        events = run.create_group("event_info")
        events["tag_number_list"] = tags.astype(np.int32)
        events[ENERGY] = np.array([energy_of(tag) for tag in tags.tolist()], np.float32)
        events[LASER] = np.array([laser_of(tag) for tag in tags.tolist()], np.int32)
        for name, values in (columns or {}).items():
            events[name] = values
        run["run_info/end_tag_number"] = np.int32(tags.max(initial=0) + 2)
        for name, own in panels.items():
            write_panel(run.create_group(name), own, int(name.rpartition("_")[2]), chunks)
    return path


def write_panel(
    group: Any, tags: Iterable[int], panel: int, chunks: tuple[int, int] | None = None
) -> None:
    """Write the images of one detector."""
    group["detector_info/pixel_size_in_micro_meter"] = np.array([50, 50], np.float32)
    group["detector_info/detector_name"] = np.bytes_(f"MPCCD-8-2-001-{panel}")
    group["detector_info/detector_coordinate_in_micro_meter"] = np.array([100, 200, 0], np.float32)
    group["detector_info/detector_rotation_angle_in_degree"] = np.float32(-90)
    group["detector_info/absolute_gain"] = np.float32(16.912)
    group["detector_info/exposure_time_in_sec"] = np.float32(0.001)
    for tag in tags:
        shot = group.create_group(f"tag_{tag}")
        packing = {} if chunks is None else {"chunks": chunks, "compression": "gzip"}
        shot.create_dataset("detector_data", data=image_of(tag, panel), **packing)
        shot["detector_status"] = np.int32(1)
        shot["temperature"] = np.float32(-21.25 - (tag % 100) / 64)
