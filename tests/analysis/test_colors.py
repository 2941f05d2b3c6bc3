"""The two-dimensional key of colors."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from nxscan.analysis.colors import color, is_in_gamut, oklab, to_srgb

EDGE = np.linspace(-1, 1, 64)
U, V = np.meshgrid(EDGE, EDGE)


def test_srgb_of_oklab_is_that_of_the_published_definition():
    # B. Ottosson (2020): white and gray have a = b = 0; CSS Color 4 gives red as below
    assert to_srgb([1.0, 0, 0]) == pytest.approx([1, 1, 1], abs=1e-4)
    assert to_srgb([0.62796, 0.22486, 0.12585]) == pytest.approx([1, 0, 0], abs=3e-3)
    assert to_srgb([0.45201, -0.03245, -0.31153]) == pytest.approx([0, 0, 1], abs=3e-3)


def test_every_color_of_the_key_exists_and_none_comes_twice():
    assert is_in_gamut(oklab(U, V)).all()
    found = color(U, V).reshape(-1, 4)
    assert len(np.unique(found, axis=0)) == U.size


def test_equal_differences_look_equal_in_any_direction():
    middle = oklab(0.2, -0.3)
    for angle in np.linspace(0, 2 * np.pi, 9):
        moved = oklab(0.2 + 0.1 * np.cos(angle), -0.3 + 0.1 * np.sin(angle))
        assert np.linalg.norm(moved - middle) == pytest.approx(0.1 * 0.114, rel=1e-9)
        assert moved[0] == middle[0]  # as light


def test_colors_leave_gray_steadily_as_orientations_leave_the_middle():
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        radius = np.linspace(0, 1, 12)
        red, green, blue, _ = color(radius * np.cos(angle), radius * np.sin(angle)).T.astype(int)
        spread = np.maximum.reduce([red, green, blue]) - np.minimum.reduce([red, green, blue])
        assert spread[0] <= 1
        assert (np.diff(spread) > 0).all()


def test_what_is_missing_has_no_color_and_what_is_beyond_has_that_of_the_end():
    found = color([np.nan, 0.0, 5.0, 1.0], [0.0, np.nan, 0.0, 0.0])
    assert found[:2].tolist() == [[0, 0, 0, 0]] * 2
    assert found[2].tolist() == found[3].tolist()
    assert found[3, 3] == 255


@pytest.mark.parametrize(("u", "v"), [(1, 0), (0, 1), (-1, 0), (0.3, 0.4), (-0.2, -0.1), (0, 0)])
def test_hsv_is_that_of_the_standard_library(u, v):
    hue = (np.arctan2(v, u) / (2 * np.pi)) % 1
    expected = colorsys.hsv_to_rgb(hue, min(np.hypot(u, v), 1), 1)
    found = color(u, v, "hsv")[:3] / 255
    assert found == pytest.approx(expected, abs=0.51 / 255)
