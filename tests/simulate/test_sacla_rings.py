"""Rings lie where Bragg's law says, and are as bright and as correlated as the formulas say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nxscan.errors import NxscanError
from nxscan.simulate import Mpccd, ShotPlan, Speckle, powder_rings, sacla_run

QUIET = ShotPlan(laser_every=0, dark_every=0, spread=0.0, lost=0.0)


def radial_profile(image: np.ndarray, center: tuple[float, float], bins: np.ndarray) -> np.ndarray:
    y, x = np.indices(image.shape)
    radius = np.hypot(y - center[0], x - center[1])
    total, _ = np.histogram(radius, bins, weights=image)
    count, _ = np.histogram(radius, bins)
    return total / count


def crest(profile: np.ndarray, middles: np.ndarray, near: float, reach: float = 4.0) -> float:
    """Return the centroid of a profile above its ends, near a radius."""
    window = np.abs(middles - near) < reach
    values = profile[window] - min(profile[window][0], profile[window][-1])
    return float((values * middles[window]).sum() / values.sum())


def test_gold_rings_at_10_kev_scatter_by_braggs_law() -> None:
    wavelength = 12.398419843320026 / 10
    rings = powder_rings(energy=10.0, distance=100.0, pixel=50.0)
    assert [ring.hkl for ring in rings] == [(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1)]
    for ring, squares in zip(rings, (3, 4, 8, 11), strict=True):
        theta = math.asin(wavelength * math.sqrt(squares) / (2 * 4.0782))
        assert ring.two_theta == pytest.approx(math.degrees(2 * theta), rel=1e-12)
        assert ring.q == pytest.approx(2 * math.pi * math.sqrt(squares) / 4.0782, rel=1e-12)
        assert ring.radius == pytest.approx(100e3 * math.tan(2 * theta) / 50, rel=1e-12)
    assert [ring.multiplicity for ring in rings] == [8, 6, 12, 24]


def test_radii_are_found_back_around_the_center_of_the_image() -> None:
    detector = Mpccd(panels=4, shape=(96, 128), gap=3, distance=8.0)
    truth = sacla_run(
        tags=12, detector=detector, speckle=Speckle(photons=60), plan=QUIET, written="both", seed=2
    )
    tags = truth.run.shots.tags.tolist()
    photons = sum(truth.frame("detector_2d_assembled_1", tag).astype(float) for tag in tags)
    bins = np.arange(20, 110, 0.5)
    profile = radial_profile(np.asarray(photons), detector.beam_center, bins)
    middles = (bins[:-1] + bins[1:]) / 2
    inside = [ring for ring in truth.rings if ring.radius < 80]
    assert len(inside) >= 2
    for ring in inside:
        assert crest(profile, middles, ring.radius) == pytest.approx(ring.radius, abs=0.15)


def test_a_panel_sees_the_rings_around_the_same_beam_as_the_whole_detector() -> None:
    detector = Mpccd(panels=4, shape=(40, 32), gap=5)
    truth = sacla_run(tags=2, detector=detector, written="both", seed=3)
    whole = truth.frame("detector_2d_assembled_1", 219817020)
    assert whole.shape == (85, 69)
    for name, rows, columns in [
        ("detector_2d_1", slice(0, 40), slice(0, 32)),
        ("detector_2d_2", slice(0, 40), slice(37, 69)),
        ("detector_2d_3", slice(45, 85), slice(0, 32)),
        ("detector_2d_4", slice(45, 85), slice(37, 69)),
    ]:
        np.testing.assert_array_equal(whole[rows, columns], truth.frame(name, 219817020))
    assert not whole[40:45].any()
    assert not whole[:, 32:37].any()
    center_y, center_x = detector.beam_center
    assert detector.center_on("detector_2d_4") == (center_y - 45, center_x - 37)
    assert detector.coordinate("detector_2d_1") == (-center_x * 50, center_y * 50, 0)


def ring_samples(image: np.ndarray, center: tuple[float, float], radius: float) -> np.ndarray:
    """Return the image along a ring at 360 angles, interpolated between pixels."""
    angle = np.radians(np.arange(360))
    y, x = center[0] + radius * np.sin(angle), center[1] + radius * np.cos(angle)
    row, column = np.floor(y).astype(int), np.floor(x).astype(int)
    dy, dx = y - row, x - column
    below = (1 - dx) * image[row + 1, column] + dx * image[row + 1, column + 1]
    return (1 - dy) * ((1 - dx) * image[row, column] + dx * image[row, column + 1]) + dy * below


def autocorrelation(rings: np.ndarray) -> np.ndarray:
    """Return C(Δ) of every shot, Δ = 0° … 359°."""
    mean = rings.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.fft(rings - mean, axis=1)) ** 2
    return np.fft.ifft(spectrum, axis=1).real / rings.shape[1] / mean**2


@pytest.mark.parametrize("particles", [1, 3])
def test_angular_correlation_is_found_back_in_the_mean_over_shots(particles: int) -> None:
    detector = Mpccd(shape=(200, 200), distance=6.0, noise=3.0)
    speckle = Speckle(photons=300, width=4.0, background=0.0, particles=particles)
    truth = sacla_run(tags=40, detector=detector, speckle=speckle, plan=QUIET, seed=5)
    ring = truth.rings[0]
    shots = np.stack(
        [
            ring_samples(truth.frame("detector_2d_1", tag), detector.beam_center, ring.radius)
            for tag in truth.run.shots.tags.tolist()
        ]
    )
    found = autocorrelation(shots)
    lags = np.arange(10, 180, 5)
    error = found[:, lags].std(axis=0, ddof=1) / math.sqrt(len(found))
    expected = (0.25 * np.cos(np.radians(4 * lags)) + 0.09 * np.cos(np.radians(6 * lags))) / 2
    np.testing.assert_allclose(truth.correlation(lags), expected / particles, atol=1e-12)
    away = np.abs(found[:, lags].mean(axis=0) - expected / particles)
    assert (away < 4 * error + 1e-3).all()
    assert error.max() < (0.003 if particles == 1 else 0.03)


def test_a_shot_is_brightest_where_its_particle_points() -> None:
    detector = Mpccd(shape=(201, 201), center=(100.0, 100.0))
    truth = sacla_run(
        tags=3, detector=detector, speckle=Speckle(harmonics={1: 1.0}), plan=QUIET, seed=6
    )
    shots = truth.run.shots
    for tag, (angle,) in zip(shots.tags.tolist(), shots.orientations, strict=True):
        photons = truth.expected("detector_2d_1", tag) - 0.2
        y, x = np.indices(photons.shape) - 100.0
        inside = np.hypot(y, x) < 100
        found = math.degrees(math.atan2((photons * y)[inside].sum(), (photons * x)[inside].sum()))
        assert (found - angle + 180) % 360 - 180 == pytest.approx(0, abs=1e-3)


def test_photons_are_poisson_times_adu_per_photon_and_noise_around_zero() -> None:
    detector = Mpccd(shape=(256, 256), gain=20.0, energy=14.6, noise=4.0)
    assert detector.adu_per_photon == pytest.approx(200.0)
    truth = sacla_run(tags=10, detector=detector, plan=ShotPlan(laser_every=0, spread=0.0), seed=7)
    lit, dark = (truth.run.shots.tags[k] for k in (0, 9))
    expected = truth.expected("detector_2d_1", lit)
    image = truth.frame("detector_2d_1", lit)
    assert image.dtype == np.float32
    apart = image.astype(float) - 200 * expected
    variance = 200**2 * expected + 16
    assert apart.mean() == pytest.approx(0, abs=4 * math.sqrt(variance.mean() / image.size))
    chi_squared = (apart**2 / variance).mean()
    assert chi_squared == pytest.approx(1, abs=0.05)
    dim = truth.frame("detector_2d_1", dark)
    assert not truth.expected("detector_2d_1", dark).any()
    assert dim.mean() == pytest.approx(0, abs=4 * 4 / 256)
    assert dim.std() == pytest.approx(4, rel=0.02)
    assert 0.45 < (dim < 0).mean() < 0.55


def test_laser_on_rings_are_brighter_by_pump_and_pulses_scale_the_shot() -> None:
    speckle = Speckle(harmonics={}, pump=0.1, background=0.0)
    truth = sacla_run(
        tags=4, detector=Mpccd(shape=(64, 64)), speckle=speckle, plan=ShotPlan(dark_every=0), seed=8
    )
    shots = truth.run.shots
    assert shots.laser.tolist() == [True, False, True, False]
    first, second = (truth.expected("detector_2d_1", tag) for tag in shots.tags[:2])
    ratio = 1.1 * shots.pulse[0] / shots.pulse[1]
    np.testing.assert_allclose(first, ratio * second, rtol=1e-12)


def test_the_strongest_ring_has_as_many_photons_at_its_crest_as_asked_for() -> None:
    detector = Mpccd(shape=(200, 200), distance=6.0)
    speckle = Speckle(photons=7.0, harmonics={}, background=0.5)
    truth = sacla_run(tags=1, detector=detector, speckle=speckle, plan=QUIET)
    strongest = max(truth.rings, key=lambda ring: ring.intensity)
    assert strongest.hkl == (1, 1, 1)
    photons = ring_samples(
        truth.expected("detector_2d_1", 219817020), detector.beam_center, strongest.radius
    )
    # interpolation between pixels lowers the crest of a ring 1.5 pixels wide
    np.testing.assert_allclose(photons, 7.5, rtol=0.08)
    assert truth.expected("detector_2d_1", 219817020).max() == pytest.approx(7.5, rel=1e-3)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(NxscanError, match="negative intensities"):
        Speckle(harmonics={4: 0.7, 6: 0.5})
    with pytest.raises(NxscanError, match="not scattered forwards at 5"):
        powder_rings(energy=5.0, distance=100.0, pixel=50.0)
    with pytest.raises(NxscanError, match="gain must be above 0"):
        Mpccd(gain=0.0)
