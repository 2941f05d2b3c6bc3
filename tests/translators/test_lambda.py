"""Lambda series: a file for each module and part, as X-Spectrum's software leaves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from nxscan.translators.lambda_xspectrum import LambdaTranslator

DATA = "/entry/instrument/detector/data"
SEQUENCE = "/entry/instrument/detector/sequence_number"
IMAGES = coded(7, 3, 4, 5)
PLACES = ((0, 0), (7, 1), (0, 6))
"""Column and row of three modules of 4 × 5 pixels with gaps between them."""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def go(images: Any = IMAGES, places: Any = PLACES, **what: Any) -> list[Path]:
        what.setdefault("per_part", 3)
        name = what.pop("name", "simulated_lambda_00001")
        return write_lambda(LambdaSeries(images, places, **what), tmp_path / "raw", name)

    return go


def assembled(images: np.ndarray[Any, Any] = IMAGES) -> np.ndarray[Any, Any]:
    """Return the frames by hand: three modules in 10 × 12 pixels, the largest value between."""
    whole = np.full((len(images), 10, 12), np.iinfo(images.dtype).max, images.dtype)
    whole[:, 0:4, 0:5] = images[:, 0]
    whole[:, 1:5, 7:12] = images[:, 1]
    whole[:, 6:10, 0:5] = images[:, 2]
    return whole


def gaps() -> np.ndarray[Any, Any]:
    outside = np.ones((10, 12), bool)
    outside[0:4, 0:5] = outside[1:5, 7:12] = outside[6:10, 0:5] = False
    return outside


def test_a_series_is_listed_with_its_frames(write, tmp_path):
    write()
    ref = LambdaTranslator().scans(sorted((tmp_path / "raw").iterdir()))[0]
    assert (ref.title, ref.frames, ref.declared) == ("simulated_lambda_00001", 7, 7)
    assert (ref.shape, ref.dtype) == ((10, 12), "uint16")
    assert ref.started == "2024-05-14T10:30:00+02:00"


def test_modules_and_parts_are_put_in_their_places(write):
    scan, report = open_scan(LambdaTranslator(), write())
    assert errors(report) == []
    assert isinstance(scan.signal, VirtualSignal)
    np.testing.assert_array_equal(scan.signal[...], assembled())
    np.testing.assert_array_equal(scan.signal[2:5, 2:8, 3:9], assembled()[2:5, 2:8, 3:9])


def test_files_may_be_given_in_any_order(write):
    scan, _ = open_scan(LambdaTranslator(), write()[::-1])
    np.testing.assert_array_equal(scan.signal[...], assembled())


def test_one_module_without_gaps_needs_no_mask(write):
    scan, report = open_scan(LambdaTranslator(), write(IMAGES[:, :1], ((12, 9),)))
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], IMAGES[:, 0])
    assert scan.mask is None
    assert scan.signal.gap is None


@pytest.mark.parametrize(("dtype", "gap"), [("u2", 65535), ("u4", 2**32 - 1), ("i4", -1)])
def test_gaps_are_masked_and_have_a_value_that_no_count_has(write, dtype, gap):
    scan, _ = open_scan(LambdaTranslator(), write(coded(2, 3, 4, 5, dtype=dtype)))
    assert (scan.signal[...][:, gaps()] == gap).all()
    np.testing.assert_array_equal(scan.mask, gaps().astype(np.uint32))


def test_masks_of_modules_are_put_in_place_with_their_bits(write):
    masks = np.zeros((3, 4, 5), np.uint32)
    masks[0, 1, 2], masks[1, 3, 4], masks[2, 0, 0] = 2, 2**31, 16
    scan, _ = open_scan(LambdaTranslator(), write(masks=masks))
    expected = gaps().astype(np.uint32)
    expected[1, 2], expected[1 + 3, 7 + 4], expected[6, 0] = 2, 2**31, 16
    np.testing.assert_array_equal(scan.mask, expected)


def test_the_flat_divides_as_the_factors_multiply_and_is_nan_in_gaps(write):
    factors = np.linspace(0.5, 2.0, 60, dtype=np.float32).reshape(3, 4, 5)
    scan, _ = open_scan(LambdaTranslator(), write(flatfields=factors))
    assert scan.flat.shape == (1, 10, 12)
    np.testing.assert_allclose(scan.flat[0, 1:5, 7:12], 1 / factors[1].astype(float), rtol=1e-6)
    assert np.isnan(scan.flat[0][gaps()]).all()


def test_a_translation_is_valid_and_touches_nothing_of_the_source(write, tmp_path):
    write(masks=np.zeros((3, 4, 5), np.uint32))
    before = snapshot([tmp_path / "raw"])
    scan = translated(tmp_path / "raw", tmp_path)
    np.testing.assert_array_equal(scan.signal[...], assembled())
    np.testing.assert_array_equal(scan.counters["sequence_number"].value, np.arange(1, 8))
    assert len(scan.provenance.sources) == 9
    assert snapshot([tmp_path / "raw"]) == before


def test_by_default_frames_are_linked_and_may_be_moved_with_the_master(write, tmp_path):
    write()
    for values in linked_and_moved(tmp_path / "raw", tmp_path):
        np.testing.assert_array_equal(values, assembled())


def test_modules_too_far_apart_are_refused(write, tmp_path):
    write(places=((0, 0), (7, 1), (0, 1_000_000)))
    assert "3 modules lie so far apart" in refused(tmp_path / "raw", tmp_path)


def test_the_detector_is_described_in_the_units_that_the_file_states(write):
    scan, report = open_scan(LambdaTranslator(), write())
    expected = {
        "x_pixel_size": (55.0, "um"),
        "sensor_thickness": (300.0, "um"),
        "count_time": (0.1, "s"),
        "frame_time": (0.101, "s"),
        "saturation_value": (4095, None),
    }
    for name, (value, units) in expected.items():
        found = scan.metadata[f"instrument/detector/{name}"]
        assert found.value == pytest.approx(value), name
        assert found.units == units, name
    assert warnings_of(report) == []


def test_places_in_meters_are_turned_into_pixels(write):
    paths = write()
    for path in paths:
        with h5py.File(path, "r+") as file:
            node = file["/entry/instrument/detector/translation/distance"]
            node[...] = node[...] * 55e-6
            node.attrs["units"] = "m"
    scan, report = open_scan(LambdaTranslator(), paths)
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], assembled())


@pytest.mark.parametrize("first", [0, 1])
def test_parts_may_begin_at_0_or_1(write, first):
    scan, report = open_scan(LambdaTranslator(), write(first_part=first))
    assert errors(report) == []
    assert len(scan.signal) == 7


def test_parts_that_each_count_from_one_follow_each_other(write):
    paths = write()
    for path in paths:
        with h5py.File(path, "r") as file:
            count = len(file[DATA])
        rewritten(path, SEQUENCE, np.arange(1, count + 1))
    scan, report = open_scan(LambdaTranslator(), paths)
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], assembled())


def test_a_missing_module_is_named(write, tmp_path):
    for path in write():
        if "_m02_" in path.name:
            path.unlink()
    message = refused(tmp_path / "raw", tmp_path)
    assert "simulated_lambda_00001_m02_part00001.nxs" in message
    assert message.count("\n") == 0
    scan = translated(tmp_path / "raw", tmp_path, partial=True)
    np.testing.assert_array_equal(scan.signal[:, :, :5], assembled()[:, :, :5])
    assert scan.signal.shape == (7, 10, 5)


def test_a_missing_part_is_named_and_partial_takes_what_all_modules_have(write, tmp_path):
    lost = write()[4]
    assert lost.name == "simulated_lambda_00001_m02_part00002.nxs"
    lost.unlink()
    message = refused(tmp_path / "raw", tmp_path)
    assert lost.name in message
    assert message.count("\n") == 0
    scan = translated(tmp_path / "raw", tmp_path, partial=True)
    there = [0, 1, 2, 6]
    np.testing.assert_array_equal(scan.signal[...], assembled()[there])
    np.testing.assert_array_equal(scan.counters["sequence_number"].value, np.array(there) + 1)


def test_files_beside_those_that_were_given_are_asked_for(write, tmp_path):
    message = refused(write()[:3], tmp_path)
    assert "simulated_lambda_00001_m02_part00001.nxs" in message
    assert "not given, though files beside it were" in message


def test_live_takes_the_frames_before_the_parts_that_are_not_yet(write, tmp_path):
    paths = write()
    for path in (paths[5], paths[8]):
        path.unlink()
    scan, report = open_scan(LambdaTranslator(), tmp_path / "raw", live=True)
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], assembled()[:6])


def test_a_truncated_part_is_named(write, tmp_path):
    paths = write()
    cut(paths[7])
    message = refused(tmp_path / "raw", tmp_path)
    assert paths[7].name in message
    assert "truncated" in message
    assert message.count("\n") == 0


def test_a_part_of_another_shape_or_type_is_refused_by_name(write, tmp_path):
    paths = write()
    rewritten(paths[4], DATA, np.zeros((3, 4, 6), np.uint16))
    message = refused(tmp_path / "raw", tmp_path)
    assert paths[4].name in message
    assert "4 × 6 uint16" in message
    rewritten(paths[4], DATA, np.zeros((3, 4, 5), np.int32))
    assert "4 × 5 int32" in refused(tmp_path / "raw", tmp_path)


def test_lost_frames_are_refused_by_number(write, tmp_path):
    paths = write()
    for path in (paths[1], paths[4], paths[7]):
        rewritten(path, SEQUENCE, np.array([4, 5, 7]))
    for path in (paths[2], paths[5], paths[8]):
        rewritten(path, SEQUENCE, np.array([8]))
    assert "frames 6 of 8 are not in its files" in refused(tmp_path / "raw", tmp_path)
    scan, report = open_scan(LambdaTranslator(), tmp_path / "raw", partial=True)
    assert errors(report) == []
    np.testing.assert_array_equal(scan.counters["sequence_number"].value, [1, 2, 3, 4, 5, 7, 8])
    np.testing.assert_array_equal(scan.signal[...], assembled())


def test_a_module_that_lags_behind_is_refused_or_cut(write, tmp_path):
    paths = write()
    rewritten(paths[8], DATA, np.zeros((0, 4, 5), np.uint16))
    rewritten(paths[8], SEQUENCE, np.zeros(0, np.int32))
    message = refused(tmp_path / "raw", tmp_path)
    assert "module 3: frames 7 of 7" in message
    scan, _ = open_scan(LambdaTranslator(), tmp_path / "raw", partial=True)
    np.testing.assert_array_equal(scan.signal[...], assembled()[:6])


def test_frames_never_written_are_refused_by_number(write, tmp_path):
    paths = write(per_part=7)
    grow(paths[1], DATA, 9)
    rewritten(paths[1], SEQUENCE, np.arange(1, 10))
    message = refused(tmp_path / "raw", tmp_path)
    assert "module 2: frames 8–9 of 9 were never written" in message


def test_a_series_without_a_written_frame_is_refused(write, tmp_path):
    for path in write(per_part=7):
        with h5py.File(path, "r+") as file:
            del file[DATA]
            file.create_dataset(DATA, (7, 4, 5), "u2", chunks=(1, 4, 5))
    assert "none of the 7 frames was ever written" in refused(tmp_path / "raw", tmp_path)


def test_modules_that_lie_over_each_other_are_refused(write, tmp_path):
    write(places=((0, 0), (3, 1), (0, 6)))
    message = refused(tmp_path / "raw", tmp_path)
    assert "module 2 at row 1, column 3 lies over module 1" in message


def test_a_module_whose_place_is_unknown_is_refused(write, tmp_path):
    paths = write()
    for path in paths[3:6]:
        with h5py.File(path, "r+") as file:
            del file["/entry/instrument/detector/translation"]
    assert "does not say where module 2 is" in refused(tmp_path / "raw", tmp_path)


def test_only_lambda_files_are_opened(write, tmp_path):
    paths = write()
    assert all(LambdaTranslator().can_open(path) for path in paths)
    others = [
        write_eiger(EigerSeries(coded(2, 4, 5)), tmp_path / "other"),
        write_areadetector(AreaDetectorFile(coded(2, 4, 5)), tmp_path / "other" / "ad.h5"),
    ]
    nxscan.translate(tmp_path / "raw", tmp_path / "out.nxs", link=False)
    for path in [*others, tmp_path / "out.nxs"]:
        assert not LambdaTranslator().can_open(path), path
    with pytest.raises(SourceError, match="no file of a Lambda"):
        LambdaTranslator().scans(others)


def test_real_files_of_other_kinds_are_not_lambdas(shared_data):
    names = ("bliss/hc2103/PTO_STO_SL_0001.h5", "dls/savu_testfluo2.nxs", "dls/hdfmap_1040323.nxs")
    for name in names:
        assert not LambdaTranslator().can_open(shared_data(name)), name
