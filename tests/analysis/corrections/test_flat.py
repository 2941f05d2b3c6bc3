"""Frames are divided by the flat field, normalized over the good pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fabio
import numpy as np
import pytest
from helpers.chains import bind, corrected, scan_of

from nxscan.analysis.corrections.dark import Dark
from nxscan.analysis.corrections.flat import Flat
from nxscan.errors import ProcessError


def test_an_image_of_the_flat_becomes_uniform() -> None:
    flat = np.array([[2.0, 4.0, 6.0]])
    found = corrected(scan_of(10 * flat, 1, flat=flat), Flat())
    np.testing.assert_allclose(found.data, [[40, 40, 40]])


def test_the_dark_is_taken_off_the_flat_unless_told_otherwise() -> None:
    scan = scan_of(np.array([[6.0, 6.0]]), 1, dark=np.array([[1.0, 1.0]]), flat=np.array([[2, 4]]))
    np.testing.assert_allclose(corrected(scan, Flat()).data, [[6 * 2 / 1, 6 * 2 / 3]])
    np.testing.assert_allclose(
        corrected(scan, Flat(subtract_dark=False)).data, [[6 * 3 / 2, 6 * 3 / 4]]
    )


def test_pixels_without_flat_are_missing_and_do_not_count_in_the_mean() -> None:
    flat = np.array([[2.0, 0.0, -1.0, np.nan, 4.0]])
    data = np.full((2, 5), 12, np.uint16)
    found = corrected(
        scan_of(data, 1, flat=flat), Flat(), valid=np.ones((2, 5), bool), variance=data
    )
    np.testing.assert_allclose(found.data, [[18, np.nan, np.nan, np.nan, 9]] * 2)
    np.testing.assert_array_equal(found.valid, [[True, False, False, False, True]] * 2)
    np.testing.assert_array_equal(np.isnan(found.variance), ~found.valid)


def test_masked_pixels_do_not_count_in_the_mean() -> None:
    scan = scan_of(np.array([[1.0, 1.0, 1.0]]), 1, flat=np.array([[1.0, 3.0, 1e6]]))
    scan.mask = np.array([0, 0, 1])
    np.testing.assert_allclose(corrected(scan, Flat()).data, [[2, 2 / 3, 2e-6]])


def test_the_variance_takes_up_that_of_the_flat() -> None:
    # f = [2, 6] normalized by 4; the flats' own variance of the mean is [2, 8] / 2
    flat = np.array([[1.0, 4.0], [3.0, 8.0]])
    data, variance = np.array([[10.0, 30.0]]), np.array([[5.0, 7.0]])
    found = corrected(scan_of(data, 1, flat=flat), Flat(), variance=variance)
    value = np.array([10 * 4 / 2, 30 * 4 / 6])
    expected = [5 * (4 / 2) ** 2, 7 * (4 / 6) ** 2] + value**2 * np.array([1 / 4, 4 / 36])
    np.testing.assert_allclose(found.variance, [expected], rtol=1e-6)


def test_the_variance_takes_up_that_of_the_darks_in_the_flat() -> None:
    # flat 6 - dark 2 = 4 in both pixels; the darks' variance of the mean is 4² / 2 / 2 and 0
    dark = np.array([[0.0, 2.0], [4.0, 2.0]])
    scan = scan_of(np.array([[10.0, 10.0]]), 1, dark, np.array([[6.0, 6.0]]))
    found = corrected(scan, Flat(), variance=np.array([[3.0, 3.0]]))
    np.testing.assert_allclose(found.variance, [[3 + 10**2 * 4 / 4**2, 3]], rtol=1e-6)


def test_the_variance_is_what_a_simulation_scatters_by() -> None:
    rng = np.random.default_rng(5)
    truth = np.array([400.0, 900.0, 200.0])
    flats = rng.normal(truth, np.sqrt(truth), (4000, 8, 3)).mean(axis=1)
    data = rng.normal(0.5 * truth, np.sqrt(0.5 * truth), (4000, 3))
    # normalized by the true mean, so that the simulation has what one pixel scatters by
    spread = (data * truth.mean() / flats).var(axis=0)
    found = np.mean(
        [
            corrected(
                scan_of((0.5 * truth)[None], 1, flat=rng.normal(truth, np.sqrt(truth), (8, 3))),
                Flat(),
                variance=(0.5 * truth)[None],
            ).variance
            for _ in range(300)
        ],
        axis=0,
    )
    np.testing.assert_allclose(found[0], spread, rtol=0.08)


def test_counts_of_32_bits_are_divided_in_double_precision() -> None:
    data = np.array([[2**24 + 1, 2**31]], np.uint32)
    scan = scan_of(data, 1, flat=np.ones((1, 2)))
    assert corrected(scan, Flat()).data.tolist() == [[2.0**24 + 1, 2.0**31]]
    assert bind(scan, Flat())[0].after.dtype == np.float64


def test_a_scan_without_flat_says_what_to_do() -> None:
    with pytest.raises(ProcessError, match=r"no flat frames.*--flat"):
        corrected(scan_of(np.ones((1, 2)), 1), Flat())


def test_a_flat_that_is_nowhere_positive_is_refused() -> None:
    with pytest.raises(ProcessError, match="no positive pixel"):
        corrected(scan_of(np.ones((1, 2)), 1, flat=np.zeros((1, 2))), Flat())


def test_real_frames_are_corrected_as_the_formula_says(
    shared_data: Callable[[str], Path],
) -> None:
    data, dark, flat = (
        fabio.open(shared_data(f"edf/ID16_diatomee_{kind}.edf")).data
        for kind in ("data", "dark", "flat")
    )
    scan = scan_of(data[None], 1, dark[None], flat[None])
    found = corrected(scan, Dark(), Flat())
    field = flat.astype(float) - dark
    expected = (data.astype(float) - dark) / (field / field.mean())
    assert (field > 0).all()
    np.testing.assert_allclose(found.data[0], expected, rtol=1e-6)
