"""What a chain says of its uncertainty is what a simulated camera scatters by."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.chains import corrected, scan_of

from nxscan.analysis.corrections.binning import Binning
from nxscan.analysis.corrections.dark import Dark
from nxscan.analysis.corrections.flat import Flat
from nxscan.analysis.corrections.mask import Mask
from nxscan.analysis.corrections.monitor import Monitor
from nxscan.analysis.corrections.roi import Roi
from nxscan.analysis.corrections.threshold import Threshold
from nxscan.analysis.corrections.transmission import Transmission
from nxscan.process.noise import Noise
from nxscan.simulate.camera import Camera

CAMERA = Camera(offset=100, gain=0.5, read_noise=4, hot_pixels=0)
NOISE = Noise("camera", offset=100, gain=0.5, read_noise=4)


@pytest.mark.parametrize("method", ["sum", "mean"])
def test_values_scatter_around_the_truth_by_their_variance(method: str) -> None:
    rng = np.random.default_rng(8)
    beam, passed = rng.uniform(0.5, 1.5, 20_000), rng.uniform(0.1, 1, 20_000)
    beam *= 1 / beam.mean()
    sensitivity = np.array([[0.8, 1.2, 1.0], [1.1, 0.9, 1.0]])
    truth = 3000.0
    data = CAMERA.expose(truth * sensitivity * (beam * passed)[:, None, None], rng)
    dark = np.stack([CAMERA.expose(np.zeros((2, 3)), rng) for _ in range(4000)])
    flat = np.stack([CAMERA.expose(20_000 * sensitivity, rng) for _ in range(4000)])
    scan = scan_of(data, 1, dark, flat, beam=beam, passed=passed)
    chain = [
        Mask(), Dark(), Flat(), Threshold(low=-100), Monitor(counter="beam"),
        Transmission(counter="passed"), Roi(region="0:2,0:2"), Binning(factor=2, method=method),
    ]  # fmt: skip
    found = corrected(scan, *chain, variance=NOISE.variance(data))
    expected = truth * sensitivity.mean() * (4 if method == "sum" else 1)
    pulls = (found.data - expected) / np.sqrt(found.variance)
    assert pulls.std() == pytest.approx(1, abs=0.02)
    assert pulls.mean() == pytest.approx(0, abs=0.05)
