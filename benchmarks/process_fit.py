"""A Gaussian fitted to every position's curve: 4096 positions × 4096 float32.

All fit the same model by least squares. pyUSID's Process and sidpy's SidFitter call scipy's
curve_fit for each position; the user's process of nxscan (``user_processes.PeakFit``) gets blocks
of positions, which compiled code can work on. What limits it: the sums over the points.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from common import Row
from contenders import AbsentError, Peers, best
from measured import Ours, beside, ratio, rms, run_ours
from process_data import made

PROCESS = "user_processes:PeakFit"


def pyusid(peers: Peers, data: Path, times: int) -> tuple[str, float]:
    """Return the fastest of one core, two, and two with BLAS held to one thread."""
    found, version = {}, ""
    for cores, one_thread in ((1, True), (2, True), (2, False)):
        answer = peers.ask(
            "pyusid",
            "pyusid_fit.py",
            *(data / "curves.npy", data / "x.npy", data, cores, times, data / "pyUSID.npz"),
            one_thread=one_thread,
        )
        version = answer["version"]
        found[f"{cores} cores, BLAS {'1 thread' if one_thread else 'free'}"] = answer["seconds"]
    way, seconds = best(found)
    print("per-position fit: pyUSID, seconds: " + repr(found))
    return f"pyUSID {version}, {way}", seconds


def sidpy(peers: Peers, data: Path, times: int) -> tuple[str, float]:  # noqa: ARG001
    """Return the seconds of one run, half a minute long, dask's start included."""
    arguments = (data / "curves.npy", data / "x.npy", 1, data / "sidpy.npz")
    answer = peers.ask("pyusid", "sidpy_fit.py", *arguments)
    return f"sidpy {answer['version']}, SidFitter", answer["seconds"][0]


def measure(folder: Path, peers: Peers, times: int) -> list[Row]:
    """Run everything and return the rows of the table."""
    data = made("curves", folder)
    found = _ours(data, times)
    theirs = []
    for name, ask, goal in (("pyUSID", pyusid, 20.0), ("sidpy", sidpy, 100.0)):
        try:
            theirs.append((name, *ask(peers, data, times), goal))
        except AbsentError as error:
            print(f"left out: {error}")
    found = found.and_later(_ours(data, times))
    print(f"per-position fit: nxscan {found.line()}, {4096 / found.loop:.0f} positions/s")
    _say_accuracy(data, "ours")
    rows = []
    for name, how, seconds, goal in theirs:
        print(f"per-position fit: {how}: {seconds:.2f} s, {4096 / seconds:.0f} positions/s")
        _say_accuracy(data, name)
        rows.append(ratio(f"per-position fit, rate / {name}", seconds, found.loop, goal))
    return [*rows, beside("per-position fit", found)]


def _ours(data: Path, times: int) -> Ours:
    into = data / "result.nxs"
    save = ("--save", data / "ours.npz")
    found = run_ours(PROCESS, data / "curves.nxs", into, "--times", times, *save)
    into.unlink()
    return found


def _say_accuracy(data: Path, name: str) -> None:
    with np.load(data / f"{name}.npz") as found, np.load(data / "truth.npz") as truth:
        errors = {key: rms(found[key], truth[key]) for key in ("center", "sigma")}
    said = ", ".join(f"{key} {error:.3g}" for key, error in errors.items())
    print(f"per-position fit: {name}, rms from the truth: {said}")
