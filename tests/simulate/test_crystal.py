"""The crystal is deformed as its parameters say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nxscan.errors import NxscanError
from nxscan.simulate import Crystal, Deformation, Microscope, crystal

FLAT = Deformation(
    bending_radius=math.inf, boundary_angle=0, dislocations=0, mosaic=0, broadening=0
)


def test_undeformed_crystal_diffracts_everywhere_at_zero_with_its_intrinsic_width() -> None:
    made = crystal((40, 40), deformation=FLAT, counts=1000)
    grain = made.grain
    assert np.abs(made.mu[grain]).max() == 0
    np.testing.assert_allclose(made.fwhm_mu[grain], 0.03, rtol=1e-6)
    whole = made.amplitude == made.amplitude.max()
    np.testing.assert_allclose(made.amplitude[whole], 1000 * made.illumination[whole], rtol=1e-6)


def test_bending_tilts_by_length_over_radius() -> None:
    form = Deformation(bending_radius=0.2, boundary_angle=0, dislocations=0, mosaic=0, broadening=0)
    made = crystal((64, 64), deformation=form)
    slope_y, slope_x = np.gradient(made.mu)
    inner = np.isfinite(slope_y) & np.isfinite(slope_x)
    steepest = np.hypot(slope_y, slope_x)[inner]
    expected = math.degrees(made.pixel_size * 1e-6 / 0.2)
    np.testing.assert_allclose(steepest, expected, rtol=1e-3)


def test_low_angle_boundary_turns_one_side_by_its_angle() -> None:
    form = Deformation(bending_radius=math.inf, boundary_angle=0.06, dislocations=0, mosaic=0)
    made = crystal((64, 64), deformation=form)
    centers = made.mu[made.grain]
    assert np.ptp(centers) == pytest.approx(0.06, abs=1e-6)
    on_a_side = np.abs(np.abs(centers) - 0.03) < 1e-4
    assert on_a_side.mean() > 0.9
    assert 0.1 < (centers > 0).mean() < 0.9


def test_pixels_on_the_boundary_are_wider_by_half_its_angle() -> None:
    form = Deformation(
        bending_radius=math.inf, boundary_angle=0.06, dislocations=0, mosaic=0, broadening=0
    )
    made = crystal((128, 128), deformation=form)
    middle = made.grain & (np.abs(made.mu) < 1e-3)
    assert middle.any()
    # two halves 0.06° apart: standard deviation 0.03°
    expected = math.hypot(0.03, 0.03 * 2 * math.sqrt(2 * math.log(2)))
    np.testing.assert_allclose(made.fwhm_mu[middle], expected, rtol=2e-3)


@pytest.mark.parametrize("seed", range(6))
def test_maps_are_physical(seed: int) -> None:
    made = crystal((96, 80), seed)
    inside = made.grain
    assert 0.3 < inside.mean() < 0.8
    for values in (made.mu, made.chi, made.fwhm_mu, made.fwhm_chi, made.correlation):
        assert np.isfinite(values[inside]).all()
        assert np.isnan(values[~inside]).all()
    assert (made.amplitude[inside] > 0).all()
    assert (made.amplitude[~inside] == 0).all()
    assert (made.background > 0).all()
    assert made.fwhm_mu[inside].min() >= 0.02
    assert np.quantile(made.fwhm_mu[inside], 0.99) < 0.2
    assert np.abs(made.mu[inside]).max() < 0.25
    assert np.abs(made.correlation[inside]).max() < 1


def test_same_seed_gives_the_same_crystal_and_another_seed_another() -> None:
    one, same, other = crystal(seed=4), crystal(seed=4), crystal(seed=5)
    for name in ("mu", "chi", "fwhm_mu", "amplitude", "background"):
        np.testing.assert_array_equal(getattr(one, name), getattr(same, name))
        assert not np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)


def area_under_curve(made: Crystal) -> np.ndarray:
    return made.amplitude * made.fwhm_mu


def test_area_under_the_curve_does_not_depend_on_the_deformation() -> None:
    bent, flat = crystal((64, 64)), crystal((64, 64), deformation=FLAT)
    both = bent.grain & flat.grain
    np.testing.assert_allclose(area_under_curve(bent)[both], area_under_curve(flat)[both], 1e-5)


def test_a_finer_camera_sees_the_same_bending_and_mosaic() -> None:
    form = Deformation(boundary_angle=0, dislocations=0)
    coarse, fine = (crystal((n, n), 2, deformation=form) for n in (64, 128))
    binned = fine.mu.reshape(64, 2, 64, 2).mean(axis=(1, 3))
    both = coarse.grain & np.isfinite(binned)
    np.testing.assert_allclose(binned[both], coarse.mu[both], atol=2e-4)


def test_a_pile_up_turns_the_lattice_around_it_as_far_as_its_burgers_vector_says() -> None:
    def tilts(dislocations: int) -> np.ndarray:
        form = Deformation(
            bending_radius=math.inf,
            boundary_angle=0,
            dislocations=1,
            pile_up=dislocations,
            mosaic=0,
        )
        return crystal((128, 128), 1, deformation=form).mu

    one = tilts(50)
    optics = Microscope()
    burgers = 50 * optics.material.burgers * 1e-4
    # |x| / (x² + y² + core²) is at most 1 / (2 core), one core away; the core is a pixel
    highest = math.degrees(burgers / (4 * math.pi * optics.sample_pixel(16)))
    assert np.nanmax(one) == pytest.approx(highest, rel=0.25)
    assert np.nanmin(one) == pytest.approx(-highest, rel=0.25)
    np.testing.assert_allclose(tilts(100), 2 * one, rtol=1e-5)


def test_binning_follows_the_sensor() -> None:
    assert crystal((128, 100)).binning == 16
    assert crystal((128, 100)).pixel_size == Microscope().sample_pixel(16)


@pytest.mark.parametrize("shape", [(1, 5), (5,), (3, 4, 5)])
def test_a_shape_that_is_no_frame_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(NxscanError, match="2 sizes"):
        crystal(shape)  # type: ignore[arg-type]


def test_a_lorentzian_part_above_one_is_refused() -> None:
    with pytest.raises(NxscanError, match="lorentz must be from 0 to 1"):
        crystal((8, 8), lorentz=1.5)
