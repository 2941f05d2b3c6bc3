"""Components are what closed forms and other programs say, however the scan is cut."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.blocks import block_of, scan_of

import nxscan
from nxscan.analysis import components_gather
from nxscan.analysis.components import Components
from nxscan.analysis.components_match import match_components
from nxscan.errors import ProcessError
from nxscan.nexus import write_scan
from nxscan.process import partition
from nxscan.process.output import resolve

Array = np.ndarray[Any, Any]
ANGLES = np.linspace(-1, 1, 31)


def found_in(
    data: Array, rows: int = 2, valid: Array | None = None, **parameters: Any
) -> dict[str, Array]:
    """Run all passes on a scan that is cut along the detector's rows."""
    process = Components(**parameters)
    scan = scan_of(data, {"mu": np.linspace(-1, 1, len(data))})
    declared = resolve(process.outputs(scan), scan, process.per, "test")
    edges = np.linspace(0, data.shape[1], rows + 1).astype(int)
    previous: Any = {}
    for index in range(process.passes):
        blocks = [
            block_of(scan, (slice(None), slice(a, b), slice(None)), valid)
            for a, b in itertools.pairwise(edges)
        ]
        states = [
            process.compute(replace(block, previous=previous, pass_index=index)) for block in blocks
        ]
        previous = process.finish(reduce(process.merge, states))
    for output in declared:
        for name in output.names:
            assert previous[name].shape == output.shape, name
    assert set(previous) == {name for output in declared for name in output.names}
    return dict(previous)


def relative(data: Array, made: Array) -> float:
    return float(np.linalg.norm(data - made) / np.linalg.norm(data))


def remade(found: dict[str, Array]) -> Array:
    return np.einsum("kyx,kn->nyx", found["maps"].astype(float), found["curves"])


@pytest.fixture(scope="module")
def mixed() -> tuple[Array, Array, Array]:
    """Three bells, each in sparse pixels of its own and some in common: data, curves, maps."""
    rng = np.random.default_rng(1)
    places, widths = np.array([-0.5, 0.05, 0.5]), np.array([0.15, 0.1, 0.2])
    curves = np.exp(-0.5 * ((ANGLES - places[:, None]) / widths[:, None]) ** 2)
    curves /= curves.sum(axis=1, keepdims=True)
    maps = 1000 * rng.exponential(1, (3, 40, 50)) * (rng.random((3, 40, 50)) < 0.5)
    return np.einsum("kyx,kn->nyx", maps, curves), curves, maps


@pytest.fixture(scope="module")
def noisy(mixed: tuple[Array, Array, Array]) -> Array:
    return np.random.default_rng(2).poisson(mixed[0] + 1).astype("u2")


@pytest.mark.parametrize("subtract", ["mean_curve", "mean_map", "nothing"])
def test_principal_components_are_those_of_the_singular_values(noisy: Array, subtract: str) -> None:
    found = found_in(noisy, method="pca", n_components=4, subtract=subtract)
    x = noisy.reshape(len(noisy), -1).astype(float)
    if subtract != "nothing":
        x = x - x.mean(axis=1 if subtract == "mean_curve" else 0, keepdims=True)
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    sign = np.sign(np.take_along_axis(u, np.abs(u).argmax(axis=0)[None], 0))[0, :4]
    np.testing.assert_allclose(found["curves"], (u[:, :4] * sign).T, atol=1e-9)
    expected = (sign * s[:4])[:, None] * vh[:4]
    np.testing.assert_allclose(found["maps"].reshape(4, -1), expected, rtol=1e-5, atol=1e-2)
    np.testing.assert_allclose(found["scree"], s**2 / (s**2).sum(), atol=1e-12)
    np.testing.assert_allclose(found["share"], found["scree"][:4])
    left = x - u[:, :4] @ np.diag(s[:4]) @ vh[:4]
    residual = np.sqrt((left**2).mean(axis=0))
    np.testing.assert_allclose(found["residual"].ravel(), residual, rtol=1e-5)
    assert found["error"] == pytest.approx(np.linalg.norm(left) / np.linalg.norm(noisy * 1.0))
    if subtract == "mean_map":
        np.testing.assert_allclose(found["mean_map"], noisy.mean(axis=0), rtol=1e-6)
    elif subtract == "mean_curve":
        np.testing.assert_allclose(found["mean_curve"], noisy.mean(axis=(1, 2)), rtol=1e-12)


