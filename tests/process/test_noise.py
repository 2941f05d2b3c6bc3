"""Variances follow from values; what a detector's noise is can be measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers.chains import scan_of

from nxscan.errors import ProcessError
from nxscan.process.noise import Noise, NoiseParameters
from nxscan.process.transfer import fit_line, from_darks, from_repeats, from_tails
from nxscan.simulate.camera import Camera

CAMERA = Camera(offset=100, gain=0.5, read_noise=4, hot_pixels=0)


def exposed(signal: np.ndarray, seed: int = 0) -> np.ndarray:
    return CAMERA.expose(signal, np.random.default_rng(seed))


def rocking(shape: tuple[int, int] = (120, 160), count: int = 41) -> np.ndarray:
    """Return a rocking scan of a camera whose pixels see different diffuse light."""
    levels = np.linspace(0, 3000, shape[0] * shape[1]).reshape(shape)
    curve = np.exp(-0.5 * ((np.arange(count) - count // 2) / 4) ** 2)
    return exposed(levels[None] + 5000 * curve[:, None, None])


def test_counts_have_their_own_value_as_variance() -> None:
    assert Noise().variance(np.array([0, 9], np.uint16)).tolist() == [0, 9]


def test_a_camera_has_offset_gain_and_read_noise() -> None:
    noise = Noise("camera", offset=100, gain=0.5, read_noise=3)
    values = np.array([90, 100, 101, 65535], np.uint16)
    assert noise.variance(values).tolist() == [9, 9, 11, 9 + 65435 * 2]
    assert noise.variance(values).dtype == np.float32


def test_uniform_noise_is_the_same_everywhere_and_one_unless_given() -> None:
    assert Noise("uniform", read_noise=2).variance(np.array([0.0, 1e6])).tolist() == [4, 4]
    assert Noise("uniform").variance(np.array([0, 7])).tolist() == [1, 1]


def test_a_missing_value_has_no_variance() -> None:
    assert np.isnan(Noise().variance(np.array([np.nan]))).all()


def test_the_variance_is_what_the_camera_scatters_by() -> None:
    values = exposed(np.full(200_000, 1000.0))
    noise = Noise("camera", offset=100, gain=0.5, read_noise=4)
    assert noise.variance(np.array([1100])).item() == pytest.approx(values.var(), rel=0.01)


def test_values_are_not_changed() -> None:
    values = np.array([150.0, 50.0], np.float32)
    Noise("camera", offset=100, gain=0.5, read_noise=3).variance(values)
    assert values.tolist() == [150, 50]


@pytest.mark.parametrize("count", [2, 3, 8])
def test_darks_tell_offset_and_read_noise_whatever_hot_pixels_say(count: int) -> None:
    camera = Camera(offset=100, gain=0.5, read_noise=4, hot_pixels=0.02)
    hot = camera.hot_map((200, 200), 1)
    rng = np.random.default_rng(1)
    offset, read_noise = from_darks(np.stack([camera.expose(hot, rng) for _ in range(count)]))
    assert offset == pytest.approx(100, abs=0.1)
    assert read_noise == pytest.approx(4, rel=0.05)


def test_one_dark_tells_the_spread_of_neighbours() -> None:
    offset, read_noise = from_darks(exposed(np.zeros((1, 300, 300))))
    assert (offset, read_noise) == (100, pytest.approx(4, rel=0.1))


def test_repeats_tell_the_photon_transfer_line() -> None:
    levels = np.repeat(np.linspace(0, 4000, 100), 100)
    line = from_repeats(np.stack([exposed(levels, seed) for seed in range(8)]))
    assert 1 / line.slope == pytest.approx(0.5, rel=0.03)
    assert line.variance_at(100) == pytest.approx(16, abs=10)


def test_a_line_of_few_values_has_the_right_slope_on_average() -> None:
    slopes = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        levels = rng.uniform(0, 1000, 1000)
        variances = (16 + 2 * levels) * rng.standard_normal(1000) ** 2
        slopes.append(fit_line(levels, variances, 5).slope)
    assert np.mean(slopes) == pytest.approx(2, rel=0.02)


def test_repeats_of_one_level_tell_no_gain() -> None:
    line = from_repeats(np.stack([exposed(np.full(10_000, 50.0), seed) for seed in range(8)]))
    assert line.slope is None
    assert line.variance == pytest.approx(16 + 50 / 0.5, rel=0.05)


def test_curve_tails_tell_the_photon_transfer_line() -> None:
    line = from_tails(scan_of(rocking(), 1))
    assert 1 / line.slope == pytest.approx(0.5, rel=0.05)


def test_counting_detectors_are_recognized_by_their_tails() -> None:
    rng = np.random.default_rng(3)
    levels = np.linspace(0.2, 300, 20000).reshape(100, 200)
    scan = scan_of(rng.poisson(levels, (11, 100, 200)).astype(np.uint32), 1)
    noise = NoiseParameters(noise="auto").model(scan)
    assert noise.gain == pytest.approx(1, rel=0.05)
    values = np.array([10.0, 200.0])
    np.testing.assert_allclose(noise.variance(values), values, rtol=0.1)


def test_a_camera_is_measured_where_it_is_not_given() -> None:
    scan = scan_of(rocking(), 1, dark=exposed(np.zeros((5, 120, 160)), 9))
    noise = NoiseParameters(noise="camera").model(scan)
    assert noise.kind == "camera"
    assert noise.offset == pytest.approx(100, abs=0.3)
    assert noise.gain == pytest.approx(0.5, rel=0.05)
    assert noise.read_noise == pytest.approx(4, rel=0.05)


def test_steep_wings_of_a_peak_tell_the_line_too() -> None:
    peaks = np.linspace(0, 2000, 40_000).reshape(200, 200)
    wings = np.exp(-0.5 * ((np.arange(21) - 10) / 3) ** 2)
    line = from_tails(scan_of(exposed(peaks * wings[:, None, None]), 1))
    assert 1 / line.slope == pytest.approx(0.5, rel=0.05)


def test_cosmic_rays_are_no_noise() -> None:
    data = rocking()
    hit = np.random.default_rng(7).random(data.shape) < 2e-3
    data[hit] += 20_000
    assert 1 / from_tails(scan_of(data, 1)).slope == pytest.approx(0.5, rel=0.1)


def test_saturated_values_are_not_measured() -> None:
    data = rocking()
    data[:, :30] = 65535
    assert 1 / from_tails(scan_of(data, 1)).slope == pytest.approx(0.5, rel=0.05)
    data[...] = 65535
    assert from_tails(scan_of(data, 1)) is None


@pytest.mark.parametrize("seed", range(5))
def test_noise_that_does_not_grow_tells_no_gain(seed: int) -> None:
    levels = np.linspace(0, 1000, 10_000)
    frames = levels + np.random.default_rng(seed).normal(0, 5, (6, 10_000))
    line = from_repeats(frames)
    assert line.slope is None
    assert line.variance == pytest.approx(25, rel=0.1)


def test_masked_pixels_are_not_measured() -> None:
    data = rocking((200, 200))
    data[:, :20] = np.random.default_rng(4).integers(0, 60000, data[:, :20].shape)
    scan = scan_of(data, 1)
    scan.mask = np.zeros((200, 200), int)
    scan.mask[:20] = 1
    assert 1 / from_tails(scan).slope == pytest.approx(0.5, rel=0.1)


def test_what_is_given_is_not_measured() -> None:
    scan = scan_of(np.zeros((1, 3)), 1)
    given = NoiseParameters(noise="camera", offset=7, gain=2, read_noise=1)
    assert given.model(scan) == Noise("camera", 7, 2, 1)
    assert NoiseParameters().model(scan) == Noise()
    assert NoiseParameters(gain=0.1).model(scan) == Noise("poisson", gain=0.1)
    assert NoiseParameters(noise="uniform", read_noise=3).model(scan).read_noise == 3


def test_a_camera_that_cannot_be_measured_says_what_to_give() -> None:
    scan = scan_of(np.zeros((3, 4, 5)), 1)
    with pytest.raises(ProcessError, match=r"offset, read_noise, gain cannot .* offset=\.\.\., "):
        NoiseParameters(noise="camera").model(scan)
    scan = scan_of(np.full((7, 4, 5), 3.0), 1, dark=np.zeros((3, 4, 5)))
    with pytest.raises(ProcessError, match="camera's gain cannot"):
        NoiseParameters(noise="camera").model(scan)
    assert NoiseParameters(noise="auto").model(scan_of(np.zeros((3, 4)), 1)) == Noise()


@pytest.mark.parametrize("given", [{"gain": 0}, {"read_noise": -1}, {"noise": "gaussian"}])
def test_impossible_parameters_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(given))):
        NoiseParameters(**given)


@pytest.mark.parametrize("scan_rank", [1, 2])
def test_tails_are_read_along_the_longest_dimension(scan_rank: int) -> None:
    data = rocking()
    stack = data if scan_rank == 1 else np.stack([data, rocking()], axis=1)
    line = from_tails(scan_of(stack, scan_rank))
    assert 1 / line.slope == pytest.approx(0.5, rel=0.05)


def test_constant_values_have_no_noise() -> None:
    line = fit_line(np.full(100, 5.0), np.zeros(100), 5)
    assert (line.variance, line.slope) == (0, None)


def test_a_real_camera_is_no_counter(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("bliss/darling_id03_energy_scan_110_5pct_layer_0.h5")
    with h5py.File(path, "r") as file:
        data = file["110_5pct_layer_0_111_strain_energy_0_1.1/instrument/pco_ff/data"][()]
    noise = NoiseParameters(noise="auto").model(scan_of(data, 1))
    assert noise.variance(np.array([102.9])).item() == pytest.approx(9.4, abs=0.5)
