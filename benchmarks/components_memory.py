"""Components in memory, as peers that hold the stack in memory find them; CPU and wall seconds.

usage: python components_memory.py METHOD STACK.npy TIMES COUNT
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from nxscan.analysis.components import Components
from nxscan.model import ArraySignal, Axis, Scan
from nxscan.process.blas import OneBlasThread
from nxscan.process.block import Block

PARTS = 8


def main() -> None:
    """Find components a few times, and print the seconds and the error."""
    method, stack, times, count = sys.argv[1:]
    scan = _scan(np.load(stack))
    seconds, cpu = [], []
    with OneBlasThread(), ThreadPoolExecutor(2) as pool:
        _found(Components(method=method, n_components=int(count)), scan, pool)
        for _ in range(int(times)):
            before, begun = time.process_time(), time.perf_counter()
            found = _found(Components(method=method, n_components=int(count)), scan, pool)
            seconds.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - before)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "error": float(found["error"])}))


def _scan(data: np.ndarray[Any, Any]) -> Scan:
    axes = {"mu": Axis("mu", np.arange(len(data)) * 1.0, "degree")}
    for k, name in ((1, "y"), (2, "x")):
        axes[name] = Axis(name, np.arange(data.shape[k]) * 1.0, "pixel", "", "detector", k)
    return Scan("a stack", {"pco": ArraySignal(data, "counts")}, axes)


def _found(process: Components, scan: Scan, pool: ThreadPoolExecutor) -> Mapping[str, Any]:
    process.outputs(scan)
    data: Any = scan.signal.read(...)
    whole, previous = slice(0, len(data)), {}
    edges = np.linspace(0, data.shape[1], PARTS + 1).astype(int)
    places = [
        (whole, slice(int(a), int(b)), slice(0, data.shape[2]))
        for a, b in itertools.pairwise(edges)
    ]
    blocks = [Block(np.ascontiguousarray(data[place]), place, 1) for place in places]
    for index in range(process.passes):
        given = [replace(block, previous=previous, pass_index=index) for block in blocks]
        previous = dict(process.finish(reduce(process.merge, pool.map(process.compute, given))))
    return previous


if __name__ == "__main__":
    main()
