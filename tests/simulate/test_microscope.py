"""The microscope's geometry against published angles and the laws it follows."""

from __future__ import annotations

import math

import pytest

from nxscan.simulate import ALUMINUM, IRON, Microscope
from nxscan.simulate.microscope import bragg_angle, wavelength

COPPER_K_ALPHA_1 = 8.047823
"""keV, NIST X-ray transition energies."""


def test_wavelength_of_copper_k_alpha_is_the_published_one() -> None:
    assert wavelength(COPPER_K_ALPHA_1) == pytest.approx(1.540593, abs=1e-5)


@pytest.mark.parametrize(
    ("lattice", "hkl", "two_theta"),
    [
        (ALUMINUM.lattice, (1, 1, 1), 38.47),  # powder diffraction file 04-0787
        (ALUMINUM.lattice, (2, 0, 0), 44.72),
        (IRON.lattice, (1, 1, 0), 44.67),  # powder diffraction file 06-0696
        (IRON.lattice, (2, 0, 0), 65.02),
    ],
)
def test_bragg_angles_are_those_of_the_powder_diffraction_file(
    lattice: float, hkl: tuple[int, int, int], two_theta: float
) -> None:
    assert 2 * bragg_angle(lattice, hkl, COPPER_K_ALPHA_1) == pytest.approx(two_theta, abs=0.02)


def test_camera_and_objective_lie_on_the_diffracted_beam() -> None:
    optics = Microscope()
    for along in (optics.obx, -optics.mainx):
        assert math.degrees(math.atan2(optics.height(along), along)) == pytest.approx(
            2 * optics.theta
        )
    assert math.hypot(optics.mainx, optics.height(-optics.mainx)) == pytest.approx(optics.distance)


def test_binned_frames_see_the_same_field() -> None:
    optics = Microscope()
    fields = [n * optics.sample_pixel(optics.binning((n, n))) for n in (128, 512, 2048)]
    assert fields == pytest.approx([2048 * 3.25 / optics.magnification] * 3)
