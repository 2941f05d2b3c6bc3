"""Colors are given to what is common, not to hot pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nxscan.view.limits import PERCENT, binned, robust_limits, wants_log


def test_limits_are_percentiles_where_outliers_lie_beyond() -> None:
    values = np.random.default_rng(1).normal(100, 5, (60, 70))
    values[3, 4], values[5, 6], values[0, 0] = 1e6, -1e6, np.nan
    expected = np.percentile(values[np.isfinite(values)], PERCENT)
    assert robust_limits(values) == pytest.approx(tuple(expected))


def test_limits_are_the_extremes_where_nothing_is_far_out() -> None:
    assert robust_limits(np.linspace(-0.15, 0.15, 5000)) == (-0.15, 0.15)


def test_a_logarithmic_scale_starts_above_zero_and_ends_at_the_maximum() -> None:
    values = np.r_[np.zeros(900), np.ones(90), np.full(10, 1e5)]
    assert robust_limits(values, log=True) == (1.0, 1e5)


@given(arrays(np.float64, (4, 5), elements=st.floats(-1e9, 1e9) | st.just(np.nan)), st.booleans())
def test_limits_can_always_be_used(values: np.ndarray, log: bool) -> None:
    low, high = robust_limits(values, log=log)
    assert np.isfinite([low, high]).all()
    assert low < high
    assert low > 0 or not log


def test_a_few_bright_peaks_over_a_weak_background_want_a_logarithm() -> None:
    image = np.full((100, 100), 5.0)
    image[:4, :10] = 1e5
    assert wants_log(image)
    assert not wants_log(image - 6)


def test_binning_keeps_the_mean_and_leaves_out_what_is_missing() -> None:
    values = np.arange(48, dtype=float).reshape(6, 8)
    values[0, 0] = np.nan
    small = binned(values, (3, 4))
    assert small.shape == (2, 2)
    assert small[0, 0] == pytest.approx(np.nanmean(values[:3, :4]))
    assert small[1, 1] == pytest.approx(values[3:, 4:].mean())
