"""Rocking curves: width, height and area against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from nxscan.simulate import fwhm_to_sigma, sigma_to_fwhm
from nxscan.simulate.curves import area, elliptic_distance, profile, volume


def curve(x: np.ndarray, fwhm: float, lorentz: float) -> np.ndarray:
    return profile(((x / fwhm_to_sigma(fwhm)) ** 2).astype(np.float32), lorentz)


@pytest.mark.parametrize("lorentz", [0.0, 0.3, 1.0])
def test_curve_is_one_at_its_center_and_half_at_half_its_width(lorentz: float) -> None:
    values = curve(np.array([0.0, 0.05, -0.05]), 0.1, lorentz)
    assert values == pytest.approx([1, 0.5, 0.5], rel=1e-6)


def test_width_and_standard_deviation_convert_into_each_other() -> None:
    assert sigma_to_fwhm(1.0) == pytest.approx(2.3548200450309493)
    assert fwhm_to_sigma(sigma_to_fwhm(0.37)) == pytest.approx(0.37)


@pytest.mark.parametrize(("lorentz", "reach"), [(0.0, 1.0), (0.4, 4000.0)])
def test_area_is_the_integral_of_the_curve(lorentz: float, reach: float) -> None:
    inner = np.linspace(-1, 1, 20001)
    x = np.concatenate(
        [-np.geomspace(reach, 1, 4000)[:-1], inner, np.geomspace(1, reach, 4000)[1:]]
    )
    x = x[np.abs(x) <= reach]
    integral = np.trapezoid(3 * curve(x, 0.1, lorentz).astype(float), x)
    expected = area(np.array(3.0), np.array(0.1), lorentz)
    assert integral == pytest.approx(float(expected), rel=1e-4)


def test_volume_is_the_integral_over_both_motors() -> None:
    x = np.linspace(-0.6, 0.6, 401)
    u = (x / fwhm_to_sigma(0.1)).astype(np.float32)
    v = (x[:, None] / fwhm_to_sigma(0.2)).astype(np.float32)
    peak = 5 * profile(elliptic_distance(u, v, np.float32(0.5))).astype(float)
    integral = peak.sum() * (x[1] - x[0]) ** 2
    expected = volume(np.array(5.0), np.array(0.1), np.array(0.2), np.array(0.5))
    assert integral == pytest.approx(float(expected), rel=1e-4)
