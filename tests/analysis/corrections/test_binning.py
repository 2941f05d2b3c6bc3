"""Pixels are joined to larger ones, and missing ones do not darken a bin."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from helpers.chains import bind, corrected, layout_of, scan_of

from nxscan.analysis.corrections.binning import Binning
from nxscan.errors import ProcessError

DATA = np.arange(2 * 4 * 6, dtype=np.uint16).reshape(2, 4, 6)


def test_sums_and_means_of_bins() -> None:
    blocks = DATA.reshape(2, 2, 2, 2, 3).astype(float)
    found = corrected(scan_of(DATA, 1), Binning(factor=(2, 3)), variance=DATA)
    np.testing.assert_array_equal(found.data, blocks.sum(axis=(2, 4)))
    np.testing.assert_array_equal(found.variance, blocks.sum(axis=(2, 4)))
    mean = corrected(scan_of(DATA, 1), Binning(factor="2x3", method="mean"), variance=DATA)
    np.testing.assert_allclose(mean.data, blocks.mean(axis=(2, 4)), rtol=1e-6)
    np.testing.assert_allclose(mean.variance, blocks.sum(axis=(2, 4)) / 36, rtol=1e-6)


@pytest.mark.parametrize("written", [2, "2", (2, 2), "2,2", "2x2"])
def test_one_factor_stands_for_all_dimensions(written: object) -> None:
    assert bind(scan_of(DATA, 1), Binning(factor=written))[0].after.shape == (2, 2, 3)


def test_a_bin_with_missing_pixels_is_scaled_and_less_sure() -> None:
    data = np.array([[1.0, 3.0, 5.0, np.nan, np.nan, np.nan]])
    variance = np.full(data.shape, 6.0)
    found = corrected(scan_of(data, 1), Binning(factor=2), variance=variance,
                      valid=np.ones(data.shape, bool))  # fmt: skip
    np.testing.assert_array_equal(found.data, [[4, 10, np.nan]])
    np.testing.assert_array_equal(found.variance, [[12, 24, np.nan]])
    assert found.valid.tolist() == [[True, True, False]]


def test_what_is_not_valid_is_missing() -> None:
    data = np.array([[1, 3, 5, 65535]], np.uint16)
    valid = np.array([[True, True, True, False]])
    found = corrected(scan_of(data, 1), Binning(factor=2), valid=valid)
    assert found.data.tolist() == [[4, 10]]
    assert found.valid.all()


def test_the_variance_is_what_a_simulation_scatters_by() -> None:
    rng = np.random.default_rng(6)
    data = rng.poisson(30, (20000, 4)).astype(np.float64)
    data[:, 3] = np.nan
    found = corrected(scan_of(data, 1), Binning(factor=4), variance=np.full(data.shape, 30.0))
    assert found.data.var() == pytest.approx(found.variance[0, 0], rel=0.03)


def test_pixels_that_fill_no_bin_are_dropped_and_that_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        found = corrected(scan_of(DATA, 1), Binning(factor=(3, 4)))
    np.testing.assert_array_equal(found.data[:, 0, 0], DATA[:, :3, :4].sum(axis=(1, 2)))
    assert found.data.shape == (2, 1, 1)
    assert "last 1 × 2 pixels of 4 × 6" in caplog.text


def test_axes_have_the_centers_of_the_bins() -> None:
    axes = bind(scan_of(DATA, 1), Binning(factor=(2, 3)))[0].after.axes
    assert axes["d0"].values.tolist() == [0.5, 2.5]
    assert axes["d1"].values.tolist() == [1, 4]
    assert axes["d1"].width.tolist() == [3, 3]
    assert len(axes["m0"].values) == 2


def test_chunk_edges_are_counted_in_bins() -> None:
    scan = scan_of(np.zeros((1, 8, 9)), 1)
    layout = layout_of(scan, [[0, 1], [0, 4, 8], [0, 5, 9]])
    after = Binning(factor=2).bind(scan, layout).after
    assert [edges.tolist() for edges in after.edges] == [[0, 1], [0, 2, 4], [0, 2, 4]]


@pytest.mark.parametrize(
    ("dtype", "factor", "method", "expected"),
    [("u2", 16, "sum", "f4"), ("u2", 17, "sum", "f8"), ("u2", 17, "mean", "f4"),
     ("u4", 1, "sum", "f8"), ("f4", 17, "sum", "f4")],
)  # fmt: skip
def test_sums_are_held_without_rounding(
    dtype: str, factor: int, method: str, expected: str
) -> None:
    top = np.iinfo(dtype).max if dtype[0] == "u" else 1
    scan = scan_of(np.full((1, factor, factor), top, dtype), 1)
    found = corrected(scan, Binning(factor=factor, method=method))
    assert found.data.dtype == expected
    assert float(found.data.item()) == top * (factor**2 if method == "sum" else 1)


def test_a_point_detector_has_nothing_to_bin() -> None:
    with pytest.raises(ProcessError, match="0 dimensions"):
        bind(scan_of(np.ones(3), 1), Binning(factor=2))


def test_bins_larger_than_the_frames_are_refused() -> None:
    with pytest.raises(ProcessError, match="bins of 5 × 2 pixels are larger"):
        bind(scan_of(DATA, 1), Binning(factor=(5, 2)))


@pytest.mark.parametrize("factor", [0, -1, "a"])
def test_what_is_no_factor_is_refused(factor: object) -> None:
    with pytest.raises(ProcessError, match="'factor"):
        Binning(factor=factor)
