"""LiberTEM: center of mass of every frame.

usage: libertem_com.py FILE DATASET|raw EXECUTOR TIMES SAVE
"""

import json
import sys
import time
import warnings
from importlib.metadata import version

import hdf5plugin  # noqa: F401  (HDF5's filters)
import libertem.api as lt
import numpy as np
from libertem.udf.com import CoMUDF

SCAN, FRAME = (64, 64), (256, 256)


def context(executor):
    if executor == "pipelined":
        return lt.Context.make_with("pipelined", cpus=2)
    if executor == "dask":
        return lt.Context.make_with("dask", cpus=2, gpus=0)
    return lt.Context.make_with(executor)


def load(ctx, path, dataset):
    if dataset == "raw":
        return ctx.load("raw", path=path, nav_shape=SCAN, sig_shape=FRAME, dtype="uint16")
    return ctx.load("hdf5", path=path, ds_path=dataset)


def main():
    warnings.simplefilter("ignore")
    path, dataset, executor, times, save = sys.argv[1:]
    ctx = context(executor)
    data = load(ctx, path, dataset)
    found = []
    for _ in range(int(times) + 1):
        begun = time.perf_counter()
        result = ctx.run_udf(data, CoMUDF.with_params())
        found.append(time.perf_counter() - begun)
    centers = np.asarray(result["raw_com"].data)
    np.savez(save, center_y=centers[..., 0], center_x=centers[..., 1])
    print(json.dumps({"seconds": found[1:], "version": version("libertem")}))
    ctx.close()


if __name__ == "__main__":
    main()
