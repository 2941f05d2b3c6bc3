"""Small NeXus files, written with h5py alone, that are right until a test breaks them."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

LIBVER = ("v110", "v110")
UUID = "6b1f2f0a-6f0b-4d5e-9d8e-3f4f1c0a7b11"


def group(parent: Any, name: str, nx_class: str, **attributes: Any) -> Any:
    made = parent.create_group(name)
    made.attrs["NX_class"] = nx_class
    made.attrs.update(attributes)
    return made


def field(parent: Any, name: str, data: Any, units: str = "", **attributes: Any) -> Any:
    made = parent.create_dataset(name, data=data)
    made.attrs.update({"units": units, "long_name": name, **attributes})
    return made


def checksums(frames: np.ndarray, rank: int) -> np.ndarray:
    found = np.zeros(frames.shape[:rank], np.uint32)
    for index in np.ndindex(found.shape):
        little = frames[index].astype(frames.dtype.newbyteorder("<"))
        found[index] = zlib.crc32(little.tobytes())
    return found


def build(
    path: Path,
    frames: np.ndarray | None = None,
    rank: int = 2,
    beside: bool = True,
    **storage: Any,
) -> Path:
    """Write a scan of chi × mu as nxscan lays it out; frames in a file beside it."""
    if frames is None:
        frames = np.arange(4 * 3 * 6 * 5, dtype=np.uint16).reshape(4, 3, 6, 5)
    frames_file = path.with_name(f"{path.stem}_frames.h5")
    with h5py.File(path, "w", libver=LIBVER) as file:
        file.attrs.update({"NX_class": "NXroot", "default": "entry", "creator": "nxscan"})
        entry = group(file, "entry", "NXentry", default="data")
        entry["entry_identifier_uuid"] = UUID
        detector = group(group(entry, "instrument", "NXinstrument"), "pco", "NXdetector")
        if beside:
            with h5py.File(frames_file, "w", libver=LIBVER) as other:
                there = group(other, "entry", "NXentry")
                there["entry_identifier_uuid"] = UUID
                there = group(group(there, "instrument", "NXinstrument"), "pco", "NXdetector")
                write_frames(there, frames, rank, storage)
            detector["data"] = h5py.ExternalLink(frames_file.name, "/entry/instrument/pco/data")
        else:
            write_frames(detector, frames, rank, storage)
        write_plot(entry, frames.shape, rank)
        write_translation(entry, frames, rank)
        write_usid(file, frames, rank, frames_file.name if beside else ".")
    return path


def write_frames(detector: Any, frames: np.ndarray, rank: int, storage: dict[str, Any]) -> None:
    made = detector.create_dataset("data", data=frames, **storage)
    made.attrs.update({"units": "counts", "long_name": "pco", "target": made.name})
    if frames.ndim - rank == 2:
        made.attrs["interpretation"] = "image"


def names(shape: tuple[int, ...], rank: int) -> list[str]:
    frame = len(shape) - rank
    return ["chi", "mu"][-rank:] * bool(rank) + ["y", "x"][2 - frame :]


def write_plot(entry: Any, shape: tuple[int, ...], rank: int) -> None:
    plot = group(entry, "data", "NXdata", signal="data")
    plot["data"] = h5py.SoftLink("/entry/instrument/pco/data")
    plot.attrs["axes"] = names(shape, rank)
    for dimension, name in enumerate(names(shape, rank)):
        unit = "degree" if dimension < rank else "pixel"
        field(plot, name, np.arange(shape[dimension], dtype=float), unit)
        plot.attrs[f"{name}_indices"] = [dimension]


def write_translation(entry: Any, frames: np.ndarray, rank: int) -> None:
    made = group(entry, "translation", "NXprocess")
    made["program"], made["version"] = "nxscan", "0.1.0"
    made["date"], made["sequence_index"] = "2026-01-31T12:00:00+01:00", 1
    count = math.prod(frames.shape[:rank])
    parameters = group(made, "parameters", "NXparameters")
    parameters["layout_version"], parameters["scan_rank"] = 1, rank
    parameters["raw_frames"] = count
    parameters["frame_checksum"] = checksums(frames, rank)
    sources = group(made, "sources", "NXparameters")
    sources["path"] = np.array([b"a.edf", b"b.edf", b"dark.edf"])
    sources["frames"] = np.array([count - 1, 1, 5])
    sources["role"] = np.array([b"scan", b"scan", b"dark"])


def write_usid(file: Any, frames: np.ndarray, rank: int, source: str) -> None:
    shape = frames.shape
    channel = file.create_group("Measurement_000/Channel_000")
    flat = (math.prod(shape[:rank]), math.prod(shape[rank:]))
    layout = h5py.VirtualLayout(flat, frames.dtype)
    layout[:] = h5py.VirtualSource(source, "/entry/instrument/pco/data", shape, frames.dtype)
    main = channel.create_virtual_dataset("Raw_Data", layout)
    main.attrs.update({"quantity": "Intensity", "units": "counts"})
    for kind, lengths, labels in (
        ("Position", shape[:rank], names(shape, rank)[:rank]),
        ("Spectroscopic", shape[rank:], names(shape, rank)[rank:]),
    ):
        table = np.indices(lengths[::-1] or (1,), np.uint32)[..., None].reshape(
            len(lengths) or 1, -1, order="F"
        )
        for part, dtype in (("Indices", np.uint32), ("Values", np.float64)):
            made = channel.create_dataset(
                f"{kind}_{part}", data=(table.T if kind == "Position" else table).astype(dtype)
            )
            made.attrs["labels"] = labels[::-1] or ["none"]
            made.attrs["units"] = ["pixel"] * (len(labels) or 1)
            main.attrs[f"{kind}_{part}"] = made.ref


@pytest.fixture
def make_scan(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a scan that is right in every way."""

    def make(frames: np.ndarray | None = None, rank: int = 2, **options: Any) -> Path:
        return build(tmp_path / "scan.nxs", frames, rank, **options)

    return make


@pytest.fixture
def findings_of() -> Callable[..., list[Any]]:
    """Return a function that runs one check over a file."""
    from nxscan.validate.contract import Target

    def run(check: Callable[[Any], Any], path: Path, data: bool = False) -> list[Any]:
        with h5py.File(path, "r", locking=False) as file:
            return list(check(Target(path, file, data)))

    return run


@pytest.fixture
def foreign(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a NeXus file of one curve, as another program would."""

    def make(**attributes: Any) -> Path:
        path = tmp_path / "foreign.nxs"
        with h5py.File(path, "w", libver=LIBVER) as file:
            file.attrs.update({"NX_class": "NXroot", "default": "entry"})
            entry = group(file, "entry", "NXentry", default="data")
            plot = group(entry, "data", "NXdata", signal="counts", axes=["mu"], mu_indices=[0])
            field(plot, "counts", np.arange(5.0), "counts")
            field(plot, "mu", np.arange(5.0), "degree")
            plot.attrs.update(attributes)
        return path

    return make


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that leaves out all validators but those named."""
    from nxscan.validate import run

    def leave(*sources: str) -> None:
        kept = tuple(check for check in run.CHECKS if check.source in sources)
        monkeypatch.setattr(run, "CHECKS", kept)

    return leave
