"""Processes against LiberTEM, dask.array, darling, darfix, pyUSID and sidpy, and what they cost.

Rates are of the block loop, with kernels compiled and files in the cache; plan, commit and
validation are stated beside them. Ours are measured before and after the peers'.

usage: python benchmarks/process.py [--only com moments fit workers small resume memory]
           [--peers DIR] [--times 3] [--folder DIR] [--data DIR]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import process_com
import process_fit
import process_moments
import process_overhead
from common import Row, print_table
from contenders import Peers

KINDS = ("com", "moments", "fit", "workers", "small", "resume", "memory")


def measure(folder: Path, peers: Peers, times: int = 3, only: Sequence[str] = KINDS) -> list[Row]:
    """Run everything, or some, and return the rows of the table."""
    every: Mapping[str, Callable[[Path], list[Row]]] = {
        "com": partial(process_com.measure, peers=peers, times=times),
        "moments": partial(process_moments.measure, peers=peers, times=times),
        "fit": partial(process_fit.measure, peers=peers, times=times),
        "workers": partial(process_overhead.measure_workers, times=times),
        "small": process_overhead.measure_small,
        "resume": process_overhead.measure_resume,
        "memory": process_overhead.measure_memory,
    }
    rows = []
    for name in only:
        rows += every[name](folder)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--peers", type=Path, help="folder of virtual environments")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where some 4 GB are free")
    parser.add_argument("--data", type=Path, help="where data are kept for the next time")
    given = parser.parse_args()
    peers = Peers.given(given.peers)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        rows = measure(given.data or Path(folder), peers, given.times, given.only)
    print_table(rows)


if __name__ == "__main__":
    main()
