"""Hot pixels are taken out, and nothing else is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.chains import bind, corrected, scan_of
from scipy.ndimage import median_filter

from nxscan.analysis.corrections.hot_pixels import HotPixels
from nxscan.analysis.corrections.mask import Mask
from nxscan.errors import ProcessError


def taken(data: np.ndarray[Any, Any], **parameters: Any) -> np.ndarray[Any, Any]:
    return np.isnan(corrected(scan_of(data, 1), HotPixels(**parameters)).data)


@pytest.mark.parametrize("mean", [0.1, 0.5, 1, 3, 30, 1000, 10_000])
def test_clean_counts_are_left_alone(mean: float) -> None:
    rng = np.random.default_rng(int(10 * mean))
    data = rng.poisson(mean, (5, 256, 256)).astype(np.uint16)
    assert taken(data).mean() < 3e-5


@pytest.mark.parametrize("width", [0.7, 1.0, 2.0])
def test_a_peak_as_narrow_as_a_lens_makes_it_is_left_alone(width: float) -> None:
    y, x = np.mgrid[:9, :9]
    places = np.linspace(-0.5, 0.5, 9)
    frames = [
        10 + 5000 * np.exp(-((y - 4 - a) ** 2 + (x - 4 - b) ** 2) / (2 * width**2))
        for a in places
        for b in places
    ]
    assert not taken(np.array(frames)).any()


def test_hot_pixels_are_found_single_and_in_pairs_in_corners_and_on_flanks() -> None:
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:64, :64]
    data = rng.poisson(20 + 500 * np.exp(-((y - 30) ** 2 + (x - 30) ** 2) / 60), (3, 64, 64))
    hot = np.zeros((64, 64), bool)
    for place in [(0, 0), (63, 10), (20, 63), (30, 30), (36, 30), (50, 50), (50, 51)]:
        hot[place] = True
    data[:, hot] += 3000
    np.testing.assert_array_equal(taken(data.astype(np.uint16)), np.broadcast_to(hot, data.shape))


def test_the_noise_model_is_what_is_said() -> None:
    data = np.full((1, 5, 5), 1000.0)
    data[0, 2, 2] = 1000 + 6 * np.sqrt(1000 / 0.25 + 9 + 16) + 0.1  # ADU of 4 a photon
    camera = {"noise": "camera", "offset": 0, "gain": 0.25, "read_noise": 3}
    assert taken(data, **camera)[0, 2, 2]
    data[0, 2, 2] -= 0.2
    assert not taken(data, **camera).any()
    assert taken(data)[0, 2, 2]  # counts have half of that noise
    assert not taken(data, noise="uniform", read_noise=100).any()


def test_the_median_of_the_neighbours_takes_its_place() -> None:
    data = np.arange(25, dtype=np.uint16).reshape(1, 5, 5)
    data[0, 2, 2] = 9000
    scan, variance = scan_of(data, 1), np.full(data.shape, 4.0)
    found = corrected(scan, HotPixels(fill="median"), variance=variance, valid=data >= 0)
    assert found.data[0, 2, 2] == 12  # of 6 7 8 11 13 16 17 18
    assert found.valid.all()
    spread = np.var([6, 7, 8, 11, 13, 16, 17, 18], ddof=1)
    factor = 8 * np.pi / (2 * (8 + np.pi / 2 - 1))
    assert found.variance[0, 2, 2] == pytest.approx(factor * spread / 8, rel=1e-6)
    found.variance[0, 2, 2] = 4
    assert (found.variance == 4).all()


def test_the_variance_of_a_filled_pixel_is_what_its_value_scatters_by() -> None:
    rng = np.random.default_rng(2)
    data = rng.poisson(100, (4000, 3, 3)).astype(float)
    data[:, 1, 1] = 5000
    found = corrected(scan_of(data, 1), HotPixels(fill="median"), variance=np.full(data.shape, 100))
    values = found.data[:, 1, 1]
    assert values.mean() == pytest.approx(100, abs=0.5)
    assert 0.9 < found.variance[:, 1, 1].mean() / values.var() < 1.5


def test_what_is_missing_is_no_neighbour() -> None:
    data = np.full((1, 5, 5), 10.0)
    data[0, 2, 2], data[0, 2, 3] = 500, 65_000
    scan = scan_of(data.astype(np.uint16), 1)
    scan.mask = np.zeros((5, 5), np.uint32)
    scan.mask[2, 3] = scan.mask[1, 1] = 1
    found = corrected(scan, Mask(), HotPixels(fill="median"), valid=np.ones(data.shape, bool))
    assert found.data[0, 2, 2] == 10
    np.testing.assert_array_equal(found.valid[0], scan.mask == 0)
    assert np.isnan(found.data[0, 2, 3])


def test_the_rule_of_darfix_is_that_of_darfix() -> None:
    rng = np.random.default_rng(3)
    data = rng.poisson(100, (2, 64, 64)).astype(np.uint16)
    data[:, 5, 5] = 2000
    found = corrected(scan_of(data, 1), HotPixels(method="darfix", fill="median")).data
    for k, frame in enumerate(data.astype(float)):
        median = median_filter(frame, 3, mode="nearest")
        more = frame - median
        np.testing.assert_array_equal(found[k], np.where(more > more.std(), median, frame))


def test_frames_need_two_dimensions() -> None:
    with pytest.raises(ProcessError, match=r"frames have 1 dimensions, \(5,\)"):
        bind(scan_of(np.ones((4, 5)), 1), HotPixels())
