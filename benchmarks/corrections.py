"""Hot pixels, background and drift against darfix, and what is found: 41 × 512 × 512 uint16.

Both have the frames in memory; nxscan reads them through its corrections frame by frame in
threads, as the block loop does. They are measured in turn. Drift is (0.35, -0.20) pixels per frame
in darfix's sign, of a sample that lights up as a whole (still) and of one over which bright bands
sweep (moving).

usage: python benchmarks/corrections.py [--peers DIR] [--times 3] [--rounds 3] [--data DIR]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from common import Row, print_table
from contenders import AbsentError, Peers, ours

RATE = (0.35, -0.20)
COUNT = 41
WANTED = {"hot_pixels": 5.0, "background": 5.0, "still": 10.0, "moving": 10.0}
_CLOSE = 0.01
"""Pixels per frame."""
_FALSE = 1e-4

Answer = dict[str, Any]


def make(folder: Path) -> list[Path]:
    """Simulate the frames, those without drift last."""
    from nxscan.simulate.drift import drifting_scan

    shifts = -np.arange(COUNT)[:, None] * np.array(RATE)
    kinds: Mapping[str, dict[str, Any]] = {
        "clean": {"shifts": 0 * shifts},
        "still": {"shifts": shifts, "spread": 0, "width": 0.25},
        "moving": {"shifts": shifts},
    }
    paths = []
    for name, options in kinds.items():
        path = folder / f"drift_{name}.npy"
        if not path.exists():
            np.save(path, drifting_scan((512, 512), **options).frames)
        paths.append(path)
    return paths


def measure(folder: Path, peers: Peers, times: int = 3, rounds: int = 3) -> list[Row]:
    """Run both in turn, and return the rows of the table."""
    paths = make(folder)
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(ours("corrections_ours.py", *paths, times))
        try:
            theirs.append(peers.ask("darfix", "darfix_corrections.py", *paths, times))
        except AbsentError as error:
            print(f"left out: {error}")
    us, them = _joined(mine), _joined(theirs)
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name in ("hot_pixels", "background", "still", "moving", "linear", "cubic", "fft"):
        said = f"{name}: nxscan {_line(us[name])}, CPU {statistics.median(us[f'{name}_cpu']):.3f} s"
        print(said + (f"; darfix {_line(them[name])}" if name in them else ""))
    return _rows(us, them)


def _rows(us: Answer, them: Answer) -> list[Row]:
    rows = []
    for name, wanted in WANTED.items():
        if name in them:
            ratio = statistics.median(them[name]) / statistics.median(us[name])
            what = f"{name}, frames/s / darfix {them['version']}"
            rows.append(Row(what, f"{ratio:.1f} ×", f"≥ {wanted:g} ×", ratio >= wanted))
    altered = us["altered"]
    rows.append(Row("clean pixels called hot", f"{altered:.1e}", "≤ 1e-4", altered <= _FALSE))
    if "altered" in them:
        rows.append(Row("… by darfix", f"{them['altered']:.1e}", "", True))
    for name in ("still", "moving"):
        off = float(np.hypot(*(np.array(us[f"{name}_found"]) - RATE)))
        rows.append(Row(f"drift, {name}: off", f"{off:.4f} px/frame", "≤ 0.01", off <= _CLOSE))
        if name in them:
            off = float(np.hypot(*(np.array(them[f"{name}_found"]) - RATE)))
            rows.append(Row(f"… by darfix: {them[f'{name}_found']}", f"{off:.4f}", "", True))
    return rows


def _joined(answers: list[Answer]) -> Answer:
    """Join the times of several rounds."""
    joined: Answer = {}
    for answer in answers:
        for key, value in answer.items():
            times = isinstance(value, list) and not key.endswith("_found")
            joined[key] = [*joined.get(key, []), *value] if times else value
    return joined


def _line(seconds: list[float]) -> str:
    middle = statistics.median(seconds)
    return f"{COUNT / middle:.0f} frames/s ({min(seconds):.3f} to {max(seconds):.3f} s)"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", type=Path, help="folder of virtual environments")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="where data are kept for the next time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = given.data or Path(folder)
        rows = measure(data, Peers.given(given.peers), given.times, given.rounds)
    print_table(rows)


if __name__ == "__main__":
    main()
