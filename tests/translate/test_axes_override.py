"""Scan axes given by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nxscan.errors import PlanError
from nxscan.translate.axes import find_axes

MU, CHI = np.arange(5.0), np.array([0.0, 0.1, 0.2, 0.3])
GRID = {"chi": np.tile(CHI, 5), "mu": np.repeat(MU, 4), "still": np.full(20, 7.5)}


def test_given_axes_reshape_the_readings():
    found = find_axes(GRID, 20, override={"mu": 5, "chi": 4})
    assert [d.name for d in found.dimensions] == ["mu", "chi"]
    assert found.shape == (5, 4)
    np.testing.assert_array_equal(found.dimensions[0].motors["mu"], MU)
    np.testing.assert_array_equal(found.dimensions[1].motors["chi"], CHI)
    assert found.order.tolist() == list(range(20))
    assert found.problems == ()


def test_zigzag_is_seen_in_given_axes():
    chi = np.concatenate([CHI, CHI[::-1] + 0.05] * 2)
    found = find_axes({"chi": chi, "mu": np.repeat(MU[:4], 4)}, 16, override={"mu": 4, "chi": 4})
    assert [d.zigzag for d in found.dimensions] == [False, True]
    assert found.order[:8].tolist() == [0, 1, 2, 3, 7, 6, 5, 4]
    assert found.problems == ()


def test_repeats_and_frames_may_be_given():
    repeated = {name: np.repeat(values, 2) for name, values in GRID.items()}
    found = find_axes(repeated, 40, override={"mu": 5, "chi": 4, "repeat": 2})
    assert [d.kind for d in found.dimensions] == ["motor", "motor", "repeat"]
    [dimension] = find_axes(GRID, 20, override={"frame": 20}).dimensions
    assert (dimension.name, dimension.kind, dimension.motors) == ("frame", "frame", {})


def test_followers_join_given_axes():
    found = find_axes({**GRID, "twice": 2 * GRID["chi"]}, 20, override={"mu": 5, "chi": 4})
    assert list(found.dimensions[1].motors) == ["chi", "twice"]


def test_lengths_that_do_not_hold_all_frames_are_refused():
    short = {name: values[:17] for name, values in GRID.items()}
    with pytest.raises(PlanError) as caught:
        find_axes(short, 17, override={"mu": 5, "chi": 4})
    assert "17 frames, but axes mu × chi have 5 × 4 = 20 positions" in str(caught.value)
    assert "--axes" in caught.value.hint


def test_negative_lengths_are_refused():
    with pytest.raises(PlanError, match="-5 × -4"):
        find_axes(GRID, 20, override={"mu": -5, "chi": -4})


def test_name_that_is_no_motor_is_refused_with_the_nearest_first():
    with pytest.raises(PlanError, match="'chii' is no motor") as caught:
        find_axes(GRID, 20, override={"mu": 5, "chii": 4})
    assert caught.value.hint.startswith("there are chi, ")


def test_readings_that_contradict_the_given_shape_are_reported():
    found = find_axes(GRID, 20, override={"chi": 5, "mu": 4})
    assert found.shape == (5, 4)
    assert {p.message.split()[0] for p in found.problems} == {"chi", "mu"}
    assert {p.severity for p in found.problems} == {"warning"}


def test_missing_readings_are_left_out_of_the_levels():
    chi = GRID["chi"].copy()
    chi[1] = np.nan
    found = find_axes({**GRID, "chi": chi}, 20, override={"mu": 5, "chi": 4})
    np.testing.assert_array_equal(found.dimensions[1].motors["chi"], CHI)
    assert any("missing in 1 of 20 frames" in p.message for p in found.problems)


def test_level_that_was_never_read_is_refused():
    chi = np.where(GRID["chi"] == CHI[1], np.nan, GRID["chi"])
    with pytest.raises(PlanError, match="missing in 5 of 20 frames"):
        find_axes({**GRID, "chi": chi}, 20, override={"mu": 5, "chi": 4})


def test_aborted_scan_can_be_given_as_a_list():
    short = {name: values[:17] for name, values in GRID.items()}
    found = find_axes(short, 17, override={"frame": 17})
    assert found.shape == (17,)
