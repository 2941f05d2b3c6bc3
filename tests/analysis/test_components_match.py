"""Components of two scans in pairs."""

from __future__ import annotations

import numpy as np
import pytest

from nxscan.analysis.components_match import match_components
from nxscan.errors import ProcessError

CURVES = np.random.default_rng(0).random((4, 5, 7))


def test_shuffled_components_are_found_again():
    order = np.array([2, 0, 3, 1])
    found = match_components(CURVES, 3 * CURVES[order] + 1)
    assert {(int(a), int(b)) for a, b in zip(found.first, found.second, strict=True)} == {
        (int(order[k]), k) for k in range(4)
    }
    np.testing.assert_allclose(found.correlation, 1)


def test_what_is_left_over_matches_none():
    found = match_components(CURVES[:2], CURVES)
    assert len(found) == 2
    np.testing.assert_array_equal(found.first, found.second)


def test_the_sum_of_correlations_is_the_largest_not_each_single_one():
    # by hand: the likeliest pair alone, (0, 0), would leave (1, 1), which has nothing in common
    a = np.array([[1.0, 0, 0, -1], [1, -1, 1, -1]])
    b = np.array([[1.0, -0.2, 0.2, -1], [1, 1, -1, -1]])
    alike = np.corrcoef(a, b)[:2, 2:]
    assert alike[0, 0] == alike.max()
    found = match_components(a, b)
    best = max(alike[0, 0] + alike[1, 1], alike[0, 1] + alike[1, 0])
    assert found.correlation.sum() == pytest.approx(best)
    assert found.second[found.first == 0] == 1


def test_components_without_sign_match_turned_around():
    found = match_components(CURVES, -CURVES, signed=False)
    np.testing.assert_array_equal(found.first, found.second)
    np.testing.assert_allclose(found.correlation, -1)
    assert "correlation -1.000" in str(found)


def test_pixels_that_are_missing_in_either_are_left_out():
    holed = CURVES.copy()
    holed[1, 0, :3] = np.nan
    found = match_components(CURVES, holed)
    np.testing.assert_allclose(found.correlation, 1)


def test_a_component_that_is_the_same_everywhere_is_like_none():
    found = match_components(np.ones((1, 6)), CURVES[:, 0, :6])
    assert found.correlation.tolist() == [0]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (CURVES[:, :4], r"\(5, 7\) and \(4, 7\)"),
        (np.ones(3), r"\(3,\) is no set"),
        (np.full(CURVES.shape, np.nan), "less than two"),
    ],
)
def test_what_cannot_be_matched_is_refused(other, message):
    with pytest.raises(ProcessError, match=message):
        match_components(CURVES, other)
