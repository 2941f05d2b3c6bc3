"""dask.array: moments of every pixel's curve from the file, as users write them.

usage: dask_moments.py FILE DATASET MOTOR.npy TIMES SAVE
"""

import json
import sys
import time

import dask
import dask.array as da
import h5py
import hdf5plugin  # noqa: F401  (HDF5's filters)
import numpy as np


def naive(data, x):
    """Formulas, one below the other."""
    values = data.astype("float64")
    at = x[:, None, None]
    total = values.sum(axis=0)
    center = (values * at).sum(axis=0) / total
    off = at - center
    std = da.sqrt((values * off**2).sum(axis=0) / total)
    skewness = (values * off**3).sum(axis=0) / total / std**3
    kurtosis = (values * off**4).sum(axis=0) / total / std**4 - 3
    return da.stack([total, center, std, skewness, kurtosis])


def moments(block, x):
    values = block.reshape(len(block), -1).astype(np.float64)
    total = values.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        center = x @ values / total
        off = x[:, None] - center
        sums = []
        for _ in range(4):
            values *= off
            sums.append(values.sum(0) / total)
        std = np.sqrt(sums[1])
        rows = [total, center, std, sums[2] / std**3, sums[3] / std**4 - 3]
    return np.stack(rows).reshape(5, *block.shape[1:])


def blockwise(data, x):
    """The same, a function of numpy's over tiles."""
    chunks = ((5,), *data.chunks[1:])
    return da.map_blocks(moments, data, x=x, dtype=np.float64, chunks=chunks)


def tilings(stored, frames):
    """Return chunks that hold whole curves and follow the stored ones."""
    high, wide = stored.chunks[1:] if stored.chunks else (64, 64)
    return {
        "tiles": (frames, high, wide),
        "4 tiles": (frames, 2 * high, 2 * wide),
        "a row of tiles": (frames, high, stored.shape[2]),
    }


def main():
    path, dataset, motor, times, save = sys.argv[1:]
    x = np.load(motor)
    found = {}

    def run(way, name, chunks):
        begun = time.perf_counter()
        data = da.from_array(stored, chunks=chunks, lock=True)
        result = way(data, x).compute()
        found.setdefault(f"{way.__name__}, {name}", []).append(time.perf_counter() - begun)
        return result

    with h5py.File(path, "r") as file, dask.config.set(scheduler="threads", num_workers=2):
        stored = file[dataset]
        tiled = tilings(stored, len(x))
        run(naive, "a row of tiles", tiled["a row of tiles"])
        for name, chunks in tiled.items():
            for _ in range(int(times)):
                result = run(blockwise, name, chunks)
    names = ("intensity", "center", "std", "skewness", "kurtosis")
    np.savez(save, **dict(zip(names, result, strict=True)))
    print(json.dumps({"seconds": found, "version": dask.__version__}))


if __name__ == "__main__":
    main()
