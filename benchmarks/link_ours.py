"""Make linked masters and look into them, and print how long each thing took as JSON.

usage: python link_ours.py edf FOLDER OUT [TIMES] | link FILE OUT [TIMES] | both FILE STEM
                         | passes MASTER OUT | inspect MASTER [TIMES]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import link_data
import numpy as np

import nxscan

Seconds = dict[str, list[float]]
_AT_ONCE = 16
_SCANS = 500


def edf(raw: Path, master: Path, times: int = 3) -> Seconds:
    """Link EDF files, look at single frames anywhere, and read all in their order."""
    found: Seconds = {"link": [], "frame": [], "read": [], "bytes": []}
    for _ in range(times):
        begun = time.perf_counter()
        nxscan.translate(raw, master, link=True, overwrite=True)
        found["link"].append(time.perf_counter() - begun)
    signal = nxscan.open(master).signal
    whole = np.zeros((_AT_ONCE, *signal.shape[1:]), signal.dtype)
    paths = sorted(raw.iterdir())
    for _ in range(times):
        found["bytes"].append(_read_bytes(paths))
        begun = time.perf_counter()
        for start in range(0, len(signal), _AT_ONCE):
            stop = min(start + _AT_ONCE, len(signal))
            signal.read_into(slice(start, stop), whole[: stop - start])
        found["read"].append(time.perf_counter() - begun)
    for k in np.random.default_rng(0).integers(0, len(signal), 500).tolist():
        begun = time.perf_counter()
        signal[k]
        found["frame"].append(time.perf_counter() - begun)
    return found


def _read_bytes(paths: list[Path]) -> float:
    """Read the bytes of files into as much memory as their frames are read into."""
    buffer = np.zeros((_AT_ONCE, max(path.stat().st_size for path in paths)), np.uint8)
    begun = time.perf_counter()
    for k, path in enumerate(paths):
        with path.open("rb", buffering=0) as file:
            file.readinto(buffer[k % _AT_ONCE].data)
    return time.perf_counter() - begun


def link(path: Path, master: Path, times: int = 3) -> Seconds:
    """Link an HDF5 file."""
    found: Seconds = {"link": []}
    for _ in range(times):
        begun = time.perf_counter()
        nxscan.translate(path, master, link=True, overwrite=True)
        found["link"].append(time.perf_counter() - begun)
    return found


def both(path: Path, stem: Path) -> Seconds:
    """Link a file, and copy it; the masters are STEM_linked.nxs and STEM_copy.nxs."""
    found: Seconds = {}
    for name in ("linked", "copy"):
        begun = time.perf_counter()
        master = stem.with_name(f"{stem.name}_{name}.nxs")
        nxscan.translate(path, master, link=name == "linked", overwrite=True)
        found[name] = [time.perf_counter() - begun]
    return found


def passes(master: Path, out: Path) -> Seconds:
    """Find out how often `Moments` reads stored chunks, with the memory that it takes unasked."""
    from nxscan.analysis.moments import Moments
    from nxscan.process import grouping
    from nxscan.process.executors import open_pool
    from nxscan.process.memory import limit
    from nxscan.process.needs import for_blocks
    from nxscan.process.planning import make_plan
    from nxscan.process.run import Settings, run

    plan = make_plan(Moments(), master, Settings(into=out), run)
    room = for_blocks(limit(None))
    count = grouping.workers_for(plan.job, plan.partition, "threads", None, room)
    with open_pool("threads", count) as pool:
        groups = grouping.grouped(plan.job, plan.partition, set(), room, pool)
    return {"k": [grouping.passes(plan.partition, groups)]}


def inspect(master: Path, times: int = 3) -> Seconds:
    """List the scans of a BLISS master, which is made if it is not there."""
    if not master.exists():
        link_data.write_bliss_master(master, _SCANS)
    found: Seconds = {"inspect": []}
    for _ in range(times):
        begun = time.perf_counter()
        shown = nxscan.inspect(master)
        found["inspect"].append(time.perf_counter() - begun)
        if len(shown.refs) < _SCANS:
            raise SystemExit(f"{master} lists {len(shown.refs)} scans")
    return found


KINDS: Mapping[str, Callable[..., Seconds]] = {
    "edf": edf,
    "link": link,
    "both": both,
    "passes": passes,
    "inspect": inspect,
}


def main() -> None:
    """Do what was asked, and print the seconds."""
    kind, *given = sys.argv[1:]
    values = [int(one) if one.isdigit() else Path(one) for one in given]
    print(json.dumps(KINDS[kind](*values)))


if __name__ == "__main__":
    main()
