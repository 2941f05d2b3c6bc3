"""darfix: what DatasetWithMoments.apply_moments does along one motor, with the stack in memory.

usage: darfix_moments.py STACK.npy MOTOR.npy TIMES SAVE
"""

import json
import sys
import time
from importlib.metadata import version

import numpy as np
from darfix._processing.moments import compute_moments
from darfix._processing.sum import parallel_zsum


def main():
    stack, motor, times, save = sys.argv[1:]
    data, x = np.load(stack), np.load(motor)
    seconds = []
    for _ in range(int(times) + 1):
        begun = time.perf_counter()
        total = parallel_zsum(data)
        center, fwhm, skewness, kurtosis = compute_moments(x, data, total)
        seconds.append(time.perf_counter() - begun)
    plain = []
    for _ in range(int(times)):
        begun = time.perf_counter()
        total = parallel_zsum(data)
        compute_moments(x, data, total, smooth=False)
        plain.append(time.perf_counter() - begun)
    np.savez(save, intensity=total, center=center, fwhm=fwhm, skewness=skewness, kurtosis=kurtosis)
    found = {"seconds": seconds[1:], "without its median filter": plain}
    print(json.dumps(found | {"version": version("darfix")}))


if __name__ == "__main__":
    main()
