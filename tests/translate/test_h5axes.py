"""Axes of data on a grid: from columns of one dimension, or from readings at every position."""

from __future__ import annotations

import numpy as np

from nxscan.translate.h5axes import Column, lay_out
from nxscan.translate.report import Report

SHAPE = (3, 4)
SLOW, FAST = np.array([0.0, 1.0, 2.0]), np.array([10.0, 10.5, 11.0, 11.5])


def test_a_column_runs_along_the_dimension_of_its_length() -> None:
    laid = lay_out([Column("mu", SLOW), Column("chi", FAST)], SHAPE, Report())
    assert laid is not None
    assert [dimension.name for dimension in laid.axes.dimensions] == ["mu", "chi"]
    assert laid.motors["mu"].reshape(SHAPE)[:, 0].tolist() == SLOW.tolist()
    assert laid.motors["chi"].reshape(SHAPE)[1].tolist() == FAST.tolist()


def test_readings_near_a_grid_give_its_levels_along_the_dimension_they_vary_in() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, SHAPE)
    x = np.broadcast_to(FAST, SHAPE) + noise
    y = np.broadcast_to(SLOW[:, None], SHAPE) + noise
    laid = lay_out([Column("x", x), Column("y", y)], SHAPE, Report())
    assert laid is not None
    assert [dimension.name for dimension in laid.axes.dimensions] == ["y", "x"]
    np.testing.assert_allclose(laid.axes.dimensions[1].motors["x"], x.mean(axis=0))
    np.testing.assert_array_equal(laid.motors["x"], x.ravel())


def test_readings_far_from_a_grid_stay_readings_with_a_warning() -> None:
    report = Report()
    x = FAST + np.random.default_rng(2).uniform(-2, 2, SHAPE)
    laid = lay_out([Column("x", x)], SHAPE, report)
    assert laid is not None
    assert [dimension.kind for dimension in laid.axes.dimensions] == ["frame", "frame"]
    assert "kept as readings" in report.problems[0].message
    np.testing.assert_array_equal(laid.motors["x"], x.ravel())


def test_a_missing_reading_does_not_spoil_the_axis() -> None:
    x = np.broadcast_to(FAST, SHAPE).copy()
    x[1, 2] = np.nan
    laid = lay_out([Column("x", x)], SHAPE, Report())
    assert laid is not None
    np.testing.assert_array_equal(laid.axes.dimensions[1].motors["x"], FAST)
    assert np.isnan(laid.motors["x"]).sum() == 1


def test_edges_become_centers() -> None:
    laid = lay_out([Column("mu", np.arange(4.0), 0)], SHAPE, Report())
    assert laid is not None
    assert laid.axes.dimensions[0].motors["mu"].tolist() == [0.5, 1.5, 2.5]


def test_an_axis_in_another_order_is_stored_upwards_with_its_frames() -> None:
    laid = lay_out([Column("mu", np.array([2.0, 0.0, 1.0]), 0)], (3,), Report())
    assert laid is not None
    assert laid.axes.dimensions[0].motors["mu"].tolist() == [0.0, 1.0, 2.0]
    assert laid.axes.order.tolist() == [1, 2, 0]


def test_lengths_that_contradict_the_shape_are_errors_that_say_both() -> None:
    report = Report()
    columns = [Column("mu", np.arange(5.0)), Column("chi", np.arange(3.0), 1)]
    assert lay_out(columns, SHAPE, report) is None
    assert [problem.message for problem in report.errors] == [
        "mu has 5 values, which contradicts the scan's shape, 3 × 4",
        "chi has 3 values, which contradicts dimension 1 of the scan's shape, 3 × 4",
    ]


def test_a_length_that_fits_twice_is_asked_about() -> None:
    report = Report()
    assert lay_out([Column("mu", np.arange(3.0))], (3, 3), report) is None
    assert "fits several dimensions" in report.errors[0].message


def test_what_stood_still_is_no_axis() -> None:
    laid = lay_out([Column("h", np.full(4, 0.97) + 1e-15 * FAST, 1)], SHAPE, Report())
    assert laid is not None
    assert laid.axes.dimensions[1].kind == "frame"
    assert "h" in laid.motors
