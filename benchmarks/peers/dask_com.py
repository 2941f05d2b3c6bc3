"""dask.array: center of mass of every frame, as users write it, in all ways that are known to pay.

usage: dask_com.py FILE DATASET TIMES SAVE
"""

import json
import sys
import time

import dask
import dask.array as da
import h5py
import hdf5plugin  # noqa: F401  (HDF5's filters)
import numpy as np

CHUNKS = ((1, 64, 256, 256), (8, 64, 256, 256), (1, 16, 256, 256), "auto")
X = np.arange(256, dtype=np.float32)


def naive(data):
    values = data.astype("float32")
    total = values.sum(axis=(2, 3))
    y = (values * X[:, None]).sum(axis=(2, 3)) / total
    return da.stack([y, (values * X).sum(axis=(2, 3)) / total], axis=-1)


def centers(block):
    values = block.astype(np.float32)
    total = values.sum((2, 3))
    return np.stack([values.sum(3) @ X / total, values.sum(2) @ X / total], -1)


def blockwise(data):
    chunks = (*data.chunks[:2], (2,))
    return da.map_blocks(
        centers, data, dtype=np.float32, chunks=chunks, drop_axis=[2, 3], new_axis=[2]
    )


def main():
    path, dataset, times, save = sys.argv[1:]
    found = {}
    with h5py.File(path, "r") as file, dask.config.set(scheduler="threads", num_workers=2):
        for chunks in CHUNKS:
            for way in (naive, blockwise):
                seconds = []
                for _ in range(int(times) + 1):
                    begun = time.perf_counter()
                    data = da.from_array(file[dataset], chunks=chunks, lock=True)
                    result = way(data).compute()
                    seconds.append(time.perf_counter() - begun)
                found[f"{way.__name__} {chunks}"] = seconds[1:]
    np.savez(save, center_y=result[..., 0], center_x=result[..., 1])
    print(json.dumps({"seconds": found, "version": dask.__version__}))


if __name__ == "__main__":
    main()
