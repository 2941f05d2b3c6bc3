"""Bragg's law and strain against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from nxscan.analysis.geometry import bragg

# silicon (111): a = 5.431020511 Å (CODATA 2018); 17 keV
D_SI = 5.431020511 / np.sqrt(3)
LAMBDA = 12.398419843320026 / 17


def test_spacing_of_silicon_is_found_from_its_bragg_angle():
    theta = np.arcsin(LAMBDA / (2 * D_SI))
    assert bragg.wavelength(17) == pytest.approx(LAMBDA, rel=1e-15)
    assert bragg.spacing(2 * theta, LAMBDA) == pytest.approx(D_SI, rel=1e-14)
    assert bragg.scattering_vector(2 * theta, LAMBDA) == pytest.approx(2 * np.pi / D_SI, rel=1e-14)


@pytest.mark.parametrize("strain", [-1e-5, 1e-6, 2e-5])
def test_each_kind_of_scan_finds_the_same_strain(strain):
    d0, angle0 = 2.338, np.arcsin(LAMBDA / (2 * D_SI))
    theta0 = np.arcsin(LAMBDA / (2 * d0))
    d = d0 * (1 + strain)
    # 2θ, with the wavelength held
    theta = np.arcsin(LAMBDA / (2 * d))
    by_angle = bragg.strain_of_two_theta(2 * (theta - theta0), 2 * theta0)
    # wavelength, with θ held; the monochromator follows
    changed = 2 * d * np.sin(theta0)
    angle = np.arcsin(changed / (2 * D_SI))
    by_monochromator = bragg.strain_of_monochromator(angle - angle0, angle0)
    energy = 12.398419843320026 / changed
    by_energy = bragg.strain_of_energy(energy - 17, 17)
    found = [by_angle, by_monochromator, by_energy]
    assert found == pytest.approx([strain] * 3, rel=1e-3)  # first order: relative error ~ strain
    for value in found:
        assert abs(value - strain) < 10 * strain**2


def test_the_shift_of_the_monochromator_follows_braggs_law():
    angle, theta, delta = np.radians(5.944), np.radians(10.0), 1e-6
    longer = np.sin(theta + delta / 2) / np.sin(theta)
    exact = np.arcsin(np.sin(angle) * longer) - angle
    assert bragg.monochromator_shift(delta, angle, theta) == pytest.approx(exact, rel=1e-5)
