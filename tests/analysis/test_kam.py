"""Kernel average misorientation of known patterns."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.centers import master_of
from scipy.spatial.transform import Rotation

from nxscan.analysis.kam import KAM, kernel_offsets
from nxscan.analysis.maps import Center
from nxscan.analysis.tilts import make_tilts
from nxscan.errors import ProcessError
from nxscan.kernels.neighbors import neighbor_distances


def kam(
    centers,
    errors=None,
    *,
    shape="square",
    radius=1,
    threshold=np.inf,
    chi_to_q=90.0,
):
    """Return KAM, its errors and counts of maps of centers in degrees."""
    unknown = [np.full(np.shape(each), np.nan) for each in centers]
    found = [
        Center(f"m{k}", "degree", np.asarray(values, float), np.asarray(error, float))
        for k, (values, error) in enumerate(zip(centers, errors or unknown, strict=True))
    ]
    tilts = make_tilts(found, chi_to_q)
    out = np.empty(tilts.valid.shape)
    error, count = np.empty_like(out), np.empty(out.shape, np.int64)
    neighbor_distances(
        *(np.ascontiguousarray(a) for a in (tilts.field, tilts.plane, tilts.variance)),
        tilts.valid,
        kernel_offsets(shape, radius),
        threshold,
        tilts.angular,
        out,
        error,
        count,
    )
    return out, error, count


def isolated(size=7, value=1.0):
    found = np.zeros((size, size))
    found[size // 2, size // 2] = value
    return found


def test_an_isolated_pixel_of_1_has_1_and_its_eight_neighbors_an_eighth():
    found, _, count = kam([isolated(), np.zeros((7, 7))])
    expected = np.zeros((7, 7))
    expected[2:5, 2:5] = 1 / 8
    expected[3, 3] = 1
    np.testing.assert_allclose(found, expected, atol=1e-15)
    assert count[3, 3] == 8
    assert count[0, 0] == 3
    assert count[0, 1] == 5


def test_every_offset_of_the_kernel_counts_alike():
    """darfix leaves out column 0 of its kernel, and finds 0.8 here."""
    for shape, radius, number in (("square", 2, 24), ("disc", 2, 12), ("cross", 3, 12)):
        offsets = kernel_offsets(shape, radius)
        assert len(offsets) == number
        assert sorted(map(tuple, offsets)) == sorted(map(tuple, -offsets))
        found, _, _ = kam([isolated(15)], shape=shape, radius=radius)
        for y, x in offsets:
            assert found[7 + y, 7 + x] == pytest.approx(1 / number)


def test_a_plane_has_the_mean_of_the_distances_to_its_neighbors():
    y, x = np.mgrid[0:6, 0:6]
    found, _, _ = kam([0.3 * x, 0.4 * x + 0.0 * y])
    # six of eight neighbors are a column away: 0.5 each
    assert found[2, 2] == pytest.approx(6 / 8 * 0.5)
    corner = [0.5, 0, 0.5]
    assert found[0, 0] == pytest.approx(np.mean(corner))


def test_masked_neighbors_do_not_count_and_masked_pixels_are_missing():
    values = isolated()
    values[3, 4] = np.nan
    found, error, count = kam([values, np.zeros((7, 7))])
    assert np.isnan(found[3, 4])
    assert np.isnan(error[3, 4])
    assert count[3, 3] == 7
    assert found[3, 3] == pytest.approx(1)
    assert found[2, 3] == pytest.approx(1 / 7)
    alone = np.full((3, 3), np.nan)
    alone[1, 1] = 2.0
    assert np.isnan(kam([alone])[0]).all()


def test_neighbors_beyond_the_threshold_do_not_count():
    found, _, count = kam([isolated()], threshold=0.5)
    assert np.isnan(found[3, 3])
    assert count[3, 3] == 0
    assert found[2, 3] == 0
    assert count[2, 3] == 7


@pytest.mark.parametrize("chi_to_q", [35.0, 90.0, 110.0])
def test_misorientation_is_the_angle_between_scattering_vectors(chi_to_q):
    """Against rotations of scipy; at 90 degrees √(Δµ² + Δχ²) is the same for small tilts."""
    rng = np.random.default_rng(5)
    mu, chi = rng.uniform(-0.4, 0.4, (2, 1, 2))
    found, _, _ = kam([mu, chi], chi_to_q=chi_to_q)
    a, b = np.radians(mu - np.median(mu)), np.radians(chi - np.median(chi))
    alpha = np.radians(chi_to_q)
    axis = np.array([np.sin(alpha), 0, np.cos(alpha)])
    vectors = []
    for k in range(2):
        rocked = Rotation.from_rotvec(-a[0, k] * np.array([0, 1, 0]))
        rolled = Rotation.from_rotvec(b[0, k] * axis)
        vectors.append((rocked * rolled).inv().apply([0, 0, 1]))
    expected = np.degrees(np.arctan2(np.linalg.norm(np.cross(*vectors)), np.dot(*vectors)))
    assert found == pytest.approx(np.full((1, 2), expected), rel=1e-4 if chi_to_q == 90 else 1e-9)


def test_errors_are_those_of_many_noisy_maps():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:5, 0:5]
    clean, sigma = np.stack([0.03 * x, 0.02 * y - 0.01 * x]), np.array([4e-4, 7e-4])
    shape = (*clean.shape, 3000)
    noisy = clean[..., None] + sigma[:, None, None, None] * rng.standard_normal(shape)
    many = np.array([kam(noisy[..., k])[0][2, 2] for k in range(3000)])
    errors = [np.full((5, 5), s) for s in sigma]
    _, error, _ = kam(clean, errors)
    assert error[2, 2] == pytest.approx(many.std(), rel=0.05)


def test_it_is_a_result_with_its_status_and_in_micrometers(tmp_path):
    motors = {"obx": 100.0, "mainx": -1100.0}
    mu = isolated()
    mu[0, 0] = np.nan
    path = master_of(
        tmp_path / "a.nxs", {"mu": mu, "chi": np.zeros((7, 7))}, motors=motors, pixel=5
    )
    found = KAM().run(path, on="moments")
    assert found["kam"][3, 3] == pytest.approx(1)
    assert found["status"][0, 0] == 4
    assert np.isnan(found["kam"][0, 0])
    assert found.units("kam") == "degree"
    assert found.as_scan("kam").axes["x"].values == pytest.approx(0.5 * (3 - np.arange(7)))
    assert np.isnan(found.errors("kam")).all()


def test_energy_is_no_tilt(tmp_path):
    path = master_of(tmp_path / "a.nxs", {"ccmth": isolated() + 6})
    with pytest.raises(ProcessError, match="needs one or two motors that tilt the lattice"):
        KAM().run(path, on="moments")
    path = master_of(tmp_path / "b.nxs", {"samy": isolated()}, units="mm")
    with pytest.raises(ProcessError, match="are in mm, which is no angle"):
        KAM().run(path, on="moments")
