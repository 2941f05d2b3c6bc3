"""darling (git): its Gauss-Newton fit of a Gaussian on a line, in memory, curves last.

usage: darling_fit.py STACK.npy MOTORS.npy TIMES SAVE
"""

import json
import sys
import time

import numpy as np
from darling.properties.curvefit import fit_1D_gaussian


def main():
    stack, motors, times, save = sys.argv[1:]
    curves = np.ascontiguousarray(np.moveaxis(np.load(stack), 0, -1))
    x = np.load(motors)[0].astype(np.float32)
    seconds, cpu = [], []
    for _ in range(int(times) + 1):
        before, begun = time.process_time(), time.perf_counter()
        found = fit_1D_gaussian(curves, [x])
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - before)
    height, center, sigma, _, _, success = np.moveaxis(np.asarray(found), -1, 0)
    np.savez(save, height=height, center=center, sigma=sigma, success=success)
    print(json.dumps({"seconds": seconds[1:], "cpu": cpu[1:], "version": "git"}))


if __name__ == "__main__":
    main()
