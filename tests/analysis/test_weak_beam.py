"""What is left of curves without their main peaks, against numpy and closed formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.blocks import drive, scan_of

from nxscan.analysis.weak_beam import WeakBeam
from nxscan.errors import ProcessError

MU = np.linspace(-1.0, 1.0, 41)
CHI = np.array([0.0, 0.5, 1.5])


def two_peaks(at: float = 0.6, background: float = 0.0) -> np.ndarray[Any, Any]:
    """Return curves of a strong peak at -0.4 and a weak one at ``at``, for 4 × 3 pixels."""
    strong = 1000 * np.exp(-((MU + 0.4) ** 2) / (2 * 0.01**2))
    weak = 40 * np.exp(-((MU - at) ** 2) / (2 * 0.05**2))
    return np.broadcast_to((strong + weak + background)[:, None, None], (MU.size, 4, 3))


def test_with_base_zero_it_is_what_darfix_computes():
    data = np.random.default_rng(11).poisson(two_peaks() + 3).astype("u2")
    found = drive(WeakBeam(base="zero", n=1), scan_of(data, {"mu": MU}))
    left = data.astype(float)
    left[left > np.std(left, axis=0)] = 0
    np.testing.assert_allclose(found["intensity"], left.sum(axis=0), rtol=1e-12)
    expected = np.einsum("k,kyx->yx", MU, left) / left.sum(axis=0)
    np.testing.assert_allclose(found["center"], expected, atol=1e-12)
    np.testing.assert_array_equal(found["left_out"], (data > data.std(axis=0)).sum(axis=0))


@pytest.mark.parametrize("background", [0.0, 500.0])
def test_the_weak_peak_is_found_whatever_the_background(background):
    data = two_peaks(0.6, background)
    found = drive(WeakBeam(n=0.3), scan_of(data, {"mu": MU}))
    np.testing.assert_allclose(found["center"], 0.6, atol=2e-4)
    alone = (40 * np.exp(-((MU - 0.6) ** 2) / (2 * 0.05**2))).sum()
    np.testing.assert_allclose(found["intensity"], alone, rtol=2e-4)
    limit = 0.3 * np.std(data[:, 0, 0])
    np.testing.assert_array_equal(found["left_out"], (data[:, 0, 0] - background > limit).sum())


def test_a_background_above_the_limit_leaves_nothing_with_base_zero():
    found = drive(WeakBeam(base="zero"), scan_of(two_peaks(background=500.0), {"mu": MU}))
    assert (found["left_out"] == MU.size).all()
    assert np.isnan(found["center"]).all()
    assert (found["status"] == 1).all()


def test_masked_values_do_not_count_and_pixels_of_none_are_masked():
    data = np.random.default_rng(11).poisson(two_peaks() + 3).astype("f8")
    valid = np.random.default_rng(12).random(data.shape) > 0.2
    valid[:, 0, 0] = False
    found = drive(WeakBeam(), scan_of(data, {"mu": MU}), valid=valid)
    assert found["status"][0, 0] == 4
    assert np.isnan(found["intensity"][0, 0])
    assert np.isnan(found["center"][0, 0])
    curve = data[valid[:, 2, 1], 2, 1]
    curve, places = curve - np.median(curve), MU[valid[:, 2, 1]]
    weak = curve <= curve.std()
    assert found["intensity"][2, 1] == pytest.approx(curve[weak].sum(), rel=1e-12)
    expected = (curve[weak] * places[weak]).sum() / curve[weak].sum()
    inside = abs(expected) <= 1
    assert found["center"][2, 1] == pytest.approx(expected if inside else np.nan, nan_ok=True)


def test_along_two_motors_each_has_its_center():
    weights = np.array([1.0, 4.0, 1.0])
    data = weights[:, None, None, None] * two_peaks()[None, :, :, :]
    found = drive(WeakBeam(base="zero", n=2), scan_of(data, {"chi": CHI, "mu": MU}))
    left = np.where(data > 2 * data.std(axis=(0, 1)), 0, data)
    for name, places in (("chi", CHI[:, None, None, None]), ("mu", MU[:, None, None])):
        expected = (places * left).sum(axis=(0, 1)) / left.sum(axis=(0, 1))
        np.testing.assert_allclose(found[f"center_{name}"], expected, atol=1e-12)


@pytest.mark.parametrize("base", ["median", "zero"])
def test_errors_are_the_scatter_of_repeated_scans(base):
    curve = 2000.0 * (np.arange(MU.size) == 12) + 200 * np.exp(-((MU - 0.5) ** 2) / (2 * 0.04**2))
    truth = np.broadcast_to(curve[:, None, None], (MU.size, 60, 60))
    variance = np.full(truth.shape, 20, "f4")
    data = np.random.default_rng(7).normal(truth, np.sqrt(variance))
    found = drive(WeakBeam(base=base), scan_of(data, {"mu": MU}), variance=variance)
    assert (found["left_out"] == 1).all()
    for name in ("intensity", "center"):
        said = float(np.median(found[f"{name}_errors"]))
        assert found[name].std() == pytest.approx(said, rel=0.1), name


def test_an_axis_that_was_not_scanned_is_named():
    with pytest.raises(ProcessError, match=r"weak_beam: 'phi' is no scan axis.*mu"):
        WeakBeam(axes="phi").outputs(scan_of(two_peaks(), {"mu": MU}))
