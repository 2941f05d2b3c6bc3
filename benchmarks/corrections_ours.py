"""Corrections and shift detection of nxscan, in memory.

usage: python corrections_ours.py CLEAN.npy STILL.npy MOVING.npy TIMES
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from nxscan.analysis.corrections.background import Background
from nxscan.analysis.corrections.hot_pixels import HotPixels
from nxscan.analysis.corrections.moving import Moved
from nxscan.analysis.shifts import Shifts
from nxscan.model import ArraySignal, Axis, Scan
from nxscan.process.block import Block
from nxscan.process.correction import Correction, Layout
from nxscan.process.cpus import usable_cpus
from nxscan.process.view import make_view

Frames = np.ndarray[Any, Any]


class Fixed(Correction):
    """Frames that are moved by so many pixels more each."""

    name = "fixed"

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method

    def bind(self, scan: Scan, layout: Layout) -> Moved:  # noqa: ARG002
        """Take a uniform drift."""
        shifts = np.arange(layout.shape[0])[:, None] * np.array([-0.35, 0.2])
        return Moved(layout, shifts, self.method)


def scan_of(frames: Frames) -> Scan:
    """Return a scan in memory."""
    names = zip(("mu", "y", "x"), ("scan", "detector", "detector"), frames.shape, strict=True)
    axes = {
        name: Axis(name, np.arange(length) * 1.0, "pixel", name, role, k)
        for k, (name, role, length) in enumerate(names)
    }
    return Scan("a scan", {"eye": ArraySignal(frames, "counts")}, axes)


def corrected(frames: Frames, correction: Correction) -> list[Frames]:
    """Read every frame through a correction, as the block loop does."""
    view = make_view(scan_of(frames), [correction])
    whole = tuple(slice(0, length) for length in frames.shape[1:])
    with ThreadPoolExecutor(usable_cpus()) as threads:
        regions = [(slice(k, k + 1), *whole) for k in range(len(frames))]
        return [found.data for found in threads.map(view.read, regions)]


def detected(frames: Frames, model: str) -> Any:
    """Find the shifts."""
    scan, process = scan_of(frames), Shifts(model=model)
    process.outputs(scan)
    whole = tuple(slice(0, length) for length in frames.shape)
    return process.finish(process.compute(Block(frames, whole, 1)))


def timed(work: Callable[[], Any], times: int) -> tuple[list[float], list[float], Any]:
    """Return wall and CPU seconds of some calls, after one that is not counted."""
    work()
    wall, cpu = [], []
    for _ in range(times):
        begun, spent = time.perf_counter(), time.process_time()
        answer = work()
        wall.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - spent)
    return wall, cpu, answer


def main() -> None:
    """Measure and print."""
    clean, still, moving = (np.load(path) for path in sys.argv[1:4])
    times, answer = int(sys.argv[4]), {}
    median = Background(every=1, statistic="median")
    works: dict[str, Callable[[], Any]] = {
        "hot_pixels": lambda: corrected(clean, HotPixels()),
        "background": lambda: corrected(clean, median),
        "still": lambda: detected(still, "linear"),
        "moving": lambda: detected(moving, "linear"),
        "linear": lambda: corrected(clean, Fixed("linear")),
        "cubic": lambda: corrected(clean, Fixed("cubic")),
        "fft": lambda: corrected(clean, Fixed("fourier")),
    }
    for name, work in works.items():
        answer[name], answer[f"{name}_cpu"], found = timed(work, times)
        if name in ("still", "moving"):
            lines = [-np.polyfit(np.arange(len(moving)), found[key], 1)[0] for key in _SHIFTS]
            answer[f"{name}_found"] = [float(value) for value in lines]
        if name == "hot_pixels":
            answer["altered"] = float(np.isnan(found).mean())
    print(json.dumps(answer))


_SHIFTS = ("shift_y", "shift_x")

if __name__ == "__main__":
    main()
