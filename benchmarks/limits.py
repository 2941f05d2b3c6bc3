"""What a process cannot be faster than: only decompressing, and numpy's sum in memory.

Pieces of a scan, along the chunks of its frames, are read into memory that is used again, by two
threads, and thrown away.

usage: python limits.py SCAN STACK.npy TIMES
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import nxscan

_PIECE = 4 * 2**20
_THREADS = 2


def pieces(signal: Any) -> list[tuple[slice, ...]]:
    """Return tiles of whole curves of about 4 MiB, at the chunks' edges."""
    frames, rows, columns = signal.shape
    high, wide = signal.chunks[1:]
    wide *= max(1, _PIECE // (frames * high * wide * signal.dtype.itemsize))
    starts = itertools.product(range(0, rows, high), range(0, columns, wide))
    return [
        (slice(None), slice(y, min(y + high, rows)), slice(x, min(x + wide, columns)))
        for y, x in starts
    ]


def read_all(signal: Any) -> None:
    """Read everything once."""
    todo = pieces(signal)

    def read(part: list[tuple[slice, ...]]) -> None:
        memory: dict[tuple[int, ...], Any] = {}
        for piece in part:
            shape = tuple(
                len(range(*s.indices(n))) for s, n in zip(piece, signal.shape, strict=True)
            )
            if shape not in memory:
                memory[shape] = np.empty(shape, signal.dtype)
            signal.read_into(piece, memory[shape])

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(read, [todo[k::_THREADS] for k in range(_THREADS)]))


def timed(work: Callable[[], Any], times: int) -> list[float]:
    """Return the seconds of some calls, after one that is not counted."""
    work()
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return found


def main() -> None:
    """Measure and print."""
    scan, stack, times = nxscan.open(sys.argv[1]), np.load(sys.argv[2]), int(sys.argv[3])
    signal: Any = scan.signal
    answer = {
        "dataset": [str(signal.path), signal.dataset],
        "decompress": timed(lambda: read_all(signal), times),
        "sum": timed(lambda: stack.sum(axis=0), times),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