def test_errors_of_principal_components_are_the_spread_of_the_noise() -> None:
    rng = np.random.default_rng(3)
    curve = np.sin(3 * ANGLES)
    truth = rng.normal(0, 50, (60, 60))
    data = curve[:, None, None] * truth + rng.normal(0, 2, (31, 60, 60))
    found = found_in(data, method="pca", n_components=1, subtract="nothing")
    size = np.linalg.norm(curve) * np.sign(curve[np.abs(curve).argmax()])
    pull = (found["maps"][0] * np.sign(found["curves"][0] @ curve) - abs(size) * truth) / (
        found["maps_errors"][0]
    )
    assert abs(pull.mean()) < 0.06
    assert pull.std() == pytest.approx(1, abs=0.06)
    np.testing.assert_allclose(np.median(found["maps_errors"]), 2, rtol=0.05)


@pytest.mark.parametrize("method", ["nmf", "nica_nmf"])
def test_non_negative_factors_are_found(mixed: Any, method: str) -> None:
    data, curves, maps = mixed
    found = found_in(data, method=method, n_components=3, gain=1e-7, steps=2000)
    match = match_components(found["curves"], curves)
    assert match.correlation.min() > 0.999
    for a, b in zip(match.first, match.second, strict=True):
        assert np.corrcoef(found["maps"][a].ravel(), maps[b].ravel())[0, 1] > 0.999
        assert found["maps"][a].sum() == pytest.approx(maps[b].sum(), rel=0.02)
    assert found["error"] < 0.01
    assert found["maps"].min() >= 0
    assert found["curves"].min() >= 0
    np.testing.assert_allclose(found["curves"].sum(axis=1), 1)


@pytest.mark.parametrize("method", ["nmf", "nica_nmf"])
def test_the_error_of_non_negative_factors_is_that_of_multiplicative_updates_or_less(
    noisy: Array, method: str
) -> None:
    found = found_in(noisy, method=method, n_components=3)
    x = noisy.reshape(len(noisy), -1).astype(float)
    assert found["error"] <= 1.01 * min(lee_and_seung(x, 3, seed) for seed in range(3))
    assert found["error"] == pytest.approx(relative(noisy, remade(found)), rel=1e-5)


def lee_and_seung(x: Array, count: int, seed: int) -> float:
    """Return the relative error of the multiplicative updates (Lee and Seung 2001)."""
    rng = np.random.default_rng(seed)
    w, h = rng.random((len(x), count)), rng.random((count, x.shape[1]))
    for _ in range(500):
        h *= (w.T @ x) / (w.T @ w @ h + 1e-9)
        w *= (x @ h.T) / (w @ (h @ h.T) + 1e-9)
    return relative(x, w @ h)


def test_the_error_of_non_negative_factors_is_that_of_scikit_learn_or_less(noisy: Array) -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    x = noisy.reshape(len(noisy), -1).astype(float)
    model = decomposition.NMF(3, init="nndsvda", max_iter=2000, tol=1e-6)
    w = model.fit_transform(x)
    assert found_in(noisy, n_components=3)["error"] <= 1.01 * relative(x, w @ model.components_)


def test_independent_sources_that_are_not_negative_are_found() -> None:
    rng = np.random.default_rng(4)
    sources = rng.uniform(0, 1, (3, 120, 120))
    mixing = rng.random((31, 3))
    found = found_in(np.einsum("nk,kyx->nyx", mixing, sources), method="nica", n_components=3)
    match = match_components(found["maps"], sources)
    assert match.correlation.min() > 0.999
    curves = match_components(found["curves"], mixing.T)
    np.testing.assert_array_equal(
        curves.first[np.argsort(curves.second)], match.first[np.argsort(match.second)]
    )
    assert curves.correlation.min() > 0.99
    assert found["error"] < 1e-2
    assert (np.diff(found["share"]) <= 0).all()
    assert found["share"].sum() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("method", ["pca", "nmf", "nica", "nica_nmf"])
def test_cutting_the_detector_changes_nothing(noisy: Array, method: str) -> None:
    whole, cut = (found_in(noisy, rows, method=method, n_components=3) for rows in (1, 7))
    for name in ("maps", "curves", "share", "scree", "error"):
        size = np.abs(whole[name]).max()
        np.testing.assert_allclose(cut[name], whole[name], atol=1e-4 * size, err_msg=name)


def test_components_from_some_pixels_are_those_from_all(noisy: Array) -> None:
    every = found_in(noisy, n_components=3)
    some = found_in(noisy, n_components=3, sample=0.05, refine=2)  # one pixel in five
    assert some["error"] == pytest.approx(every["error"], rel=0.01)
    assert match_components(some["curves"], every["curves"]).correlation.min() > 0.999
    few = found_in(noisy, n_components=3, sample=0.02, refine=0)
    refined = found_in(noisy, n_components=3, sample=0.02, refine=3)
    assert refined["error"] < few["error"]


