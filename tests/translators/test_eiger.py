"""Eiger series: master and data files, as DECTRIS' FileWriter lays them out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import fabio
import h5py
import numpy as np
import pytest
from helpers.vendor import (
    coded,
    cut,
    errors,
    grow,
    linked_and_moved,
    open_scan,
    refused,
    rewritten,
    snapshot,
    translated,
    warnings_of,
)

import nxscan
from nxscan.errors import SourceError
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.simulate.areadetector import AreaDetectorFile, write_areadetector
from nxscan.simulate.eiger import EigerSeries, write_eiger
from nxscan.simulate.lambda_xspectrum import LambdaSeries, write_lambda
from nxscan.translators.eiger import EigerTranslator

IMAGES = coded(10, 6, 8)
DATA = "/entry/data/data"


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def go(images: Any = IMAGES, name: str = "simulated_eiger_1", **what: Any) -> Path:
        what.setdefault("per_file", 4)
        return write_eiger(EigerSeries(images, **what), tmp_path / "raw", name)

    return go


def rotation(count: int = 10, step: float = 0.1) -> dict[str, Any]:
    starts = 5.0 + step * np.arange(count)
    return {"goniometer": {"omega": starts}, "increments": {"omega": step}}


def test_a_series_is_listed_with_images_declared_and_time(write):
    ref = EigerTranslator().scans([write()])[0]
    assert (ref.title, ref.frames, ref.declared) == ("simulated_eiger_1", 10, 10)
    assert (ref.shape, ref.dtype, ref.detectors) == ((6, 8), "uint16", ("detector",))
    assert ref.started == "2024-05-14T10:30:00.123456+02:00"


@pytest.mark.parametrize("packing", ["bslz4", "lz4", None])
def test_images_of_all_files_follow_each_other_in_their_place(write, packing):
    scan, report = open_scan(EigerTranslator(), write(packing=packing))
    assert errors(report) == []
    assert isinstance(scan.signal, VirtualSignal)
    np.testing.assert_array_equal(scan.signal[...], IMAGES)
    assert scan.signal.units == "counts"


def test_a_folder_gives_one_scan_for_each_master(write, tmp_path):
    write(name="b_2", images=IMAGES[:3])
    write(name="a_1")
    refs = EigerTranslator().scans(sorted((tmp_path / "raw").iterdir()))
    assert [(ref.number, ref.title, ref.frames) for ref in refs] == [
        ("1", "a_1", 10),
        ("2", "b_2", 3),
    ]


def test_order_follows_image_numbers_whatever_the_files_are_called(write):
    master = write(per_file=5)
    one, two = (master.with_name(f"simulated_eiger_1_data_00000{k}.h5") for k in (1, 2))
    one.rename(master.with_name("swap"))
    two.rename(one)
    master.with_name("swap").rename(two)
    scan, report = open_scan(EigerTranslator(), master)
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], IMAGES)
    np.testing.assert_array_equal(scan.counters["image_number"].value, np.arange(1, 11))


def test_a_circle_that_turns_is_the_axis_at_its_centers_with_its_width(write):
    scan, _ = open_scan(EigerTranslator(), write(**rotation()))
    omega = scan.axes["omega"]
    np.testing.assert_allclose(omega.values, 5.05 + 0.1 * np.arange(10), rtol=1e-12)
    np.testing.assert_allclose(omega.width, np.full(10, 0.1), rtol=1e-9)
    assert (omega.units, omega.role, omega.dimension) == ("degree", "scan", 0)


def test_triggers_at_several_angles_make_a_grid(write):
    chi, omega = np.repeat([0.0, 10.0], 5), np.tile(0.5 * np.arange(5), 2)
    master = write(triggers=2, goniometer={"omega": omega, "chi": chi}, increments={"omega": 0.5})
    scan, report = open_scan(EigerTranslator(), master)
    assert EigerTranslator().scans([master])[0].declared == 10
    assert errors(report) == []
    assert scan.scan_shape == (2, 5)
    np.testing.assert_array_equal(scan.signal[...], IMAGES.reshape(2, 5, 6, 8))
    np.testing.assert_allclose(scan.axes["omega"].values, 0.25 + 0.5 * np.arange(5))
    np.testing.assert_allclose(scan.axes["omega"].width, np.full(5, 0.5))
    assert scan.axes["chi"].width is None


def test_a_range_swept_in_every_image_is_integrated_not_scanned(write, tmp_path):
    master = write(
        goniometer={"phi": np.arange(10.0), "omega": np.full(10, -1.5)}, increments={"omega": 3.5}
    )
    scan, _ = open_scan(EigerTranslator(), master)
    assert scan.main_axes()[0].name == "phi"
    assert "omega" not in {axis.name for axis in scan.axes.values() if axis.role == "scan"}
    found = translated(master, tmp_path)
    assert found.scan_shape == (10,)
    for one in (scan, found):
        np.testing.assert_allclose(one.integrated["omega"].values, [0.25])
        np.testing.assert_allclose(one.integrated["omega"].width, [3.5])


def test_a_translation_is_valid_and_touches_nothing_of_the_source(write, tmp_path):
    master = write(**rotation(), mask=np.eye(6, 8, dtype=np.uint32))
    before = snapshot([tmp_path / "raw"])
    scan = translated(tmp_path / "raw", tmp_path)
    np.testing.assert_array_equal(scan.signal[...], IMAGES)
    np.testing.assert_allclose(scan.axes["omega"].width, np.full(10, 0.1))
    assert Path(scan.provenance.sources[0].path).name == master.name
    assert sum(source.frames for source in scan.provenance.sources) == 10
    assert snapshot([tmp_path / "raw"]) == before


def test_by_default_images_are_linked_and_may_be_moved_with_the_master(write, tmp_path):
    write(flatfield=np.ones((6, 8), np.float32))
    for values in linked_and_moved(tmp_path / "raw", tmp_path):
        np.testing.assert_array_equal(values, IMAGES)


def test_the_detector_and_the_beam_are_described_in_their_units(write):
    scan, report = open_scan(EigerTranslator(), write())
    detector = "instrument/detector"
    expected = {
        f"{detector}/x_pixel_size": (75.0, "um"),
        f"{detector}/sensor_thickness": (450.0, "um"),
        f"{detector}/distance": (0.25, "m"),
        f"{detector}/beam_center_x": (4.0, "pixel"),
        f"{detector}/count_time": (0.00999, "s"),
        f"{detector}/threshold_energy": (6350.0, "eV"),
        f"{detector}/saturation_value": (65534, None),
        f"{detector}/flatfield_applied": (1, None),
        "instrument/beam/incident_energy": (12.7, "keV"),
        "instrument/beam/incident_wavelength": (0.9763, "angstrom"),
    }
    for path, (value, units) in expected.items():
        found = scan.metadata[path]
        assert found.value == pytest.approx(value), path
        assert found.units == units, path
    assert scan.metadata["start_time"].value == "2024-05-14T10:30:00.123456+02:00"
    assert warnings_of(report) == []


def test_a_unit_that_the_file_states_goes_before_the_mappings(write):
    master = write()
    with h5py.File(master, "r+") as file:
        node = file["/entry/instrument/detector/detector_distance"]
        node[...] = 250.0
        node.attrs["units"] = "mm"
    scan, _ = open_scan(EigerTranslator(), master)
    assert scan.metadata["instrument/detector/distance"].value == pytest.approx(0.25)


def test_the_pixel_mask_keeps_its_bits_and_zero_is_good(write):
    mask = np.zeros((6, 8), np.uint32)
    mask[0, 1], mask[2, 3], mask[5, 7] = 1, 2, 16
    scan, _ = open_scan(EigerTranslator(), write(mask=mask))
    np.testing.assert_array_equal(scan.mask, mask)


def test_a_flat_that_was_applied_is_kept_where_nobody_applies_it_again(write, tmp_path):
    factors = np.linspace(0.5, 2.0, 48, dtype=np.float32).reshape(6, 8)
    master = write(flatfield=factors)
    scan = translated(master, tmp_path)
    assert scan.flat is None
    assert scan.metadata["instrument/detector/flatfield_applied"].value == 1
    kept = scan.metadata["instrument/detector/corrections/flatfield"].value
    np.testing.assert_array_equal(kept, factors)


def test_a_flat_that_was_not_applied_divides_as_the_factors_multiply(write):
    factors = np.linspace(0.5, 2.0, 48, dtype=np.float32).reshape(6, 8)
    factors[3, 3] = 0
    master = write(flatfield=factors)
    with h5py.File(master, "r+") as file:
        file["/entry/instrument/detector/flatfield_correction_applied"][...] = 0
    scan, _ = open_scan(EigerTranslator(), master)
    assert scan.flat.shape == (1, 6, 8)
    good = factors > 0
    np.testing.assert_allclose(scan.flat[0][good], 1 / factors[good].astype(float), rtol=1e-6)
    assert np.isnan(scan.flat[0, 3, 3])


def test_fabio_reads_the_simulated_series_as_eiger(write):
    with fabio.open(str(write())) as peer:
        assert type(peer).__name__ == "EigerImage"
        assert peer.nframes == 10
        for k in range(10):
            np.testing.assert_array_equal(peer.getframe(k).data, IMAGES[k])


def test_a_mask_of_another_shape_is_left_out_with_a_warning(write):
    master = write()
    with h5py.File(master, "r+") as file:
        specific = file["/entry/instrument/detector/detectorSpecific"]
        specific["pixel_mask"] = np.zeros((5, 5), np.uint32)
    scan, report = open_scan(EigerTranslator(), master)
    assert scan.mask is None
    assert any("pixel_mask" in text for text in warnings_of(report))


def test_data_files_alone_are_refused_with_the_master_to_give(write, tmp_path):
    master = write()
    data = master.with_name("simulated_eiger_1_data_000002.h5")
    assert EigerTranslator().can_open(data)
    assert f"give {master}" in refused(data, tmp_path)
    master.unlink()
    assert "copy simulated_eiger_1_master.h5 beside it" in refused(data, tmp_path)


def test_a_missing_data_file_is_named_with_its_images(write, tmp_path):
    master = write(**rotation())
    lost = master.with_name("simulated_eiger_1_data_000002.h5")
    lost.unlink()
    message = refused(master, tmp_path)
    assert message.count("\n") == 0
    assert str(lost) in message
    assert "images 5–8" in message


def test_partial_takes_the_images_that_are_there_with_their_numbers(write, tmp_path):
    master = write(**rotation())
    master.with_name("simulated_eiger_1_data_000002.h5").unlink()
    scan = translated(master, tmp_path, partial=True)
    there = [0, 1, 2, 3, 8, 9]
    np.testing.assert_array_equal(scan.signal[...], IMAGES[there])
    np.testing.assert_array_equal(scan.counters["image_number"].value, np.array(there) + 1)
    np.testing.assert_allclose(scan.axes["omega"].values, 5.05 + 0.1 * np.array(there))


def test_the_first_file_may_be_the_missing_one(write):
    master = write(**rotation())
    master.with_name("simulated_eiger_1_data_000001.h5").unlink()
    scan, report = open_scan(EigerTranslator(), master, partial=True)
    assert "images 1–4" in warnings_of(report)[0]
    np.testing.assert_allclose(scan.axes["omega"].values, 5.05 + 0.1 * np.arange(4, 10))


def test_numbers_may_begin_anywhere(write):
    scan, report = open_scan(EigerTranslator(), write(first=101, **rotation()))
    assert errors(report) == []
    np.testing.assert_array_equal(scan.counters["image_number"].value, np.arange(101, 111))
    np.testing.assert_allclose(scan.axes["omega"].values[0], 5.05)


def test_a_truncated_data_file_is_named(write, tmp_path):
    master = write()
    lost = master.with_name("simulated_eiger_1_data_000003.h5")
    cut(lost)
    message = refused(tmp_path / "raw", tmp_path)
    assert str(lost) in message
    assert "truncated" in message
    assert "images 9–10" in message


def test_a_truncated_master_is_named(write, tmp_path):
    master = write()
    cut(master)
    message = refused(tmp_path / "raw", tmp_path)
    assert str(master) in message


def test_images_of_another_shape_or_type_are_refused_by_name(write, tmp_path):
    master = write()
    odd = master.with_name("simulated_eiger_1_data_000002.h5")
    rewritten(odd, DATA, np.zeros((4, 6, 9), np.uint16))
    message = refused(master, tmp_path)
    assert str(odd) in message
    assert "6 × 9 uint16" in message
    rewritten(odd, DATA, np.zeros((4, 6, 8), np.uint32))
    assert "6 × 8 uint32" in refused(master, tmp_path)


def test_images_that_are_there_twice_are_refused(write, tmp_path):
    master = write()
    one, two = (master.with_name(f"simulated_eiger_1_data_00000{k}.h5") for k in (1, 2))
    shutil.copy(one, two)
    assert "images 1–4 are in both" in refused(master, tmp_path)


def test_images_never_written_are_refused_by_number_and_left_out_when_asked(write, tmp_path):
    master = write(images=IMAGES[:6], per_file=4)
    last = master.with_name("simulated_eiger_1_data_000002.h5")
    grow(last, DATA, 4)
    with h5py.File(last, "r+") as file:
        file[DATA].attrs["image_nr_high"] = 8
    with h5py.File(master, "r+") as file:
        file["/entry/instrument/detector/detectorSpecific/nimages"][...] = 8
    message = refused(master, tmp_path)
    assert "never written: numbers 7–8" in message
    assert message.count("\n") == 0
    for option in ("live", "partial"):
        scan, report = open_scan(EigerTranslator(), master, **{option: True})
        assert errors(report) == []
        np.testing.assert_array_equal(scan.signal[...], IMAGES[:6])


def test_a_series_without_a_written_image_is_refused(write, tmp_path):
    master = write(per_file=10)
    data = master.with_name("simulated_eiger_1_data_000001.h5")
    with h5py.File(data, "r+") as file:
        del file[DATA]
        node = file.create_dataset(DATA, (10, 6, 8), "u2", chunks=(1, 6, 8), fillvalue=65535)
        node.attrs["image_nr_low"], node.attrs["image_nr_high"] = 1, 10
    assert "none of the 10 frames was ever written" in refused(master, tmp_path)


def test_an_aborted_series_is_refused_with_both_numbers(write, tmp_path):
    master = write(images=IMAGES[:8], per_file=4)
    with h5py.File(master, "r+") as file:
        file["/entry/instrument/detector/detectorSpecific/nimages"][...] = 10
    assert EigerTranslator().scans([master])[0].declared == 10
    assert "8 of 10 images are there: 9–10 are missing" in refused(master, tmp_path)
    scan, report = open_scan(EigerTranslator(), master, partial=True)
    assert len(scan.signal) == 8
    assert any("8 of 10" in text for text in warnings_of(report))


def test_live_takes_what_is_there_before_the_files_that_are_not_yet(write):
    master = write(**rotation())
    for k in (2, 3):
        master.with_name(f"simulated_eiger_1_data_00000{k}.h5").unlink()
    scan, report = open_scan(EigerTranslator(), master, live=True)
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], IMAGES[:4])


def test_live_does_not_pass_over_a_file_in_the_middle(write):
    master = write()
    master.with_name("simulated_eiger_1_data_000002.h5").unlink()
    _, report = open_scan(EigerTranslator(), master, live=True)
    assert len(errors(report)) == 1


def test_circles_with_fewer_values_than_images_are_no_axis(write):
    master = write(**rotation())
    with h5py.File(master, "r+") as file:
        group = file["/entry/sample/goniometer"]
        for name in ("omega", "omega_end"):
            kept = group[name][:7]
            del group[name]
            group[name] = kept
    scan, report = open_scan(EigerTranslator(), master)
    assert scan.main_axes()[0].name == "frame"
    assert any("7 values for 10 images" in text for text in warnings_of(report))


def test_a_data_file_is_not_taken_from_the_working_directory(write, tmp_path, monkeypatch):
    master = write()
    lost = master.with_name("simulated_eiger_1_data_000001.h5")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    lost.rename(elsewhere / lost.name)
    monkeypatch.chdir(elsewhere)
    assert str(lost) in refused(master, tmp_path)


def test_names_that_are_no_text_are_passed_over(write):
    master = write()
    with h5py.File(master, "r+") as file:
        file["/entry/data"].create_group(b"data_\xff\xfe")
    scan, report = open_scan(EigerTranslator(), master)
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], IMAGES)


def test_an_absurd_number_of_images_is_damage(write, tmp_path):
    master = write(per_file=10)
    data = master.with_name("simulated_eiger_1_data_000001.h5")
    with h5py.File(data, "r+") as file:
        del file[DATA]
        file.create_dataset(DATA, (2**40, 6, 8), "u2", chunks=(1, 6, 8))
    message = refused(master, tmp_path)
    assert str(data) in message
    assert f"{2**40} frames" in message


def test_only_eiger_files_are_opened(write, tmp_path):
    master = write()
    assert EigerTranslator().can_open(master)
    others = [
        *write_lambda(LambdaSeries(coded(2, 1, 4, 5)), tmp_path / "other"),
        write_areadetector(AreaDetectorFile(coded(2, 4, 5)), tmp_path / "other" / "ad.h5"),
    ]
    nxscan.translate(master, tmp_path / "out.nxs", link=False)
    for path in [*others, tmp_path / "out.nxs"]:
        assert not EigerTranslator().can_open(path), path
    with pytest.raises(SourceError, match="no Eiger master"):
        EigerTranslator().scans(others)


def test_real_files_of_other_kinds_are_not_eigers(shared_data):
    names = ("bliss/hc2103/PTO_STO_SL_0001.h5", "dls/savu_testfluo2.nxs", "dls/hdfmap_1040323.nxs")
    for name in names:
        assert not EigerTranslator().can_open(shared_data(name)), name


def test_a_refusal_says_why(write, tmp_path):
    text = tmp_path / "notes.h5"
    text.write_text("no HDF5")
    assert "no HDF5 file" in EigerTranslator().refusal(text)
    master = write()
    cut(master)
    assert "truncated" in EigerTranslator().refusal(master)
