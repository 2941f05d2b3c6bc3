"""Sum, mean, max and std over frames and over pixels, against numpy in wide types."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.blocks import drive, scan_of
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.analysis.max import Max
from nxscan.analysis.mean import Mean
from nxscan.analysis.std import Std
from nxscan.analysis.sum import Sum

PLACES = {"chi": np.arange(3), "mu": np.arange(7)}
ALL = [(Sum, np.nansum), (Mean, np.nanmean), (Max, np.nanmax), (Std, np.nanstd)]
DTYPES = ["u1", "u2", "u4", "i2", "i4", "f4", "f8"]
OVER = [("frames", (0, 1)), ("pixels", (2, 3))]


def data_of(dtype, seed=0, shape=(3, 7, 5, 6)):
    values = np.random.default_rng(seed).normal(90, 20, shape)
    return np.clip(values, 0, 255).astype(dtype)


@pytest.mark.parametrize(("over", "axis"), OVER)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("process", "reference"), ALL)
def test_it_is_what_numpy_says(process, reference, dtype, over, axis):
    data = data_of(dtype)
    found = drive(process(over=over), scan_of(data, PLACES))
    expected = reference(data.astype(np.longdouble), axis=axis)
    np.testing.assert_allclose(found[process.name], expected.astype(float), rtol=1e-13)


@pytest.mark.parametrize(("over", "axis"), OVER)
@pytest.mark.parametrize(("process", "reference"), ALL)
def test_masked_values_and_nan_are_left_out(process, reference, over, axis):
    rng = np.random.default_rng(1)
    data = data_of("f4")
    data[rng.random(data.shape) < 0.1] = np.nan
    valid = rng.random(data.shape) > 0.3
    found = drive(process(over=over), scan_of(data, PLACES), valid=valid)
    expected = reference(np.where(valid, data, np.nan).astype(float), axis=axis)
    np.testing.assert_allclose(found[process.name], expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["u2", "f4"])
@pytest.mark.parametrize("process", [process for process, _ in ALL])
def test_where_nothing_is_valid_there_is_nan_and_no_number(process, dtype):
    valid = np.ones((5, 6), bool)
    valid[2, 3] = False
    scan = scan_of(data_of(dtype), PLACES)
    found = drive(process(), scan, cuts=[[1], [3]], valid=valid)[process.name]
    assert np.isnan(found[2, 3])
    assert np.isfinite(found[valid]).all()
    dead = np.ones((3, 7, 1, 1), bool)
    dead[1, 4] = False
    found = drive(process(over="pixels"), scan, valid=dead)[process.name]
    assert np.isnan(found[1, 4])
    assert np.isfinite(found).sum() == 20


def test_sums_of_large_integers_are_exact():
    data = np.full((1, 40, 2, 2), 2**32 - 1, np.uint32)
    found = drive(Sum(), scan_of(data, {"chi": np.zeros(1), "mu": np.arange(40)}))
    assert (found["sum"] == 40 * (2**32 - 1)).all()


def test_a_small_spread_on_a_large_offset_keeps_its_digits():
    offset = 4e9
    data = (offset + np.arange(21).reshape(3, 7, 1, 1) % 2 + np.zeros((1, 1, 2, 2))).astype("u4")
    for cuts in ([], [[1, 2], [2, 5]]):
        found = drive(Std(), scan_of(data, PLACES), cuts=cuts)
        share = 10 / 21
        np.testing.assert_allclose(found["std"], np.sqrt(share * (1 - share)), rtol=1e-6)


@given(
    chi=st.lists(st.integers(1, 2), max_size=2),
    mu=st.lists(st.integers(1, 6), max_size=4),
    y=st.lists(st.integers(1, 4), max_size=2),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 9),
)
@settings(max_examples=40)
def test_any_cut_gives_the_whole(chi, mu, y, dtype, seed):
    scan = scan_of(data_of(dtype, seed), PLACES)
    valid = np.random.default_rng(seed).random(scan.signal.shape) > 0.5
    for process, _ in ALL:
        whole = drive(process(), scan, valid=valid)[process.name]
        cut = drive(process(), scan, [chi, mu, y], valid=valid)[process.name]
        np.testing.assert_allclose(cut, whole, rtol=1e-11, atol=1e-9)


def test_the_unit_is_the_signals():
    scan = scan_of(data_of("u2"), PLACES)
    assert [Sum().outputs(scan)[0].units, Std().outputs(scan)[0].units] == ["counts", "counts"]
