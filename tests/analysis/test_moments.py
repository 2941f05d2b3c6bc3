"""Moments of curves, against closed formulas and sums in longdouble."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.blocks import drive, scan_of
from hypothesis import given, settings
from hypothesis import strategies as st

from nxscan.analysis.moments import Moments
from nxscan.errors import ProcessError
from nxscan.kernels.central import FWHM
from nxscan.process.registry import find_correction
from nxscan.process.view import make_view, seen

NAMES = ["intensity", "center", "std", "fwhm", "skewness", "kurtosis"]
FLOAT32 = 2e-7


def reference(data: Any, x: Any, background: Any = 0, weights: Any = 1) -> dict[str, Any]:
    """Return the moments along the first dimension, two passes, in longdouble."""
    x = np.asarray(x, np.longdouble).reshape(-1, *[1] * (data.ndim - 1))
    w = (data.astype(np.longdouble) - background) * np.reshape(
        np.broadcast_to(np.asarray(weights, np.longdouble), len(x)), x.shape
    )
    total = w.sum(axis=0)
    mean = (w * x).sum(axis=0) / total
    std = np.sqrt((w * (x - mean) ** 2).sum(axis=0) / total)
    z = (x - mean) / std
    found = {
        "intensity": total,
        "center": mean,
        "std": std,
        "fwhm": FWHM * std,
        "skewness": (w * z**3).sum(axis=0) / total,
        "kurtosis": (w * z**4).sum(axis=0) / total - 3,
    }
    return {name: values.astype(float) for name, values in found.items()}


def curves(shape_of: Any, x: Any, dtype: Any = float, size: tuple[int, int] = (3, 4)) -> Any:
    """Return frames whose pixels all have the same curve."""
    values = np.asarray(shape_of(x), float).reshape(-1, 1, 1)
    return np.broadcast_to(values, (len(x), *size)).astype(dtype)


def assert_moments(found: Any, expected: Any, **tolerance: float) -> None:
    for name in NAMES:
        limit = {"rtol": FLOAT32, "atol": FLOAT32} | tolerance
        np.testing.assert_allclose(found[name], expected[name], **limit, err_msg=name)


@pytest.mark.parametrize("offset", [0.0, -17.3, 1e6])
@pytest.mark.parametrize("descending", [False, True])
def test_a_gaussian_has_its_center_its_width_and_no_higher_moments(offset, descending):
    x = offset + np.linspace(-1.5, 1.5, 601)[:: -1 if descending else 1]
    sigma, center = 0.15, offset + 0.2
    data = curves(lambda x: 1000 * np.exp(-((x - center) ** 2) / (2 * sigma**2)), x)
    found = drive(Moments(background="none"), scan_of(data, {"mu": x}))
    np.testing.assert_allclose(found["center"], center, atol=1e-9, rtol=0)
    np.testing.assert_allclose(found["fwhm"], 2.35482 * sigma, rtol=2e-6)
    np.testing.assert_allclose(found["skewness"], 0, atol=1e-6)
    np.testing.assert_allclose(found["kurtosis"], 0, atol=1e-6)
    area = 1000 * sigma * np.sqrt(2 * np.pi) / 0.005
    np.testing.assert_allclose(found["intensity"], area, rtol=1e-6)
    assert (found["status"] == 0).all()


def test_an_exponential_has_skewness_2_and_excess_kurtosis_6():
    x = np.linspace(0, 60, 60001)
    data = curves(lambda x: 1000 * np.exp(-x), x, size=(1, 2))
    found = drive(Moments(background="none"), scan_of(data, {"mu": x}))
    np.testing.assert_allclose(found["center"], 1, rtol=1e-3)
    np.testing.assert_allclose(found["std"], 1, rtol=1e-3)
    np.testing.assert_allclose(found["skewness"], 2, rtol=2e-3)
    np.testing.assert_allclose(found["kurtosis"], 6, rtol=4e-3)


def test_a_triangle_has_its_width_and_excess_kurtosis():
    x = np.linspace(-3, 3, 3001)
    data = curves(lambda x: 1000 * np.maximum(1 - np.abs(x - 0.5), 0), x, size=(1, 2))
    found = drive(Moments(background="none"), scan_of(data, {"mu": x}))
    np.testing.assert_allclose(found["center"], 0.5, atol=1e-9)
    np.testing.assert_allclose(found["std"], 1 / np.sqrt(6), rtol=1e-5)
    np.testing.assert_allclose(found["skewness"], 0, atol=1e-5)
    np.testing.assert_allclose(found["kurtosis"], -0.6, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i2", "i4", ">u2", "f2", "f4", "f8"])
@pytest.mark.parametrize("n", [3, 8, 9, 40, 41])
def test_real_counts_agree_with_two_passes_in_longdouble(dtype, n):
    x = 1e6 + np.linspace(0, 0.4, n)
    data = np.random.default_rng(n).integers(1, 250, (n, 5, 7)).astype(dtype)
    found = drive(Moments(background="none", saturation=1e9), scan_of(data, {"mu": x}))
    expected = reference(data, x)
    assert_moments(found, expected)
    np.testing.assert_allclose(found["center"], expected["center"], atol=1e-9, rtol=0)


def test_a_narrow_peak_at_the_end_of_a_long_scan_keeps_its_higher_moments():
    x = np.linspace(0, 1, 2001)
    data = curves(lambda x: np.exp(-((x - 0.97) ** 2) / (2 * 0.002**2)), x)
    data = data + 0.3 * curves(lambda x: np.exp(-((x - 0.972) ** 2) / (2 * 0.003**2)), x)
    found = drive(Moments(background="none"), scan_of(data, {"mu": x}))
    assert_moments(found, reference(data, x), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    ("background", "taken"),
    [
        ("none", lambda d: 0),
        ("min", lambda d: d.min(axis=0)),
        ("edges", lambda d: d[[0, 1, -2, -1]].mean(axis=0)),
        ("dark", lambda d: 17.5),
    ],
)
def test_each_background_takes_off_what_it_says(background, taken):
    x = np.linspace(-1, 1, 40)
    rng = np.random.default_rng(0)
    data = rng.poisson(curves(lambda x: 900 * np.exp(-((x - 0.2) ** 2) / 0.05) + 50, x))
    dark = np.stack([np.full((3, 4), 15), np.full((3, 4), 20)]).astype("u2")
    scan = scan_of(data.astype("u2"), {"mu": x}, dark=dark)
    found = drive(Moments(background=background), scan)
    assert_moments(found, reference(data, x, taken(data)), rtol=1e-6, atol=1e-6)


def test_without_a_background_the_center_is_pulled_to_the_middle():
    x = np.linspace(-1, 1, 41)
    data = curves(lambda x: 900 * np.exp(-((x - 0.5) ** 2) / 0.01) + 300, x)
    scan = scan_of(data, {"mu": x})
    np.testing.assert_allclose(drive(Moments(), scan)["center"], 0.5, atol=1e-4)
    assert drive(Moments(background="none"), scan)["center"][0, 0] < 0.15


def test_uneven_steps_count_by_their_size():
    x = np.sort(np.concatenate([np.linspace(-1, 1, 81), np.linspace(0.1, 0.3, 60)]))
    data = curves(lambda x: 900 * np.exp(-(x**2) / (2 * 0.15**2)), x)
    scan = scan_of(data, {"mu": x})
    found = drive(Moments(background="none"), scan)
    np.testing.assert_allclose(found["center"], 0, atol=2e-3)
    np.testing.assert_allclose(found["std"], 0.15, rtol=1e-2)
    even = drive(Moments(background="none", weights="even"), scan)
    assert even["center"][0, 0] > 0.05
    assert "weighted by the steps" in Moments().outputs(scan)[1].note


def test_places_that_were_read_count_where_they_were_read():
    rng = np.random.default_rng(2)
    x = np.linspace(-1, 1, 41)
    read = x + rng.normal(0, 0.02, 41)
    data = curves(lambda x: 900 * np.exp(-((read - 0.3) ** 2) / (2 * 0.2**2)), x)
    asked = drive(Moments(background="none", weights="even"), scan_of(data, {"mu": x}))
    scan = scan_of(data, {"mu": x}, readings={"mu": read})
    found = drive(Moments(background="none", weights="even"), scan)
    np.testing.assert_allclose(found["center"], reference(data, read)["center"], rtol=1e-12)
    assert abs(found["center"] - asked["center"]).min() > 1e-4
    weighted = drive(Moments(background="none"), scan)
    np.testing.assert_allclose(weighted["center"], 0.3, atol=2e-3)


def test_along_two_axes_each_has_its_own_moments():
    chi, mu = np.linspace(-2, 2, 33), np.linspace(4, 6, 51)
    one, two = np.exp(-((chi - 0.4) ** 2) / (2 * 0.3**2)), np.exp(-((mu - 5.1) ** 2) / (2 * 0.1**2))
    data = 500 * one[:, None, None, None] * two[:, None, None] * np.ones((2, 3))
    scan = scan_of(data, {"chi": chi, "mu": mu})
    found = drive(Moments(background="none"), scan, cuts=[[7], [20]])
    np.testing.assert_allclose(found["center_chi"], 0.4, atol=1e-6)
    np.testing.assert_allclose(found["center_mu"], 5.1, atol=1e-6)
    np.testing.assert_allclose(found["std_chi"], 0.3, rtol=1e-5)
    np.testing.assert_allclose(found["fwhm_mu"], 2.35482 * 0.1, rtol=1e-5)
    np.testing.assert_allclose(found["intensity"], data.sum(axis=(0, 1)), rtol=1e-6)
    single = drive(Moments(background="none", axes="mu"), scan)
    np.testing.assert_allclose(single["center"], found["center_mu"], rtol=1e-14)
    outputs = Moments(axes="chi,mu").outputs(scan)
    assert [output.name for output in outputs if output.default] == ["center_chi"]
    assert {output.units for output in outputs} == {"counts", "degree", ""}


def test_where_the_intensity_is_not_positive_there_is_no_center():
    x = np.linspace(-1, 1, 41)
    data = np.full((41, 1, 3), 7, np.uint16)
    data[:, 0, 1] = np.where(np.abs(x) > 0.9, 9, 3)
    data[20, 0, 2] = 5000
    found = drive(Moments(), scan_of(data, {"mu": x}))
    assert np.isnan(found["center"][0, :2]).all()
    assert np.isnan(found["kurtosis_errors"][0, :2]).all()
    assert found["intensity"][0, 1] < 0
    assert (found["status"][0] == [1, 1, 0]).all()


@pytest.mark.parametrize("level", [0.1, 1e9 / 3])
def test_what_rounding_leaves_of_a_flat_curve_is_no_intensity(level):
    data = np.full((41, 5, 8), level)
    found = drive(Moments(), scan_of(data, {"mu": np.linspace(-1, 1, 41)}))
    assert np.isnan(found["center"]).all()
    assert (found["status"] == 1).all()


def test_the_status_tells_weak_edge_saturated_and_masked_apart():
    x = np.linspace(-1, 1, 41)
    peak = np.exp(-(x**2) / 0.02)
    pixels = [1000 * peak, 3 * peak, 1000 * np.exp(-((x - 1) ** 2) / 0.1), 9e4 * peak, 1000 * peak]
    data = np.clip(np.array(pixels).T.reshape(41, 1, 5) + 20, 0, 65535).astype("u2")
    valid = np.array([[True, True, True, True, False]])
    found = drive(Moments(), scan_of(data, {"mu": x}), valid=valid)
    assert found["status"].tolist() == [[0, 1, 2, 3, 4]]
    assert np.isnan(found["center"][0, 4])
    assert np.isnan(found["center_errors"][0, 4])
    lower = drive(Moments(saturation=900), scan_of(data, {"mu": x}), valid=valid)
    assert lower["status"].tolist() == [[3, 1, 3, 3, 4]]


@pytest.mark.parametrize("background", ["none", "min", "edges"])
@pytest.mark.parametrize("cuts", [[], [[5, 17], [1]]])
def test_masked_values_and_nan_are_left_out(background, cuts):
    rng = np.random.default_rng(8)
    x = np.linspace(-1, 1, 40)
    data = rng.poisson(curves(lambda x: 900 * np.exp(-(x**2) / 0.1) + 9, x)).astype("f4")
    valid = rng.random(data.shape) > 0.2
    data[3, 0, 0] = np.nan
    found = drive(Moments(background=background), scan_of(data, {"mu": x}), cuts, valid=valid)
    good = valid & np.isfinite(data)
    for y, k in np.ndindex(3, 4):
        keep = good[:, y, k]
        curve = data[keep, y, k].reshape(-1, 1, 1)
        at_edge = np.isin(np.flatnonzero(keep), [0, 1, 38, 39])
        taken = {"none": 0, "min": curve.min(), "edges": curve[at_edge].mean()}[background]
        expected = reference(curve, x[keep], taken)
        for name in NAMES:
            assert found[name][y, k] == pytest.approx(expected[name].item(), rel=1e-5, abs=1e-5)


@given(
    cuts=st.tuples(
        st.lists(st.integers(1, 4), max_size=2),
        st.lists(st.integers(1, 10), max_size=3),
        st.lists(st.integers(1, 2), max_size=1),
    ),
    background=st.sampled_from(["none", "min", "edges", "dark"]),
    dtype=st.sampled_from(["u2", "f4"]),
    masked=st.booleans(),
    uneven=st.booleans(),
)
@settings(max_examples=40)
def test_any_cut_gives_the_whole(cuts, background, dtype, masked, uneven):
    rng = np.random.default_rng(6)
    chi, mu = np.linspace(-1, 1, 5), np.linspace(0, 1, 11) ** (2 if uneven else 1)
    height = 400 * np.exp(-(chi[:, None] ** 2) - (mu - 0.4) ** 2 / 0.04) + 9
    data = rng.poisson(height[:, :, None, None] * np.ones((3, 4))).astype(dtype)
    valid = rng.random(data.shape) > 0.2 if masked else None
    scan = scan_of(data, {"chi": chi, "mu": mu}, dark=np.full((4, 3, 4), 7.0))
    whole = drive(Moments(background=background), scan, valid=valid)
    cut = drive(Moments(background=background), scan, cuts, valid=valid)
    for name, values in whole.items():
        np.testing.assert_allclose(cut[name], values, rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_numbers_do_not_depend_on_where_a_pixel_lies_in_its_tile():
    x = np.linspace(-1, 1, 41)
    data = np.random.default_rng(3).integers(1, 999, (41, 1, 300)).astype("u2")
    whole = drive(Moments(), scan_of(data, {"mu": x}))
    for first in (1, 129, 250):
        part = drive(Moments(), scan_of(data[:, :, first:].copy(), {"mu": x}))
        for name, values in part.items():
            np.testing.assert_array_equal(values, whole[name][:, first:], err_msg=name)


def test_a_pixel_that_is_never_valid_does_not_touch_the_others():
    x = np.linspace(-1, 1, 41)
    data = np.random.default_rng(3).integers(1, 999, (41, 3, 4)).astype("f4")
    clean = drive(Moments(), scan_of(data, {"mu": x}))
    data[:, 1, 2] = np.nan
    valid = np.ones((3, 4), bool)
    valid[1, 2] = False
    found = drive(Moments(), scan_of(data, {"mu": x}), valid=valid)
    assert found["status"][1, 2] == 4
    for name, values in found.items():
        np.testing.assert_array_equal(values[valid], clean[name][valid], err_msg=name)


def test_labels_fit_above_a_plot_and_what_was_done_is_noted():
    scan = scan_of(np.ones((41, 3, 4)), {"mu": np.linspace(-1, 1, 41)})
    outputs = {output.name: output for output in Moments().outputs(scan)}
    assert max(len(output.long_name) for output in outputs.values()) <= 40
    assert outputs["center"].note == "mean of the 4 positions at the edges taken off"
    assert "3 saturated" in outputs["status"].note


def test_a_strip_is_not_a_limit_to_the_tile():
    x = np.linspace(-1, 1, 9)
    data = np.random.default_rng(1).integers(1, 999, (9, 91, 101)).astype("u2")
    found = drive(Moments(background="none"), scan_of(data, {"mu": x}))
    assert_moments(found, reference(data, x), rtol=1e-6, atol=1e-6)


def test_before_outputs_there_is_nothing_to_compute_with():
    with pytest.raises(ProcessError, match="outputs"):
        Moments().compute(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"axes": "phi"}, r"'phi' is no scan axis.*there are: mu"),
        ({"axes": "y"}, r"'y' is no scan axis"),
        ({"background": "dark"}, r"dark frames of \(3, 4\).*has none"),
    ],
)
def test_what_does_not_fit_the_scan_is_refused_by_name(given_, said):
    x = np.linspace(-1, 1, 9)
    with pytest.raises(ProcessError, match=said):
        Moments(**given_).outputs(scan_of(np.ones((9, 3, 4)), {"mu": x}))


@pytest.mark.parametrize("n", [1, 2])
def test_too_few_positions_are_refused(n):
    scan = scan_of(np.ones((n, 3, 4)), {"mu": np.arange(n)})
    with pytest.raises(ProcessError, match=r"two positions or more|no background"):
        Moments().outputs(scan)


def test_noise_is_measured_in_what_was_recorded_whatever_corrections_follow():
    x = np.linspace(-1, 1, 5)
    rng = np.random.default_rng(5)
    data = rng.poisson(400, (5, 32, 32)).astype("u2")
    recorded = scan_of(data, {"mu": x}, dark=rng.poisson(100, (4, 32, 32)).astype("u2"))
    visible = seen(recorded, make_view(recorded, [find_correction("dark")]))
    asked = []

    class Asked(Moments):
        def noise(self, scan):
            asked.append(scan)
            return super().noise(scan)

    Asked().outputs(visible)
    Asked().outputs(recorded)
    assert [scan is recorded for scan in asked] == [True, True]
