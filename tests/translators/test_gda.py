"""GDA's NeXus files: a grid of any rank, scannables in its shape, images that may be lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.errors import NxscanError

FRAMES = np.arange(2 * 3 * 4 * 5, dtype=np.uint32).reshape(2, 3, 4, 5)


def _raw(folder: Path, *, images: bool = True) -> Path:
    """Write a file as GDA does: a master, and the images of a detector in a file of their own."""
    (folder / "raw").mkdir(exist_ok=True)
    path = folder / "raw" / "i99-1.nxs"
    if images:
        with h5py.File(folder / "raw" / "merlin-1.hdf", "w") as file:
            file["entry/instrument/detector/data"] = FRAMES
    temperature = np.broadcast_to(np.array([[10.0], [20.0]]), (2, 3))
    x = np.broadcast_to(np.array([1.0, 2.0, 3.0]), (2, 3)) + 0.001
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs.update(NX_class="NXentry", default="merlin")
        entry["program_name"] = "GDA 9.33.0"
        entry["diamond_scan/scan_shape"] = np.array([2, 3], "i4")
        entry["diamond_scan/scan_command"] = "scan t 10 20 10 x 1 3 1 merlin 1"
        instrument = entry.create_group("instrument")
        instrument.attrs["NX_class"] = "NXinstrument"
        for name, values in (("t", temperature), ("x", x)):
            positioner = instrument.create_group(name)
            positioner.attrs["NX_class"] = "NXpositioner"
            positioner["value"] = values
        detector = instrument.create_group("merlin")
        detector.attrs["NX_class"] = "NXdetector"
        detector["total"] = np.arange(6.0).reshape(2, 3)
        detector["data"] = h5py.ExternalLink("merlin-1.hdf", "/entry/instrument/detector/data")
        data = entry.create_group("merlin")
        data.attrs.update(NX_class="NXdata", signal="data", axes=["t", "x", ".", "."])
        data["data"] = h5py.ExternalLink("merlin-1.hdf", "/entry/instrument/detector/data")
        for name in ("t", "x"):
            data[name] = instrument[f"{name}/value"]
            data.attrs[f"{name}_indices"] = np.array([0, 1])
    return path


def _open(folder: Path, raw: Path, **options: Any) -> Any:
    return nxscan.open(nxscan.translate(raw, folder / "scan.nxs", overwrite=True, **options))


@pytest.mark.parametrize("link", [False, True])
def test_images_behind_a_link_over_the_scannables_grid(tmp_path: Path, link: bool) -> None:
    scan = _open(tmp_path, _raw(tmp_path), link=link)
    assert scan.detector == "merlin"
    assert [axis.name for axis in scan.main_axes()] == ["t", "x_2", "y", "x"]
    np.testing.assert_array_equal(scan.signal[...], FRAMES)
    np.testing.assert_allclose(scan.main_axes()[1].values, [1.001, 2.001, 3.001])
    assert scan.provenance.translator == "gda"


def test_the_list_says_command_points_and_detectors(tmp_path: Path) -> None:
    (ref,) = nxscan.scans(_raw(tmp_path))
    assert ref.command == "scan t 10 20 10 x 1 3 1 merlin 1"
    assert (ref.frames, ref.declared, ref.shape) == (6, 6, (4, 5))
    assert ref.detectors == ("merlin",)


def test_lost_images_are_refused_by_name_if_they_are_chosen(tmp_path: Path) -> None:
    raw = _raw(tmp_path, images=False)
    with pytest.raises(NxscanError, match=r"/entry/merlin/data leads to .*merlin-1\.hdf, which"):
        _open(tmp_path, raw, detector="merlin")
    assert not (tmp_path / "scan.nxs").exists()


def test_without_the_images_a_counter_is_taken_with_a_warning(tmp_path: Path) -> None:
    found = nxscan.inspect(_raw(tmp_path, images=False))
    assert found.scan is not None
    assert found.scan.detector == "total"
    warnings = [str(one) for one in found.report.problems if one.severity == "warning"]
    assert len(warnings) == 1
    assert "total is taken in its place" in warnings[0]


def test_an_hkl_scan_with_lost_images(tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    raw = shared_data("dls/hdfmap_1040323.nxs")
    found = nxscan.inspect(raw)
    assert not found.report.errors
    assert found.refs[0].command.startswith("scan hkl [0.97")
    lost = [str(p) for p in found.report.problems if "1040323.hdf, which is not there" in str(p)]
    assert len(lost) == 2
    scan = _open(tmp_path, raw, link=False)
    assert scan.signal.shape == (21,)
    with h5py.File(raw) as file:
        measured = file["entry/measurement"]
        np.testing.assert_array_equal(scan.signal[...], measured["rc"][()])
        # h, which @axes names, stood still: what the other plots call their axis is taken
        assert np.ptp(measured["h"][()]) < 1e-12
        np.testing.assert_array_equal(scan.main_axes()[0].values, measured["l"][()])
        np.testing.assert_array_equal(scan.readings["kphi"].value, measured["kphi"][()])
    with pytest.raises(NxscanError, match=r"1040323\.hdf, which is not there"):
        _open(tmp_path, raw, detector="pil3_100k")
    total = _open(tmp_path, raw, detector="pil3_100k_total", link=False)
    assert total.signal.shape == (21,)


def test_a_grid_of_three_dimensions_one_of_texts(
    tmp_path: Path, shared_data: Callable[[str], Path]
) -> None:
    raw = shared_data("dls/hdfmap_i06-353130.nxs")
    found = nxscan.inspect(raw)
    assert (found.refs[0].frames, found.refs[0].declared) == (80, 80)
    scan = _open(tmp_path, raw, detector="Region1_meanvalue", link=False)
    assert scan.signal.shape == (2, 2, 20)
    assert [axis.name for axis in scan.main_axes()] == ["pol", "energy", "ds"]
    assert scan.axes["pol"].values.tolist() == [0.0, 1.0]
    assert scan.axes["pol"].long_name == "pol: 0 pc, 1 nc"
    np.testing.assert_allclose(scan.axes["energy"].values, [707.4, 700.0], atol=0.01)
    np.testing.assert_allclose(scan.axes["ds"].values, np.arange(1, 21))
    assert set(np.ravel(scan.raw_metadata.values["pol"])) == {"pc", "nc"}
    with h5py.File(raw) as file:
        stored = file["entry/instrument/medipix/Region1_meanvalue"][()]
        np.testing.assert_array_equal(scan.signal[...], stored)
