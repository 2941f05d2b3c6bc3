"""Pulls of rocking-curve fits: found less true, in standard errors, has mean 0 and spread 1."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.blocks import drive, scan_of

from nxscan.analysis.rocking_curve import RockingCurve
from nxscan.errors import ProcessError
from nxscan.kernels.fit import OK
from nxscan.process.noise import Noise
from nxscan.process.registry import find_correction
from nxscan.process.view import make_view, seen
from nxscan.simulate.camera import Camera

X = np.linspace(-0.5, 0.5, 41)
SIDE = 130
TRUE = {"amplitude": 1000.0, "center": 0.0312, "fwhm": 0.17, "background": 12.0}
TRUE["intensity"] = 1000 * 0.17 * 0.5 * math.sqrt(math.pi / math.log(2))
SIGMA = TRUE["fwhm"] / math.sqrt(8 * math.log(2))


def model(x, height=TRUE["amplitude"], center=TRUE["center"], sigma=SIGMA, background=12.0):
    return height * np.exp(-((x - center) ** 2) / (2 * sigma**2)) + background


def frames(mean):
    return np.broadcast_to(np.asarray(mean)[:, None, None], (len(mean), SIDE, SIDE))


def assert_pulls(found, true, good=True, **shifts):
    """Hold means and spreads of pulls against 0 ± 0.05 and 1 ± 0.05."""
    good = good & (found["status"] == OK)
    assert good.mean() > 0.99
    for name, value in true.items():
        value = value + shifts.get(name, 0.0)
        pull = ((found[name] - value) / found[f"{name}_errors"].astype(float))[good]
        assert abs(pull.mean()) < 0.05, (name, pull.mean())
        assert abs(pull.std() - 1) < 0.05, (name, pull.std())


@pytest.mark.parametrize("noise", ["poisson", "auto"])
def test_pulls_of_counts(noise):
    data = np.random.default_rng(0).poisson(frames(model(X))).astype("u2")
    found = drive(RockingCurve(noise=noise), scan_of(data, {"mu": X}))
    assert_pulls(found, TRUE)
    assert found["chi_square"].mean() == pytest.approx(1, abs=0.03)
    assert found["chi_square"].std() == pytest.approx(math.sqrt(2 / 37), rel=0.05)


def test_pulls_of_a_camera_whose_noise_is_measured():
    camera = Camera(offset=100, gain=0.46, read_noise=3, hot_pixels=0)
    rng = np.random.default_rng(1)
    # levels differ from pixel to pixel, as a photon transfer needs
    height = np.linspace(300, 3000, SIDE)[:, None] * np.ones(SIDE)
    light = model(X[:, None, None], height, background=12 + 0.1 * height)
    data = np.stack([camera.expose(frame, rng) for frame in light])
    dark = np.stack([camera.expose(np.zeros((SIDE, SIDE)), rng) for _ in range(8)])
    process = RockingCurve(noise="camera")
    found = drive(process, scan_of(data, {"mu": X}, dark=dark))
    true = {name: TRUE[name] for name in ("center", "fwhm")}
    true |= {"amplitude": height, "background": 112 + 0.1 * height}
    true["intensity"] = TRUE["intensity"] * height / 1000
    assert_pulls(found, true)
    assert found["chi_square"].mean() == pytest.approx(1, abs=0.05)


def test_pulls_of_a_camera_whose_noise_is_told_by_the_tails_of_curves():
    camera = Camera(offset=100, gain=0.46, read_noise=3, hot_pixels=0)
    rng = np.random.default_rng(2)
    x = np.linspace(-0.5, 0.5, 41)
    level = np.linspace(10, 800, SIDE)[:, None] * np.ones(SIDE)
    light = model(x[:, None, None], 2000.0, background=level)
    data = np.stack([camera.expose(frame, rng) for frame in light])
    found = drive(RockingCurve(), scan_of(data, {"mu": x}))
    assert_pulls(found, {"center": TRUE["center"], "fwhm": TRUE["fwhm"], "amplitude": 2000.0})


def test_pulls_of_a_camera_whose_noise_is_told_by_what_fits_leave_over():
    """The ends of all curves are dark, and so do not tell how noise grows with light."""
    camera = Camera(offset=100, gain=0.46, read_noise=3, hot_pixels=0)
    rng = np.random.default_rng(2)
    height = np.linspace(300, 3000, SIDE)[:, None] * np.ones(SIDE)
    light = model(X[:, None, None], height, background=2.0)
    data = np.stack([camera.expose(frame, rng) for frame in light])
    process = RockingCurve()
    scan = scan_of(data, {"mu": X})
    assert process.noise(scan).gain == pytest.approx(0.46, rel=0.05)
    assert "measured in what fits leave over" in process.outputs(scan)[0].note
    found = drive(process, scan)
    assert_pulls(found, {"center": TRUE["center"], "fwhm": TRUE["fwhm"], "amplitude": height})
    assert found["chi_square"].mean() == pytest.approx(1, abs=0.05)


def test_pulls_of_two_motors_whose_noise_is_measured():
    camera = Camera(offset=100, gain=0.46, read_noise=3, hot_pixels=0)
    rng = np.random.default_rng(3)
    x = np.linspace(-0.4, 0.4, 11)
    side = 80
    height = np.linspace(300, 3000, side)[:, None] * np.ones(side)
    bell = np.exp(-(x**2 + (x[:, None] - 0.05) ** 2) / (2 * 0.1**2))
    data = camera.expose(bell[:, :, None, None] * height + 5, rng)
    process = RockingCurve()
    found = drive(process, scan_of(data, {"chi": x, "mu": x}))
    assert_pulls(found, {"center_mu": 0.0, "center_chi": 0.05, "amplitude": height})


def test_noise_that_nothing_tells_is_that_of_counts(caplog):
    scan = scan_of(np.full((41, 12, 12), 7), {"mu": X})
    assert RockingCurve().noise(scan) == Noise()
    assert "cannot be measured" in caplog.text
    with pytest.raises(ProcessError, match="gain cannot be measured"):
        RockingCurve(noise="camera").noise(scan)


def test_pulls_of_uniform_noise_of_unknown_size():
    data = np.random.default_rng(3).normal(frames(model(X)), 25)
    found = drive(RockingCurve(noise="uniform"), scan_of(data, {"mu": X}))
    # an error that is estimated from 37 residuals makes pulls Student's t: their spread is
    # √(37 / 35) = 1.028
    assert_pulls(found, TRUE)
    assert found["chi_square"].mean() == pytest.approx(625, rel=0.01)


@pytest.mark.parametrize(("profile", "area"), [("lorentzian", math.pi / 2), ("pseudo_voigt", 0)])
def test_pulls_of_other_profiles(profile, area):
    q = 4 * ((X - 0.0312) / 0.17) ** 2
    gauss = 0.5 * math.sqrt(math.pi / math.log(2))
    eta, area = (1.0, area) if area else (0.5, 0.5 * gauss + 0.5 * math.pi / 2)
    curve = 4000 * (eta / (1 + q) + (1 - eta) * 2.0**-q) + 12
    data = np.random.default_rng(4).poisson(frames(curve)).astype("u2")
    found = drive(RockingCurve(profile=profile, noise="poisson"), scan_of(data, {"mu": X}))
    true = {"amplitude": 4000.0, "center": 0.0312, "fwhm": 0.17, "intensity": 4000 * 0.17 * area}
    assert_pulls(found, true)


def test_errors_are_at_the_bound_of_cramer_and_rao():
    """No unbiased estimate has less variance than the inverse of Fisher's information."""
    f = model(X)
    z = (X - TRUE["center"]) / SIGMA
    bell = np.exp(-(z**2) / 2)
    rows = [bell, 1000 * bell * z / SIGMA, 1000 * bell * z**2 / SIGMA, np.ones(41)]
    information = np.array([[(a * b / f).sum() for b in rows] for a in rows])
    bound = np.sqrt(np.diag(np.linalg.inv(information))) * [1, 1, math.sqrt(8 * math.log(2)), 1]
    data = np.random.default_rng(5).poisson(frames(f)).astype("u2")
    found = drive(RockingCurve(noise="poisson"), scan_of(data, {"mu": X}))
    for name, least in zip(("amplitude", "center", "fwhm", "background"), bound, strict=True):
        spread = (found[name] - TRUE[name]).std()
        assert spread == pytest.approx(least, rel=0.02), name
        assert np.median(found[f"{name}_errors"]) == pytest.approx(least, rel=0.02), name


