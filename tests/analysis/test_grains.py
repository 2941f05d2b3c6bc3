"""Grains and deviations from their means, of known patterns."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.centers import master_of
from scipy.ndimage import label

import nxscan
from nxscan.analysis.grains import Grains
from nxscan.analysis.grod import GROD, _errors
from nxscan.analysis.maps import Center
from nxscan.analysis.segments import grain_means, mean_tilts, segment
from nxscan.analysis.tilts import make_tilts


def tilts_of(*centers, errors=None, chi_to_q=90.0):
    found = [
        Center(
            f"m{k}",
            "degree",
            values,
            np.full(values.shape, np.nan) if errors is None else errors[k],
        )
        for k, values in enumerate(np.asarray(centers, float))
    ]
    return make_tilts(found, chi_to_q)


def two_halves():
    """Return a bent map of 6 × 8 with a step of 1 in the middle, and a gap."""
    mu = np.tile(0.1 * np.arange(8.0), (6, 1))
    mu[:, 4:] += 1
    mu[5, 4:] = np.nan
    return mu


def test_steps_part_grains_and_bending_does_not():
    labels = segment(tilts_of(two_halves(), np.zeros((6, 8))), 0.5)
    assert (labels[:, :4] == 1).all()  # the larger one
    assert (labels[:5, 4:] == 2).all()
    assert (labels[5, 4:] == 0).all()


def test_without_a_threshold_only_gaps_part_grains():
    mu = two_halves()
    assert segment(tilts_of(mu), None).max() == 1
    mu[:, 2] = np.nan
    labels = segment(tilts_of(mu), None)
    assert labels.max() == 2
    assert (labels[:, :2] == 2).all()  # 12 pixels against 26


@pytest.mark.parametrize("neighbors", [4, 8])
def test_components_are_those_of_scipy(neighbors):
    rng = np.random.default_rng(2)
    solid = rng.random((40, 30)) > 0.45
    labels = segment(tilts_of(np.where(solid, 0.0, np.nan)), 0.1, neighbors)
    structure = np.ones((3, 3)) if neighbors == 8 else None
    expected, number = label(solid, structure)
    assert labels.max() == number
    pairs = np.unique(np.stack([labels[solid], expected[solid]]), axis=1)
    assert pairs.shape[1] == number
    sizes = np.bincount(labels[labels > 0])[1:]
    assert (np.diff(sizes) <= 0).all()


def test_a_step_at_the_threshold_is_none_and_small_grains_are_left_out():
    mu = np.array([[0.0, 0.5, 1.5, 1.5, 9.0]])
    assert segment(tilts_of(mu), 0.5).tolist() == [[1, 1, 2, 2, 3]]
    assert segment(tilts_of(mu), 0.5, least=2).tolist() == [[1, 1, 2, 2, 0]]


@pytest.mark.parametrize("chi_to_q", [90.0, 50.0])
def test_grod_of_two_tilted_halves_is_half_their_misorientation(chi_to_q):
    chi = np.zeros((2, 4))
    chi[:, 2:] = 0.02
    tilts = tilts_of(np.zeros((2, 4)), chi, chi_to_q=chi_to_q)
    labels = segment(tilts, None)
    found = tilts.distance(mean_tilts(tilts, labels))
    assert found == pytest.approx(np.full((2, 4), 0.01 * np.sin(np.radians(chi_to_q))), rel=1e-6)


def test_errors_of_grod_are_those_of_many_noisy_maps():
    rng = np.random.default_rng(4)
    clean, sigma = np.array([[0.0, 0.01, 0.03, 0.05]]), 3e-4
    many = []
    for _ in range(3000):
        tilts = tilts_of(clean + sigma * rng.standard_normal(clean.shape))
        many.append(tilts.distance(mean_tilts(tilts, np.ones((1, 4), np.int32))))
    tilts = tilts_of(clean, errors=[np.full((1, 4), sigma)])
    labels = np.ones((1, 4), np.int32)
    found = _errors(tilts, labels, tilts.distance(mean_tilts(tilts, labels)))
    assert found == pytest.approx(np.std(many, axis=0), rel=0.06)


def test_means_are_those_of_numpy():
    values = np.arange(12.0).reshape(1, 3, 4)
    labels = np.array([[0, 1, 1, 2], [2, 2, 1, 0], [1, 1, 1, 2]], np.int32)
    found = grain_means(values, labels)[0]
    assert np.isnan(found[labels == 0]).all()
    for number in (1, 2):
        assert (found[labels == number] == values[0][labels == number].mean()).all()


def test_results_have_sizes_means_and_no_findings(tmp_path):
    motors = {"obx": 100.0, "mainx": -1100.0}
    mu = two_halves()
    path = master_of(tmp_path / "a.nxs", {"mu": mu, "chi": 0 * mu}, motors=motors, pixel=5)
    grains = Grains(threshold=0.5).run(path, on="moments")
    assert grains["number"] == 2
    assert grains.units("size") == "um^2"
    assert grains["size"][0, 0] == pytest.approx(24 * 0.25)
    assert grains["mean_mu"][0, 0] == pytest.approx(0.15)
    assert grains["mean_mu"][0, 7] == pytest.approx(1.55)
    assert np.isnan(grains["size"][5, 7])
    grod = GROD(threshold=0.5).run(path, on="moments")
    assert grod["grod"][0] == pytest.approx([0.15, 0.05, 0.05, 0.15] * 2)
    assert np.isnan(grod["grod"][5, 4:]).all()
    assert not nxscan.validate(path).findings
