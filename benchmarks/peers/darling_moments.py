"""darling: mean and covariance of every pixel's curve, in memory, curves last as it wants them.

usage: darling_moments.py STACK.npy MOTOR.npy TIMES SAVE
"""

import json
import sys
import time
from importlib.metadata import version

import darling
import numpy as np


def main():
    stack, motor, times, save = sys.argv[1:]
    curves = np.ascontiguousarray(np.moveaxis(np.load(stack), 0, -1))
    x = np.load(motor).astype(np.float32)[None]
    seconds = []
    for _ in range(int(times) + 1):
        begun = time.perf_counter()
        mean, covariance = darling.properties.moments(curves, x)
        seconds.append(time.perf_counter() - begun)
    np.savez(save, center=np.squeeze(mean), std=np.sqrt(np.squeeze(covariance)))
    print(json.dumps({"seconds": seconds[1:], "version": version("darling-pypi")}))


if __name__ == "__main__":
    main()
