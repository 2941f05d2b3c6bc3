"""The center of mass of frames, against closed formulas and numpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.blocks import drive, scan_of

from nxscan.analysis.center_of_mass import CenterOfMass
from nxscan.errors import ProcessError
from nxscan.model import ArraySignal, Scan

PLACES = {"y_stage": np.arange(2), "x_stage": np.arange(3)}


def centers(data, y, x):
    wide = data.astype(np.longdouble)
    total = wide.sum(axis=(2, 3))
    return (wide * y[:, None]).sum(axis=(2, 3)) / total, (wide * x).sum(axis=(2, 3)) / total


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("frame", [(7, 5), (8, 300), (259, 4), (1, 9), (515, 3)])
def test_it_is_what_numpy_says_for_every_type_and_shape(dtype, frame):
    top = min(np.iinfo(dtype).max, 2**31) if dtype[0] in "ui" else 1000
    data = np.random.default_rng(0).integers(0, top, (2, 3, *frame)).astype(dtype)
    found = drive(CenterOfMass(), scan_of(data, PLACES))
    y, x = centers(data, np.arange(frame[0]), np.arange(frame[1]))
    np.testing.assert_allclose(found["center_y"], y.astype(float), rtol=1e-12)
    np.testing.assert_allclose(found["center_x"], x.astype(float), rtol=1e-12)
    expected = data.astype(np.longdouble).sum(axis=(2, 3)).astype(float)
    np.testing.assert_allclose(found["intensity"], expected, rtol=1e-14)


def test_full_frames_of_the_largest_value_do_not_overflow():
    data = np.full((1, 1, 1100, 70), 65535, np.uint16)
    found = drive(CenterOfMass(), scan_of(data, {"a": np.zeros(1), "b": np.zeros(1)}))
    assert found["intensity"][0, 0] == 65535 * 1100 * 70
    assert found["center_y"][0, 0] == pytest.approx(549.5, rel=1e-14)
    assert found["center_x"][0, 0] == pytest.approx(34.5, rel=1e-14)


def test_a_gaussian_spot_is_where_it_is():
    y, x = np.arange(64.0)[:, None], np.arange(80.0)
    spot = np.exp(-((y - 30.25) ** 2) / 18 - (x - 41.5) ** 2 / 32)
    data = np.broadcast_to(spot, (2, 3, 64, 80)).copy()
    found = drive(CenterOfMass(), scan_of(data, PLACES))
    np.testing.assert_allclose(found["center_y"], 30.25, atol=1e-9)
    np.testing.assert_allclose(found["center_x"], 41.5, atol=1e-9)


@pytest.mark.parametrize("uneven", [False, True])
def test_centers_are_in_the_axes_own_values(uneven):
    data = np.random.default_rng(4).integers(0, 999, (2, 3, 6, 5)).astype("u2")
    scan = scan_of(data, PLACES)
    y = 1e6 - 0.5 * np.arange(6) + (np.arange(6) ** 2 * 0.01 if uneven else 0)
    x = np.array([0.0, 1, 3, 7, 15])
    scan.axes["y"] = replace(scan.axes["y"], values=y)
    scan.axes["x"] = replace(scan.axes["x"], values=x)
    found = drive(CenterOfMass(), scan)
    expected_y, expected_x = centers(data, y.astype(np.longdouble), x)
    np.testing.assert_allclose(found["center_y"], expected_y.astype(float), atol=1e-8, rtol=0)
    np.testing.assert_allclose(found["center_x"], expected_x.astype(float), rtol=1e-13)


def test_masked_values_and_nan_are_left_out():
    rng = np.random.default_rng(5)
    data = rng.integers(1, 999, (2, 3, 6, 5)).astype("f4")
    valid = rng.random((6, 5)) > 0.3
    data[0, 0, 0, :2] = np.nan
    found = drive(CenterOfMass(), scan_of(data, PLACES), valid=valid)
    kept = np.where(valid & np.isfinite(data), data, 0)
    y, x = centers(kept, np.arange(6), np.arange(5))
    np.testing.assert_allclose(found["center_y"], y.astype(float), rtol=1e-12)
    np.testing.assert_allclose(found["center_x"], x.astype(float), rtol=1e-12)


def test_an_empty_frame_has_no_center_and_a_masked_one_no_intensity():
    data = np.ones((2, 3, 4, 4), np.uint16)
    data[0, 1] = 0
    valid = np.ones((2, 3, 1, 1), bool)
    valid[1, 2] = False
    found = drive(CenterOfMass(), scan_of(data, PLACES), valid=valid)
    assert found["intensity"][0, 1] == 0
    assert np.isnan(found["center_y"][0, 1])
    assert np.isnan(found["intensity"][1, 2])
    assert np.isnan(found["center_x"]).sum() == 2


def test_a_scan_of_curves_is_refused():
    frames = scan_of(np.ones((2, 3, 4, 4)), PLACES)
    axes = {name: axis for name, axis in frames.axes.items() if name != "x"}
    scan = Scan("curves", {"diode": ArraySignal(np.ones((2, 3, 4)))}, axes)
    with pytest.raises(ProcessError, match="two dimensions"):
        CenterOfMass().outputs(scan)
