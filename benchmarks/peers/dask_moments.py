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
        second, third, fourth = ((values * off**n).sum(0) / total for n in (2, 3, 4))
        std = np.sqrt(second)
        rows = [total, center, std, third / std**3, fourth / std**4 - 3]
    return np.stack(rows).reshape(5, *block.shape[1:])


def blockwise(data, x):
    """The same, a function of numpy's over tiles."""
    chunks = ((5,), *data.chunks[1:])
    return da.map_blocks(moments, data, x=x, dtype=np.float64, chunks=chunks)


def main():
    path, dataset, motor, times, save = sys.argv[1:]
    x = np.load(motor)
    found = {}
    with h5py.File(path, "r") as file, dask.config.set(scheduler="threads", num_workers=2):
        stored = file[dataset]
        stored_tiles = stored.chunks or (1, *stored.shape[1:])
        tiles = {
            "4 tiles": (len(x), *(2 * n for n in stored_tiles[1:])),
            "a row of tiles": (len(x), stored_tiles[1], stored.shape[2]),
            "auto": "auto",
        }
        for name, chunks in tiles.items():
            for way in (naive, blockwise):
                if name == "auto" and way is blockwise:
                    continue
                seconds = []
                for _ in range(int(times) + 1):
                    begun = time.perf_counter()
                    data = da.from_array(stored, chunks=chunks, lock=True)
                    result = way(data, x).compute()
                    seconds.append(time.perf_counter() - begun)
                found[f"{way.__name__}, {name}"] = seconds[1:]
    names = ("intensity", "center", "std", "skewness", "kurtosis")
    np.savez(save, **dict(zip(names, result, strict=True)))
    print(json.dumps({"seconds": found, "version": dask.__version__}))


if __name__ == "__main__":
    main()
