"""Scans in memory, and processes driven over them block by block, without a file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from nxscan.model import ArraySignal, Axis, Field, Scan
from nxscan.process.block import Block
from nxscan.process.contract import Process
from nxscan.process.output import resolve


def scan_of(
    data: np.ndarray[Any, Any],
    places: dict[str, np.ndarray[Any, Any]],
    readings: dict[str, np.ndarray[Any, Any]] | None = None,
    dark: np.ndarray[Any, Any] | None = None,
) -> Scan:
    """Return a scan of frames; ``places`` has the values of the scan axes, slow to fast."""
    axes = {
        name: Axis(name, np.asarray(values, float), "degree", f"{name} tilt", "scan", k)
        for k, (name, values) in enumerate(places.items())
    }
    rank = len(places)
    for name, dimension in zip(("y", "x"), (rank, rank + 1), strict=True):
        values = np.arange(data.shape[dimension]) * 1.0
        axes[name] = Axis(name, values, "pixel", name, "detector", dimension)
    scan = Scan("a scan", {"pco": ArraySignal(data, "counts", "intensity")}, axes)
    for name, values in (readings or {}).items():
        scan.readings[name] = Field(values, "degree")
    if dark is not None:
        scan.dark = ArraySignal(dark, "counts")
    return scan


def block_of(
    scan: Scan,
    selection: Sequence[slice],
    valid: np.ndarray[Any, Any] | None = None,
    variance: np.ndarray[Any, Any] | None = None,
) -> Block:
    """Return a block of a scan."""
    shape = scan.signal.shape
    where = tuple(slice(*p.indices(n)[:2]) for p, n in zip(selection, shape, strict=True))
    axes = {name: axis.values[where[axis.dimension]] for name, axis in scan.axes.items()}
    return Block(
        data=np.ascontiguousarray(scan.signal.read(where)),
        selection=where,
        scan_rank=len(scan.scan_shape),
        axes=axes,
        valid=None if valid is None else np.broadcast_to(valid, shape)[where],
        variance=None if variance is None else variance[where],
    )


def drive(
    process: Process,
    scan: Scan,
    cuts: Sequence[Sequence[int]] = (),
    valid: np.ndarray[Any, Any] | None = None,
    variance: np.ndarray[Any, Any] | None = None,
) -> dict[str, np.ndarray[Any, Any]]:
    """Run a process over a scan that is cut at ``cuts`` along each dimension.

    What is given is held against what was declared: names, shapes and types.
    """
    outputs = resolve(process.outputs(scan), scan, process.per, "test")
    shape, rank = scan.signal.shape, len(scan.scan_shape)
    edges = [
        sorted({0, n, *(c for c in given if 0 < c < n)})
        for n, given in zip(shape, [*cuts, *[[]] * (len(shape) - len(cuts))], strict=True)
    ]
    owned = {"pixel": range(rank, len(shape)), "position": range(rank), "scan": range(0)}
    keep = owned[process.per]
    found = {
        name: np.zeros(output.shape, output.dtype) for output in outputs for name in output.names
    }
    states: dict[tuple[int, ...], list[Any]] = {}
    for index in np.ndindex(*(len(edge) - 1 for edge in edges)):
        part = tuple(slice(edges[d][k], edges[d][k + 1]) for d, k in enumerate(index))
        block = block_of(scan, part, valid, variance)
        states.setdefault(tuple(index[d] for d in keep), []).append(
            (tuple(part[d] for d in keep), process.compute(block))
        )
    for parts in states.values():
        where, values = parts[0][0], parts[0][1]
        if process.is_reduction:
            values = process.finish(reduce(process.merge, [state for _, state in parts]))
        else:
            assert len(parts) == 1
        assert set(values) == set(found)
        for output in outputs:
            for name in output.names:
                target = found[name][output.place(where)]
                assert values[name].shape == target.shape, name
                assert np.can_cast(values[name].dtype, target.dtype), name
                target[...] = values[name]
    return found
