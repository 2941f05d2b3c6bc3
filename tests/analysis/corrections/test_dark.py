"""The scan's dark frames are subtracted, without clipping, and with their uncertainty."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from helpers.chains import bind, corrected, scan_of, through

from nxscan.analysis.corrections.dark import Dark
from nxscan.analysis.corrections.stacks import combine, every, median_factor
from nxscan.errors import ProcessError
from nxscan.model import ArraySignal
from nxscan.process import Frames

DARK = np.array([[[10, 20, 30]], [[12, 20, 36]]], np.uint16)


def test_the_mean_dark_is_subtracted_and_nothing_is_clipped() -> None:
    data = np.array([[[5, 20, 40]], [[11, 0, 33]]], np.uint16)
    found = corrected(scan_of(data, 1, DARK), Dark())
    np.testing.assert_array_equal(found.data, [[[-6, 0, 7]], [[0, -20, 0]]])
    assert found.data.dtype == np.float32


def test_the_median_forgets_a_cosmic_ray_and_scale_is_the_ratio_of_exposures() -> None:
    dark = np.array([[10.0], [12.0], [5000.0]])
    found = corrected(scan_of(np.array([[30.0]]), 1, dark), Dark(statistic="median", scale=0.5))
    assert found.data.item() == 30 - 0.5 * 12


def test_the_variance_grows_by_that_of_the_mean_dark() -> None:
    data = np.full((1, 1, 3), 50, np.uint16)
    found = corrected(scan_of(data, 1, DARK), Dark(scale=2.0), variance=np.full(data.shape, 7.0))
    # two frames a and b: their variance is (a - b)²/2, that of the mean half of it
    np.testing.assert_allclose(found.variance, [[[7 + 4 * 1, 7, 7 + 4 * 9]]], rtol=1e-6)


def test_the_variance_is_what_a_simulation_scatters_by() -> None:
    rng = np.random.default_rng(1)
    frames = rng.poisson(50, (20000, 1)) - rng.poisson(8, (20000, 5)).mean(axis=1, keepdims=True)
    spread = frames.var()
    guesses = [
        corrected(
            scan_of(np.array([[50]], np.uint16), 1, rng.poisson(8, (5, 1)).astype(np.uint16)),
            Dark(),
            variance=np.array([[50.0]]),
        ).variance.item()
        for _ in range(400)
    ]
    assert np.mean(guesses) == pytest.approx(spread, rel=0.02)


def test_one_dark_frame_has_the_variance_of_its_neighbours_differences() -> None:
    rng = np.random.default_rng(2)
    dark = rng.normal(100, 3, (1, 100, 100))
    stacked = combine(ArraySignal(dark), every(ArraySignal(dark)), "mean")
    np.testing.assert_allclose(np.sqrt(stacked.variance), 3, rtol=0.05)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 10, 25])
def test_a_medians_variance_is_never_underestimated_by_more_than_noise(count: int) -> None:
    rng = np.random.default_rng(count)
    true = np.median(rng.normal(size=(200_000, count)), axis=1).var() * count
    assert 0.97 * true < median_factor(count) < 1.17 * true


def test_a_medians_variance_is_larger_than_that_of_the_mean() -> None:
    signal = ArraySignal(np.array([[0.0], [3.0], [9.0]]))
    # the variance of 0, 3 and 9 is 21
    assert combine(signal, every(signal), "mean").variance.item() == pytest.approx(21 / 3)
    expected = 21 * math.pi / (2 * (3 + math.pi / 2 - 1))
    assert combine(signal, every(signal), "median").variance.item() == pytest.approx(expected)


def test_a_stack_is_combined_in_bands_as_in_one_piece() -> None:
    values = np.random.default_rng(3).random((7, 11, 5))
    signal = ArraySignal(values)
    parts = combine(signal, every(signal), "median", budget=8 * 7 * 5 * 2)
    np.testing.assert_array_equal(parts.frame, np.median(values, axis=0))


@pytest.mark.parametrize("frame_shape", [(), (4,), (3, 4)])
@pytest.mark.parametrize("scan_shape", [(), (5,), (2, 3)])
def test_scans_and_detectors_of_any_rank(scan_shape: tuple, frame_shape: tuple) -> None:
    rng = np.random.default_rng(4)
    data = rng.integers(0, 1000, scan_shape + frame_shape).astype(np.uint16)
    dark = rng.integers(0, 100, (3, *frame_shape)).astype(np.uint16)
    found = corrected(scan_of(data, len(scan_shape), dark), Dark())
    np.testing.assert_allclose(found.data, data - dark.mean(axis=0), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("u1", "f4"), ("i2", "f4"), ("u2", "f4"), ("f4", "f4"), ("u4", "f8"), ("i4", "f8"),
     ("f8", "f8")],
)  # fmt: skip
def test_floats_are_wide_enough_for_every_value(dtype: str, expected: str) -> None:
    top = np.iinfo(dtype).max if dtype[0] in "iu" else 7
    data = np.full((2, 3), top, dtype)
    scan = scan_of(data, 1, np.zeros((1, 3)))
    found = corrected(scan, Dark())
    assert found.data.dtype == expected == bind(scan, Dark())[0].after.dtype
    assert (found.data.astype(float) == top).all()


def test_a_correction_that_was_pickled_gives_the_same() -> None:
    scan = scan_of(np.arange(6, dtype=np.uint16).reshape(2, 3), 1, np.ones((2, 3)))
    chain = bind(scan, Dark())
    again = pickle.loads(pickle.dumps(chain))
    np.testing.assert_array_equal(through(scan, again).data, through(scan, chain).data)


def test_floats_are_corrected_in_place_and_the_source_is_not() -> None:
    data = np.ones((2, 3), np.float32)
    scan = scan_of(data, 1, np.ones((1, 3)))
    assert (corrected(scan, Dark()).data == 0).all()
    assert (data == 1).all()


def test_values_that_may_not_be_changed_are_copied() -> None:
    data = np.ones((2, 3), np.float32)
    data.flags.writeable = False
    region = (slice(0, 2), slice(0, 3))
    bound = bind(scan_of(data, 1, np.ones((1, 3))), Dark())[0]
    assert (bound.apply(Frames(data, region, 1, variance=data), region).data == 0).all()
    assert (data == 1).all()


def test_missing_values_stay_missing() -> None:
    data = np.array([[1.0, math.nan]])
    found = corrected(scan_of(data, 1, np.ones((1, 2))), Dark(), variance=data)
    assert np.isnan(found.data).tolist() == [[False, True]]
    assert np.isnan(found.variance).tolist() == [[False, True]]


def test_a_scan_without_dark_says_what_to_do() -> None:
    with pytest.raises(ProcessError, match=r"'a test' has no dark frames.*--dark"):
        corrected(scan_of(np.ones((1, 3)), 1), Dark())


def test_a_dark_of_another_shape_is_refused() -> None:
    with pytest.raises(ProcessError, match=r"shape \(4,\), but the frames .* have \(3,\)"):
        corrected(scan_of(np.ones((1, 3)), 1, np.ones((2, 4))), Dark())
