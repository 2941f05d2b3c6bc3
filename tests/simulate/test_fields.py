"""Deformation fields against the displacements that they are derivatives of."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nxscan.simulate.fields import boundary_fraction, edge_rotation, edge_strain, random_field

B, NU = 2.863e-4, 0.345


def displacements(y: float, x: float) -> tuple[float, float]:
    """Return u_y and u_x of an edge dislocation, Hirth and Lothe eq. 3-45 and 3-46."""
    r2 = x * x + y * y
    ux = B / (2 * math.pi) * (math.atan2(y, x) + x * y / (2 * (1 - NU) * r2))
    uy = (
        -B
        / (2 * math.pi)
        * ((1 - 2 * NU) / (4 * (1 - NU)) * math.log(r2) + (x * x - y * y) / (4 * (1 - NU) * r2))
    )
    return uy, ux


POINTS = [(1.0, 2.0), (-0.7, 1.3), (2.5, -0.4), (-1.1, -3.0)]


@pytest.mark.parametrize(("y", "x"), POINTS)
def test_edge_rotation_is_half_the_curl_of_the_displacements(y: float, x: float) -> None:
    h = 1e-4
    slope_y = (displacements(y, x + h)[0] - displacements(y, x - h)[0]) / (2 * h)
    slope_x = (displacements(y + h, x)[1] - displacements(y - h, x)[1]) / (2 * h)
    found = edge_rotation(np.array(y), np.array(x), B)
    assert found == pytest.approx((slope_y - slope_x) / 2, rel=1e-6)


@pytest.mark.parametrize(("y", "x"), POINTS)
def test_edge_strain_is_the_derivative_of_the_displacement_across_the_glide_plane(
    y: float, x: float
) -> None:
    h = 1e-4
    slope = (displacements(y + h, x)[0] - displacements(y - h, x)[0]) / (2 * h)
    assert edge_strain(np.array(y), np.array(x), B, NU) == pytest.approx(slope, rel=1e-6)


def test_a_core_keeps_the_fields_finite_at_the_dislocation() -> None:
    zero = np.array(0.0)
    assert edge_rotation(zero, zero, B, core=1.0) == 0
    assert edge_strain(zero, zero, B, NU, core=1.0) == 0


def test_boundary_is_half_on_the_line_and_whole_beyond_it() -> None:
    fraction = boundary_fraction(np.array([-5.0, 0.0, 1.0, 5.0]), 1.0)
    # 0.8413447 is the normal distribution one standard deviation above its mean
    assert fraction == pytest.approx([2.866516e-7, 0.5, 0.8413447461, 1 - 2.866516e-7])


def test_random_field_has_unit_variance_and_a_gaussian_correlation() -> None:
    y, x = np.array([0.0, 3.0]), np.array([0.0, 4.0])
    fields = np.array([random_field(y, x, 5.0, np.random.default_rng(k)) for k in range(4000)])
    # 4000 draws: a variance is known to about √(2/4000) = 0.022, a correlation to 0.016
    assert np.mean(fields[:, 0, 0] ** 2) == pytest.approx(1, abs=0.11)
    assert np.mean(fields[:, 0, 0] * fields[:, 1, 1]) == pytest.approx(math.exp(-0.5), abs=0.08)


def test_random_field_does_not_depend_on_the_grid() -> None:
    coarse = np.linspace(-1, 1, 5)
    fine = np.linspace(-1, 1, 9)
    one = random_field(coarse, coarse, 0.5, np.random.default_rng(1))
    other = random_field(fine, fine, 0.5, np.random.default_rng(1))
    np.testing.assert_allclose(other[::2, ::2], one, atol=1e-12)
