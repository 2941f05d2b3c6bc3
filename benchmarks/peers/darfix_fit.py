"""darfix: its fit of rocking curves, with the stack in memory; files are neither read nor written.

usage: darfix_fit.py STACK.npy MOTORS.npy PEAKS TIMES SAVE
"""

import contextlib
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from darfix._core.rocking_curves import fit_rocking_curve_parallel
from darfix._processing.rocking_curve.fit_options import RockingCurveFitOptions


def main():
    stack, motors, peaks, times, save = sys.argv[1:]
    data, places = np.load(stack), np.load(motors)
    names = {f"motor{k}": values for k, values in enumerate(places)}
    options = RockingCurveFitOptions(max_peaks_count=int(peaks))
    small = data[..., :4, :4]
    seconds, cpu = [], []
    with contextlib.redirect_stdout(sys.stderr):
        fit_rocking_curve_parallel(small, names, options)  # starts its workers
        for _ in range(int(times)):
            before, begun = spent(), time.perf_counter()
            _, maps = fit_rocking_curve_parallel(data, names, options)
            seconds.append(time.perf_counter() - begun)
            cpu.append(spent() - before)
    found = {key.replace(" ", "_"): np.squeeze(values) for key, values in maps.items()}
    np.savez(save, **found)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "version": version("darfix")}))


def spent():
    """Return the CPU seconds of this process and of all below it, which are still there."""
    ticks, waiting = 0, [os.getpid()]
    while waiting:
        one = Path(f"/proc/{waiting.pop()}")
        with contextlib.suppress(OSError):
            fields = (one / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
            for task in (one / "task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
