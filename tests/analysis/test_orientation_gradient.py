"""Gradients of tilted planes."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.centers import master_of

from nxscan.analysis.orientation_gradient import OrientationGradient, slope

MOTORS = {"obx": 100.0, "mainx": -1100.0}
"""The magnification is 10."""


def test_a_tilted_plane_has_its_slope_everywhere_in_degrees_per_micrometer(tmp_path):
    y, x = np.mgrid[0:5, 0:6]
    mu, chi = 3e-3 * x, 4e-3 * y - 1e-3 * x
    errors = {name: np.full(mu.shape, 1e-4) for name in ("mu", "chi")}
    path = master_of(tmp_path / "a.nxs", {"mu": mu, "chi": chi}, errors, motors=MOTORS, pixel=5)
    found = OrientationGradient().run(path, on="moments")
    assert found.units("orientation_gradient") == "degree/um"
    # 0.5 µm a pixel; the image is inverted, so the sample's axes run the other way
    np.testing.assert_allclose(found["gradient_mu_x"], -6e-3, rtol=1e-9)
    np.testing.assert_allclose(found["gradient_chi_y"], -8e-3, rtol=1e-9)
    np.testing.assert_allclose(found["gradient_chi_x"], 2e-3, rtol=1e-9)
    np.testing.assert_allclose(found["gradient_mu_y"], 0, atol=1e-12)
    norm = np.sqrt(6e-3**2 + 8e-3**2 + 2e-3**2)
    np.testing.assert_allclose(found["orientation_gradient"], norm, rtol=1e-9)
    # two pixels apart inside, one at the edge
    sigma = 1e-4 * np.sqrt(2)
    assert found.errors("gradient_mu_x")[2, 2] == pytest.approx(sigma / 1.0)
    assert found.errors("gradient_mu_x")[2, 0] == pytest.approx(sigma / 0.5)
    assert found.errors("orientation_gradient")[2, 2] == pytest.approx(sigma / 1.0)


def test_a_layer_is_longer_along_the_beam(tmp_path):
    y, _ = np.mgrid[0:5, 0:6]
    path = master_of(tmp_path / "a.nxs", {"mu": 1e-3 * y}, motors=MOTORS, pixel=5)
    found = OrientationGradient(layer="perpendicular", two_theta=30).run(path, on="moments")
    np.testing.assert_allclose(found["orientation_gradient"], 1e-3 / 1.0, rtol=1e-9)


def test_without_a_magnification_it_is_per_pixel(tmp_path):
    _, x = np.mgrid[0:5, 0:6]
    path = master_of(tmp_path / "a.nxs", {"mu": 1e-3 * x})
    found = OrientationGradient().run(path, on="moments")
    assert found.units("orientation_gradient") == "degree/pixel"
    np.testing.assert_allclose(found["gradient_mu_x"], 1e-3, rtol=1e-9)


@pytest.mark.parametrize("chi_to_q", [60.0, 120.0])
def test_roll_counts_by_the_sine_of_its_axis_to_q(tmp_path, chi_to_q):
    _, x = np.mgrid[0:5, 0:6]
    path = master_of(tmp_path / "a.nxs", {"mu": 0.0 * x, "chi": 1e-3 * x})
    found = OrientationGradient(chi_to_q=chi_to_q).run(path, on="moments")
    expected = 1e-3 * np.sin(np.radians(chi_to_q))
    np.testing.assert_allclose(found["orientation_gradient"], expected, rtol=1e-6)
    np.testing.assert_allclose(found["gradient_chi_x"], 1e-3, rtol=1e-9)


def test_beside_a_gap_one_neighbor_is_enough_and_none_is_not():
    values = np.array([[0.0, 1.0, np.nan, 5.0, np.nan]])
    found, noise = slope(values, 2.0, 1, np.full(values.shape, 0.5))
    np.testing.assert_array_equal(found, [[0.5, 0.5, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(noise, [[0.25, 0.25, np.nan, np.nan, np.nan]])
