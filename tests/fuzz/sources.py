"""HDF5 as beamlines and detectors write it, made by the simulators: what is damaged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

from fuzz.styles import images

GENERIC = """\
name = "mine"
[scans]
groups = ["scan_*"]
title = "title"
start = "@start"
[[signal]]
name = "pco"
from = "frames/data"
units = "counts"
[[signal]]
role = "dark"
from = "dark"
[[axis]]
name = "chi"
from = "slow"
units = "degree"
[[axis]]
name = "mu"
first = -0.01
last = "@last"
dimension = 1
units = "degree"
[[field]]
target = "instrument/source/name"
from = "/@facility"
"""


def bliss(folder: Path) -> None:
    """Write a master of two scans, and LIMA's files of two frames each."""
    from nxscan.simulate import BlissScan, crystal, rocking_scan, write_bliss

    mu, chi = np.linspace(-0.01, 0.01, 3), np.array([0.0, 0.1])
    sample = crystal((8, 8))
    scan = rocking_scan(sample, mu=mu, seed=1)
    epoch = scan.counters["epoch"]
    slow = {
        "epoch": np.linspace(epoch[0] - 1, epoch[-1] + 1, 5),
        "temperature": np.linspace(300.0, 301.0, 5),
    }
    line = BlissScan(scan, {"ccmth": 5.9}, slow=slow)
    mesh = BlissScan(rocking_scan(sample, mu=mu, chi=chi, zigzag=True, seed=2), {"ccmth": 6.0})
    write_bliss([line, mesh], folder, per_file=2)


def eiger(folder: Path) -> None:
    """Write a master that links to two data files, with a mask and a goniometer."""
    from nxscan.simulate.eiger import EigerSeries, write_eiger

    mask = np.zeros((9, 7), np.uint32)
    mask[3, 2] = 2
    omega = 10 + 0.5 * np.arange(5)
    series = EigerSeries(
        np.stack(images(5)), 3, goniometer={"omega": omega}, increments={"omega": 0.5}, mask=mask
    )
    write_eiger(series, folder)


def lambda_series(folder: Path) -> None:
    """Write two modules in two parts each."""
    from nxscan.simulate.lambda_xspectrum import LambdaSeries, write_lambda

    frames = np.stack(images(10)).reshape(5, 2, 9, 7)
    write_lambda(LambdaSeries(frames, ((0, 0), (0, 11)), per_part=3), folder)


def areadetector(folder: Path) -> None:
    """Write one file with motors and counters as NDAttributes."""
    from nxscan.simulate.areadetector import AreaDetectorFile, write_areadetector

    columns = {"m1": np.repeat([0.0, 0.5], 3), "m2": np.tile([1.0, 2.0, 3.0], 2)}
    pvs = {"m1": "13IDA:m1.RBV", "m2": "13IDA:m2.RBV"}
    made = AreaDetectorFile(np.stack(images(6)), attributes=columns, sources=pvs)
    write_areadetector(made, folder / "series.h5")


def sacla(folder: Path) -> None:
    """Write a run of two panels, each of which misses a tag."""
    from nxscan.simulate.mpccd import Mpccd
    from nxscan.simulate.sacla import sacla_run
    from nxscan.simulate.sacla_file import write_sacla

    missing = {"detector_2d_1": [219817022], "detector_2d_2": [219817026]}
    detector = Mpccd(panels=2, shape=(9, 7))
    made = sacla_run(tags=6, detector=detector, missing=missing, cameras=False)
    write_sacla(made, folder / "run.h5")


def generic(folder: Path) -> None:
    """Write two scans that only a mapping describes; one in chunks, one as plain bytes."""
    (folder / "mine.toml").write_text(GENERIC, encoding="utf-8")
    frames = np.stack(images(6)).reshape(2, 3, 9, 7)
    with h5py.File(folder / "raw.h5", "w") as file:
        file.attrs["facility"] = "somewhere"
        packed = dict(hdf5plugin.Zstd())
        for k, how in enumerate(({"chunks": (1, 1, 9, 7), **packed}, {})):
            scan = file.create_group(f"scan_{k}")
            scan.attrs.update(start="2024-05-14T10:30:00+02:00", last=0.01)
            scan["title"], scan["slow"] = f"scan {k}", [0.0, 0.1]
            scan.create_dataset("frames/data", data=frames + k, **how)
            scan["dark"] = np.full((2, 9, 7), 3, np.uint16)


def plain_nexus(folder: Path) -> None:
    """Write a NeXus file with a default plot."""
    with h5py.File(folder / "plain.nxs", "w", libver="v110") as file:
        file.attrs["default"] = "entry"
        entry = file.create_group("entry")
        entry.attrs.update(NX_class="NXentry", default="data")
        entry["title"] = "a scan"
        entry.create_group("instrument").attrs["NX_class"] = "NXinstrument"
        detector = entry.create_group("instrument/camera")
        detector.attrs["NX_class"] = "NXdetector"
        frames = np.stack(images(4))
        detector.create_dataset("data", data=frames, chunks=(1, 9, 7), compression="gzip")
        data = entry.create_group("data")
        data.attrs.update(NX_class="NXdata", signal="data", axes=["mu", ".", "."], mu_indices=0)
        data["data"], data["mu"] = (
            h5py.SoftLink("/entry/instrument/camera/data"),
            np.arange(4) * 0.5,
        )
        data["mu"].attrs["units"] = "mm"


def linked(source: Callable[[Path], None], name: str) -> Callable[[Path], None]:
    """Write a source and a master that links to it, then move both, as a user may."""

    def make(folder: Path) -> None:
        from nxscan import plan
        from nxscan.nexus.linked import write_linked

        made = folder / "made"
        (made / "raw").mkdir(parents=True)
        source(made / "raw")
        options = plan.make_options(link=True)
        found = plan.survey(made / "raw" / name)
        scan = plan.open_scan(found, found.refs[-1], options, None)
        write_linked(scan, made / "scan.nxs", "12345678-1234-4234-8234-123456789abc")
        for path in made.iterdir():
            shutil.move(path, folder / path.name)
        made.rmdir()

    return make
