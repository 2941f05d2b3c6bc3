"""Scans in memory, with everything that a file has to keep."""

from __future__ import annotations

from typing import Any

import numpy as np

from nxscan.model import ArraySignal, Axis, Field, RawMetadata, Scan, Source


def make_scan(
    scan_shape: tuple[int, ...] = (3, 4),
    frame_shape: tuple[int, ...] = (6, 5),
    dtype: str = "u2",
    seed: int = 0,
) -> tuple[Scan, np.ndarray[Any, Any]]:
    """Return a scan and the array that its frames are."""
    rng = np.random.default_rng(seed)
    data = rng.poisson(20, size=scan_shape + frame_shape).astype(dtype)
    names = ["omega", "mu", "chi"][3 - len(scan_shape) :]
    axes = {
        name: Axis(name, np.linspace(-1, 1, length), "degree", f"{name}, tilt", "scan", k)
        for k, (name, length) in enumerate(zip(names, scan_shape, strict=True))
    }
    for k, length in enumerate(frame_shape):
        name = ["y", "x"][2 - len(frame_shape) :][k]
        dimension = len(scan_shape) + k
        axes[name] = Axis(name, np.arange(length) * 1.0, "pixel", name, "detector", dimension)
    scan = Scan("a rocking scan", {"pco": ArraySignal(data, "counts", "intensity")}, axes)
    count = int(np.prod(scan_shape))
    scan.counters["mon"] = Field(rng.random(scan_shape) if scan_shape else 3.5, "counts")
    scan.counters["frame_number"] = Field(np.arange(count).reshape(scan_shape), "")
    for name in names:
        scan.readings[name] = Field(rng.random(scan_shape), "degree", {"name": name})
    source = scan.metadata.group("instrument/source", "NXinstrument", "NXsource")
    source.set("name", Field("ESRF"))
    sample = scan.metadata.group("sample", "NXsample")
    sample.set("temperature", Field(293.5, "K"))
    scan.raw_metadata = RawMetadata(
        [f"{{mu = {k} ;}}\n".encode() + b"\xe9" * k for k in range(count)],
        {"title": "a rocking scan", "Kappa-support angle": np.arange(count) * 1.0},
    )
    scan.provenance.translator = "edf"
    scan.provenance.sources = [Source(f"/raw/{k}.edf", 100 + k, 1.5 * k) for k in range(count)]
    return scan, data
