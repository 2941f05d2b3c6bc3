"""Moments of every pixel's rocking curve: 41 × 2048 × 2048 uint16, tiled, in bitshuffle-LZ4.

What limits it: half of the time goes to decompression; the sums of powers take most of the rest.
darling (mean and covariance only) and darfix (with its median filter of 3 × 3, which cannot be
switched off in its task; the line above the table has the time without) have the stack in memory,
darling also transposed; dask.array reads the file, in the fastest of several ways. nxscan reads the
file, takes off a background, propagates errors, and writes its journal.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from common import Row
from contenders import AbsentError, Peers, best, ours
from measured import Ours, beside, ratio, rms, run_ours
from process_data import made

PROCESS = "nxscan.analysis.moments:Moments"
WANTED = {"darling": 10.0, "darfix": 10.0, "dask": 3.0}
_CLOSE = 1e-5
"""Degrees by which centers may differ: darling adds up in float32."""


def measure(folder: Path, peers: Peers, times: int) -> list[Row]:
    """Run everything and return the rows of the table."""
    data = made("rocking", folder)
    scan, stack, motor = data / "scan.nxs", data / "stack.npy", data / "motor.npy"
    saved = data / "ours.npz"
    found = _ours(scan, times)
    limits = ours("limits.py", scan, stack, times)
    questions: Mapping[str, tuple[str, Sequence[object]]] = {
        "darling": ("darling_moments.py", (stack, motor)),
        "darfix": ("darfix_moments.py", (stack, motor)),
        "dask": ("dask_moments.py", (*limits["dataset"], motor)),
    }
    theirs = {}
    for name, (script, arguments) in questions.items():
        try:
            theirs[name] = peers.ask(name, script, *arguments, times, data / f"{name}.npz")
        except AbsentError as error:
            print(f"left out: {error}")
    found = found.and_later(_ours(scan, times))
    print(f"moments: nxscan {found.line()}")
    run_ours(PROCESS, scan, data / "result.nxs", *_as_peers_do(saved))
    rows = [_row(name, answer, found) for name, answer in theirs.items()]
    for name in theirs:
        _compare(saved, data / f"{name}.npz", name)
    rows += _limit_rows(limits, found)
    (data / "result.nxs").unlink()
    return [*rows, beside("moments", found)]


def _ours(scan: Path, times: int) -> Ours:
    into = scan.with_name("result.nxs")
    return run_ours(PROCESS, scan, into, "--in-place", "--times", times)


def _as_peers_do(save: Path) -> tuple[object, ...]:
    """Return the options of a run that takes off no background, as peers do not."""
    return "--times", 1, "--cold", "-p", '{"background": "none"}', "--save", save


def _row(name: str, answer: Mapping[str, object], found: Ours) -> Row:
    seconds = answer["seconds"]
    ways = seconds if isinstance(seconds, dict) else {"in memory": seconds}
    way, fastest = best(ways)
    for other in set(answer) - {"seconds", "version"}:
        times = answer[other]
        assert isinstance(times, list)
        print(f"moments: {name} {other}: {statistics.median(times):.3f} s")
    rate = found.parts["bytes"][0] / fastest / 1e9
    print(f"moments: {name} {answer['version']}, {way}: {fastest:.3f} s, {rate:.2f} GB/s")
    return ratio(f"moments per pixel, rate / {name}", fastest, found.loop, WANTED[name])


def _limit_rows(limits: Mapping[str, Sequence[float]], found: Ours) -> list[Row]:
    decompressing = statistics.median(limits["decompress"])
    adding = statistics.median(limits["sum"])
    print(f"moments: only decompressing {decompressing:.3f} s; numpy sum in memory {adding:.3f} s")
    row = ratio("moments per pixel, rate / only decompressing", decompressing, found.loop, 0.5)
    share = adding / found.loop
    return [row, Row("moments per pixel, rate / numpy sum in memory", f"{share:.2f} ×", "", True)]


def _compare(ours: Path, theirs: Path, name: str) -> None:
    """Say how far peers' maps are from ours where there is a peak; refuse what is not the same."""
    with np.load(ours) as a, np.load(theirs) as b:
        ok = a["status"] == 0
        off = rms(np.squeeze(b["center"])[ok], a["center"][ok])
        print(f"moments: centers of {name} differ by {off:.2g}° rms from ours")
        if off > _CLOSE and name != "darfix":  # whose maps are filtered
            raise SystemExit(f"centers of {name} are not the same as ours")
