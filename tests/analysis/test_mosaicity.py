"""Maps of orientation in color."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.centers import master_of
from helpers.silx_window import silx_shows

import nxscan
from nxscan.analysis.colors import color
from nxscan.analysis.mosaicity import Mosaicity
from nxscan.analysis.orientations import contours, density, lattice, robust_range
from nxscan.errors import ProcessError

RNG = np.random.default_rng(1)
MU = RNG.normal(0.1, 0.02, (24, 32))
CHI = RNG.normal(-0.2, 0.05, (24, 32))
MU[3, 4] = np.nan


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("mosaicity")
    path = master_of(folder / "a.nxs", {"chi": CHI, "mu": MU})
    process = Mosaicity(first_range=(0.05, 0.15), second_range=(-0.3, -0.1), key_size=40)
    return process.run(path, on="moments")


def test_a_pixel_has_the_color_of_its_orientation_in_the_key(result):
    # the rocking motor is across, the rolling one up, whichever was scanned faster
    expected = color((MU - 0.1) / 0.05, (CHI + 0.2) / 0.1)
    np.testing.assert_array_equal(result["color"], expected)
    assert result["color"][3, 4].tolist() == [0, 0, 0, 0]
    assert result["status"][3, 4] == 4
    key = result.as_scan("key")
    mu, chi = key.axes["mu"].values, key.axes["chi"].values
    np.testing.assert_allclose(mu, 0.05 + 0.1 * (np.arange(40) + 0.5) / 40)
    drawn = result["key"]
    lines = (drawn == (0, 0, 0, 255)).all(axis=-1)
    plain = color(*np.meshgrid((mu - 0.1) / 0.05, (chi + 0.2) / 0.1))
    np.testing.assert_array_equal(drawn[~lines], plain[~lines])
    assert 0 < lines.sum() < 400


def test_the_distribution_is_the_part_of_the_pixels_in_a_square_degree(result):
    cells = result["distribution"]
    inside = (np.abs(MU - 0.1) < 0.05) & (np.abs(CHI + 0.2) < 0.1)
    area = (0.1 / 40) * (0.2 / 40)
    assert cells.sum() * area == pytest.approx(inside.sum() / np.isfinite(MU).sum())
    assert result.units("distribution") == "1/(degree*degree)"


def test_the_file_has_no_findings_and_silx_shows_the_picture(result, tmp_path):
    assert not nxscan.validate(result.path).findings
    assert silx_shows(result.path, tmp_path / "a.png") == "RGB"


def test_the_plot_has_the_key_beside_the_picture(result):
    picture, key = result.plot().axes
    assert picture.get_xlabel() == "x (pixel)"
    assert (key.get_xlabel(), key.get_ylabel()) == ("mu (degree)", "chi (degree)")
    np.testing.assert_array_equal(picture.images[0].get_array(), result["color"])
    np.testing.assert_array_equal(key.images[0].get_array(), result["key"])
    assert key.get_ylim()[0] < key.get_ylim()[1]  # motors grow upwards
    assert len(nxscan.plot(result.path).axes) == 2  # the default plot, through another link
    assert len(result.plot("key").axes) == 1


def test_ranges_are_those_of_the_middle_of_the_pixels():
    assert robust_range(np.append(np.arange(101.0), np.nan), 90) == (5, 95)
    low, high = robust_range(np.full(4, 2.0), 99)
    assert low < 2 < high
    assert robust_range(np.array([np.nan]), 99) == (0, 1)


def test_lines_hold_the_part_that_they_are_said_to():
    rng = np.random.default_rng(0)
    values = rng.normal(0, [[1.0], [2.0]], (2, 200_000))
    cells = lattice((-6, 6), 120), lattice((-12, 12), 120)
    found = contours(density(*values, *cells), [50.0], values.shape[1])
    across, up = np.meshgrid(*cells)
    radius = np.hypot(across, up / 2)[found]
    # half of a bivariate normal lies within √(2 ln 2) standard deviations
    assert np.sqrt(2 * np.log(2)) == pytest.approx(radius.mean(), abs=0.1)
    assert radius.std() < 0.12


def test_nothing_known_gives_no_lines():
    empty = np.full((4, 4), np.nan)
    cells = density(empty, empty, *[lattice((0, 1), 4)] * 2)
    assert np.isnan(cells).all()
    assert not contours(cells, [50.0], 0).any()


def test_one_motor_is_not_enough(tmp_path):
    path = master_of(tmp_path / "a.nxs", {"mu": MU})
    with pytest.raises(ProcessError, match="needs two motors that tilt the lattice, and finds mu"):
        Mosaicity().run(path, on="moments")
