"""What pixels of the microscope see, against ray tracing by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nxscan.analysis.geometry import components, frames, gradient, rays, rotations

OBX, TWO_THETA = 263.0, math.radians(18)
DISTANCE = OBX / math.cos(TWO_THETA)


def test_the_optical_axis_has_the_angles_of_the_reflection():
    eta, two_theta = rays.ray_angles(0.0, 0.0, OBX, TWO_THETA)
    assert eta == 0
    assert two_theta == pytest.approx(TWO_THETA, rel=1e-15)


def test_a_point_above_the_axis_is_seen_by_less_2_theta_and_one_to_the_left_at_positive_eta():
    _, two_theta = rays.ray_angles(0.1, 0.0, OBX, TWO_THETA)
    assert TWO_THETA - two_theta == pytest.approx(math.atan(0.1 / DISTANCE), rel=1e-9)
    eta, _ = rays.ray_angles(0.0, 0.1, OBX, TWO_THETA)
    # the ray goes to the right (−y), by 0.1 over the height of the objective
    assert eta == pytest.approx(math.atan(0.1 / (DISTANCE * math.sin(TWO_THETA))), rel=1e-9)


def test_a_map_has_a_vector_for_every_pixel():
    z, y = np.linspace(-0.1, 0.1, 5)[:, None], np.linspace(-0.2, 0.2, 7)
    found = rays.ray_vectors(z, y, OBX, TWO_THETA, 0.73)
    assert found.shape == (3, 5, 7)
    axis = frames.scattering_vectors(0.0, TWO_THETA, 0.73)
    assert found[:, 2, 3] == pytest.approx(axis)


def test_the_drift_of_chi_brings_a_perfect_crystal_to_what_the_pixel_sees():
    """A lattice that is tilted nowhere is found at the drift: its Q, rolled by that, is seen."""
    y, theta = 0.1, TWO_THETA / 2
    seen = rays.ray_vectors(0.0, y, OBX, TWO_THETA, 1.0)
    reference = frames.scattering_vectors(0.0, TWO_THETA, 1.0)
    _, roll, _ = components.components(seen, reference)
    drift = gradient.chi_drift(y, OBX, TWO_THETA)
    stage = rotations.goniometer(mu=theta, chi=float(drift))
    found = stage @ [0, 0, np.linalg.norm(reference)]
    assert components.components(found, reference)[1] == pytest.approx(roll, rel=1e-3)
