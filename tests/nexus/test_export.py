"""A scan as xarray and sidpy objects: lazy, with dimensions, units and metadata."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.scans import make_scan

from nxscan.nexus import HDF5Signal, read_scan, write_scan

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    xarray = pytest.importorskip("xarray")
    sidpy = pytest.importorskip("sidpy")


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record what is read of any signal."""
    seen: list[Any] = []
    original = HDF5Signal.read

    def read(self: HDF5Signal, selection: Any) -> Any:
        seen.append(selection)
        return original(self, selection)

    monkeypatch.setattr(HDF5Signal, "read", read)
    return seen


def test_xarray_is_lazy_and_complete(tmp_path: Path, reads: list[Any]) -> None:
    scan, data = make_scan((3, 4), (6, 5))
    array = read_scan(write_scan(scan, tmp_path / "scan.nxs")).to_xarray()
    assert reads == []
    assert array.dims == ("mu", "chi", "y", "x")
    assert array.attrs["units"] == "counts"
    assert array.attrs["sample/temperature"] == 293.5
    assert array.attrs["sample/temperature@units"] == "K"
    assert array.coords["mu"].attrs["units"] == "degree"
    np.testing.assert_array_equal(array.coords["mon"], scan.counters["mon"].value)
    selected = array.sel(mu=0.0, method="nearest").isel(chi=2)
    np.testing.assert_array_equal(selected.values, data[1, 2])
    assert reads


def test_sidpy_is_lazy_and_complete(tmp_path: Path, reads: list[Any]) -> None:
    scan, data = make_scan((3, 4), (6, 5))
    dataset = read_scan(write_scan(scan, tmp_path / "scan.nxs")).to_sidpy()
    assert reads == []
    assert dataset.units == "counts"
    assert dataset.title == "a rocking scan"
    assert [dataset._axes[k].name for k in range(4)] == ["mu", "chi", "y", "x"]
    assert dataset._axes[0].units == "degree"
    np.testing.assert_array_equal(dataset._axes[0].values, scan.axes["mu"].values)
    assert dataset.metadata["instrument/source/name"] == "ESRF"
    np.testing.assert_array_equal(np.asarray(dataset.compute()), data)
