"""pyUSID's Process: a Gaussian fitted to every position's curve with scipy's curve_fit.

usage: pyusid_fit.py CURVES.npy X.npy FOLDER CORES TIMES SAVE
"""

import contextlib
import io
import json
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import pyUSID
from pyUSID.io import hdf_utils
from pyUSID.io.dimension import Dimension
from pyUSID.processing.process import Process
from scipy.optimize import curve_fit

MAIN = "Measurement_000/Channel_000"
X = np.load(sys.argv[2])


def gauss(x, amplitude, center, sigma, low):
    return amplitude * np.exp(-0.5 * ((x - center) / sigma) ** 2) + low


def fit(y, *_, **__):
    low = float(np.median(y))
    guess = [float(y.max() - low), float(X[np.argmax(y)]), 0.04, low]
    return curve_fit(gauss, X, y, p0=guess)[0]


class Fit(Process):
    def __init__(self, main, **kwargs):
        super().__init__(main, "Fit", parms_dict={"model": "gauss"}, **kwargs)
        self._map_function = fit

    def test(self, **kwargs):
        pass

    def _create_results_datasets(self):
        self.h5_results_grp = hdf_utils.create_results_group(self.h5_main, self.process_name)
        hdf_utils.write_simple_attrs(self.h5_results_grp, self.parms_dict)
        self.h5_result = hdf_utils.write_main_dataset(
            self.h5_results_grp,
            (self.h5_main.shape[0], 4),
            "Results",
            "parameter",
            "a.u.",
            None,
            Dimension("p", "", np.arange(4)),
            h5_pos_inds=self.h5_main.h5_pos_inds,
            h5_pos_vals=self.h5_main.h5_pos_vals,
            dtype=np.float32,
        )

    def _get_existing_datasets(self):
        self.h5_result = self.h5_results_grp["Results"]

    def _write_results_chunk(self):
        found = np.array(self._results, dtype=np.float32)
        positions = self._get_pixels_in_current_batch()
        self.h5_result[positions[0] : positions[-1] + 1] = found.reshape(len(found), -1)


def make(path, curves):
    side = round(len(curves) ** 0.5)
    places = [Dimension(name, "um", np.arange(float(side))) for name in ("Y", "X")]
    with h5py.File(path, "w") as file:
        hdf_utils.write_main_dataset(
            file.create_group(MAIN),
            curves,
            "Raw_Data",
            "Intensity",
            "counts",
            places,
            [Dimension("TwoTheta", "deg", X)],
            slow_to_fast=True,
        )


def main():
    warnings.simplefilter("ignore")
    curves, _, folder, cores, times, save = sys.argv[1:]
    path = Path(folder) / f"usid_{cores}.h5"
    seconds = []
    with contextlib.redirect_stdout(io.StringIO()):
        for _ in range(int(times)):
            make(path, np.load(curves))
            with h5py.File(path, "r+") as file:
                data = pyUSID.USIDataset(file[f"{MAIN}/Raw_Data"])
                process = Fit(data, cores=int(cores), max_mem_mb=1024)
                begun = time.perf_counter()
                found = process.compute()["Results"][()]
                seconds.append(time.perf_counter() - begun)
    path.unlink()
    np.savez(save, center=found[:, 1], sigma=np.abs(found[:, 2]))
    print(json.dumps({"seconds": seconds, "version": version("pyUSID")}))


if __name__ == "__main__":
    main()
