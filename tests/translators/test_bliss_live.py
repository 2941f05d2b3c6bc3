"""Linked masters of BLISS scans that are running, and that grow with them."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers.bliss import add_scan, frames, new_master

import nxscan
from nxscan import targets
from nxscan.errors import OutputError, PlanError


@pytest.fixture(autouse=True)
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare these tests the validators."""
    monkeypatch.setattr(targets, "_check", lambda path: None)


def measure(folder: Path, counts: dict[str, int]) -> Path:
    """Write a master whose scans have so many points; those of fewer than 20 are running."""
    folder.mkdir(exist_ok=True)
    path = folder / "m.h5"
    with new_master(path) as file:
        for number, count in counts.items():
            add_scan(
                file,
                number,
                "ascan mu 0 1.9 19 0.1",
                motors={"mu": np.arange(count) / 10},
                images={"cam": frames(count)},
                ended=count == 20,
            )
    return path


@pytest.mark.parametrize("link", [None, False])
def test_points_that_came_are_added(link: bool | None, tmp_path: Path) -> None:
    out = tmp_path / "out" / "scan.nxs"
    for count, live in ((7, True), (12, True), (20, False)):
        path = measure(tmp_path / "raw", {"1.1": count})
        nxscan.translate(path, out, live=live, link=link)
        scan = nxscan.open(out)
        np.testing.assert_array_equal(scan.signal[...], frames(count))
        np.testing.assert_allclose(scan.axes["mu"].values, np.arange(count) / 10)


def test_a_master_that_got_another_scan_is_linked_again(tmp_path: Path) -> None:
    out = tmp_path / "out" / "scan.nxs"
    path = measure(tmp_path / "raw", {"1.1": 7})
    nxscan.translate(path, out, live=True)
    path = measure(tmp_path / "raw", {"1.1": 7, "2.1": 5})
    nxscan.translate(path, out, scan="1.1", live=True)
    np.testing.assert_array_equal(nxscan.open(out).signal[...], frames(7))


def test_another_scan_of_the_master_does_not_take_its_place(tmp_path: Path) -> None:
    out = tmp_path / "out" / "scan.nxs"
    path = measure(tmp_path / "raw", {"1.1": 7, "2.1": 9})
    nxscan.translate(path, out, scan="1.1", live=True)
    with pytest.raises(OutputError, match=r"made with scan '1\.1', not '2\.1'"):
        nxscan.translate(path, out, scan="2.1", live=True)


def lima(folder: Path, there: int, count: int = 12, per_file: int = 4) -> Path:
    """Write a master of a scan whose images lie in several files, of which the first are there."""
    (folder / "scan0001").mkdir(parents=True, exist_ok=True)
    layout = h5py.VirtualLayout((count, 4, 6), np.uint16)
    for k in range(count // per_file):
        name, part = f"scan0001/cam_{k:04d}.h5", slice(k * per_file, (k + 1) * per_file)
        layout[part] = h5py.VirtualSource(name, "entry_0000/data", (per_file, 4, 6))
        if k < there:
            with h5py.File(folder / name, "w") as file:
                file["entry_0000/data"] = frames(count)[part]
    path = folder / "m.h5"
    mu = {"mu": np.arange(count) / 10}
    with new_master(path) as file:
        add_scan(file, "1.1", "ascan mu 0 1.1 11 0.1", motors=mu, images={"cam": layout})
    return path


@pytest.mark.parametrize("link", [None, False])
@pytest.mark.parametrize("option", ["live", "partial"])
def test_frames_of_the_files_that_are_there_are_taken(
    option: str, link: bool | None, tmp_path: Path
) -> None:
    path = lima(tmp_path / "raw", 2)
    out = tmp_path / "out" / "scan.nxs"
    with pytest.raises(PlanError, match=r"cam_0002\.h5, which is not there; --partial or --live"):
        nxscan.translate(path, out, link=link)
    assert not out.exists()
    seen = nxscan.inspect(path, **{option: True})
    warnings = [str(one) for one in seen.report.problems if one.severity == "warning"]
    assert any(
        "scan0001/cam_0002.h5 is not there: frames 8–11 of the 12 of cam are missing" in text
        for text in warnings
    )
    nxscan.translate(path, out, link=link, **{option: True})
    scan = nxscan.open(out)
    np.testing.assert_array_equal(scan.signal[...], frames(8))
    np.testing.assert_allclose(scan.axes["mu"].values, np.arange(8) / 10)


@pytest.mark.parametrize("link", [None, False])
def test_frames_whose_files_come_later_are_added(link: bool | None, tmp_path: Path) -> None:
    out = tmp_path / "out" / "scan.nxs"
    for there in (1, 2, 3):
        path = lima(tmp_path / "raw", there)
        nxscan.translate(path, out, live=True, link=link)
        np.testing.assert_array_equal(nxscan.open(out).signal[...], frames(4 * there))


def test_a_scan_none_of_whose_files_is_there_is_refused(tmp_path: Path) -> None:
    path = lima(tmp_path / "raw", 0)
    for live in (True, False):
        with pytest.raises(PlanError, match="3 files that are not there") as error:
            nxscan.translate(path, tmp_path / "scan.nxs", live=live)
        assert "--live" not in str(error.value)
