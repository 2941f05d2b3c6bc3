"""A drifting sample is where it is said to be."""

from __future__ import annotations

import numpy as np

from nxscan.simulate.drift import drifting_scan


def test_whole_pixels_of_drift_move_the_sample_by_whole_pixels() -> None:
    options = {"counts": 1e4, "background": 0.0, "seed": 3, "spread": 0.05, "width": 0.1}
    scan = drifting_scan((40, 50), [0.0, 0.0], shifts=[[0, 0], [3, -2]], **options)
    first, second = scan.frames.astype(float)
    np.testing.assert_allclose(second[3:, :-2], first[:-3, 2:], rtol=0.1, atol=500)
    assert np.abs(second - first).mean() > 0.1 * first.mean()


def test_bright_bands_move_and_texture_does_not() -> None:
    still = {"shifts": np.zeros((3, 2)), "seed": 1, "counts": 1e4, "background": 0}
    bands = drifting_scan((64, 64), [-0.1, 0.0, 0.1], **still).frames.astype(float)
    whole = drifting_scan((64, 64), [-0.1, 0.0, 0.1], spread=0, **still).frames.astype(float)
    assert np.corrcoef(bands[0].ravel(), bands[2].ravel())[0, 1] < 0.5
    assert np.corrcoef(whole[0].ravel(), whole[2].ravel())[0, 1] > 0.9


def test_a_seed_is_a_sample_and_a_walk() -> None:
    one, same, other = (drifting_scan((32, 32), [0, 0.1], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.frames, same.frames)
    assert (one.shifts != other.shifts).all()
    assert (one.frames != other.frames).any()
