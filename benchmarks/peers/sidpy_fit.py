"""sidpy's SidFitter: a Gaussian fitted to every position's curve.

usage: sidpy_fit.py CURVES.npy X.npy TIMES SAVE
"""

import json
import sys
import time
import warnings
from importlib.metadata import version

import numpy as np
import sidpy
from sidpy.proc.fitter import SidFitter


def gauss(x, amplitude, center, sigma, low):
    return amplitude * np.exp(-0.5 * ((x - center) / sigma) ** 2) + low


def guess(x, y):
    low = float(np.median(y))
    return [float(y.max() - low), float(x[np.argmax(y)]), 0.04, low]


def dataset(curves, x):
    made = sidpy.Dataset.from_array(curves, name="curves")
    made.data_type = "spectral_image"
    rows, columns = curves.shape[:2]
    dimensions = (
        ("y", np.arange(rows), "spatial"),
        ("x", np.arange(columns), "spatial"),
        ("tth", x, "spectral"),
    )
    for k, (name, values, kind) in enumerate(dimensions):
        made.set_dimension(
            k, sidpy.Dimension(values, name=name, units="u", quantity=name, dimension_type=kind)
        )
    return made


def main():
    warnings.simplefilter("ignore")
    curves, x, times, save = sys.argv[1:]
    x, y = np.load(x), np.load(curves)
    side = round(len(y) ** 0.5)
    data = dataset(y.reshape(side, side, -1), x)
    seconds = []
    for _ in range(int(times)):
        begun = time.perf_counter()
        fitter = SidFitter(
            data,
            gauss,
            xvec=x,
            num_workers=2,
            guess_fn=guess,
            threads=1,
            return_cov=False,
            return_fit=False,
            return_std=False,
            km_guess=False,
            num_fit_parms=4,
        )
        found = np.asarray(fitter.do_fit()[0])
        seconds.append(time.perf_counter() - begun)
    np.savez(save, center=found[..., 1], sigma=np.abs(found[..., 2]))
    print(json.dumps({"seconds": seconds, "version": version("sidpy")}))


if __name__ == "__main__":
    main()
