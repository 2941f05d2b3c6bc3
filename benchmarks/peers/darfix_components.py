"""darfix: components of a stack in memory; the relative error of what they make.

usage: darfix_components.py METHOD STACK.npy TIMES COUNT
"""

import contextlib
import json
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
from darfix._decomposition import decompose


def main():
    method, stack, times, count = sys.argv[1:]
    data = np.load(stack)
    data = data.reshape(len(data), -1)
    if "nica" in method:
        data = data.astype(float)
    find = getattr(decompose, method)
    seconds, cpu = [], []
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(int(times)):
            before, begun = time.process_time(), time.perf_counter()
            curves, maps = find(data, int(count))
            seconds.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - before)
    made = maps @ curves + (data.mean(axis=0) if method == "pca" else 0)
    error = float(np.linalg.norm(data - made) / np.linalg.norm(data))
    answer = {"seconds": seconds, "cpu": cpu, "error": error, "version": version("darfix")}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
