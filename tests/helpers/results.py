"""Results to put into masters, without running any process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers.scans import make_scan
from nxscan.model import Axis, Scan
from nxscan.nexus import layout, write_scan
from nxscan.nexus.results import NewResult, OutputSpec, StoredResult, add_result

FLOAT = np.dtype("f8")
Q = Axis("q", np.array([0.1, 0.2, 0.4]), "1/angstrom", "q")


def write_master(path: Path, *, apart: bool = False, scan: Scan | None = None) -> Path:
    """Write a scan with its frames in the master or apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "INLINE_LIMIT", 0 if apart else 2**26)
        return write_scan(make_scan()[0] if scan is None else scan, path)


def outputs_of_all_kinds(scan: Scan) -> tuple[OutputSpec, ...]:
    """Return outputs per pixel, per position, for the scan, with axes of their own, errors."""
    axes, rank = scan.main_axes(), len(scan.scan_shape)
    positions, pixels = tuple(axes[:rank]), tuple(axes[rank:])
    return (
        OutputSpec("center", FLOAT, pixels, "degree", "center of mass", None, True, True),
        OutputSpec("status", np.dtype("u1"), pixels, "", "status"),
        OutputSpec("total", np.dtype("f4"), (), "counts", "total", errors=True),
        OutputSpec("intensity", FLOAT, positions, "counts"),
        OutputSpec("profile", np.dtype("f4"), (*positions, Q), None),
        OutputSpec("component", np.dtype("i4"), (Q, *pixels), ""),
        OutputSpec("good", np.dtype("?"), pixels, ""),
        OutputSpec("curve", FLOAT, (Q,), "counts"),
    )


def new_result(
    outputs: tuple[OutputSpec, ...], process: str = "moments", **changes: Any
) -> NewResult:
    """Return a result that could be one of a process."""
    facts: dict[str, Any] = {
        "process": process,
        "module": "mine:Moments",
        "version": "2",
        "identity": "0123456789abcdef",
        "description": "Moments of every curve.",
        "parameters": {"background": "edges", "width": 2.5},
        "parameter_units": {"width": "degree"},
        "corrections": [{"name": "dark", "module": "mine:Dark", "parameters": {"frame": 0}}],
        "signal_path": "/entry/instrument/pco/data",
        "fingerprint": "feed",
        "outputs": outputs,
        "duration": 1.5,
        "host": "host:1",
        "partition": "64 MB",
    }
    return NewResult(**(facts | changes))


def values(name: str, shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return what is written into an output."""
    rng = np.random.default_rng([seed, *name.encode()])
    return rng.integers(1, 100, shape).astype(dtype)


def filler(seed: int = 0) -> Callable[[Mapping[str, Any]], None]:
    """Return a function that fills datasets."""

    def fill(datasets: Mapping[str, Any]) -> None:
        for name, dataset in datasets.items():
            dataset[...] = values(name, dataset.shape, dataset.dtype, seed)

    return fill


def add(master: Path, *outputs: OutputSpec, seed: int = 0, **changes: Any) -> StoredResult:
    """Add a result; by default one map of the pixels."""
    axes = tuple(make_scan()[0].main_axes()[2:])
    chosen = outputs or (OutputSpec("center", FLOAT, axes, "degree", default=True, errors=True),)
    return add_result(master, new_result(chosen, **changes), filler(seed))
