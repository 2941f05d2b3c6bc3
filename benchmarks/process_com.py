"""Center of mass of every frame against LiberTEM and dask.array: 64 × 64 × 256 × 256 uint16.

What limits it: contiguous, copying from the cache (the kernel is faster); bitshuffle-LZ4 and
gzip, decompression. LiberTEM runs with each executor, dask.array in each of several ways, and the
fastest counts; LiberTEM may also read the contiguous data from a raw file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from common import Row
from contenders import AbsentError, Peers, best
from measured import Ours, beside, ratio, rms, run_ours
from process_data import DATASET, made

PROCESS = "nxscan.analysis.center_of_mass:CenterOfMass"
EXECUTORS = ("pipelined", "inline", "threads")
WANTED: dict[str, tuple[float, float | None]] = {
    "contiguous": (2.0, None),
    "bslz4": (1.5, 2.0),
    "gzip": (3.0, 3.0),
}
"""Goals against LiberTEM and against dask.array."""
_CLOSE = 1e-3
"""Pixels by which centers may differ: peers add up in float32."""


def libertem(peers: Peers, path: Path, times: int, save: Path) -> tuple[str, float]:
    """Return the fastest executor and its seconds."""
    sources = [(path, DATASET)]
    if path.stem == "contiguous":
        sources.append((path.with_name("maps.raw"), "raw"))
    found = {}
    for source, dataset in sources:
        for executor in EXECUTORS:
            arguments = (source, dataset, executor, times, save)
            answer = peers.ask("libertem", "libertem_com.py", *arguments)
            found[f"LiberTEM {answer['version']}, {executor}, {source.suffix}"] = answer["seconds"]
    return best(found)


def dask(peers: Peers, path: Path, times: int, save: Path) -> tuple[str, float]:
    """Return the fastest way and its seconds."""
    answer = peers.ask("dask", "dask_com.py", path, DATASET, times, save)
    way, seconds = best(answer["seconds"])
    return f"dask.array {answer['version']}, {way}", seconds


def measure(folder: Path, peers: Peers, times: int) -> list[Row]:
    """Run everything and return the rows of the table."""
    maps = made("maps", folder)
    rows = []
    for kind, wanted in WANTED.items():
        rows += _measure_one(maps / f"{kind}.nxs", peers, times, wanted)
    return rows


def _measure_one(
    path: Path, peers: Peers, times: int, wanted: tuple[float, float | None]
) -> list[Row]:
    kind, work = path.stem, path.parent
    saved = work / "ours.npz"
    found = _ours(path, times, saved)
    theirs: dict[str, tuple[str, float, float]] = {}
    for name, ask, goal in (("LiberTEM", libertem, wanted[0]), ("dask", dask, wanted[1])):
        if goal is None:
            continue
        try:
            how, seconds = ask(peers, path, times, work / "theirs.npz")
        except AbsentError as error:
            print(f"left out: {error}")
            continue
        _compare(saved, work / "theirs.npz", name)
        theirs[name] = how, seconds, goal
    found = found.and_later(_ours(path, times, saved))
    print(f"center of mass, {kind}: nxscan {found.line()}")
    rows = []
    for name, (how, seconds, goal) in theirs.items():
        rate = found.parts["bytes"][0] / seconds / 1e9
        print(f"center of mass, {kind}: {how}: {seconds:.3f} s, {rate:.2f} GB/s")
        rows.append(ratio(f"center of mass, {kind}, rate / {name}", seconds, found.loop, goal))
    return [*rows, beside(f"center of mass, {kind}", found)]


def _ours(path: Path, times: int, save: Path) -> Ours:
    into = path.with_name(f"{path.stem}_result.nxs")
    found = run_ours(PROCESS, path, into, "--times", times, "--save", save)
    into.unlink()
    return found


def _compare(ours: Path, theirs: Path, name: str) -> None:
    """Refuse to compare what is not the same."""
    with np.load(ours) as a, np.load(theirs) as b:
        for key in ("center_y", "center_x"):
            if rms(a[key], b[key]) > _CLOSE:
                raise SystemExit(f"{key} of {name} differs by {rms(a[key], b[key]):.2g} pixels")
