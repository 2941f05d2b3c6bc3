"""Fits along two and three motors, and fits of several peaks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.blocks import drive, scan_of

from nxscan.analysis.rocking_curve import RockingCurve
from nxscan.kernels.fit import AT_BOUND, EDGE, OK, WEAK
from nxscan.model import ArraySignal, Axis, Scan
from nxscan.simulate.camera import Camera
from nxscan.simulate.crystal import crystal
from nxscan.simulate.scan import rocking_scan

FWHM = math.sqrt(8 * math.log(2))
CHI, MU = np.linspace(-0.4, 0.4, 13), 10 + np.linspace(-0.3, 0.3, 17)
X = np.linspace(-1, 1, 41)


def bell(places, center, fwhm, correlations):
    """Return a Gaussian of height 1 on a grid, from its covariance, and its integral."""
    grid = np.array(np.meshgrid(*places, indexing="ij"))
    sigma = np.asarray(fwhm) / FWHM
    covariance = np.outer(sigma, sigma) * correlations
    away = grid - np.reshape(center, (-1, *[1] * len(places)))
    q = np.einsum("i...,ij,j...->...", away, np.linalg.inv(covariance), away)
    dims = len(places)
    return np.exp(-q / 2), (2 * math.pi) ** (dims / 2) * math.sqrt(np.linalg.det(covariance))


def matrix(*rho):
    """Return a correlation matrix of (1, 0), (2, 0), (2, 1)."""
    size = 2 if len(rho) == 1 else 3
    found = np.eye(size)
    found[np.tril_indices(size, -1)] = rho
    return found + np.tril(found, -1).T


def frames(curve, pixels=1):
    return np.repeat(curve[..., None, None], pixels, axis=-1)


@pytest.mark.parametrize("background", ["constant", "linear"])
@pytest.mark.parametrize("rho", [-0.7, 0.0, 0.55])
def test_two_motors_without_noise(rho, background):
    form, area = bell((CHI, MU), (0.05, 9.97), (0.3, 0.22), matrix(rho))
    curve = 800 * form + 15
    if background == "linear":
        curve = curve + 5 * CHI[:, None] - 8 * (MU - 10)
    process = RockingCurve(noise="poisson", background=background)
    found = drive(process, scan_of(frames(curve), {"chi": CHI, "mu": MU}))
    expected = {"amplitude": 800, "center_chi": 0.05, "center_mu": 9.97, "fwhm_chi": 0.3}
    expected |= {"fwhm_mu": 0.22, "correlation": rho, "background": 15, "intensity": 800 * area}
    if background == "linear":
        expected |= {"background_slope_chi": 5, "background_slope_mu": -8}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-6, atol=1e-8, err_msg=name)
    assert (found["status"] == OK).all()


def test_three_motors_without_noise():
    places = (np.linspace(-1, 1, 7), np.linspace(3, 5, 8), np.linspace(0, 1e-3, 9))
    center, fwhm, rho = (0.1, 4.1, 4.5e-4), (0.9, 0.8, 5e-4), (0.4, -0.3, 0.25)
    form, area = bell(places, center, fwhm, matrix(*rho))
    names = ("obpitch", "chi", "mu")
    scan = scan_of(frames(500 * form + 20), dict(zip(names, places, strict=True)))
    found = drive(RockingCurve(noise="poisson"), scan)
    for k, name in enumerate(names):
        np.testing.assert_allclose(found[f"center_{name}"], center[k], rtol=1e-6)
        np.testing.assert_allclose(found[f"fwhm_{name}"], fwhm[k], rtol=1e-6)
    for value, pair in zip(rho, ("obpitch_chi", "obpitch_mu", "chi_mu"), strict=True):
        np.testing.assert_allclose(found[f"correlation_{pair}"], value, rtol=1e-6)
    np.testing.assert_allclose(found["intensity"], 500 * area, rtol=1e-6)
    units = {out.name: out.units for out in RockingCurve().outputs(scan)}
    assert units["intensity"] == "counts*degree^3"


@pytest.mark.parametrize("dims", [2, 3])
def test_pulls_along_several_motors(dims):
    places = (np.linspace(-0.5, 0.5, 9),) * dims
    rho = matrix(0.4) if dims == 2 else matrix(0.4, -0.2, 0.3)
    form, area = bell(places, [0.03] * dims, [0.4] * dims, rho)
    side = 70 if dims == 2 else 50
    light = np.broadcast_to((400 * form + 10)[..., None, None], (*form.shape, side, side))
    data = np.random.default_rng(dims).poisson(light).astype("u2")
    names = ("obpitch", "chi", "mu")[-dims:]
    found = drive(
        RockingCurve(noise="poisson"), scan_of(data, dict(zip(names, places, strict=True)))
    )
    true = {"amplitude": 400, "background": 10, "intensity": 400 * area}
    true |= {f"center_{name}": 0.03 for name in names} | {f"fwhm_{name}": 0.4 for name in names}
    if dims == 2:
        true["correlation"] = 0.4
    else:
        true |= {"correlation_obpitch_chi": 0.4, "correlation_obpitch_mu": -0.2}
        true["correlation_chi_mu"] = 0.3
    assert (found["status"] == OK).mean() > 0.999
    # of side² pulls the mean is known to 1 / side
    for name, value in true.items():
        pull = (found[name].astype(float) - value) / found[f"{name}_errors"]
        assert abs(pull.mean()) < 0.03 + 2 / side, name
        assert abs(pull.std() - 1) < 0.05, name


def test_a_list_of_places_of_two_motors():
    """Positions in no grid, two motors along one dimension."""
    rng = np.random.default_rng(0)
    places = rng.uniform(-0.5, 0.5, (2, 150))
    away = places - [[0.05], [-0.1]]
    sigma = 0.4 / FWHM
    curve = 600 * np.exp(-(away**2).sum(axis=0) / (2 * sigma**2)) + 9
    axes = {
        "chi": Axis("chi", places[0], "degree", "chi", "scan", 0),
        "mu": Axis("mu", places[1], "degree", "mu", "scan", 0),
        "y": Axis("y", np.zeros(1), "pixel", "y", "detector", 1),
        "x": Axis("x", np.zeros(1), "pixel", "x", "detector", 2),
    }
    scan = Scan("a list", {"pco": ArraySignal(frames(curve), "counts")}, axes)
    found = drive(RockingCurve(noise="poisson", axes="chi,mu"), scan)
    assert found["center_chi"][0, 0] == pytest.approx(0.05, abs=1e-7)
    assert found["center_mu"][0, 0] == pytest.approx(-0.1, abs=1e-7)
    assert found["fwhm_mu"][0, 0] == pytest.approx(0.4, rel=1e-6)


def test_what_is_wrong_is_said_along_two_motors():
    flat = np.full((13, 17), 30.0)
    hot = flat.copy()
    hot[4, 8] = 5000
    edge = 900 * bell((CHI, MU), (0.39, 10.0), (0.2, 0.2), np.eye(2))[0] + 30
    data = np.stack([flat, hot, edge], axis=-1)[:, :, None]
    data = np.random.default_rng(0).poisson(data).astype("u2")
    found = drive(RockingCurve(noise="poisson"), scan_of(data, {"chi": CHI, "mu": MU}))
    assert found["status"][0].tolist() == [WEAK, AT_BOUND, EDGE]
    assert np.isfinite(found["center_mu"][0]).tolist() == [False, False, True]


def test_a_simulated_mosaicity_scan_is_recovered():
    chi, mu = np.linspace(-0.15, 0.15, 13), np.linspace(-0.2, 0.2, 21)
    scan = rocking_scan(crystal((40, 40), counts=3000), mu=mu, chi=chi, camera=Camera.ideal())
    data = np.stack(list(scan.frames())).reshape(13, 21, 40, 40)
    read = {name: values.reshape(13, 21) for name, values in scan.motors.items()}
    places = {"chi": chi, "mu": mu}
    found = drive(RockingCurve(noise="poisson"), scan_of(data, places, readings=read))
    good, truth = found["status"] == OK, scan.truth
    assert good[truth.grain & (truth.amplitude > 100)].mean() > 0.98
    assert not good[~truth.grain].any()
    good &= truth.grain
    for name in ("mu", "chi"):
        pull = (found[f"center_{name}"] - truth.center[name]) / found[f"center_{name}_errors"]
        assert abs(np.median(pull[good])) < 0.15
        assert 1.4826 * np.median(np.abs(pull[good])) == pytest.approx(1, abs=0.1)


def two(low=-0.3, high=0.3, heights=(1000, 600), widths=(0.2, 0.25)):
    curve = 12.0 + 0 * X
    for center, height, width in zip((low, high), heights, widths, strict=True):
        curve = curve + height * np.exp(-4 * math.log(2) * ((X - center) / width) ** 2)
    return curve


def counted(curve, copies=400, seed=0):
    light = np.broadcast_to(curve[:, None, None], (41, 1, copies))
    return np.random.default_rng(seed).poisson(light).astype("u2")


@pytest.mark.parametrize(
    "curve",
    [two(), two(-0.1, 0.12), two(-0.3, 0.4, (3000, 80)), two(0.0, 0.2, (800, 900), (1.0, 0.12))],
    ids=["apart", "overlapping", "satellite", "narrow on broad"],
)
def test_two_peaks_are_found(curve):
    found = drive(RockingCurve(noise="poisson", peaks=3), scan_of(counted(curve), {"mu": X}))
    assert (found["peaks"] == 2).mean() > 0.98
    assert (found["status"] == OK).mean() > 0.98
    assert found["chi_square"].mean() == pytest.approx(1, abs=0.05)
    assert found["center"].shape == (3, 1, 400)
    assert np.isnan(found["center"][2][found["peaks"] == 2]).all()


def test_two_peaks_are_recovered_with_their_errors_the_largest_first():
    data = counted(two(heights=(10000, 6000)), 6000)
    found = drive(RockingCurve(noise="poisson", peaks=2), scan_of(data, {"mu": X}))
    true = {"amplitude": (10000, 6000), "center": (-0.3, 0.3), "fwhm": (0.2, 0.25)}
    for name, values in true.items():
        for k, value in enumerate(values):
            pull = (found[name][k].astype(float) - value) / found[f"{name}_errors"][k]
            assert abs(pull.mean()) < 0.05, name
            assert abs(pull.std() - 1) < 0.05, name


def test_three_peaks_are_found():
    curve = two(-0.5, 0.5) + 500 * np.exp(-4 * math.log(2) * (X / 0.2) ** 2)
    found = drive(RockingCurve(noise="poisson", peaks=3), scan_of(counted(curve), {"mu": X}))
    assert (found["peaks"] == 3).mean() > 0.95
    centers = np.sort(np.nanmedian(found["center"][:, 0], axis=1))
    np.testing.assert_allclose(centers, [-0.5, 0, 0.5], atol=0.005)


@pytest.mark.parametrize("noise", ["poisson", "uniform"])
def test_a_second_peak_is_not_found_in_noise(noise):
    curve = two(heights=(1000, 0))
    data = counted(curve, 2000)
    if noise == "uniform":
        data = np.random.default_rng(0).normal(curve[:, None, None], 20, (41, 1, 2000))
    found = drive(RockingCurve(noise=noise, peaks=3), scan_of(data, {"mu": X}))
    assert (found["peaks"] == 1).mean() > 0.99


def test_two_peaks_along_two_motors():
    light = np.full((13, 17), 10.0)
    for center, height in (((-0.12, 9.9), 900), ((0.1, 10.08), 700)):
        light += height * bell((CHI, MU), center, (0.2, 0.17), matrix(0.2))[0]
    data = np.broadcast_to(light[..., None, None], (13, 17, 1, 60))
    data = np.random.default_rng(0).poisson(data).astype("u2")
    process = RockingCurve(noise="poisson", peaks=3)
    found = drive(process, scan_of(data, {"chi": CHI, "mu": MU}))
    assert (found["peaks"] == 2).all()
    np.testing.assert_allclose(
        np.median(found["center_chi"][:2, 0], axis=1), [-0.12, 0.1], atol=2e-3
    )
    np.testing.assert_allclose(
        np.median(found["center_mu"][:2, 0], axis=1), [9.9, 10.08], atol=2e-3
    )
    np.testing.assert_allclose(np.median(found["correlation"][:2, 0], axis=1), 0.2, atol=0.02)


def test_peaks_have_a_dimension_of_their_own():
    scan = scan_of(np.ones((41, 2, 2)), {"mu": X})
    dims = {out.name: out.dims for out in RockingCurve(noise="poisson", peaks=2).outputs(scan)}
    assert dims["center"][0].name == "peak"
    assert dims["background"] == (...,)