def test_the_width_has_no_bias_on_peaks_of_every_place_width_and_height():
    """As the simulated scans that darfix and darling were measured on."""
    rng = np.random.default_rng(6)
    center, fwhm = rng.uniform(-0.25, 0.25, (2, SIDE, SIDE))
    fwhm = 0.175 + 0.3 * fwhm
    height, background = rng.uniform(300, 3000, (SIDE, SIDE)), rng.uniform(5, 20, (SIDE, SIDE))
    sigma = fwhm / math.sqrt(8 * math.log(2))
    data = rng.poisson(model(X[:, None, None], height, center, sigma, background)).astype("u2")
    found = drive(RockingCurve(noise="poisson"), scan_of(data, {"diffry": X}))
    assert (found["status"] == OK).all()
    assert abs((found["fwhm"] - fwhm).mean()) < 1e-4
    assert abs((found["center"] - center).mean()) < 3e-5
    assert abs((found["background"] - background).mean()) < 0.02


def test_pulls_of_frames_that_are_read_through_corrections():
    """The variance of what was corrected is the model's too: it follows from the data's."""
    rng = np.random.default_rng(7)
    noise = Noise("camera", offset=100, gain=0.5, read_noise=3)
    light = frames(model(X))
    data = rng.poisson(light * 0.5) / 0.5 + rng.normal(100, 3, light.shape)
    process = RockingCurve(noise="camera", offset=100, gain=0.5, read_noise=3)
    scan = scan_of(data - 100, {"mu": X})
    variance = 2.25 * noise.variance(data)
    scan = scan_of(1.5 * (data - 100), {"mu": X})
    scan.signal.__dict__["corrected"] = True
    found = drive(process, scan, variance=variance)
    true = {"center": TRUE["center"], "fwhm": TRUE["fwhm"]}
    true |= {name: 1.5 * TRUE[name] for name in ("amplitude", "background", "intensity")}
    assert_pulls(found, true)


def test_a_background_that_is_taken_off_leaves_the_peak():
    rng = np.random.default_rng(8)
    data = rng.poisson(frames(model(X, background=500.0))).astype("u2")
    scan = scan_of(data, {"mu": X})
    plain = drive(RockingCurve(noise="poisson"), scan)
    view = make_view(scan, [find_correction("background")])
    corrected = seen(scan, view)
    process = RockingCurve(noise="poisson")
    region = tuple(slice(0, length) for length in data.shape)
    variance = view.read(region, variance=Noise()).variance
    found = drive(process, corrected, variance=variance)
    for name in ("center", "fwhm"):
        assert np.abs((found[name] - plain[name]) / plain[f"{name}_errors"]).max() < 0.5, name
    assert found["background"].mean() == pytest.approx(0, abs=3)
