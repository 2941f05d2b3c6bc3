"""The ESRF mapping on headers that instruments wrote, and what nexusformat says of the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nxscan.model import Group
from nxscan.translate.mapping import apply_mapping, builtin_mapping
from nxscan.translate.report import Report

LIMA = {
    "HeaderID": "EH:000001:000000:000000",
    "acq_expo_time": "0.5",
    "acq_mode": "Single",
    "beamline": "ID06",
    "camera": "pco.edge",
    "energy": "17",
    "time": "Thu Apr 26 15:40:06 2012",
    "time_of_day": np.array([1335447606.5, 1335447607.5]),
    "motor_mne": "mu chi",
    "motor_pos": np.array(["0.1 4", "0.2 4"]),
}
SAXS = {
    "WaveLength": "1e-10",
    "SampleDistance": "2.5",
    "PSize_1": "172e-6",
    "PSize_2": "100e-6",
    "Center_1": "512.5",
    "Center_2": "300",
    "ExposureTime": "3",
    "DetectorRotation_1": "0",
}


def applied(values: dict[str, Any]) -> tuple[Group, Report]:
    entry, report = Group("NXentry"), Report()
    apply_mapping(builtin_mapping("esrf"), values, entry, report)
    return entry, report


def header(path: Path) -> dict[str, str]:
    fabio = pytest.importorskip("fabio")
    with fabio.open(str(path)) as image:
        return dict(image.header)


def test_spec_header_of_id03(shared_data: Callable[[str], Path]) -> None:
    entry, report = applied(header(shared_data("edf/medipix.edf")))
    detector = "instrument/detector"
    assert entry[f"{detector}/distance"].value == pytest.approx(1330e-3)
    assert entry[f"{detector}/distance"].units == "m"
    assert entry[f"{detector}/x_pixel_size"].value == pytest.approx(55)
    assert entry[f"{detector}/y_pixel_size"].units == "um"
    assert entry[f"{detector}/count_time"].value == 1
    np.testing.assert_allclose(np.asarray(entry["sample/unit_cell_abc"].value), [4.08] * 3)
    np.testing.assert_allclose(np.asarray(entry["sample/unit_cell_alphabetagamma"].value), [90] * 3)
    assert entry.get(f"{detector}/depends_on") is None, "the detector is on an arm"
    assert not report.problems


def test_energy_motor_of_id03_agrees_with_its_monochromator(
    shared_data: Callable[[str], Path],
) -> None:
    raw = header(shared_data("edf/medipix.edf"))
    entry, _ = applied(raw)
    mapping = builtin_mapping("esrf")
    motors = dict(zip(raw["motor_mne"].split(), raw["motor_pos"].split(), strict=True))
    assert mapping.motors["mono"].units == "degree"
    spacing = 3.1356  # Si (111), angstrom
    bragg = 2 * spacing * np.sin(np.radians(float(motors["mono"])))
    wavelength = entry["instrument/beam/incident_wavelength"]
    assert wavelength.units == "angstrom"
    assert wavelength.value == pytest.approx(bragg, rel=2e-3)


def test_units_that_a_key_states_are_used(shared_data: Callable[[str], Path]) -> None:
    entry, report = applied(header(shared_data("edf/fabio_i01f0001.edf.gz")))
    assert entry["instrument/detector/x_pixel_size"].value == pytest.approx(55)
    assert entry["instrument/detector/count_time"].value == 10
    assert not report.problems


def test_a_header_without_metadata_gives_none(shared_data: Callable[[str], Path]) -> None:
    entry, report = applied(header(shared_data("edf/ID19_D2H2T2_0000.edf")))
    assert not entry.groups
    assert not entry.fields
    assert not report.mapped
    assert not report.problems


def test_lima_header() -> None:
    entry, report = applied(LIMA)
    assert entry["instrument/name"].value == "ID06"
    assert entry["instrument/detector/description"].value == "pco.edge"
    assert entry["instrument/detector/count_time"].value == 0.5
    assert entry["instrument/beam/incident_energy"].value == 17
    assert entry["instrument/beam/incident_energy"].units == "keV"
    assert entry["start_time"].value == "2012-04-26T13:40:06.500000+00:00"
    assert not report.problems


def test_saxs_header_places_the_detector_on_the_beam() -> None:
    entry, report = applied(SAXS)
    detector = "instrument/detector"
    assert entry["instrument/beam/incident_wavelength"].value == pytest.approx(1.0)
    assert entry["instrument/beam/incident_energy"].value == pytest.approx(12.39842, rel=1e-6)
    assert entry[f"{detector}/x_pixel_size"].value == pytest.approx(172)
    assert entry[f"{detector}/beam_center_x"].value == 512.5
    assert entry[f"{detector}/beam_center_x"].units == "pixel"
    assert entry[f"{detector}/depends_on"].value == "transformations/distance"
    assert entry[f"{detector}/transformations/distance"].value == 2.5
    assert not report.problems


def test_a_turned_saxs_detector_is_not_placed() -> None:
    entry, report = applied(SAXS | {"DetectorRotation_2": "0.1"})
    assert entry.get("instrument/detector/depends_on") is None
    assert entry["instrument/detector/distance"].value == 2.5
    assert [problem.severity for problem in report.problems] == ["note"]


@pytest.mark.parametrize(
    ("key", "raw", "target"),
    [
        ("energy", "17000", "instrument/beam/incident_energy"),
        ("wavelength", "1e-10", "instrument/beam/incident_wavelength"),
        ("pixel_size_x", "55", "instrument/detector/x_pixel_size"),
        ("d_sample_det", "0.5", "instrument/detector/distance"),
    ],
)
def test_values_of_another_unit_are_refused_not_misread(key: str, raw: str, target: str) -> None:
    entry, report = applied({key: raw})
    assert entry.get(target) is None
    assert any(problem.where == target for problem in report.problems)


def test_motors_of_the_microscope_have_units_and_names() -> None:
    motors = builtin_mapping("esrf").motors
    degrees = ["mu", "chi", "phi", "omega", "obpitch", "obyaw", "diffrx", "diffry", "diffrz"]
    degrees.append("ccmth")
    assert {motors[name].units for name in degrees} == {"degree"}
    assert {motors[name].units for name in ("mainx", "obx", "ffz")} == {"mm"}
    assert all(motors[name].long_name for name in [*degrees, "mainx", "obx", "ffz"])


def test_keys_that_count_files_are_no_motors() -> None:
    mapping = builtin_mapping("esrf")
    for key in ("run", "point_no", "Image", "EDF_DataBlockID", "time_of_frame", "acq_expo_time"):
        assert mapping.never_a_motor(key)
    for key in ("mu", "Omega start", "Phi start"):
        assert not mapping.never_a_motor(key)


def write(group: Any, tree: Group) -> None:
    group.attrs["NX_class"] = tree.nx_class
    for name, field in tree.fields.items():
        dataset = group.create_dataset(name, data=field.value)
        dataset.attrs.update(field.attributes)
        if field.units is not None:
            dataset.attrs["units"] = field.units
    for name, child in tree.groups.items():
        write(group.create_group(name), child)


@pytest.mark.parametrize("values", [LIMA, SAXS])
def test_nexusformat_finds_nothing_wrong_with_the_fields(
    tmp_path: Path, values: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    validate = pytest.importorskip("nexusformat.nexus.validate")
    entry, _ = applied(values)
    path = tmp_path / "mapped.nxs"
    with h5py.File(path, "w") as file:
        file.attrs["NX_class"] = "NXroot"
        write(file.create_group("entry"), entry)
    assert tuple(validate.validate_file(path)) == (0, 0), capfd.readouterr()
