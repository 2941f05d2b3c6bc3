"""Corrections and shift detection of darfix, in memory.

usage: python darfix_corrections.py CLEAN.npy STILL.npy MOVING.npy TIMES
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np

warnings.simplefilter("ignore")

from darfix._core import noise_removal  # noqa: E402
from darfix._processing import shift_correction  # noqa: E402
from darfix._processing.noise_removal import compute_background  # noqa: E402
from darfix.core.noise_removal_type import NoiseRemovalType  # noqa: E402


def timed(work, times):
    """Return the seconds of some calls, after one that is not counted, and the last answer."""
    work()
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        answer = work()
        found.append(time.perf_counter() - begun)
    return found, answer


def remove(stack, operation):
    """Apply an operation to a copy."""
    work = stack.copy()
    with contextlib.redirect_stderr(io.StringIO()):
        noise_removal.apply_noise_removal_operations(
            work, [operation], lambda: False, lambda _: None
        )
    return work


def main():
    """Measure and print."""
    clean, still, moving = (np.load(path) for path in sys.argv[1:4])
    times, answer = int(sys.argv[4]), {"version": version("darfix")}
    hot = {"type": NoiseRemovalType.HP, "parameters": {"kernel_size": 3}}
    answer["hot_pixels"], made = timed(lambda: remove(clean, hot), times)
    answer["altered"] = float((made != clean).mean())

    def background():
        found = compute_background(clean, "median")
        return remove(clean, {"type": NoiseRemovalType.BS, "parameters": {}, "background": found})

    answer["background"], _ = timed(background, times)
    for name, stack in (("still", still), ("moving", moving)):
        answer[name], found = timed(lambda s=stack: shift_correction.shift_detection(s, 50), times)
        answer[f"{name}_found"] = [float(value) for value in found]
    for approach in ("linear", "fft"):
        answer[approach], _ = timed(
            lambda a=approach: shift_correction.apply_shift(clean, (0.35, -0.2), shift_approach=a),
            times,
        )
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
