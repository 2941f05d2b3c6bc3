"""The goniometer, and misorientation from tilts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.analysis.geometry import components, frames, rotations

ANGLE = st.floats(-0.2, 0.2)


def test_mu_equal_theta_brings_a_horizontal_plane_to_the_bragg_condition():
    theta = np.radians(9)
    q = frames.scattering_vectors(0.0, 2 * theta, 1.0)
    raised = rotations.goniometer(mu=theta) @ [0, 0, 1]
    assert raised * np.linalg.norm(q) == pytest.approx(q)


def test_the_axis_of_chi_is_perpendicular_to_q_at_mu_equal_theta():
    theta = np.radians(9)
    for mu in (0.0, theta, 0.3):
        axis = rotations.goniometer(mu=mu) @ [1, 0, 0]
        q = frames.scattering_vectors(0.0, 2 * theta, 1.0)
        angle = np.arccos(axis @ q / np.linalg.norm(q))
        assert rotations.chi_axis_to_q(theta, mu) == pytest.approx(angle)
    assert rotations.chi_axis_to_q(theta, theta) == pytest.approx(np.pi / 2)


@given(rock=ANGLE, roll=ANGLE, axis=st.floats(0.4, 2.5))
def test_a_tilted_lattice_is_brought_to_the_bragg_condition_by_its_motors(rock, roll, axis):
    q = rotations.tilted(rock, roll, axis)
    # Rodrigues' rotation about the axis of chi, written out as a matrix
    n = np.array([np.sin(axis), 0, np.cos(axis)])
    k = np.array([[0, -n[2], n[1]], [n[2], 0, -n[0]], [-n[1], n[0], 0]])
    about_axis = np.eye(3) + np.sin(roll) * k + (1 - np.cos(roll)) * k @ k
    brought = rotations.about_y(-rock) @ about_axis @ q
    assert brought == pytest.approx([0, 0, 1], abs=1e-14)


def test_small_tilts_add_in_squares_where_chi_is_perpendicular_to_q():
    a, b = 3e-4, 4e-4
    angle = rotations.angle_between(rotations.tilted(0, 0), rotations.tilted(a, b))
    assert angle == pytest.approx(5e-4, rel=1e-6)


@pytest.mark.parametrize("axis", [30, 60, 120])
def test_roll_counts_by_the_sine_of_the_axis_to_q(axis):
    turned = rotations.tilted(0, 1e-4, np.radians(axis))
    angle = rotations.angle_between(rotations.tilted(0, 0, np.radians(axis)), turned)
    assert angle == pytest.approx(1e-4 * np.sin(np.radians(axis)), rel=1e-6)


def test_angles_between_nearly_equal_vectors_are_exact():
    tiny = rotations.angle_between(rotations.tilted(0, 0), rotations.tilted(1e-9, 0))
    assert tiny == pytest.approx(1e-9, rel=1e-6)


def test_components_of_the_scattering_vector_are_the_tilts_and_the_strain():
    theta = np.radians(9)
    reference = frames.scattering_vectors(0.0, 2 * theta, 1.0)
    longer = components.components(1.001 * reference, reference)
    assert longer == pytest.approx([0, 0, 1e-3], abs=1e-15)
    rocked = rotations.about_y(1e-5) @ reference
    rolled = rotations.about_x(1e-5) @ [0, 0, 1]
    assert components.components(rocked, reference) == pytest.approx([1e-5, 0, 0], abs=1e-9)
    found = components.components(rolled, np.array([0, 0, 1.0]))
    assert found == pytest.approx([0, -1e-5, 0], abs=1e-9)


def test_vectors_of_the_laboratory_are_taken_back_to_the_sample():
    motors = {"mu": 0.1, "omega": 0.2, "chi": 0.3, "phi": -0.1}
    q = np.array([[1.0, 0.5], [0.2, 0.1], [3.0, -1.0]])
    back = components.in_sample(rotations.goniometer(**motors) @ q, motors)
    np.testing.assert_allclose(back, q, atol=1e-14)
