"""The camera follows its noise model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.errors import NxscanError
from nxscan.simulate import Camera

SIZE = 200 * 200


def expose(camera: Camera, signal: float) -> np.ndarray:
    return camera.expose(np.full((200, 200), signal), np.random.default_rng(5)).astype(float)


@pytest.mark.parametrize("signal", [0.0, 5.0, 400.0, 20000.0])
@pytest.mark.parametrize("camera", [Camera(), Camera(offset=50, gain=2.1, read_noise=7)])
def test_mean_and_variance_follow_the_noise_model(camera: Camera, signal: float) -> None:
    values = expose(camera, signal)
    variance = camera.read_noise**2 + signal / camera.gain
    assert camera.variance(signal) == variance
    assert values.mean() == pytest.approx(
        camera.offset + signal, abs=5 * math.sqrt(variance / SIZE)
    )
    assert values.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / SIZE))


def test_ideal_camera_counts_photons() -> None:
    values = expose(Camera.ideal(), 9.0)
    assert values.mean() == pytest.approx(9, abs=5 * 3 / math.sqrt(SIZE))
    # a Poisson variance has a relative error of √((2 + 1/λ) / N)
    assert values.var() == pytest.approx(9, rel=5 * math.sqrt((2 + 1 / 9) / SIZE))
    # P(0) = exp(−9)
    zeros = SIZE * math.exp(-9)
    assert (values == 0).sum() == pytest.approx(zeros, abs=5 * math.sqrt(zeros))


def test_saturation_clips_and_nothing_else() -> None:
    camera = Camera(saturation=4095, hot_pixels=0)
    frame = camera.expose(np.array([100.0, 3900.0, 1e5, 1e9]), np.random.default_rng(0))
    assert frame[0] < 500
    assert frame.tolist()[2:] == [4095, 4095]
    assert frame.dtype == np.uint16


def test_values_below_zero_are_clipped_to_zero() -> None:
    frame = Camera(offset=0, read_noise=50).expose(np.zeros(1000), np.random.default_rng(0))
    # half of a normal distribution of mean 0 rounds to 0 or is below it
    assert 400 < (frame == 0).sum() < 600
    assert frame.max() < 500


@settings(max_examples=20, deadline=None)
@given(fraction=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_hot_pixels_are_as_many_as_asked_for(fraction: float, seed: int) -> None:
    extra = Camera(hot_pixels=fraction, hot_counts=500).hot_map((100, 100), seed)
    spread = math.sqrt(1e4 * fraction * (1 - fraction))
    assert (extra > 0).sum() == pytest.approx(1e4 * fraction, abs=6 * spread + 1)
    assert extra[extra > 0].min(initial=500) >= 50


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"gain": 0}, "gain must be above 0"),
        ({"saturation": 70000}, "saturation must be 1 to 65535"),
        ({"hot_pixels": 1.5}, "fraction from 0 to 1"),
        ({"read_noise": float("nan")}, "read_noise must be 0"),
    ],
)
def test_impossible_cameras_are_refused(wrong: dict[str, float], word: str) -> None:
    with pytest.raises(NxscanError, match=word):
        Camera(**wrong)
