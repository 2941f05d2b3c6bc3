"""Scans of the fit benchmarks, simulated and seeded, as darfix and darling were measured on.

``one`` has 41 positions of 512 × 512 pixels; ``two`` 15 × 15 positions of 128 × 128; ``peaks`` the
same, of 64 × 64, with two peaks in every pixel; all are counts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from common import python, run
from numpy.typing import NDArray
from process_data import DATASET, write_nexus
from scipy.ndimage import gaussian_filter

import nxscan

FWHM = 2.3548200450309493
Floats = NDArray[np.float64]


def made(kind: str, folder: Path) -> Path:
    """Return a folder of data; they are made in another process, whose memory is then free."""
    place = folder / kind
    if not place.exists():
        code = "import sys, fits_data as d; d.MAKERS[sys.argv[1]](d.Path(sys.argv[2]))"
        place.mkdir(parents=True)
        run(python(code, kind, str(place)))
    return place


def smooth(rng: np.random.Generator, side: int, width: float, low: float, high: float) -> Floats:
    """Return a smooth random map from ``low`` to ``high``."""
    found = gaussian_filter(rng.standard_normal((side, side)), width)
    return low + (high - low) * (found - found.min()) / np.ptp(found)


def make_one(folder: Path, side: int = 512, positions: int = 41) -> None:
    """Write a scan of one motor."""
    rng, x = np.random.default_rng(0), np.linspace(-0.5, 0.5, positions)
    part = side / 512
    center = smooth(rng, side, 8 * part, -0.25, 0.25)
    fwhm = smooth(rng, side, 12 * part, 0.10, 0.25)
    height = smooth(rng, side, 4 * part, 300, 3000)
    background = smooth(rng, side, 30 * part, 5, 20)
    data = np.empty((positions, side, side), np.uint16)
    for k in range(positions):
        bell = np.exp(-0.5 * ((x[k] - center) * FWHM / fwhm) ** 2)
        data[k] = rng.poisson(background + height * bell)
    truth = {"center": center, "fwhm": fwhm, "amplitude": height, "background": background}
    _write(folder, data, {"mu": x}, truth)


def make_two(folder: Path, side: int = 128) -> None:
    """Write a scan of two motors, whose peaks are Gaussians with correlations."""
    rng, x = np.random.default_rng(1), np.linspace(-0.35, 0.35, 15)
    truth = {f"center_{name}": smooth(rng, side, 5, -0.15, 0.15) for name in ("chi", "mu")}
    truth |= {f"fwhm_{name}": smooth(rng, side, 6, 0.12, 0.25) for name in ("chi", "mu")}
    truth["correlation"] = smooth(rng, side, 6, -0.5, 0.5)
    truth["amplitude"] = smooth(rng, side, 4, 300, 3000)
    truth["background"] = smooth(rng, side, 10, 5, 20)
    light = _bells(truth, x) * truth["amplitude"] + truth["background"]
    _write(folder, rng.poisson(light).astype(np.uint16), {"chi": x, "mu": x}, truth)


def make_peaks(folder: Path, side: int = 64) -> None:
    """Write a scan of two motors with two peaks in every pixel."""
    rng, x = np.random.default_rng(2), np.linspace(-0.35, 0.35, 15)
    light = np.full((15, 15, side, side), 10.0)
    truth = {}
    for k, (place, height) in enumerate(((-0.12, 1500.0), (0.12, 800.0))):
        one = {
            "center_chi": smooth(rng, side, 5, place - 0.05, place + 0.05),
            "center_mu": smooth(rng, side, 5, place - 0.05, place + 0.05),
            "fwhm_chi": smooth(rng, side, 6, 0.12, 0.2),
            "fwhm_mu": smooth(rng, side, 6, 0.12, 0.2),
            "correlation": smooth(rng, side, 6, -0.4, 0.4),
        }
        light += height * _bells(one, x)
        truth |= {f"{name}_{k}": values for name, values in one.items()}
    _write(folder, rng.poisson(light).astype(np.uint16), {"chi": x, "mu": x}, truth)


def _bells(truth: dict[str, Floats], x: Floats) -> Floats:
    u, v = (
        (x[:, None, None] - truth[f"center_{name}"]) * FWHM / truth[f"fwhm_{name}"]
        for name in ("chi", "mu")
    )
    u, v, rho = u[:, None], v[None], truth["correlation"]
    found: Floats = np.exp(-0.5 / (1 - rho**2) * (u * u - 2 * rho * u * v + v * v))
    return found


def _write(
    folder: Path, data: NDArray[np.uint16], axes: dict[str, Floats], truth: dict[str, Floats]
) -> None:
    side = data.shape[-1]
    fields = {name: (values, "degree") for name, values in axes.items()}
    fields |= {name: (np.arange(side), "pixel") for name in ("y", "x")}
    chunks = (*(1,) * len(axes), side, side)
    raw = folder / "raw"
    raw.mkdir()
    write_nexus(raw / "raw.nxs", data, fields, chunks=chunks)
    with h5py.File(raw / "raw.nxs", "r+") as file:
        file[DATASET].attrs["interpretation"] = "image"
    nxscan.translate(raw / "raw.nxs", folder / "scan.nxs")
    grid = np.meshgrid(*axes.values(), indexing="ij")
    np.save(folder / "motors.npy", np.array(grid).reshape(len(axes), -1))
    np.save(folder / "stack.npy", data)
    np.savez(folder / "truth.npz", **truth)


MAKERS: dict[str, Callable[[Path], None]] = {"one": make_one, "two": make_two, "peaks": make_peaks}

if __name__ == "__main__":
    MAKERS[sys.argv[1]](Path(sys.argv[2]))
