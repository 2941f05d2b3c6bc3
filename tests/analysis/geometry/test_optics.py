"""Magnification, pixels in the sample, and the objective's gradient, by hand and by ray tracing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nxscan.analysis.geometry import gradient
from nxscan.analysis.geometry.optics import Optics, magnification, object_distance

OBX, TWO_THETA = 263.0, math.radians(18)


def test_magnification_is_image_distance_over_object_distance():
    assert magnification(-5000, 263) == pytest.approx(4737 / 263)
    assert magnification(5000, -263) == pytest.approx(4737 / 263)
    assert object_distance(263, math.radians(60)) == pytest.approx(526)


@pytest.mark.parametrize(
    ("layer", "along"),
    [
        ("projection", 0.65),
        ("perpendicular", 0.65 / 0.5),
        ("vertical", 0.65 / math.tan(math.pi / 6)),
    ],
)
def test_a_layer_is_stretched_along_the_beam(layer, along):
    optics = Optics(10.0, (6.5, 6.5), math.radians(30), layer)
    assert optics.sample_pixel == pytest.approx((along, 0.65))
    assert optics.projected_pixel == pytest.approx((0.65, 0.65))


def test_the_image_of_a_lens_is_inverted_both_ways():
    pixels = np.arange(5.0)
    optics = Optics(10.0, (6.5, 13.0))
    assert optics.axis(pixels, 0) == pytest.approx([1.3, 0.65, 0, -0.65, -1.3])
    assert optics.axis(pixels, 1) == pytest.approx([2.6, 1.3, 0, -1.3, -2.6])
    assert Optics(10.0, (6.5, 13.0), directions=(-1, 1)).signs == (1, -1)
    assert Optics(10.0, (6.5, 13.0), directions=(-1, 1), inverted=False).signs == (-1, 1)


def test_rows_of_a_region_or_of_binned_pixels_keep_their_size():
    binned = np.array([100.5, 102.5, 104.5])
    assert Optics(2.0, (1.0, 1.0), inverted=False).axis(binned, 0) == pytest.approx([-1, 0, 1])


def test_the_gradient_of_chi_is_that_of_the_formula():
    # 0.1 mm off the axis: 0.1 · cos 18° / (263 · 2 sin 9°)
    expected = 0.1 * math.cos(TWO_THETA) / (OBX * 2 * math.sin(TWO_THETA / 2))
    assert expected == pytest.approx(1.1558e-3, rel=1e-4)
    assert gradient.chi_drift(0.1, OBX, TWO_THETA) == pytest.approx(expected, rel=1e-14)


def test_a_ray_off_the_axis_is_imaged_at_another_pitch_and_wavelength():
    """A perfect crystal, point by point: the drift found is what is to be taken off."""
    z, distance = 0.05, object_distance(OBX, TWO_THETA)
    # from z above the axis the ray through the lens goes down: it was scattered less
    ray = TWO_THETA - math.atan(z / distance)
    # a scan of the pitch: brightest where the lattice's own 2θ goes through the lens
    pitch = TWO_THETA + (TWO_THETA - ray)
    assert gradient.two_theta_drift(z, OBX, TWO_THETA) == pytest.approx(pitch - TWO_THETA, rel=1e-6)
    # a scan of the energy: what is scattered along that ray has a shorter wavelength
    angle = math.radians(5.94)
    shorter = math.asin(math.sin(angle) * math.sin(ray / 2) / math.sin(TWO_THETA / 2))
    drift = gradient.monochromator_drift(z, OBX, TWO_THETA, angle)
    assert drift < 0
    assert drift == pytest.approx(shorter - angle, rel=1e-3)
