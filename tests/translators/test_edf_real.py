"""Files that real instruments wrote, against the published values of their index."""

from __future__ import annotations

import numpy as np
import pytest

SUMS = [291819810, 324525818, 317107781, 314472360, 320882226, 320894679]


@pytest.fixture
def open_real(shared_data, open_scan):
    return lambda *names, **options: open_scan([shared_data(f"edf/{n}") for n in names], **options)


def test_id19_is_a_series_of_six_frames_and_no_motor_is_invented(open_real):
    names = [f"ID19_D2H2T2_000{k}.edf" for k in (3, 0, 5, 1, 4, 2)]
    scan, report = open_real(*names)
    assert not report.errors
    assert scan.signal.shape == (6, 270, 320)
    assert list(scan.axes) == ["frame", "y", "x"]
    assert scan.counters["frame_number"].value.tolist() == list(range(6))
    assert [int(scan.signal[k].sum()) for k in range(6)] == SUMS
    assert set(scan.counters) == {"frame_number"}
    assert not scan.readings
    assert not scan.metadata.groups["instrument"].groups
    assert scan.title == "ID19_D2H2T2"


def test_id16_data_flat_and_dark_are_in_their_roles(open_real):
    scan, _ = open_real(*(f"ID16_diatomee_{role}.edf" for role in ("dark", "data", "flat")))
    assert scan.title == "ID16_diatomee_data"
    assert scan.signal.shape == (540, 640)
    assert int(scan.signal[...].sum()) == 3406639693
    assert int(scan.dark[0].sum()) == 34113631
    assert int(scan.flat[0].sum()) == 3418249400
    assert [scan.provenance.frames(role) for role in ("scan", "dark", "flat")] == [1, 1, 1]


def test_medipix_keeps_motors_counters_sample_and_ub(open_real):
    scan, report = open_real("medipix.edf")
    assert not report.errors
    instrument = scan.metadata.groups["instrument"]
    motors = {
        group["name"].value: group["value"].value
        for group in instrument.groups.values()
        if group.nx_class == "NXpositioner"
    }
    assert len(motors) == 50
    expected = {"del": 23.23, "gam": 12.3, "th": -5.52, "chi": 90, "phi": -13.3}
    assert {name: motors[name] for name in expected} == expected
    assert len(scan.counters) == 44 + 1
    counters = {"sec": 1, "SRcurr": 175.682, "mon": 2365, "epoch": 414318}
    assert {name: float(scan.counters[name].value) for name in counters} == counters
    values = scan.raw_metadata.values
    assert values["sample_pos"] == "4.08 4.08 4.08 90 90 90"
    assert values["UB_pos"].split()[2] == "-1.54"
    assert len(values["UB_mne"].split()) == len(values["UB_pos"].split()) == 9
    np.testing.assert_array_equal(scan.metadata["sample/unit_cell_abc"].value, [4.08] * 3)
    np.testing.assert_array_equal(scan.metadata["sample/unit_cell_alphabetagamma"].value, [90] * 3)
    assert scan.metadata["instrument/detector/distance"].value == pytest.approx(1.33)
    assert int(scan.signal[...].sum()) == 3525534


@pytest.mark.parametrize(
    ("name", "dtype", "low", "high", "mean", "std", "total"),
    [
        ("fabio_i01f0001.edf.gz", "f8", 96, 66814, 195.386297, None, 70339067),
        ("fabio_run2_1_00148.edf.bz2", "i4", -2, 664762, 6.40454058, 473.992, 39861867),
    ],
)
def test_packed_files_have_their_published_statistics(
    name, dtype, low, high, mean, std, total, open_real
):
    scan, report = open_real(name)
    assert not report.errors
    pixels = scan.signal[...]
    assert pixels.dtype == np.dtype(dtype)
    assert (pixels.min(), pixels.max(), pixels.sum()) == (low, high, total)
    assert pixels.mean() == pytest.approx(mean, rel=1e-8)
    if std is not None:
        assert pixels.std() == pytest.approx(std, rel=1e-5)


def test_a_header_of_another_instrument_keeps_all_its_keys(open_real):
    import fabio

    scan, _ = open_real("fabio_i01f0001.edf.gz")
    values = scan.raw_metadata.values
    assert len(values) == 44
    assert values["Kappa-support angle"] == "50.00644"
    assert values["Date"] == "Fri  12/16/05    5:07:14 PM"
    with fabio.open(scan.provenance.sources[0].path) as image:
        assert dict(image.header) == values


def test_the_whole_folder_is_told_apart(shared_data):
    from nxscan.translate.sources import expand
    from nxscan.translators.edf import EdfTranslator

    refs = EdfTranslator().scans(expand(shared_data("edf/medipix.edf").parent))
    found = {ref.title: ref.frames for ref in refs}
    assert found["ID19_D2H2T2"] == 6
    assert found["ID16_diatomee_data"] == found["medipix"] == found["fabio_i01f0001"] == 1
    assert not any("dark" in title or "flat" in title for title in found)
