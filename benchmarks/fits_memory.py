"""Fits of curves in memory, in threads: what peers that hold the stack in memory are held against.

usage: python fits_memory.py MODULE:CLASS SCAN TIMES PARAMETERS
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import numpy as np

import nxscan
from nxscan.process.block import Block

PARTS = 8


def main() -> None:
    """Fit a few times, and print the seconds."""
    spec, source, times, parameters = sys.argv[1:]
    module, _, name = spec.partition(":")
    process = getattr(import_module(module), name)(**json.loads(parameters))
    scan = nxscan.open(source)
    process.outputs(scan)
    data, rank = scan.signal.read(...), len(scan.scan_shape)
    rows = np.array_split(np.arange(data.shape[rank]), PARTS)
    cuts = [slice(int(part[0]), int(part[-1]) + 1) for part in rows]
    whole = (slice(None),) * rank
    blocks = [
        Block(np.ascontiguousarray(data[(*whole, cut)]), (*whole, cut, slice(None)), rank)
        for cut in cuts
    ]
    process.compute(blocks[0])
    seconds, cpu = [], []
    for _ in range(int(times)):
        with ThreadPoolExecutor(2) as pool:
            before, begun = time.process_time(), time.perf_counter()
            list(pool.map(process.compute, blocks))
            seconds.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - before)
    pixels = int(np.prod(data.shape[rank:]))
    print(json.dumps({"seconds": seconds, "cpu": cpu, "pixels": pixels}))


if __name__ == "__main__":
    main()
