"""Simulated BLISS masters as h5py reads them."""

from __future__ import annotations

from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest

from nxscan.errors import OutputError
from nxscan.simulate import BlissScan, crystal, rocking_scan, write_bliss

SAMPLE = crystal((8, 12))
MU, CHI = np.linspace(-0.02, 0.02, 4), np.array([0.0, 0.1, 0.2])


def test_frames_lie_in_limas_files_in_chunks_of_one_frame(tmp_path: Path) -> None:
    scan = rocking_scan(SAMPLE, mu=MU)
    path = write_bliss([BlissScan(scan)], tmp_path, per_file=3)
    with h5py.File(path) as file:
        image = file["1.1/measurement/pco_ff"]
        assert image.is_virtual
        assert sorted(s.file_name for s in image.virtual_sources()) == [
            "scan0001/pco_ff_0000.h5",
            "scan0001/pco_ff_0001.h5",
        ]
        np.testing.assert_array_equal(image[()], [scan.frame(k) for k in range(4)])
        assert file.attrs["creator_version"] == "simulated by nxscan"
    with h5py.File(tmp_path / "scan0001" / "pco_ff_0001.h5") as file:
        stored = file["entry_0000/instrument/pco_ff/data"]
        assert stored.chunks == (1, 8, 12)
        assert stored.shape[0] == 1
        assert int(next(iter(stored._filters))) == hdf5plugin.BSHUF_ID
        assert file.attrs["creator_version"] == "simulated by nxscan"


def test_commands_and_parameters_are_those_of_the_motors(tmp_path: Path) -> None:
    line = BlissScan(rocking_scan(SAMPLE, mu=MU))
    mesh = BlissScan(rocking_scan(SAMPLE, mu=MU, chi=CHI, zigzag=True))
    swept = BlissScan(rocking_scan(SAMPLE, chi=CHI), sweep={"diffrz": (-1.5, 3.5)})
    path = write_bliss([line, mesh, swept], tmp_path)
    with h5py.File(path) as file:
        titles = [file[f"{k}.1/title"].asstr()[()] for k in (1, 2, 3)]
        assert titles[0] == "ascan mu -0.02 0.02 3 1"
        assert titles[1].startswith("fscan2d chi 0 0.1 3 mu -0.02 0.0133333 4 1")
        assert titles[2] == "fscan2d chi 0 0.1 3 diffrz -1.5 3.5 1 1"
        said = file["2.1/instrument/fscan_parameters"]
        assert said["fast_motor_mode"].asstr()[()] == "ZIGZAG"
        assert (said["slow_npoints"][()], said["fast_npoints"][()]) == (3, 4)
        np.testing.assert_allclose(file["2.1/measurement/mu"][4:8], MU[::-1])
        assert "fscan_parameters" not in file["1.1/instrument"]


def test_aborted_and_running_scans_and_subscans(tmp_path: Path) -> None:
    part = rocking_scan(SAMPLE, mu=MU, frames=3)
    slow = {"epoch": 1.5e9 + np.array([0.0, 1.0]), "temperature": np.array([300.0, 301.0])}
    scans = [BlissScan(part, {"ccmth": 5.9}, slow=slow), BlissScan(part, running=True)]
    with h5py.File(write_bliss(scans, tmp_path, detector="mpx")) as file:
        assert list(file) == ["1.1", "1.2", "2.1"]
        assert file["1.1/end_reason"].asstr()[()] == "USER_ABORT"
        assert file["1.1/instrument/mpx/acq_parameters/acq_nb_frames"][()] == 4
        assert file["1.1/measurement/mpx"].shape == (3, 8, 12)
        assert file["1.1/instrument/positioners/ccmth"][()] == 5.9
        assert file["1.2/measurement/temperature"][1] == 301
        assert "end_time" not in file["2.1"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    scan = BlissScan(rocking_scan(SAMPLE, mu=MU))
    write_bliss([scan], tmp_path)
    with pytest.raises(OutputError, match="exists already"):
        write_bliss([scan], tmp_path)
