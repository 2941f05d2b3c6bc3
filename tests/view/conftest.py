"""Files with known contents, laid out as nxscan and others lay them out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

MU = np.linspace(-0.5, 0.5, 21)
CHI = np.linspace(-0.2, 0.2, 5)
SHAPE = (48, 64)
BAD = (3, 5)
WIDTH = 0.12


def amplitude() -> np.ndarray:
    """Peak counts of every pixel: a bright grain in the middle of the detector."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return np.floor(50 + 3000 * np.exp(-((y - 20) ** 2 / 200 + (x - 36) ** 2 / 400)))


def center() -> np.ndarray:
    """Center of the rocking curve of every pixel: the lattice bends along x."""
    return np.broadcast_to(np.linspace(-0.15, 0.15, SHAPE[1]), SHAPE)


def rocking_stack() -> np.ndarray:
    curve = np.exp(-((MU[:, None, None] - center()) ** 2) / (2 * WIDTH**2))
    stack = np.floor(100 + amplitude() * curve).astype(np.uint16)
    stack[(slice(None), *BAD)] = 60000
    return stack


def group(parent: Any, name: str, nx_class: str, **attributes: Any) -> Any:
    made = parent.create_group(name)
    made.attrs["NX_class"] = nx_class
    made.attrs.update(attributes)
    return made


def quantity(parent: Any, name: str, values: Any, units: str, long_name: str = "") -> Any:
    made = parent.create_dataset(name, data=values)
    made.attrs["units"] = units
    made.attrs["long_name"] = long_name or (f"{name} ({units})" if units else name)
    return made


def axes(parent: Any, **named: tuple[Any, str]) -> None:
    parent.attrs["axes"] = list(named)
    for dimension, (name, (values, units)) in enumerate(named.items()):
        quantity(parent, name, np.asarray(values, dtype=float), units)
        parent.attrs[f"{name}_indices"] = [dimension]


def write_master(
    path: Path, stack: np.ndarray, scan_axes: dict[str, Any], *, mask: bool = True
) -> Path:
    """Write a master beside its frames, with counters, dark, results and sources."""
    frames = path.with_name(f"{path.stem}_frames.h5")
    place = "/entry/instrument/camera/data"
    with h5py.File(frames, "w") as file:
        data = file.create_dataset(
            place, data=stack, chunks=(1,) * (stack.ndim - 2) + stack.shape[-2:], compression="gzip"
        )
        data.attrs.update(
            units="counts", long_name="camera (counts)", interpretation="image", target=place
        )
    with h5py.File(path, "w") as file:
        file.attrs.update(
            NX_class="NXroot", default="entry", creator="nxscan", creator_version="0.1.0"
        )
        entry = group(file, "entry", "NXentry", default="data")
        entry["title"] = "mosaicity of a bent crystal"
        entry["start_time"] = "2026-03-01T10:00:00+01:00"
        entry["end_time"] = "2026-03-01T10:03:20+01:00"
        instrument = group(entry, "instrument", "NXinstrument")
        instrument["name"] = "ID06"
        camera = group(instrument, "camera", "NXdetector")
        camera["data"] = h5py.ExternalLink(frames.name, place)
        if mask:
            bad = np.zeros(SHAPE, np.uint32)
            bad[BAD] = 2
            camera["pixel_mask"] = bad
        group(entry, "sample", "NXsample")["name"] = "Al, 5 % strain"
        _data(entry, place, scan_axes)
        _extras(entry, scan_axes)
    return path


def _data(entry: Any, place: str, scan_axes: dict[str, Any]) -> None:
    data = group(entry, "data", "NXdata", signal="data")
    data["data"] = h5py.SoftLink(place)
    y, x = (np.arange(n) for n in SHAPE)
    axes(data, **scan_axes, y=(y, "pixel"), x=(x, "pixel"))


def _extras(entry: Any, scan_axes: dict[str, Any]) -> None:
    shape = tuple(len(values) for values, _ in scan_axes.values())
    counters = group(entry, "counters", "NXdata", signal="mon", auxiliary_signals=["srcur"])
    quantity(counters, "mon", np.linspace(1000.0, 1100.0, int(np.prod(shape))).reshape(shape), "")
    quantity(counters, "srcur", np.linspace(199.0, 192.0, int(np.prod(shape))).reshape(shape), "mA")
    axes(counters, **scan_axes)
    dark = group(entry, "dark", "NXdata", signal="data")
    quantity(dark, "data", np.full((3, *SHAPE), 100, np.uint16), "counts")
    axes(dark, frame=(range(3), ""), y=(range(SHAPE[0]), "pixel"), x=(range(SHAPE[1]), "pixel"))
    translation = group(entry, "translation", "NXprocess")
    translation["program"], translation["version"] = "nxscan", "0.1.0"
    translation["date"] = "2026-03-02T08:00:00+00:00"
    group(translation, "parameters", "NXparameters")["translator"] = "edf"
    sources = group(translation, "sources", "NXparameters")
    count = int(np.prod(shape))
    names = [*(f"bent_{k:04d}.edf" for k in range(count)), "dark_0000.edf"]
    sources["path"] = np.array([f"/raw/bent/{name}" for name in names], dtype="S")
    sources["size"] = np.full(count + 1, 7000)
    sources["role"] = np.array(["scan"] * count + ["dark"], dtype="S")
    process = group(entry, "moments_000", "NXprocess", default="center")
    process["program"], process["version"] = "nxscan moments", "1"
    result = group(process, "center", "NXdata", signal="center")
    values = center().copy()
    values[BAD] = np.nan
    quantity(result, "center", values, "degree", "center of mass (degree)")
    axes(result, y=(range(SHAPE[0]), "pixel"), x=(range(SHAPE[1]), "pixel"))
    entry["moments"] = result


@pytest.fixture(scope="session")
def rocking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rocking scan of one motor, (mu, y, x), with one bad pixel that is masked."""
    folder = tmp_path_factory.mktemp("rocking")
    return write_master(folder / "bent.nxs", rocking_stack(), {"mu": (MU, "degree")})


@pytest.fixture(scope="session")
def mosaicity(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mosaicity scan of two motors, (chi, mu, y, x)."""
    folder = tmp_path_factory.mktemp("mosaicity")
    weight = np.exp(-(CHI**2) / (2 * 0.1**2))
    stack = (weight[:, None, None, None] * rocking_stack()).astype(np.uint16)
    scan_axes = {"chi": (CHI, "degree"), "mu": (MU, "degree")}
    return write_master(folder / "grains.nxs", stack, scan_axes)


@pytest.fixture(scope="session")
def positions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An irregular scan of two motors: a list of 30 positions, with frames of 48 × 64."""
    folder = tmp_path_factory.mktemp("positions")
    spiral = np.arange(30)
    stack = np.broadcast_to((spiral + 1)[:, None, None], (30, *SHAPE)).astype(np.uint16)
    path = write_master(folder / "spiral.nxs", stack, {"position": (spiral, "")}, mask=False)
    with h5py.File(path, "r+") as file:
        data = file["entry/data"]
        for name, values in (
            ("samy", spiral * np.cos(spiral / 3)),
            ("samz", spiral * np.sin(spiral / 3)),
        ):
            quantity(data, name, values, "um")
            data.attrs[f"{name}_indices"] = [0]
    return path


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file by calling its argument with the open file."""

    def make(fill: Callable[[Any], object], name: str = "file.h5") -> Path:
        with h5py.File(tmp_path / name, "w") as file:
            fill(file)
        return tmp_path / name

    return make
