"""Values outside the limits become NaN, or zero where that is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.chains import bind, corrected, scan_of
from hypothesis import given
from hypothesis import strategies as st

from nxscan.analysis.corrections.threshold import Threshold
from nxscan.errors import ProcessError

DATA = np.array([[1, 5, 9]], np.uint16)


def test_values_outside_are_missing() -> None:
    found = corrected(
        scan_of(DATA, 1), Threshold(low=2, high=8), variance=DATA, valid=np.ones((1, 3), bool)
    )
    np.testing.assert_array_equal(found.data, [[np.nan, 5, np.nan]])
    np.testing.assert_array_equal(found.variance, [[np.nan, 5, np.nan]])
    assert found.valid.tolist() == [[False, True, False]]
    assert found.data.dtype == np.float32


def test_the_limits_themselves_are_kept() -> None:
    found = corrected(scan_of(DATA, 1), Threshold(low=1, high=9))
    assert found.data.tolist() == DATA.tolist()


def test_zero_is_filled_in_as_darfix_does_and_integers_stay() -> None:
    scan = scan_of(DATA, 1)
    found = corrected(scan, Threshold(low=2, high=8, fill="zero"), variance=DATA,
                      valid=np.ones((1, 3), bool))  # fmt: skip
    assert found.data.tolist() == [[0, 5, 0]]
    assert found.variance.tolist() == [[0, 5, 0]]
    assert found.valid.all()
    assert found.data.dtype == np.uint16 == bind(scan, Threshold(low=2, fill="zero"))[0].after.dtype


def test_integers_are_compared_with_limits_between_them() -> None:
    data = np.array([[4, 5, 8, 9]], np.uint16)
    found = corrected(scan_of(data, 1), Threshold(low=4.5, high=8.5, fill="zero"))
    assert found.data.tolist() == [[0, 5, 8, 0]]


def test_nan_is_no_zero() -> None:
    data = np.array([[np.nan, 1.0]])
    found = corrected(scan_of(data, 1), Threshold(low=2, fill="zero"))
    np.testing.assert_array_equal(found.data, [[np.nan, 0]])


@given(
    st.sampled_from(["u1", "i1", "u2", "i2", "i4", "u8", "f4", "f8"]),
    st.floats(-300, 300) | st.sampled_from([-np.inf, np.inf, 1e30, 0.1]),
    st.floats(-300, 300) | st.sampled_from([-np.inf, np.inf, 1e30, 0.1]),
)
def test_limits_of_any_kind_part_values_as_exact_comparison_does(
    dtype: str, first: float, second: float
) -> None:
    low, high = sorted((first, second))
    values = [-128, -1, 0, 1, 100, 127] if dtype[0] != "u" else [0, 1, 100, 127, 200, 255]
    data = np.array([values], dtype)
    if dtype[0] == "f":
        data = np.append(data, np.array([[low, high, 0.1]], dtype), axis=1)
    kept = [low <= float(value) <= high for value in data[0]]
    found = corrected(scan_of(data, 1), Threshold(low=low, high=high))
    assert (~np.isnan(found.data[0])).tolist() == kept
    found = corrected(scan_of(data, 1), Threshold(low=low, high=high, fill="zero"))
    np.testing.assert_array_equal(found.data[0], np.where(kept, data[0], 0))


@pytest.mark.parametrize("limits", [{}, {"low": 5, "high": 4}, {"low": float("nan")}])
def test_no_limits_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ProcessError, match="are no limits"):
        corrected(scan_of(DATA, 1), Threshold(**limits))
