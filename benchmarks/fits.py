"""Fits of rocking curves against darfix and darling (git), and what the first use costs.

darfix and darling have the stack in memory and write no file; nxscan is measured in memory as
well, and from file to file: plan, reading, fits with errors, journal, commit and validation. Ours
is measured before and after the peers'. darling fits a Gaussian on a line without weights.

usage: python benchmarks/fits.py [--only one two peaks first] [--peers DIR] [--times 3]
           [--folder DIR] [--data DIR]

``--peers`` has the environments of ``contenders.py``, and ``darling_git`` with
``pip install git+https://github.com/AxelHenningsson/darling``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import Row, print_table
from contenders import AbsentError, Peers, ours
from fits_data import made
from measured import run_ours

PROCESS = "nxscan.analysis.rocking_curve:RockingCurve"
KINDS = ("one", "two", "peaks", "first")
WANTED = 50.0
_WARM = "import numpy as np; from nxscan.analysis.rocking_curve import RockingCurve"


def measure_fits(kind: str, folder: Path, peers: Peers, times: int) -> list[Row]:
    """Return the rows of one kind of scan."""
    data = made(kind, folder)
    given = {"peaks": 3 if kind == "peaks" else 1, "noise": "poisson"}
    found = [_ours(data, given, times)]
    rows, theirs = [], {}
    for name, ask in (("darfix", _darfix), ("darling", _darling)):
        try:
            theirs[name] = ask(peers, data, kind, given["peaks"], times)
        except AbsentError as error:
            print(f"left out: {error}")
    found.append(_ours(data, given, times))
    memory = statistics.median([s for one in found for s in one["seconds"]])
    cpu = statistics.median([s for one in found for s in one["cpu"]])
    total = statistics.median([s for one in found for s in one["total"]])
    loop = statistics.median([s for one in found for s in one["loop"]])
    pixels = found[0]["pixels"]
    print(
        f"{kind}: nxscan {pixels / memory:.0f} px/s in memory on two threads ({memory:.3f} s, CPU "
        f"{cpu:.3f} s); file to file {total:.2f} s, of which the block loop {loop:.3f} s"
    )
    _say_accuracy(data, kind)
    for name, answer in theirs.items():
        seconds = statistics.median(answer["seconds"])
        print(
            f"{kind}: {name} {answer['version']}: {seconds:.2f} s, {pixels / seconds:.0f} px/s, "
            f"CPU {statistics.median(answer['cpu']):.2f} s"
        )
        wanted = WANTED if name == "darfix" else 2.0
        rows.append(_row(f"fit {kind}, in memory / {name}", seconds / memory, wanted))
        spent = statistics.median(answer["cpu"])
        rows.append(_row(f"fit {kind}, CPU seconds in memory / {name}", spent / cpu, wanted))
        rows.append(_row(f"fit {kind}, block loop / {name} in memory", seconds / loop, wanted))
        if name == "darfix":
            rows.append(
                _row(f"fit {kind}, file to file / {name} in memory", seconds / total, wanted)
            )
    return rows


def measure_first() -> list[Row]:
    """Return what compiling costs, once for each version, with an empty cache."""
    code = f"{_WARM}; import nxscan.kernels.fit as f; from fits import warm; warm()"
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NUMBA_CACHE_DIR": cache}
        seconds = []
        for _ in range(2):
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", code], env=environment, cwd=Path(__file__).parent, check=True
            )
            seconds.append(time.perf_counter() - begun)
    print(f"first use {seconds[0]:.1f} s, second {seconds[1]:.1f} s, start of Python included")
    return [Row("fits: first use compiles", f"{seconds[0] - seconds[1]:.1f} s", "", True)]


def warm() -> None:
    """Fit one curve."""
    from nxscan.analysis.rocking_curve import RockingCurve
    from nxscan.model import ArraySignal, Axis, Scan
    from nxscan.process.block import Block

    x = np.linspace(-1, 1, 41)
    data = (100 * np.exp(-10 * x**2))[:, None, None]
    axes = {"mu": Axis("mu", x, "degree")}
    axes |= {
        name: Axis(name, np.zeros(1), "pixel", "", "detector", k)
        for k, name in ((1, "y"), (2, "x"))
    }
    process = RockingCurve(noise="poisson")
    process.outputs(Scan("one", {"pco": ArraySignal(data, "counts")}, axes))
    process.compute(Block(data, (slice(0, 41), slice(0, 1), slice(0, 1)), 1))


def _ours(data: Path, given: dict[str, Any], times: int) -> dict[str, Any]:
    scan = data / "scan.nxs"
    text = json.dumps(given)
    found: dict[str, Any] = ours("fits_memory.py", PROCESS, scan, times, text)
    into = data / "result.nxs"
    into.unlink(missing_ok=True)
    save = ("--save", data / "ours.npz")
    runs = run_ours(PROCESS, scan, into, "--times", times, "-p", text, *save)
    into.unlink()
    return found | dict(runs.parts)


def _darfix(peers: Peers, data: Path, kind: str, peaks: int, times: int) -> Any:
    arguments = (data / "stack.npy", data / "motors.npy", peaks, 1 if kind == "one" else times)
    return peers.ask("darfix", "darfix_fit.py", *arguments, data / "darfix.npz")


def _darling(peers: Peers, data: Path, kind: str, _: int, times: int) -> Any:
    if kind != "one":
        raise AbsentError(f"darling fits no {kind}")
    arguments = (data / "stack.npy", data / "motors.npy", times, data / "darling.npz")
    return peers.ask("darling_git", "darling_fit.py", *arguments)


def _say_accuracy(data: Path, kind: str) -> None:
    with np.load(data / "ours.npz") as found, np.load(data / "truth.npz") as truth:
        good = found["status"] == 0
        print(f"{kind}: {good.mean():.4%} of the pixels converged")
        if kind == "peaks":
            print(f"{kind}: two peaks found in {(found['peaks'] == 2).mean():.2%}")
            return
        for name in truth:
            off = (found[name].astype(float) - truth[name])[good]
            print(f"{kind}: {name}: bias {off.mean():.2g}, rms {np.sqrt((off**2).mean()):.3g}")


def _row(what: str, found: float, wanted: float) -> Row:
    return Row(what, f"{found:.1f} ×", f"≥ {wanted:g} ×", found >= wanted)


def measure(folder: Path, peers: Peers, times: int = 3, only: Sequence[str] = KINDS) -> list[Row]:
    """Run everything, or some, and return the rows of the table."""
    rows = []
    for kind in only:
        rows += measure_first() if kind == "first" else measure_fits(kind, folder, peers, times)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--peers", type=Path, help="folder of virtual environments")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where some 200 MB are free")
    parser.add_argument("--data", type=Path, help="where data are kept for the next time")
    given = parser.parse_args()
    peers = Peers.given(given.peers)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        rows = measure(given.data or Path(folder), peers, given.times, given.only)
    print_table(rows)


if __name__ == "__main__":
    main()
