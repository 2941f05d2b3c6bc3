"""Strain maps of known centers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from helpers.blocks import scan_of
from helpers.centers import MICROSCOPE, master_of

import nxscan
from nxscan import Output, Process
from nxscan.analysis.strain import Strain
from nxscan.errors import ProcessError
from nxscan.nexus import write_scan

DELTA = np.array([[-2e-3, -1e-3, 0.0], [1e-3, 2e-3, 3e-3], [-3e-3, np.nan, 0.0]])
SIGMA = np.full(DELTA.shape, 1e-4)


def test_strain_of_an_energy_scan_is_cot_of_the_angle_times_its_change(tmp_path):
    angle = 5.94
    path = master_of(tmp_path / "a.nxs", {"ccmth": angle + DELTA}, {"ccmth": SIGMA})
    found = Strain(reference=angle, reflection=(1, 1, 1)).run(path, on="moments")
    expected = np.radians(DELTA) / math.tan(math.radians(angle))
    np.testing.assert_allclose(found["strain"], expected, rtol=1e-9)
    np.testing.assert_allclose(
        found.errors("strain")[np.isfinite(DELTA)],
        math.radians(1e-4) / math.tan(math.radians(angle)),
        rtol=1e-9,
    )
    assert found.units("strain") == ""
    assert found["status"].tolist() == [[0, 0, 0], [0, 0, 0], [0, 4, 0]]
    assert found["reference"] == angle
    assert found.parameters["reflection"] == [1, 1, 1]


@pytest.mark.parametrize("motor", ["obpitch", "tth"])
def test_strain_of_a_scan_of_two_theta(tmp_path, motor):
    path = master_of(tmp_path / "a.nxs", {motor: 18 + DELTA}, {motor: SIGMA})
    found = Strain().run(path, on="moments")
    middle = 18 + np.nanmedian(DELTA)
    expected = -0.5 * np.radians(18 + DELTA - middle) / math.tan(math.radians(middle / 2))
    np.testing.assert_allclose(found["strain"], expected, rtol=1e-9, atol=1e-18)
    assert found["reference"] == pytest.approx(middle, rel=1e-15)
    assert found.units("reference") == "degree"


def test_strain_of_a_scan_of_the_energy_is_minus_its_relative_change(tmp_path):
    path = master_of(tmp_path / "a.nxs", {"energy": 17 + DELTA}, units="keV")
    found = Strain(reference=17.0).run(path, on="moments")
    np.testing.assert_allclose(found["strain"], -DELTA / 17, rtol=1e-9)
    assert np.isnan(found.errors("strain")).all()


def test_a_map_is_a_reference_for_every_pixel(tmp_path):
    reference = 17 + 1e-3 * np.arange(9).reshape(3, 3)
    np.save(tmp_path / "reference.npy", reference)
    path = master_of(tmp_path / "a.nxs", {"energy": reference + DELTA}, units="keV")
    found = Strain(reference=tmp_path / "reference.npy").run(path, on="moments")
    np.testing.assert_allclose(found["strain"], -DELTA / reference, rtol=1e-9)
    np.testing.assert_array_equal(found["reference"], reference)
    np.save(tmp_path / "other.npy", reference[:2])
    with pytest.raises(ProcessError, match=r"shape \(2, 3\)"):
        Strain(reference=tmp_path / "other.npy").run(path, on="moments")


def test_pixels_that_are_not_ok_are_left_out_unless_asked_for(tmp_path):
    status = np.zeros((3, 3), "u1")
    status[0] = 1, 2, 0
    path = master_of(tmp_path / "a.nxs", {"ccmth": 6 + DELTA}, status=status)
    found = Strain(reference=6.0).run(path, on="moments")
    assert np.isnan(found["strain"][0, :2]).all()
    assert found["status"][0].tolist() == [1, 2, 0]
    every = Strain(reference=6.0, use="all").run(path, on="moments")
    assert np.isfinite(every["strain"][0]).all()
    assert every["status"][0].tolist() == [0, 0, 0]


def test_maps_are_in_micrometers_of_the_sample_and_d0_is_known(tmp_path):
    path = master_of(tmp_path / "a.nxs", {"ccmth": 6 + DELTA}, motors=MICROSCOPE, pixel=3.25)
    found = Strain(d0=2.338).run(path, on="moments")
    step = 3.25 / (4737 / 263)
    y, x = found.as_scan("strain").main_axes()
    assert y.values == pytest.approx([step, 0, -step])
    assert x.values == pytest.approx([step, 0, -step])
    assert (y.units, x.units) == ("um", "um")
    assert found["d0"] == 2.338
    assert nxscan.validate(path).ok


def test_the_objectives_gradient_is_taken_off_and_recorded(tmp_path):
    """A perfect crystal whose curves drift as the objective makes them has no strain."""
    two_theta, distance = math.radians(18), 263e3 / math.cos(math.radians(18))
    step = 3.25 / (4737 / 263)
    z = step * np.array([1.0, 0, -1])[:, None]  # the image is upside down
    angle = math.radians(6)
    shorter = np.sin((two_theta - z / distance) / 2) / np.sin(two_theta / 2)
    seen = np.degrees(np.arcsin(math.sin(angle) * shorter)) + np.zeros((3, 4))
    path = master_of(tmp_path / "a.nxs", {"ccmth": seen}, motors=MICROSCOPE, pixel=3.25)
    drifting = Strain().run(path, on="moments")
    corrected = Strain(gradient_correction=True).run(path, on="moments")
    assert np.ptp(drifting["strain"]) == pytest.approx(
        step / distance / math.tan(two_theta / 2), rel=1e-4
    )
    assert np.abs(corrected["strain"]).max() < 1e-10
    assert corrected.parameters["gradient_correction"] is True


def test_what_the_correction_lacks_is_said(tmp_path):
    path = master_of(tmp_path / "a.nxs", {"ccmth": 6 + DELTA})
    with pytest.raises(ProcessError, match="needs magnification, pixel_size, two_theta and obx"):
        Strain(gradient_correction=True).run(path, on="moments")


def test_a_scan_along_neither_energy_nor_two_theta_is_refused(tmp_path):
    path = master_of(tmp_path / "a.nxs", {"mu": DELTA})
    with pytest.raises(ProcessError, match="neither an energy nor 2θ"):
        Strain().run(path, on="moments")
    with pytest.raises(ProcessError, match="no centers along 'ccmth'"):
        Strain(motor="ccmth").run(path, on="moments")
    with pytest.raises(ProcessError, match="corrections are of frames"):
        Strain().run(path, on="moments", corrections=["dark"])


class Centers(Process):
    """Centers of mass along each motor, the others added up: what `moments` gives."""

    per = "pixel"

    def outputs(self, scan):
        return [Output(f"center_{name}", "degree") for name in ("ccmth", "mu", "chi")]

    def compute(self, block):
        data, found = block.data.astype(float), {}
        for k, name in enumerate(("ccmth", "mu", "chi")):
            others = tuple(d for d in range(3) if d != k)
            curve = data.sum(axis=others)
            places = block.axes[name][:, None, None]
            found[f"center_{name}"] = (curve * places).sum(axis=0) / curve.sum(axis=0)
        return found


def test_of_a_combined_scan_it_is_that_of_the_motor_whatever_the_orientation_does(tmp_path):
    places = {
        "ccmth": np.linspace(5.99, 6.01, 15),
        "mu": np.linspace(-1, 1, 11),
        "chi": np.linspace(-1, 1, 10),
    }
    y, x = np.mgrid[0:3, 0:4]
    middle = 6 + 1e-3 * (x - 1.5), 0.1 * y, -0.1 * x
    widths = 1.6e-3, 0.17, 0.17
    grids = np.meshgrid(*places.values(), indexing="ij")
    square = sum(
        ((grid[..., None, None] - m) / w) ** 2
        for grid, m, w in zip(grids, middle, widths, strict=True)
    )
    data = np.rint(6e4 * np.exp(-0.5 * square)).astype(np.uint16)
    path = write_scan(scan_of(data, places), tmp_path / "a.nxs")
    strain = Strain(reference=6.0)
    strain.requires = (Centers(),)
    found = strain.run(path)
    expected = np.radians(middle[0] - 6) / math.tan(math.radians(6))
    np.testing.assert_allclose(found["strain"], expected, atol=2e-7)
    assert [result.process for result in nxscan.results(path)] == ["centers", "strain"]
    assert found.stored.signal_path == "/entry/centers_000/center_ccmth/data"


def test_by_default_it_needs_moments_or_what_it_is_told():
    assert Strain().requires == ("moments",)
    assert Strain(of="rocking_curve").requires == ("rocking_curve",)
