"""Fits of rocking curves: noise-free curves, every status, positions of all kinds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers.blocks import drive, scan_of
from scipy.optimize import curve_fit

from nxscan.analysis.rocking_curve import RockingCurve
from nxscan.errors import ProcessError
from nxscan.kernels.fit import AT_BOUND, DIVERGED, EDGE, FEW, MASKED, OK, SATURATED, WEAK

X = np.linspace(-1, 1, 41)
LN2 = math.log(2)
AREA = {
    "gaussian": 0.5 * math.sqrt(math.pi / LN2),
    "lorentzian": math.pi / 2,
    "pseudo_voigt": 0.6 * 0.5 * math.sqrt(math.pi / LN2) + 0.4 * math.pi / 2,
}
"""Integrals of profiles of height and full width 1; the pseudo-Voigt's η is 0.4."""
VALUES = ("amplitude", "center", "fwhm", "background", "intensity")


def peak(
    x: Any, height: float, center: float, fwhm: float, profile: str = "gaussian"
) -> np.ndarray[Any, Any]:
    q = 4 * ((np.asarray(x) - center) / fwhm) ** 2
    gauss, tail = np.exp(-LN2 * q), 1 / (1 + q)
    eta = {"gaussian": 0.0, "lorentzian": 1.0, "pseudo_voigt": 0.4}[profile]
    return height * ((1 - eta) * gauss + eta * tail)


def fit(curves: Any, x: Any, valid: Any = None, **parameters: Any) -> dict[str, Any]:
    """Fit one curve, or the columns of an array."""
    data = np.asarray(curves)
    data = data.reshape(len(data), 1, -1)
    if valid is not None:
        valid = np.broadcast_to(np.reshape(valid, (len(data), 1, -1)), data.shape)
    parameters.setdefault("noise", "poisson")
    found = drive(RockingCurve(**parameters), scan_of(data, {"mu": x}), valid=valid)
    return {name: values[0] for name, values in found.items()}


def noisy(mean: Any, copies: int = 200, seed: int = 0) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.poisson(np.asarray(mean)[:, None], (len(mean), copies)).astype("u2")


def assert_failed(found: dict[str, Any], status: int) -> None:
    assert (found["status"] == status).all(), np.bincount(found["status"])
    for name, values in found.items():
        if name != "status":
            assert np.isnan(values).all(), name


@pytest.mark.parametrize("background", ["constant", "linear"])
@pytest.mark.parametrize("profile", list(AREA))
@pytest.mark.parametrize("noise", ["poisson", "uniform"])
def test_noise_free_curves_are_recovered(profile, background, noise):
    slope = 7.0 if background == "linear" else 0.0
    curve = peak(X, 1000, 0.13, 0.31, profile) + 20 + slope * X
    found = fit(curve, X, profile=profile, background=background, noise=noise)
    expected = {"amplitude": 1000, "center": 0.13, "fwhm": 0.31, "background": 20}
    expected["intensity"] = 1000 * 0.31 * AREA[profile]
    if slope:
        expected["background_slope"] = slope
    if profile == "pseudo_voigt":
        expected["eta"] = 0.4
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6, err_msg=name)
    assert (found["status"] == OK).all()
    assert (found["chi_square"] < 1e-9).all()


@pytest.mark.parametrize("height", [3.0, 1e3, 1e9])
def test_heights_from_a_few_counts_to_a_billion(height):
    found = fit(peak(X, height, 0.1, 0.3) + 0.01 * height, X, threshold=0)
    np.testing.assert_allclose(found["amplitude"], height, rtol=1e-6)
    np.testing.assert_allclose(found["fwhm"], 0.3, rtol=1e-6)


@pytest.mark.parametrize(
    "x",
    [
        X[::-1],
        1e5 + 1e-3 * X,
        np.sinh(3 * X) / np.sinh(3),
        np.repeat(X[::2], 2),
        np.random.default_rng(1).permutation(X),
        np.linspace(0.0, 0.02, 41),
    ],
    ids=["decreasing", "far from zero", "uneven", "repeated", "in no order", "small"],
)
def test_positions_may_be_anywhere(x):
    middle, half = (x.max() + x.min()) / 2, np.ptp(x) / 2
    center, fwhm = middle + 0.13 * half, 0.3 * half
    found = fit(peak(x, 1000, center, fwhm) + 20, x)
    assert found["center"][0] == pytest.approx(center, abs=1e-6 * fwhm + 1e-9 * abs(middle) * 1e-3)
    np.testing.assert_allclose(found["fwhm"], fwhm, rtol=1e-5 if middle > 1 else 1e-6)
    assert found["status"][0] == OK


