"""The sorting network gives the medians and variances that numpy gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nxscan.kernels.medians import comparisons, median_and_variance


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=70))
def test_the_network_brings_the_median_to_its_place(values: list[int]) -> None:
    expected, count = float(np.median(values)), len(values)
    for i, j in comparisons(count):
        values[i], values[j] = min(values[i], values[j]), max(values[i], values[j])
    assert (values[(count - 1) // 2] + values[count // 2]) / 2 == expected


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.uint64])
@pytest.mark.parametrize("count", [1, 2, 41, 300])
def test_medians_and_variances_are_those_of_numpy(dtype: type, count: int) -> None:
    rng = np.random.default_rng(count)
    stack = rng.integers(0, 60_000, (count, 700)).astype(dtype)
    median, variance = np.empty(700), np.empty(700)
    median_and_variance(stack, comparisons(count), median, variance)
    np.testing.assert_array_equal(median, np.median(stack.astype(float), axis=0))
    if count > 1:
        np.testing.assert_allclose(variance, stack.astype(float).var(axis=0, ddof=1), rtol=1e-9)
    else:
        assert not variance.any()
