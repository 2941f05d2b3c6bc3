"""Pixels to angles and scattering vectors, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.analysis.geometry import frames
from nxscan.analysis.geometry.bragg import scattering_vector


def test_both_frames_are_right_handed_and_name_the_same_directions():
    beam, up, left = frames.to_poulsen(np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]).T).T
    assert beam.tolist() == [1, 0, 0]
    assert up.tolist() == [0, 0, 1]
    assert left.tolist() == [0, 1, 0]
    # left is up × beam, in either frame
    assert np.cross(up, beam).tolist() == left.tolist()


def test_a_pixel_straight_up_has_eta_0_and_one_to_the_right_90_degrees():
    # 1000 mm away; 3-4-5 triangle: 750 mm high
    eta, two_theta = frames.angles([[1000.0, 1000.0], [0.0, -750.0], [750.0, 0.0]])
    assert np.degrees(eta) == pytest.approx([0, 90])
    assert two_theta == pytest.approx([np.arctan(0.75)] * 2)


def test_rows_and_columns_grow_as_they_are_told():
    up = frames.pixel_places([0, 2], [0, 4], (0.5, 0.25), (1, 2), 100, directions=(1, 1))
    assert up[:, 0, 0].tolist() == [100, -0.5, -0.5]
    assert up[:, 1, 1].tolist() == [100, 0.5, 0.5]
    down = frames.pixel_places([0, 2], [0, 4], (0.5, 0.25), (1, 2), 100, directions=(-1, -1))
    np.testing.assert_array_equal(down[1:], -up[1:])


def test_a_detector_that_was_raised_has_its_middle_at_ffz():
    shape, pixel = (101, 51), (0.05, 0.05)
    center = frames.center_of(shape, pixel, height=1619.42, sideways=4.2)
    places = frames.pixel_places(range(101), range(51), pixel, center, 5000.0)
    assert places[:, 50, 25] == pytest.approx([5000, 4.2, 1619.42], rel=1e-12)
    eta, two_theta = frames.angles(places[:, 50, 25])
    assert two_theta == pytest.approx(np.arctan(np.hypot(4.2, 1619.42) / 5000))
    assert eta == pytest.approx(-np.arctan(4.2 / 1619.42))
    # rows grow downwards: the first one is the highest
    assert places[2, 0, 0] == pytest.approx(1619.42 + 50 * 0.05)


@given(
    eta=st.floats(-3.1, 3.1),
    two_theta=st.floats(0.01, 1.5),
    distance=st.floats(0.1, 1e4),
)
def test_directions_and_angles_are_inverse(eta, two_theta, distance):
    found = frames.angles(distance * frames.direction(eta, two_theta))
    assert found == pytest.approx((eta, two_theta), rel=1e-9, abs=1e-9)


@given(eta=st.floats(-3, 3), two_theta=st.floats(0.01, 1.5))
def test_scattering_is_elastic_and_q_has_the_length_that_bragg_says(eta, two_theta):
    k = 2 * np.pi / 0.73
    q = frames.scattering_vectors(eta, two_theta, 0.73)
    assert np.linalg.norm(q) == pytest.approx(scattering_vector(two_theta, 0.73), rel=1e-9)
    assert np.linalg.norm(q + np.array([k, 0, 0])) == pytest.approx(k, rel=1e-12)


def test_q_in_the_vertical_plane_leans_back_by_theta():
    theta = np.radians(9)
    q = frames.scattering_vectors(0.0, 2 * theta, 1.0)
    size = 4 * np.pi * np.sin(theta)
    assert q == pytest.approx([-size * np.sin(theta), 0, size * np.cos(theta)])
