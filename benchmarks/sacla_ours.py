"""Link, read and copy a SACLA run beside h5py's loop over tags, and print seconds as JSON.

usage: python sacla_ours.py link RAW MASTER [TIMES] | read MASTER RAW [TIMES] | copy RAW OUT
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

import nxscan

Seconds = dict[str, list[float]]
_TILE = (10, 64, 64)


def link(raw: Path, master: Path, times: int = 3) -> Seconds:
    """Link a run and open the master."""
    found: Seconds = {"link": [], "open": []}
    for _ in range(times):
        found["link"].append(_timed(lambda: nxscan.translate(raw, master, overwrite=True)))
        found["open"].append(_timed(lambda: nxscan.open(master).signal.shape))
    return found


def read(master: Path, raw: Path, times: int = 3) -> Seconds:
    """Read every image, in turn by the loop and by nxscan; its first time is one of its own."""
    _timed(lambda: sum(1 for _ in _loop(raw)))  # brings the file into the cache
    signal = nxscan.open(master).signal
    found: Seconds = {"first": [_timed(lambda: _read(signal, 1))], "loop": [], "one": [], "all": []}
    for _ in range(times):
        found["loop"].append(_timed(lambda: sum(1 for _ in _loop(raw))))
        found["one"].append(_timed(lambda: _read(signal, 1)))
        found["all"].append(_timed(lambda: _read(signal, os.cpu_count() or 1)))
    return found


def copy(raw: Path, out: Path) -> Seconds:
    """Copy a run to tiles, and have the loop do so."""
    nxscan.translate(raw, out, link=False, overwrite=True)  # what is compiled, is
    ours = _timed(lambda: nxscan.translate(raw, out, link=False, overwrite=True))
    loop = _timed(lambda: _copy_by_loop(raw, out.with_name("loop.h5")))
    return {"ours": [ours], "loop": [loop]}


def _loop(raw: Path) -> Iterator[Any]:
    with h5py.File(raw) as file:
        run = file[next(name for name in file if name.startswith("run_"))]
        panel = run["detector_2d_1"]
        for tag in run["event_info/tag_number_list"][()]:
            yield panel[f"tag_{tag}"]["detector_data"][()]


def _copy_by_loop(raw: Path, out: Path) -> None:
    frames = _loop(raw)
    first = next(frames)
    with h5py.File(raw) as file:
        run = file[next(name for name in file if name.startswith("run_"))]
        count = len(run["event_info/tag_number_list"])
    with h5py.File(out, "w") as file:
        packing = hdf5plugin.Bitshuffle(cname="lz4")
        target = file.create_dataset(
            "data", (count, *first.shape), first.dtype, chunks=_TILE, **packing
        )
        block = np.empty((_TILE[0], *first.shape), first.dtype)
        block[0] = first
        for k, frame in enumerate(frames, 1):
            block[k % _TILE[0]] = frame
            if (k + 1) % _TILE[0] == 0:
                target[k + 1 - _TILE[0] : k + 1] = block


def _read(signal: Any, threads: int) -> None:
    def part(number: int) -> None:
        memory = np.empty((1, *signal.shape[1:]), signal.dtype)
        for k in range(number, len(signal), threads):
            signal.read_into(slice(k, k + 1), memory)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, range(threads)))


def _timed(job: Callable[[], object]) -> float:
    begun = time.perf_counter()
    job()
    return time.perf_counter() - begun


def main() -> None:
    """Measure one thing and print the seconds."""
    kind, *given = sys.argv[1:]
    paths, times = [Path(one) for one in given[:2]], [int(one) for one in given[2:]]
    jobs: dict[str, Callable[..., Seconds]] = {"link": link, "read": read, "copy": copy}
    print(json.dumps(jobs[kind](*paths, *times)))


if __name__ == "__main__":
    main()
