"""Errors of moments, against the spread of many noisy copies of one curve."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.blocks import drive, scan_of

from nxscan.analysis.moments import Moments

COPIES = (100, 200)
NAMES = ["intensity", "center", "std", "fwhm", "skewness", "kurtosis"]
EVEN = np.linspace(-1, 1, 41)
UNEVEN = np.sinh(np.linspace(-1.5, 1.5, 41)) / np.sinh(1.5)


def curve(x):
    return 20000 * np.exp(-((x - 0.1) ** 2) / (2 * 0.25**2)) + 400


def compare(found, names=NAMES, tolerance=0.03):
    """Hold the mean of the errors against the standard deviation of the values.

    Of 20,000 copies the standard deviation is known to 0.5 %.
    """
    for name in names:
        spread, error = np.std(found[name], dtype=float), np.mean(found[f"{name}_errors"])
        assert error == pytest.approx(spread, rel=tolerance), name


@pytest.mark.parametrize("x", [EVEN, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize("background", ["none", "edges"])
@pytest.mark.parametrize("cuts", [[], [[13]]], ids=["whole", "cut"])
def test_errors_of_counts_are_their_spread(background, x, cuts):
    rng = np.random.default_rng(0)
    data = rng.poisson(np.broadcast_to(curve(x)[:, None, None], (41, *COPIES))).astype("u2")
    compare(drive(Moments(background=background), scan_of(data, {"mu": x}), cuts))


@pytest.mark.parametrize("background", ["none", "edges"])
def test_errors_of_a_camera_are_their_spread(background):
    rng = np.random.default_rng(1)
    offset, gain, read_noise = 100.0, 0.5, 20.0
    mean = np.broadcast_to(curve(EVEN)[:, None, None], (41, *COPIES))
    noise = np.sqrt(read_noise**2 + mean / gain)
    data = rng.normal(mean + offset, noise).astype("f4")
    given = {"noise": "camera", "offset": offset, "gain": gain, "read_noise": read_noise}
    compare(drive(Moments(background=background, **given), scan_of(data, {"mu": EVEN})))


def test_errors_of_a_dark_background_have_its_own_noise():
    rng = np.random.default_rng(2)
    mean = np.broadcast_to(curve(EVEN)[:, None, None], (41, *COPIES))
    data = rng.poisson(mean).astype("u2")
    dark = rng.poisson(400, (3, *COPIES)).astype("u2")
    compare(drive(Moments(background="dark"), scan_of(data, {"mu": EVEN}, dark=dark)))


def test_variances_of_corrected_values_are_used_where_they_come_along():
    rng = np.random.default_rng(3)
    mean = np.broadcast_to(curve(EVEN)[:, None, None], (41, *COPIES))
    scale = np.linspace(0.5, 2, 41)[:, None, None]
    data = (rng.poisson(mean / scale) * scale).astype("f4")
    variance = (data * scale).astype("f4")
    scan = scan_of(data, {"mu": EVEN})
    compare(drive(Moments(), scan, variance=variance))
    compare(drive(Moments(), scan, cuts=[[20]], variance=variance))


def test_errors_along_two_axes_are_their_spread():
    rng = np.random.default_rng(4)
    chi, mu = np.linspace(-1, 1, 9), np.linspace(-1, 1, 15)
    mean = 900 * np.exp(-((chi[:, None] - 0.1) ** 2) / 0.18 - (mu + 0.1) ** 2 / 0.12) + 30
    data = rng.poisson(np.broadcast_to(mean[:, :, None, None], (9, 15, *COPIES))).astype("u2")
    found = drive(Moments(), scan_of(data, {"chi": chi, "mu": mu}))
    names = [name + axis for name in NAMES[1:] for axis in ("_chi", "_mu")]
    compare(found, ["intensity", *names])


def test_errors_that_rounding_would_make_are_not_given():
    x = np.linspace(0, 1, 2001)
    data = 1000 * np.exp(-((x - 0.97) ** 2) / (2 * 0.0005**2))
    data = np.broadcast_to(data[:, None, None], (2001, 2, 2)).copy()
    found = drive(Moments(background="none"), scan_of(data, {"mu": x}))
    assert np.isnan(found["kurtosis_errors"]).all()
    expected = 0.0005 / np.sqrt(found["intensity"])
    np.testing.assert_allclose(found["center_errors"], expected, rtol=1e-5)


@pytest.mark.parametrize("background", ["none", "edges"])
@pytest.mark.parametrize("x", [EVEN, UNEVEN], ids=["even", "uneven"])
def test_errors_are_what_small_changes_of_each_value_do(background, x):
    """Along x, pixels differ from the curve by one value each, up in y = 0 and down in y = 1."""
    data = np.repeat(np.repeat(curve(x)[:, None, None], 3, axis=1), 41, axis=2)
    step = 0.5
    for i in range(41):
        data[i, 0, i] += step
        data[i, 1, i] -= step
    found = drive(Moments(background=background), scan_of(data, {"mu": x}))
    slope = (found["center"][0] - found["center"][1]) / (2 * step)
    expected = np.sqrt((slope**2 * curve(x)).sum())
    assert found["center_errors"][2, 0] == pytest.approx(expected, rel=1e-6)
    for name, tolerance in (("std", 5e-3), ("skewness", 2e-2), ("kurtosis", 2e-2)):
        slope = (found[name][0].astype(float) - found[name][1]) / (2 * step)
        expected = np.sqrt((slope**2 * curve(x)).sum())
        assert found[f"{name}_errors"][2, 0] == pytest.approx(expected, rel=tolerance), name