def test_the_same_seed_gives_the_same_components(noisy: Array) -> None:
    once, again = (found_in(noisy, n_components=3, sample=0.05, seed=5) for _ in range(2))
    other = found_in(noisy, n_components=3, sample=0.05, seed=6)
    np.testing.assert_array_equal(once["maps"], again["maps"])
    assert (once["maps"] != other["maps"]).any()


def test_no_more_curves_are_kept_than_memory_was_given_for(noisy: Array) -> None:
    for times in (1, 3):
        process = Components(sample=0.05)
        data = np.tile(noisy, (1, times, 1))
        scan = scan_of(data, {"mu": ANGLES})
        process.outputs(scan)
        state = process.compute(block_of(scan, (slice(None),) * 3))
        assert state["sample"].shape[0] == pytest.approx(0.05e6 / (4 * 31), rel=0.2)
        assert state["gram"].shape == (31, 31)


def test_long_scans_are_reduced_to_directions(noisy: Array, monkeypatch: Any) -> None:
    exact = found_in(noisy, method="pca", n_components=3)
    monkeypatch.setattr(components_gather, "MOST_EXACT", 20)
    monkeypatch.setattr(components_gather, "DIRECTIONS", 12)
    found = found_in(noisy, method="pca", n_components=3)
    np.testing.assert_allclose(found["share"], exact["share"], rtol=1e-4)
    assert match_components(found["curves"], exact["curves"]).correlation.min() > 0.9999
    assert found["error"] == pytest.approx(float(exact["error"]), rel=1e-3)
    np.testing.assert_allclose(found["scree"][:3], exact["scree"][:3], rtol=1e-4)
    assert len(found["scree"]) == 12


@pytest.mark.parametrize("method", ["pca", "nmf", "nica"])
def test_pixels_that_are_masked_or_missing_are_left_out(noisy: Array, method: str) -> None:
    data, valid = noisy.astype(float), np.ones(noisy.shape, bool)
    data[5, 3, 4], data[6, 7, 8] = np.nan, 1e9
    valid[6, 7, 8] = False
    found = found_in(data, valid=valid, method=method, n_components=3)
    lost = np.zeros(noisy.shape[1:], bool)
    lost[3, 4] = lost[7, 8] = True
    for name in ("maps", "maps_errors"):
        np.testing.assert_array_equal(np.isnan(found[name]), np.broadcast_to(lost, (3, 40, 50)))
    np.testing.assert_array_equal(np.isnan(found["residual"]), lost)
    clean = found_in(noisy, method=method, n_components=3)
    assert match_components(found["curves"], clean["curves"]).correlation.min() > 0.999


def test_several_motors_have_curves_over_all_of_them(noisy: Array) -> None:
    data = noisy[:30].reshape(5, 6, 40, 50)
    process = Components(method="pca", n_components=2)
    outputs = process.outputs(scan_of(data, {"chi": np.arange(5), "mu": np.arange(6)}))
    curves = next(output for output in outputs if output.name == "curves")
    assert [getattr(axis, "name", axis) for axis in curves.dims] == ["component", "chi", "mu"]


@pytest.mark.parametrize(("method", "sample"), [("pca", 1.0), ("nmf", 0.05), ("nica_nmf", 1.0)])
def test_a_run_on_a_file_gives_what_blocks_in_memory_give(
    noisy: Array, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, sample: float
) -> None:
    monkeypatch.setattr(partition, "SMALL_BYTES", 4096)
    write_scan(scan_of(noisy, {"mu": np.linspace(-1, 1, 31)}), tmp_path / "scan.nxs")
    given = {"method": method, "n_components": 3, "sample": sample}
    result = Components(**given).run(tmp_path / "scan.nxs", workers=2)
    expected = found_in(noisy, rows=3, **given)
    assert result.default == "maps"
    assert int(result.stored.partition.split()[0]) > 3  # blocks
    for name in result:
        size = np.nanmax(np.abs(expected[name]))
        np.testing.assert_allclose(result[name], expected[name], atol=1e-3 * size, err_msg=name)
    np.testing.assert_allclose(result.errors("maps"), expected["maps_errors"], rtol=1e-2, atol=1e-3)
    assert nxscan.validate(tmp_path / "scan.nxs").ok
    assert [axis.name for axis in result.as_scan("curves").main_axes()] == ["component", "mu"]


def test_what_cannot_be_is_refused(noisy: Array) -> None:
    with pytest.raises(ProcessError, match=r"31 positions and 2000 pixels.*31 or less"):
        found_in(noisy, n_components=32)
    one = np.arange(16.0).reshape(4, 4) * ANGLES[:, None, None]
    with pytest.raises(ProcessError, match="differ in 1 directions, of which 2"):
        found_in(one, method="nica", n_components=2)
    with pytest.raises(ProcessError, match="no pixel has a valid value at every position"):
        found_in(noisy, valid=np.zeros(noisy.shape, bool))
