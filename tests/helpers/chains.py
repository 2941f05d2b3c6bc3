"""Corrections applied by hand, without the machinery that runs processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nxscan.model import ArraySignal, Axis, Field, Scan
from nxscan.process import Bound, Correction, Frames, Layout

Region = tuple[slice, ...]
Array = np.ndarray[Any, Any]


def scan_of(
    data: Array,
    scan_rank: int,
    dark: Array | None = None,
    flat: Array | None = None,
    **counters: Array,
) -> Scan:
    """Return a scan of frames in memory."""
    axes = {}
    for k, length in enumerate(data.shape):
        role, name = ("scan", f"m{k}") if k < scan_rank else ("detector", f"d{k - scan_rank}")
        values = np.arange(length) * (0.5 if role == "scan" else 1.0)
        axes[name] = Axis(name, values, "", name, role, k, np.full(length, 1.0))
    scan = Scan("a test", {"eye": ArraySignal(data, "counts")}, axes)
    scan.dark = None if dark is None else ArraySignal(dark)
    scan.flat = None if flat is None else ArraySignal(flat)
    scan.counters = {name: Field(values) for name, values in counters.items()}
    return scan


def layout_of(scan: Scan, edges: Sequence[Sequence[int]] | None = None) -> Layout:
    """Return the layout of what is stored."""
    shape = scan.signal.shape
    given = edges or [[0, length] for length in shape]
    return Layout(
        shape=shape,
        dtype=scan.signal.dtype,
        scan_rank=len(scan.scan_shape),
        axes=scan.axes,
        edges=tuple(np.array(part, np.int64) for part in given),
        units="counts",
    )


def bind(scan: Scan, *corrections: Correction) -> list[Bound]:
    """Bind a chain."""
    layout, chain = layout_of(scan), []
    for correction in corrections:
        chain.append(correction.bind(scan, layout))
        layout = chain[-1].after
    return chain


def whole(shape: tuple[int, ...]) -> Region:
    """Return the region that is all of a shape."""
    return tuple(slice(0, length) for length in shape)


def through(
    scan: Scan,
    chain: Sequence[Bound],
    region: Region | None = None,
    variance: Array | None = None,
    valid: Array | None = None,
) -> Frames:
    """Read a region of what comes out of a chain; variance and valid are of the whole scan."""
    region = whole(chain[-1].after.shape) if region is None else region
    wanted = [region]
    for bound in reversed(chain):
        wanted.append(bound.source(wanted[-1]))
    raw = wanted[-1]
    frames = Frames(
        data=scan.signal.read(raw).copy(),
        region=raw,
        scan_rank=len(scan.scan_shape),
        variance=None if variance is None else variance[raw].astype(np.float32),
        valid=None if valid is None else valid[raw].copy(),
    )
    for bound, part in zip(chain, wanted[-2::-1], strict=True):
        frames = bound.apply(frames, part)
    return frames


def corrected(scan: Scan, *corrections: Correction, **kwargs: Any) -> Frames:
    """Bind a chain and read everything through it."""
    return through(scan, bind(scan, *corrections), **kwargs)
