"""A sidpy dataset as a scan: dimensions by their types, units, metadata."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nxscan
from nxscan.errors import SourceError
from nxscan.nexus import write_scan
from nxscan.translate.contract import Options
from nxscan.translate.report import Report

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sidpy = pytest.importorskip("sidpy")

from nxscan.translators.scifireaders.convert import scan_of

pytestmark = pytest.mark.filterwarnings("ignore")

RNG = np.random.default_rng(3)


def _dataset(data: Any, *dims: tuple[str, str, str, Any], **said: Any) -> Any:
    """Return a dataset; each dimension is name, unit, type, values."""
    found = sidpy.Dataset.from_array(data, title="probe")
    found.units, found.quantity = said.get("units", "nA"), said.get("quantity", "current")
    for k, (name, units, kind, values) in enumerate(dims):
        quantity = {"x": "distance", "y": "distance"}.get(name, name)
        axis = sidpy.Dimension(values, name, quantity, units, dimension_type=kind)
        found.set_dimension(k, axis)
    return found


def _scan(dataset: Any) -> Any:
    report = Report()
    scan = scan_of(dataset, Options(), report)
    assert not report.errors
    return scan


X = ("x", "nm", "spatial", np.arange(4) * 0.5)
Y = ("y", "nm", "spatial", np.arange(3) * 2.0)
ENERGY = ("energy", "eV", "spectral", np.linspace(100.0, 200.0, 5))
TIME = ("time", "s", "temporal", np.array([0.0, 1.5]))
FRAME = ("stack", "generic", "frame", np.arange(2.0))
KX = ("kx", "1/nm", "reciprocal", np.linspace(-1.0, 1.0, 5))
KY = ("ky", "1/nm", "reciprocal", np.linspace(-2.0, 2.0, 6))
CHANNEL = ("color", "generic", "channel", np.arange(3.0))
OTHER = ("other", "generic", "unknown", np.arange(6.0))


@pytest.mark.parametrize(
    ("dims", "scanned", "order"),
    [
        ((Y, X), ["y", "x"], [0, 1]),
        ((Y, X, ENERGY), ["y", "x"], [0, 1, 2]),
        ((ENERGY, Y, X), ["y", "x"], [1, 2, 0]),
        ((TIME, Y, X), ["time", "y", "x"], [0, 1, 2]),
        ((FRAME, Y, X), ["stack", "y", "x"], [0, 1, 2]),
        ((Y, X, KY, KX), ["y", "x"], [0, 1, 2, 3]),
        ((KY, KX), [], [0, 1]),
        ((ENERGY,), [], [0]),
        ((Y, X, CHANNEL), ["y", "x"], [0, 1, 2]),
        ((TIME, OTHER), ["time"], [0, 1]),
    ],
)
def test_types_of_dimensions_say_which_are_the_scans(
    dims: Any, scanned: list[str], order: list[int]
) -> None:
    data = RNG.random([len(values) for *_, values in dims])
    scan = _scan(_dataset(data, *dims))
    assert [axis.name for axis in scan.main_axes()[: len(scanned)]] == scanned
    assert len(scan.scan_shape) == len(scanned)
    np.testing.assert_array_equal(scan.signal[...], data.transpose(order))
    for axis, place in zip(scan.main_axes(), order, strict=True):
        name, units, _, values = dims[place]
        assert (axis.name, axis.units) == (name, None if units == "generic" else units)
        np.testing.assert_array_equal(axis.values, values)


def test_every_type_is_kept_by_name() -> None:
    scan = _scan(_dataset(RNG.random((2, 3, 4, 6, 5)), TIME, Y, X, KY, KX))
    said = scan.provenance.parameters["dimension_types"]
    assert said == "time: TEMPORAL, y: SPATIAL, x: SPATIAL, ky: RECIPROCAL, kx: RECIPROCAL"


def test_points_of_a_cloud_are_a_list_with_their_coordinates() -> None:
    places = RNG.random((7, 2))
    data = RNG.random((7, 5))
    dataset = sidpy.Dataset.from_array(data, datatype="point_cloud", coordinates=places)
    dataset.point_cloud["spatial_units"] = "um"
    dataset.set_dimension(1, sidpy.Dimension(ENERGY[3], "energy", "energy", "eV", "spectral"))
    scan = _scan(dataset)
    assert scan.signal.shape == (7, 5)
    np.testing.assert_array_equal(scan.axes["y"].values, places[:, 1])
    assert (scan.axes["x"].units, scan.axes["x"].dimension) == ("um", 0)


def test_units_quantity_and_metadata_are_kept() -> None:
    dataset = _dataset(RNG.random((3, 4)), Y, X, units="pA", quantity="Tunnel current")
    dataset.metadata = {"experiment": {"microscope": "STM 1", "bias": 0.5}}
    dataset.original_metadata = {"lines": [1, 2, 3, 4, 5], "note": "good"}
    scan = _scan(dataset)
    assert (scan.signal.units, scan.signal.long_name) == ("pA", "Tunnel current")
    assert scan.axes["x"].long_name == "x, distance"
    assert scan.metadata.get("instrument/name").value == "STM 1"
    said = scan.raw_metadata.values
    assert said["metadata/experiment/bias"] == "0.5"
    assert said["original_metadata/note"] == "good"
    np.testing.assert_array_equal(said["original_metadata/lines"], [1, 2, 3, 4, 5])


def test_generic_units_are_unknown() -> None:
    scan = _scan(_dataset(RNG.random((3, 4)), Y, X, units="generic", quantity="generic"))
    assert scan.signal.units is None
    assert scan.detector == "intensity"


def test_it_becomes_a_master_without_a_finding(tmp_path: Path) -> None:
    data = RNG.random((4, 3, 5))
    scan = _scan(_dataset(data, X, Y, ENERGY))
    path = write_scan(scan, tmp_path / "scan.nxs")
    back = nxscan.open(path)
    np.testing.assert_array_equal(back.signal[...], data)
    np.testing.assert_array_equal(back.signal[1:3, 2, ::2], data[1:3, 2, ::2])
    assert [axis.units for axis in back.main_axes()] == ["nm", "nm", "eV"]
    assert [str(finding) for finding in nxscan.validate(path).findings] == []


def test_values_are_read_in_parts_and_can_be_pickled() -> None:
    data = RNG.random((4, 3, 5))
    signal = pickle.loads(pickle.dumps(_scan(_dataset(data, ENERGY[:0] or X, Y, ENERGY)).signal))
    np.testing.assert_array_equal(signal[2, 1], data[2, 1])


def test_values_that_are_no_numbers_are_refused() -> None:
    data = np.zeros((3, 4), [("a", "f4"), ("b", "f4")])
    with pytest.raises(SourceError, match="not frames"):
        scan_of(sidpy.Dataset.from_array(data), Options(), Report())
