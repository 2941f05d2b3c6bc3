"""Motors that move during each frame: written, read back, shown."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
from helpers.scans import make_scan

from nxscan.model import Axis
from nxscan.nexus import read_scan, write_scan
from nxscan.view.summary import info

SWEPT = Axis("diffrz", np.array([0.25]), "degree", "rotation", "integrated", width=np.array([3.5]))
BACK = Axis("om", np.array([1.0]), None, "", "integrated", width=np.array([-0.5]))


def test_they_have_a_start_and_a_stop_in_the_file_and_come_back(tmp_path: Path) -> None:
    scan, _ = make_scan()
    scan.integrated = {"diffrz": SWEPT, "om": BACK}
    path = tmp_path / "scan.nxs"
    write_scan(scan, path)
    with h5py.File(path) as file:
        group = file["entry/integrated"]
        assert group.attrs["NX_class"] == "NXparameters"
        assert (group["diffrz_start"][()], group["diffrz_stop"][()]) == (-1.5, 2.0)
        assert group["diffrz_stop"].attrs["units"] == "degree"
        assert (group["om_start"][()], group["om_stop"][()]) == (1.25, 0.75)
    found = read_scan(path).integrated
    assert list(found) == ["diffrz", "om"]
    axis = found["diffrz"]
    assert (axis.role, axis.units, axis.long_name) == ("integrated", "degree", "rotation")
    assert (axis.values.tolist(), axis.width.tolist()) == ([0.25], [3.5])
    assert found["om"].units is None
    assert found["om"].width.tolist() == [-0.5]


def test_they_are_no_axes_and_info_names_them(tmp_path: Path) -> None:
    scan, _ = make_scan()
    scan.integrated = {"diffrz": SWEPT}
    path = tmp_path / "scan.nxs"
    write_scan(scan, path)
    found = read_scan(path)
    assert "diffrz" not in found.axes
    assert found.scan_shape == scan.scan_shape
    assert "diffrz  -1.5 to 2 degree" in info(path)


def test_a_scan_without_them_has_no_group_for_them(tmp_path: Path) -> None:
    scan, _ = make_scan()
    path = tmp_path / "scan.nxs"
    write_scan(scan, path)
    with h5py.File(path) as file:
        assert "integrated" not in file["entry"]
    assert read_scan(path).integrated == {}