def test_positions_count_where_they_were_read():
    read = X + 0.01 * np.random.default_rng(0).standard_normal(41)
    data = (peak(read, 1000, 0.13, 0.3) + 20).reshape(41, 1, 1)
    scan = scan_of(data, {"mu": X}, readings={"mu": read})
    found = drive(RockingCurve(noise="poisson"), scan)
    assert found["center"][0, 0] == pytest.approx(0.13, abs=1e-7)
    assert found["chi_square"][0, 0] < 1e-9


@pytest.mark.parametrize("profile", list(AREA))
def test_a_fit_is_scipys_with_the_weights_of_its_own_model(profile):
    """curve_fit with sigma = √model, where ours is the fixed point, does not move, and agrees."""
    count = {"pseudo_voigt": 5}.get(profile, 4)
    data = noisy(peak(X, 500, 0.1, 0.4, profile) + 20, 5)
    found = fit(data, X, profile=profile)
    names = ["amplitude", "center", "fwhm", "background", "eta"][:count]

    def model(x, height, center, fwhm, background, eta=0.0 if profile == "gaussian" else 1.0):
        q = 4 * ((x - center) / fwhm) ** 2
        return height * ((1 - eta) * np.exp(-LN2 * q) + eta / (1 + q)) + background

    for k in np.flatnonzero(found["status"] == OK):
        ours = np.array([found[name][k] for name in names], float)
        if profile == "pseudo_voigt" and not 0.001 < ours[4] < 0.999:
            continue
        sigma = np.sqrt(model(X, *ours))
        theirs, covariance = curve_fit(
            model, X, data[:, k].astype(float), ours, sigma, absolute_sigma=True, xtol=1e-12
        )
        errors = np.sqrt(np.diag(covariance))
        assert np.abs((ours - theirs) / errors).max() < 2e-3
        mine = [found[f"{name}_errors"][k] for name in names]
        np.testing.assert_allclose(mine, errors, rtol=1e-3)
        rest = data[:, k] - model(X, *ours)
        chi = (rest**2 / sigma**2).sum() / (41 - count)
        assert found["chi_square"][k] == pytest.approx(chi, rel=1e-4)


@pytest.mark.parametrize("mean", [0.0, 0.05, 20.0, 5000.0])
def test_a_flat_curve_is_too_weak(mean):
    assert_failed(fit(noisy(np.full(41, mean)), X), WEAK)


def test_the_threshold_says_what_is_too_weak():
    data = noisy(peak(X, 40, 0.1, 0.3) + 5)
    significance = fit(data, X, threshold=0)
    significance = significance["amplitude"] / significance["amplitude_errors"]
    middle = float(np.median(significance))
    found = fit(data, X, threshold=middle)
    np.testing.assert_array_equal(found["status"] == WEAK, significance <= middle)
    assert np.isnan(found["center"][found["status"] == WEAK]).all()
    assert np.isfinite(found["center"][found["status"] == OK]).all()


def test_a_single_hot_frame_is_no_peak():
    assert_failed(fit(noisy(20 + 5000.0 * (np.arange(41) == 17)), X), AT_BOUND)


def test_a_peak_narrower_than_a_step_is_at_its_bound():
    assert_failed(fit(noisy(peak(X, 3000, 0.11, 0.025) + 10), X), AT_BOUND)


def test_a_peak_far_wider_than_the_scan_is_not_fitted():
    found = fit(noisy(peak(X, 30000, 0.1, 6.0) + 10), X)
    assert not (found["status"] == OK).any()
    assert np.isnan(found["center"]).all()


def test_a_peak_whose_half_height_is_outside_is_at_the_edge():
    found = fit(noisy(peak(X, 3000, 0.92, 0.3) + 10), X)
    assert (found["status"] == EDGE).all()
    np.testing.assert_allclose(found["center"].mean(), 0.92, atol=0.002)


def test_a_peak_outside_the_scan_is_nan():
    found = fit(noisy(peak(X, 30000, 1.15, 0.3) + 10), X)
    assert np.isin(found["status"], [EDGE, WEAK]).all()
    assert np.isnan(found["center"]).all()


def test_saturated_values_are_left_out_and_said():
    data = np.minimum(noisy(peak(X, 1000, 0.1, 0.3) + 10), 700)
    found = fit(data, X, saturation=700)
    assert (found["status"] == SATURATED).all()
    assert found["amplitude"].mean() == pytest.approx(1000, rel=0.01)
    assert found["fwhm"].mean() == pytest.approx(0.3, rel=0.01)


