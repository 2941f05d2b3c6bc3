"""Reciprocal-space maps of places that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.blocks import drive, scan_of

import nxscan
from nxscan.analysis.geometry import components, frames
from nxscan.analysis.geometry.rotations import about_x, about_y
from nxscan.analysis.reciprocal_space import ReciprocalSpace
from nxscan.errors import ProcessError
from nxscan.nexus import write_scan

RNG = np.random.default_rng(7)
MU, CHI = np.linspace(-0.1, 0.1, 5), np.linspace(-0.2, 0.2, 4)
TWO_THETA = 18.0


def axes_of(process):
    """Return the centers of the cells of a process that has been asked for its outputs."""
    return {axis.name: axis.values for axis in process._grid.axes}


def test_through_the_microscope_every_position_is_a_cell():
    data = RNG.integers(0, 100, (5, 4, 3, 6)).astype("u2")
    process = ReciprocalSpace(two_theta=TWO_THETA)
    found = drive(process, scan_of(data, {"mu": MU, "chi": CHI}))
    # roll is slow, rock is fast
    np.testing.assert_array_equal(found["total"], data.sum(axis=(2, 3)).T)
    np.testing.assert_allclose(found["mean"], data.mean(axis=(2, 3)).T, rtol=1e-12)
    assert (found["coverage"] == 18).all()
    cells = axes_of(process)
    np.testing.assert_allclose(cells["q_rock"], np.radians(MU), atol=1e-8)
    np.testing.assert_allclose(cells["q_roll"], np.radians(CHI), atol=1e-8)


@pytest.mark.parametrize(
    ("motor", "values", "slope"),
    [
        ("obpitch", 18 + np.linspace(-0.02, 0.02, 5), 0.5 / math.tan(math.radians(9))),
        ("ccmth", 6 + np.linspace(-0.01, 0.01, 5), -1 / math.tan(math.radians(6))),
    ],
)
def test_energy_and_two_theta_go_along_q(motor, values, slope):
    data = RNG.integers(0, 100, (5, 5, 2, 2)).astype("u2")
    process = ReciprocalSpace(two_theta=TWO_THETA)
    found = drive(process, scan_of(data, {motor: values, "mu": 0.1 * MU}))
    expected = slope * np.radians(values - values.mean())
    cells = axes_of(process)["q_par"]
    ordered = np.argsort(expected)
    np.testing.assert_allclose(cells, expected[ordered], rtol=1e-5, atol=2e-8)
    np.testing.assert_array_equal(found["total"], data.sum(axis=(2, 3))[ordered])


def test_three_components_are_a_volume_and_two_are_added_up():
    shape = (3, 5, 4, 2, 2)
    data = RNG.integers(0, 100, shape).astype("u2")
    places = {"obpitch": np.array([17.9, 18.0, 18.1]), "mu": 1e-2 * MU, "chi": 1e-2 * CHI}
    scan = scan_of(data, places)
    whole = drive(ReciprocalSpace(two_theta=TWO_THETA), scan)["total"]
    np.testing.assert_array_equal(whole, data.sum(axis=(3, 4)).transpose(0, 2, 1))
    flat = drive(ReciprocalSpace(two_theta=TWO_THETA, components="par,rock"), scan)["total"]
    np.testing.assert_array_equal(flat, whole.sum(axis=1))


def far_field(data, **more):
    """Return a map of a far-field scan of 41 × 61 pixels of 0.05 mm at 1 m, and its process."""
    process = ReciprocalSpace(
        seen="far_field", two_theta=TWO_THETA, distance=1000, pixel_size=50, **more
    )
    return drive(process, scan_of(data, {"mu": MU, "chi": CHI})), process


@pytest.mark.parametrize("place", [(0, 0), (20, 30), (40, 5), (13, 60)])
@pytest.mark.parametrize("position", [(0, 0), (2, 1), (4, 3)])
def test_in_the_far_field_a_pixel_lies_where_geometry_says(place, position):
    data = np.zeros((5, 4, 41, 61), "u2")
    data[(*position, *place)] = 1
    found, process = far_field(data, bins=101)
    inside = np.argwhere(found["total"])
    assert len(inside) == 1
    cells = [axis.values for axis in process._grid.axes]
    par, roll, rock = (values[k] for values, k in zip(cells, inside[0], strict=True))
    # by hand: rows grow upwards and columns to the left; the middle is at 2θ
    angle = math.radians(TWO_THETA)
    up = 1000 * math.tan(angle) + 0.05 * (place[0] - 20)
    left = 0.05 * (place[1] - 30)
    q = frames.scattering_vectors(*frames.angles([1000, left, up]), 1.0)
    reference = frames.scattering_vectors(0.0, angle, 1.0)
    tilted = components.components(q, reference) + np.array([0, 0, 1])
    a, b = math.radians(MU[position[0]]), math.radians(CHI[position[1]])
    expected = about_x(-b) @ about_y(a) @ tilted - [0, 0, 1]
    steps = [values[1] - values[0] for values in (cells[2], cells[1], cells[0])]
    away = np.abs(np.array([rock, roll, par]) - expected)
    assert (away <= 0.501 * np.array(steps)).all()


def test_all_of_the_far_field_is_on_the_grid_in_any_cut():
    data = RNG.integers(1, 9, (5, 4, 41, 61)).astype("u2")
    found, process = far_field(data, bins=32)
    assert found["total"].sum() == data.sum()
    assert found["coverage"].sum() == data.size
    scan = scan_of(data, {"mu": MU, "chi": CHI})
    cut = drive(process, scan, [[2], [1, 3], [10], [20, 50]])
    for name, values in found.items():
        np.testing.assert_allclose(cut[name], values, rtol=1e-12)


def test_masked_values_are_not_counted():
    data = np.full((5, 4, 3, 6), 7.0)
    data[0, 0, 0, 0] = np.nan
    valid = np.ones(data.shape, bool)
    valid[:, :, 1] = False
    found = drive(
        ReciprocalSpace(two_theta=TWO_THETA), scan_of(data, {"mu": MU, "chi": CHI}), valid=valid
    )
    assert found["coverage"][0, 0] == 11
    assert found["coverage"][1, 1] == 12
    np.testing.assert_array_equal(found["mean"], 7)


def test_what_is_lacking_is_said():
    data = np.ones((5, 4, 3, 6), "u2")
    with pytest.raises(ProcessError, match="does not tell the scattering angle"):
        ReciprocalSpace().outputs(scan_of(data, {"mu": MU, "chi": CHI}))
    process = ReciprocalSpace(two_theta=18)
    with pytest.raises(ProcessError, match="none of that is known"):
        process.outputs(scan_of(data, {"samy": MU, "samz": CHI}))
    with pytest.raises(ProcessError, match="extends along rock alone"):
        process.outputs(scan_of(data, {"mu": MU, "samz": CHI}))
    with pytest.raises(ProcessError, match="the far field needs"):
        ReciprocalSpace(two_theta=18, seen="far_field").outputs(
            scan_of(data, {"mu": MU, "chi": CHI})
        )
    with pytest.raises(ProcessError, match="'phi' is not scanned"):
        ReciprocalSpace(two_theta=18, rock="phi").outputs(scan_of(data, {"mu": MU, "chi": CHI}))


def test_it_is_a_result_without_findings(tmp_path):
    data = RNG.integers(0, 100, (5, 4, 3, 6)).astype("u2")
    path = write_scan(scan_of(data, {"mu": MU, "chi": CHI}), tmp_path / "a.nxs")
    found = ReciprocalSpace(two_theta=TWO_THETA).run(path)
    assert found["mean"].shape == (4, 5)
    assert found.units("mean") == "counts"
    assert not nxscan.validate(path).findings
