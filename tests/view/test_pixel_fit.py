"""A pixel's curve is drawn with the newest fit in the file, and what the fit leaves."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.blocks import scan_of
from helpers.results import write_master

from nxscan.analysis.moments import Moments
from nxscan.analysis.rocking_curve import RockingCurve
from nxscan.view import plot
from nxscan.view.pixel_fit_model import background_of, peaks_of

MU = np.linspace(-0.5, 0.5, 31)
CHI = np.linspace(-0.3, 0.3, 11)
SHAPE = (5, 6)
NOISE = {"noise": "poisson"}


def centers() -> np.ndarray[Any, Any]:
    return np.broadcast_to(0.03 * (np.arange(SHAPE[1]) - 2.0), SHAPE)


def curves() -> np.ndarray[Any, Any]:
    """Return Gaussians, 400 high and 0.2 wide, on 20 + 10 mu; one pixel has none."""
    mu = MU[:, None, None]
    made = 400 * np.exp(-4 * np.log(2) * (mu - centers()) ** 2 / 0.2**2) + 20 + 10 * mu
    made[:, 0, 0] = 20
    return made


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = write_master(
        tmp_path_factory.mktemp("fitted") / "scan.nxs", scan=scan_of(curves(), {"mu": MU})
    )
    Moments().run(path)
    RockingCurve(background="linear", **NOISE).run(path)
    return path


def labels(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_the_fit_is_drawn_on_the_curve_and_the_residual_below(fitted: Path) -> None:
    curve, rest = plot(fitted, pixel=(2, 4)).axes
    data, fit, background = (line.get_xydata().T for line in curve.lines[:3])
    np.testing.assert_allclose(data, [MU, curves()[:, 2, 4]])
    expected = 400 * np.exp(-4 * np.log(2) * (fit[0] - 0.06) ** 2 / 0.2**2) + 20 + 10 * fit[0]
    np.testing.assert_allclose(fit[1], expected, atol=0.02)
    np.testing.assert_allclose(background[1], 20 + 10 * background[0], atol=0.02)
    assert labels(curve) == ["fit (gaussian)", "background"]
    np.testing.assert_allclose(rest.lines[0].get_ydata(), 0, atol=0.02)
    assert rest.get_ylabel() == "residual (counts)"
    assert "center = 0.06" in curve.get_title()
    assert rest.get_position().y1 < curve.get_position().y0


def test_a_pixel_without_a_peak_says_why_it_has_no_fit(fitted: Path) -> None:
    (curve,) = plot(fitted, pixel=(0, 0)).axes
    assert "too weak" in curve.get_title()
    assert curve.get_legend() is None


def test_moments_are_drawn_where_nothing_was_fitted(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs", scan=scan_of(curves(), {"mu": MU}))
    found = Moments().run(path)
    (curve,) = plot(path, pixel=(2, 4)).axes
    assert labels(curve) == ["center of mass", "FWHM"]
    places = [line.get_xdata()[0] for line in curve.lines[1:]]
    center, width = found["center"][2, 4], found["fwhm"][2, 4]
    np.testing.assert_allclose(places, [center, center - width / 2, center + width / 2])


def test_the_curve_is_what_the_fit_saw_through_its_corrections(tmp_path: Path, caplog) -> None:
    path = write_master(tmp_path / "scan.nxs", scan=scan_of(curves(), {"mu": MU}))
    RockingCurve(**NOISE).run(path, corrections=["roi:region=1:5,2:6", "threshold:high=300"])
    curve, _ = plot(path, pixel=(2, 4)).axes
    shown = curve.lines[0].get_ydata()
    data = curves()[:, 2, 4]
    np.testing.assert_allclose(shown, np.where(data > 300, np.nan, data))
    assert "through roi, threshold" in curve.get_title()
    with caplog.at_level(logging.WARNING):
        (plain,) = plot(path, pixel=(0, 3)).axes
    np.testing.assert_allclose(plain.lines[0].get_ydata(), curves()[:, 0, 3])
    assert "shown without rocking_curve_000" in caplog.text


def test_two_motors_are_three_maps(tmp_path: Path) -> None:
    chi, mu = CHI[:, None, None, None], MU[:, None, None]
    u, v = (chi - 0.02) / 0.08, (mu - centers()) / 0.1
    data = 300 * np.exp(-0.5 * (u**2 - u * v + v**2) / 0.75) + 10  # correlation 0.5
    path = write_master(tmp_path / "scan.nxs", scan=scan_of(data, {"chi": CHI, "mu": MU}))
    RockingCurve(**NOISE).run(path)
    figure = plot(path, pixel=(2, 4))
    shown, fit, rest = (ax.images[0].get_array() for ax in figure.axes if ax.images)
    np.testing.assert_allclose(shown, data[..., 2, 4])
    np.testing.assert_allclose(fit, data[..., 2, 4], atol=0.05)
    np.testing.assert_allclose(rest, 0, atol=0.05)


def test_without_results_it_is_the_plain_curve(rocking: Path) -> None:
    (curve,) = plot(rocking, pixel=(20, 36)).axes
    assert curve.get_legend() is None


def test_a_lorentzian_and_a_pseudo_voigt_have_half_their_height_at_half_their_width() -> None:
    values = {"amplitude": 8.0, "center": 1.0, "fwhm": 0.5, "eta": 0.3, "background": 2.0}
    arrays = {name: np.array(value) for name, value in values.items()}
    places = np.array([[1.0, 0.75, 1.25, 1e6]])
    for profile in ("gaussian", "lorentzian", "pseudo_voigt"):
        (peak,) = peaks_of(profile, ["mu"], arrays, places)
        np.testing.assert_allclose(peak, [8, 4, 4, 0], atol=1e-6)
    np.testing.assert_allclose(background_of(["mu"], arrays, places, [1.0]), 2.0)


def test_peaks_that_are_not_there_are_left_out() -> None:
    arrays = {name: np.array([1.0, np.nan]) for name in ("amplitude", "center", "fwhm")}
    assert len(peaks_of("gaussian", ["mu"], arrays, np.array([[0.0, 1.0]]))) == 1