def test_the_largest_value_of_an_integer_detector_is_saturated():
    data = np.minimum(peak(X, 90000, 0.1, 0.3) + 10, 65535).astype("u2")
    found = fit(data, X)
    assert found["status"][0] == SATURATED
    assert found["amplitude"][0] == pytest.approx(90000, rel=1e-3)


def test_masked_and_missing_frames_are_left_out():
    data = (peak(X, 1000, 0.1, 0.3) + 20).astype(float)
    data[20:23] = np.nan
    data[5] = np.inf
    valid = np.ones(41, bool)
    valid[30] = False
    data[30] = 1e6
    found = fit(data, X, valid=valid)
    assert found["status"][0] == OK
    np.testing.assert_allclose(found["amplitude"], 1000, rtol=1e-6)
    np.testing.assert_allclose(found["center"], 0.1, rtol=1e-6)


def test_without_any_value_a_pixel_is_masked():
    data = noisy(peak(X, 1000, 0.1, 0.3) + 20, 4).astype(float)
    data[:, 1] = np.nan
    valid = np.ones((41, 4), bool)
    valid[:, 2] = False
    found = fit(data, X, valid=valid)
    assert found["status"].tolist() == [OK, MASKED, MASKED, OK]
    assert np.isnan(found["center"][1:3]).all()


@pytest.mark.parametrize(("n", "status"), [(3, FEW), (4, OK), (5, OK)])
def test_few_positions(n, status):
    x = np.linspace(-1, 1, n)
    found = fit(peak(x, 1000, 0.1, 1.1) + 10, x)
    assert found["status"][0] == status
    if status == FEW:
        assert_failed(found, FEW)
    else:
        assert found["center"][0] == pytest.approx(0.1, abs=1e-6)
        assert np.isnan(found["chi_square"][0]) == (n == 4)


def test_one_peak_through_two_never_looks_good():
    data = noisy(peak(X, 1000, -0.3, 0.2) + peak(X, 900, 0.3, 0.2) + 10)
    found = fit(data, X)
    good = found["status"] == OK
    assert np.isin(found["status"], [OK, DIVERGED]).all()
    assert (found["chi_square"][good] > 20).all()
    assert np.isnan(found["center"][~good]).all()


def test_values_below_zero_are_fitted():
    rng = np.random.default_rng(0)
    data = rng.normal((peak(X, 1000, 0.1, 0.3) - 50)[:, None], 5, (41, 200))
    found = fit(data, X, noise="uniform")
    assert (found["status"] == OK).all()
    assert found["background"].mean() == pytest.approx(-50, abs=0.3)
    assert np.sqrt(found["chi_square"]).mean() == pytest.approx(5, rel=0.03)


def test_parts_of_a_block_give_the_same():
    data = noisy(peak(X, 300, 0.1, 0.3) + 10, 60).reshape(41, 6, 10)
    scan = scan_of(data, {"mu": X})
    whole, cut = (drive(RockingCurve(), scan, cuts) for cuts in ([], [[], [1, 4], [3]]))
    for name, values in whole.items():
        np.testing.assert_array_equal(values, cut[name], err_msg=name)


def test_what_cannot_be_fitted_is_refused():
    scan = scan_of(np.ones((3, 4, 2, 2)), {"chi": np.arange(3.0), "mu": np.arange(4.0)})
    for parameters, message in (
        ({"axes": "mu"}, "chi was scanned too"),
        ({"axes": "eta,mu"}, "'eta' is no scan axis"),
        ({"profile": "lorentzian"}, "for one motor"),
    ):
        with pytest.raises(ProcessError, match=message):
            RockingCurve(noise="poisson", **parameters).outputs(scan)


def test_what_was_fitted_is_noted():
    scan = scan_of(np.ones((41, 2, 2)), {"mu": X})
    given = {"noise": "camera", "offset": 100, "gain": 0.5, "read_noise": 3}
    notes = {out.name: out.note for out in RockingCurve(**given).outputs(scan)}
    assert notes["center"].startswith("gaussian on a constant background; noise of a camera")
    assert "offset 100, gain 0.5, read noise 3" in notes["center"]
    assert "6 did not converge" in notes["status"]
    units = {out.name: out.units for out in RockingCurve(**given).outputs(scan)}
    assert units["intensity"] == "counts*degree"
    assert units["fwhm"] == "degree"
