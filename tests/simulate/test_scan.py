"""Simulated frames: their statistics, their independence, and the truth they hide."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from nxscan.errors import NxscanError
from nxscan.simulate import (
    Camera,
    SimulatedScan,
    crystal,
    fwhm_to_sigma,
    realistic_counts,
    rocking_scan,
)

FINE = np.linspace(-0.3, 0.3, 61)


def gaussian_model(scan: SimulatedScan, k: int) -> np.ndarray:
    """Return frame k from the truth maps alone, in double precision, without hot pixels."""
    truth = scan.truth
    sigma = {name: fwhm_to_sigma(values.astype(float)) for name, values in truth.fwhm.items()}
    u = [(scan.motors[name][k] - truth.center[name]) / sigma[name] for name in scan.motors]
    if len(u) == 1:
        q = u[0] ** 2
    else:
        rho = truth.correlation.astype(float)
        q = (u[0] ** 2 - 2 * rho * u[0] * u[1] + u[1] ** 2) / (1 - rho**2)
    curve = np.where(truth.grain, truth.amplitude * np.exp(-q / 2), 0)
    return (truth.background + curve) * scan.counters["srcur"][k] / scan.counters["srcur"][0]


@pytest.mark.parametrize("chi", [None, [-0.01, 0.02]])
def test_expected_frames_are_the_curves_of_the_truth_maps(chi: list[float] | None) -> None:
    scan = rocking_scan(crystal((24, 20)), mu=[-0.05, 0, 0.03], chi=chi, camera=Camera.ideal())
    for k in range(len(scan)):
        np.testing.assert_allclose(scan.expected(k), gaussian_model(scan, k), rtol=2e-5)


@pytest.mark.parametrize("noise", ["exact", "tiled"])
@pytest.mark.parametrize("camera", [Camera.ideal(), Camera(hot_pixels=0.01)])
def test_many_frames_scatter_about_the_truth_as_the_camera_says(noise: str, camera: Camera) -> None:
    sample = crystal((40, 40), counts=3000, background=60)
    scan = rocking_scan(sample, mu=[0.0], repeats=100, camera=camera, noise=noise)
    total = sum(frame.astype(float) for frame in scan.frames())
    model = sum(gaussian_model(scan, k) for k in range(100))
    good = ~scan.truth.hot
    variance = 100 * camera.read_noise**2 + model / camera.gain
    z = ((total - model - 100 * camera.offset) / np.sqrt(variance))[good]
    # 1600 normal deviates: their mean is known to 0.025, their standard deviation to 0.018
    assert abs(z.mean()) < 0.125
    assert z.std() == pytest.approx(1, abs=0.1)
    assert np.abs(z).max() < 6


def test_center_of_mass_finds_the_centers_within_the_counting_noise() -> None:
    scan = rocking_scan(crystal((48, 48), 1, counts=20000), mu=FINE, camera=Camera.ideal())
    truth, mu = scan.truth, FINE[:, None, None]
    current = (scan.counters["srcur"] / scan.counters["srcur"][0])[:, None, None]
    signal = np.stack(list(scan.frames())) / current - truth.background
    total = signal.sum(axis=0)
    sigma = fwhm_to_sigma(truth.fwhm["mu"])
    with np.errstate(invalid="ignore"):
        whole = truth.grain & (np.abs(truth.center["mu"]) + 4.5 * sigma < 0.3)
    center = (signal * mu).sum(axis=0) / total
    model = np.stack([gaussian_model(scan, k) for k in range(61)])
    spread = np.sqrt((model * (mu - truth.center["mu"]) ** 2).sum(axis=0)) / total
    z = ((center - truth.center["mu"]) / spread)[whole]
    assert whole.sum() > 500
    assert np.abs(z).max() < 5.5
    assert z.std() == pytest.approx(1, abs=5 / np.sqrt(2 * z.size))


def test_moments_without_noise_are_the_width_and_the_intensity() -> None:
    scan = rocking_scan(crystal((32, 32)), mu=np.linspace(-0.6, 0.6, 181), camera=Camera.ideal())
    truth, mu = scan.truth, scan.motors["mu"][:, None, None]
    current = scan.counters["srcur"] / scan.counters["srcur"][0]
    signal = np.stack([scan.expected(k) / current[k] - truth.background for k in range(181)])
    bright = truth.amplitude > 100
    width = np.sqrt((signal * (mu - truth.center["mu"]) ** 2).sum(axis=0) / signal.sum(axis=0))
    expected = fwhm_to_sigma(truth.fwhm["mu"])
    np.testing.assert_allclose(width[bright], expected[bright], rtol=2e-3)
    area = signal.sum(axis=0) * (mu[1] - mu[0]).item()
    np.testing.assert_allclose(area[bright], truth.intensity[bright], rtol=1e-3)
    assert (truth.intensity[~truth.grain] == 0).all()


def test_mosaicity_scan_has_the_volume_that_the_truth_says() -> None:
    grid = np.linspace(-0.4, 0.4, 41)
    scan = rocking_scan(crystal((16, 16)), mu=grid, chi=grid, camera=Camera.ideal())
    assert scan.trajectory.shape == (41, 41)
    truth, step = scan.truth, grid[1] - grid[0]
    current = scan.counters["srcur"] / scan.counters["srcur"][0]
    total = sum(scan.expected(k) / current[k] - truth.background for k in range(len(scan)))
    bright = truth.amplitude > 200
    np.testing.assert_allclose((total * step**2)[bright], truth.intensity[bright], rtol=2e-2)


def test_lorentzian_curves_are_half_as_high_at_half_their_width() -> None:
    sample = crystal((16, 16), lorentz=0.5)
    y, x = 8, 8
    center, half = sample.mu[y, x], sample.fwhm_mu[y, x] / 2
    scan = rocking_scan(sample, mu=[center, center + half], camera=Camera.ideal())
    heights = [float(scan.expected(k)[y, x] - sample.background[y, x]) for k in (0, 1)]
    assert heights[1] / heights[0] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("noise", ["exact", "tiled"])
def test_a_frame_depends_on_the_seed_and_its_number_alone(noise: str) -> None:
    def scan(seed: int) -> SimulatedScan:
        return rocking_scan(crystal((24, 24)), mu=FINE, seed=seed, noise=noise, jitter=1e-3)

    forward = [scan(3).frame(k).tobytes() for k in range(6)]
    one = scan(3)
    backward = [one.frame(k).tobytes() for k in reversed(range(6))]
    with ThreadPoolExecutor(4) as pool:
        threads = list(pool.map(lambda k: one.frame(k).tobytes(), range(6)))
    assert forward == backward[::-1] == threads
    assert len(set(forward)) == 6
    assert scan(4).frame(0).tobytes() != forward[0]


def test_negative_numbers_count_from_the_end_and_others_are_refused() -> None:
    scan = rocking_scan(crystal((8, 8)), mu=[0, 0.1])
    np.testing.assert_array_equal(scan.frame(-1), scan.frame(1))
    with pytest.raises(IndexError, match="frame 2 of a scan of 2"):
        scan.frame(2)


def test_hot_pixels_are_where_the_mask_says_in_darks_and_frames() -> None:
    scan = rocking_scan(crystal((64, 64)), mu=[0.9, 1.0], camera=Camera(hot_pixels=0.02))
    mask = scan.truth.hot
    assert 40 < mask.sum() < 130
    # the crystal does not diffract at 0.9°, a hot pixel adds 200 ADU or more
    np.testing.assert_array_equal(scan.dark(0) > 190, mask)
    background = scan.truth.background.max()
    np.testing.assert_array_equal(scan.frame(0) > 190 + background, mask)
    np.testing.assert_array_equal(
        rocking_scan(crystal((64, 64)), mu=[1]).truth.hot.sum() < 10, True
    )


def test_darks_have_the_offset_and_the_read_noise() -> None:
    scan = rocking_scan(crystal((100, 100)), camera=Camera(hot_pixels=0))
    dark = scan.dark(0).astype(float)
    assert dark.mean() == pytest.approx(100, abs=5 * 3 / 100)
    assert dark.std() == pytest.approx(3, rel=5 / np.sqrt(2e4))
    assert not np.array_equal(dark, scan.dark(1))


def test_flats_show_the_beam_and_no_crystal() -> None:
    scan = rocking_scan(crystal((64, 64)), camera=Camera(hot_pixels=0))
    flat = scan.flat(0).astype(float) - 100
    beam = flat / scan.crystal.illumination
    noise = np.sqrt(2 / 0.46 / 20000)
    assert np.std(beam / beam.mean()) < 2 * noise


def test_saturated_pixels_are_the_clipped_ones() -> None:
    camera = Camera(saturation=4095, hot_pixels=0)
    scan = rocking_scan(crystal((48, 48), counts=9000), mu=FINE, camera=camera)
    clipped = np.zeros((48, 48), bool)
    for frame in scan.frames():
        assert frame.max() <= 4095
        clipped |= frame == 4095
    expected = scan.saturated()
    assert 100 < expected.sum() < 48 * 48
    highest = np.max([scan.expected(k) for k in range(61)], axis=0) + 100
    clear = np.abs(highest - 4095) > 6 * np.sqrt(4000 / 0.46)
    np.testing.assert_array_equal(clipped[clear], expected[clear])


def test_counters_follow_the_ring() -> None:
    scan = rocking_scan(crystal((8, 8)), mu=FINE, exposure=2.0)
    counters = scan.counters
    elapsed = counters["epoch"] - counters["epoch"][0]
    np.testing.assert_allclose(counters["srcur"], 196 * np.exp(-elapsed / (60 * 3600)), rtol=1e-9)
    assert (np.diff(elapsed) > 2.0).all()
    rate = counters["mon"] / (4e6 * counters["srcur"] / 196)
    assert np.abs(rate - 1).max() < 6 / np.sqrt(4e6)


def test_tiled_noise_does_not_repeat_within_a_frame() -> None:
    sample = crystal((1024, 256), counts=0)
    scan = rocking_scan(sample, mu=[0], camera=Camera(hot_pixels=0), noise="tiled")
    noise = scan.frame(0) - scan.expected(0) - 100
    noise = noise.ravel() / noise.std()
    for lag in (1, 256, 1 << 16, 1 << 17):
        # the correlation of n independent deviates is known to 1/√n
        assert abs(np.mean(noise[lag:] * noise[:-lag])) < 5 / np.sqrt(noise.size - lag)


def test_lorentzian_crystal_is_not_rocked_in_two_motors() -> None:
    with pytest.raises(NxscanError, match="no finite volume"):
        rocking_scan(crystal((8, 8), lorentz=0.2), mu=[0], chi=[0])


def test_titles_are_spec_commands() -> None:
    sample = crystal((8, 8))
    assert rocking_scan(sample, chi=[0, 0.5, 1], exposure=0.5).title == "ascan chi 0 1 2 0.5"
    both = rocking_scan(sample, mu=[-1, 1], chi=[0, 0.5, 1])
    assert both.title == "mesh mu -1 1 1 chi 0 1 2 1"


def test_realistic_counts_compress_as_camera_frames_do(tmp_path) -> None:
    h5py = pytest.importorskip("h5py")
    hdf5plugin = pytest.importorskip("hdf5plugin")
    scan = realistic_counts(11, (512, 512))
    frame = scan.frame(5)
    with h5py.File(tmp_path / "frame.h5", "w") as file:
        stored = file.create_dataset(
            "data", data=frame, chunks=frame.shape, **hdf5plugin.Bitshuffle(cname="lz4")
        )
        assert 0.25 < stored.id.get_storage_size() / frame.nbytes < 0.5
    assert frame.max() > 2000
    assert np.unique(scan.frame(4) != frame).size == 2
