"""Files of EPICS areaDetector's NDFileHDF5, in its default layout."""

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
from nxscan.translate.contract import Options
from nxscan.translate.mapping import parse_mapping
from nxscan.translate.report import Report
from nxscan.translators.areadetector import AreaDetectorTranslator

IMAGES = coded(12, 4, 5)
DATA = "/entry/instrument/detector/data"
ATTRIBUTES = "/entry/instrument/NDAttributes"
X, Y = np.tile([0.0, 1, 2, 3], 3), np.repeat([0.0, 0.5, 1], 4)
SOURCES = {"SampleX": "13IDA:m1.RBV", "SampleY": "13IDA:m2.RBV", "I0": "13IDA:scaler1.S2"}


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def go(images: Any = IMAGES, name: str = "simulated_ad_0001.h5", **what: Any) -> Path:
        return write_areadetector(AreaDetectorFile(images, **what), tmp_path / "raw" / name)

    return go


def grid(**more: Any) -> dict[str, Any]:
    return {"attributes": {"SampleX": X, "SampleY": Y, **more}, "sources": SOURCES}


def singles(write: Any, numbers: list[int], ids: list[int] | None = None) -> list[Path]:
    """Write one frame a file, the file's number in its name and its position in an attribute."""
    unique = numbers if ids is None else ids
    return [
        write(
            IMAGES[k : k + 1],
            f"simulated_{number}.h5",
            ids=[unique[k]],
            attributes={"SampleX": np.array([0.5 * k])},
            sources=SOURCES,
        )
        for k, number in enumerate(numbers)
    ]


def test_a_file_is_listed_with_its_frames_and_time(write):
    ref = AreaDetectorTranslator().scans([write()])[0]
    assert (ref.title, ref.frames, ref.shape) == ("simulated_ad_0001", 12, (4, 5))
    # 1 084 500 600 s after 1990-01-01, counted by hand
    assert ref.started == "2024-05-14T02:10:00+00:00"


def test_motors_of_the_attributes_make_the_grid(write):
    scan, report = open_scan(AreaDetectorTranslator(), write(**grid()))
    assert errors(report) == []
    assert isinstance(scan.signal, VirtualSignal)
    assert [axis.name for axis in scan.main_axes()] == ["SampleY", "SampleX", "y", "x"]
    np.testing.assert_array_equal(scan.signal[...], IMAGES.reshape(3, 4, 4, 5))
    np.testing.assert_array_equal(scan.axes["SampleX"].values, [0, 1, 2, 3])


def test_a_zigzag_is_put_in_order(write):
    turned = X.reshape(3, 4).copy()
    turned[1] = turned[1, ::-1]
    scan, _ = open_scan(
        AreaDetectorTranslator(),
        write(attributes={"SampleX": turned.ravel(), "SampleY": Y}, sources=SOURCES),
    )
    expected = IMAGES.reshape(3, 4, 4, 5).copy()
    expected[1] = expected[1, ::-1]
    np.testing.assert_array_equal(scan.signal[...], expected)
    unique = scan.counters["NDArrayUniqueId"].value
    np.testing.assert_array_equal(unique, [[1, 2, 3, 4], [8, 7, 6, 5], [9, 10, 11, 12]])


def test_a_translation_is_valid_and_touches_nothing_of_the_source(write, tmp_path):
    path = write(**grid(I0=1000.0 + np.arange(12)))
    before = snapshot([tmp_path / "raw"])
    scan = translated(path, tmp_path)
    np.testing.assert_array_equal(scan.signal[...], IMAGES.reshape(3, 4, 4, 5))
    np.testing.assert_array_equal(scan.counters["I0"].value, (1000.0 + np.arange(12)).reshape(3, 4))
    np.testing.assert_allclose(
        scan.counters["elapsed_time"].value.ravel(), 0.1 * np.arange(12), atol=1e-6
    )
    assert scan.metadata["start_time"].value == "2024-05-14T02:10:00+00:00"
    assert snapshot([tmp_path / "raw"]) == before


def test_by_default_frames_are_linked_and_may_be_moved_with_the_master(write, tmp_path):
    write(**grid())
    for values in linked_and_moved(tmp_path / "raw", tmp_path):
        np.testing.assert_array_equal(values, IMAGES.reshape(3, 4, 4, 5))


def test_what_varies_and_is_no_motor_record_is_a_counter(write):
    path = write(**grid(I0=1000.0 + np.arange(12), RingCurrent=200 - 0.01 * np.arange(12)))
    scan, report = open_scan(AreaDetectorTranslator(), path)
    assert {"I0", "RingCurrent"} <= set(scan.counters)
    assert scan.scan_shape == (3, 4)
    current = scan.metadata["instrument/source/current"]
    assert current.value.shape == (3, 4)
    assert current.units == "mA"
    assert warnings_of(report) == []


def test_an_attribute_can_be_named_as_axis(write):
    path = write(attributes={"Angle": 0.5 * np.arange(12)}, sources={"Angle": "soft:angle"})
    scan, report = open_scan(AreaDetectorTranslator(), path)
    assert scan.main_axes()[0].name == "frame"
    assert any("Angle" in str(problem) for problem in report.problems)
    scan, _ = open_scan(AreaDetectorTranslator(), path, axes={"Angle": 12})
    np.testing.assert_array_equal(scan.axes["Angle"].values, 0.5 * np.arange(12))


def test_a_users_mapping_names_a_motor_and_its_unit(write):
    mapping = parse_mapping(
        'name = "mine"\nmotors.Angle = { units = "degree", long_name = "rotation" }', "mine.toml"
    )
    path = write(attributes={"Angle": 0.5 * np.arange(12)}, sources={"Angle": "soft:angle"})
    scan, _ = open_scan(AreaDetectorTranslator(), path, mapping=mapping)
    assert scan.axes["Angle"].units == "degree"
    assert scan.axes["Angle"].label == "rotation (degree)"


def test_what_cannot_be_done_is_an_error(write):
    path = write()
    for option in ({"detector": "other"}, {"dark": [path]}, {"flat": [path]}):
        _, report = open_scan(AreaDetectorTranslator(), path, **option)
        assert len(errors(report)) == 1
        assert f"--{next(iter(option))}" in errors(report)[0]


def test_motors_that_stood_still_and_texts_are_kept(write):
    path = write(
        attributes={"SampleX": np.arange(12.0), "SampleY": np.full(12, 3.5), "Model": ["sim"] * 12},
        sources=SOURCES,
    )
    scan, _ = open_scan(AreaDetectorTranslator(), path)
    assert scan.metadata["instrument/SampleY/value"].value == 3.5
    assert scan.metadata["instrument/detector/description"].value == "sim"


def test_lost_frames_are_refused_by_number(write, tmp_path):
    ids = [1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 14, 15]
    path = write(ids=ids, **grid())
    message = refused(path, tmp_path)
    assert "3 frames were lost: NDArrayUniqueId leaves out 4, 9–10" in message
    assert message.count("\n") == 0
    scan = translated(path, tmp_path, partial=True)
    np.testing.assert_array_equal(scan.counters["NDArrayUniqueId"].value.ravel(), ids)
    np.testing.assert_array_equal(scan.signal[...].reshape(12, 4, 5), IMAGES)


def test_ids_of_every_third_frame_are_no_loss(write):
    _, report = open_scan(AreaDetectorTranslator(), write(ids=range(4, 40, 3), **grid()))
    assert errors(report) == warnings_of(report) == []
    assert any("in steps of 3" in str(problem) for problem in report.problems)


def test_ids_that_begin_anew_are_a_warning(write):
    _, report = open_scan(AreaDetectorTranslator(), write(ids=[*range(1, 7), *range(1, 7)]))
    assert errors(report) == []
    assert any("goes from 6 to 1 after frame 6" in text for text in warnings_of(report))


def test_files_of_one_frame_are_one_scan_in_the_order_of_their_numbers(write, tmp_path):
    singles(write, [8, 9, 10, 11])
    refs = AreaDetectorTranslator().scans(sorted((tmp_path / "raw").iterdir()))
    assert [(ref.title, ref.frames) for ref in refs] == [("simulated", 4)]
    scan, report = open_scan(AreaDetectorTranslator(), tmp_path / "raw")
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], IMAGES[:4])
    np.testing.assert_array_equal(scan.axes["SampleX"].values, [0, 0.5, 1, 1.5])


def test_a_file_that_is_missing_in_a_series_is_a_lost_frame(write, tmp_path):
    singles(write, [1, 2, 4, 5])
    assert "1 frame was lost: NDArrayUniqueId leaves out 3" in refused(tmp_path / "raw", tmp_path)


def test_a_frame_may_be_stored_without_a_frame_dimension(write):
    path = write(IMAGES[:1])
    rewritten(path, DATA, IMAGES[0])
    with h5py.File(path, "r+") as file:
        del file["/entry/data/data"]
        file["/entry/data/data"] = file[DATA]
    scan, report = open_scan(AreaDetectorTranslator(), path)
    assert errors(report) == []
    np.testing.assert_array_equal(np.squeeze(scan.signal[...]), IMAGES[0])


def test_files_of_many_frames_are_scans_of_their_own_and_can_be_joined(write, tmp_path):
    write(IMAGES[:6], "run_1.h5", attributes={"SampleX": X[:6]}, sources=SOURCES)
    write(IMAGES[6:], "run_2.h5", attributes={"SampleX": X[:6] + 4}, sources=SOURCES)
    translator = AreaDetectorTranslator()
    refs = translator.scans(sorted((tmp_path / "raw").iterdir()))
    assert [(ref.number, ref.title, ref.frames) for ref in refs] == [
        ("1", "run_1", 6),
        ("2", "run_2", 6),
    ]
    whole = translator.join(refs)
    assert (whole.frames, whole.number) == (12, "1")
    report = Report()
    scan = translator.open(whole, Options(), report)
    assert any("goes from 6 to 1" in text for text in warnings_of(report))
    np.testing.assert_array_equal(scan.signal[...].reshape(12, 4, 5), IMAGES)


def test_frames_without_attributes_are_refused_with_both_numbers(write, tmp_path):
    path = write(**grid())
    with h5py.File(path, "r+") as file:
        file[f"{ATTRIBUTES}/SampleX"].resize(10, axis=0)
    message = refused(path, tmp_path)
    assert "12 frames" in message
    assert "SampleX 10" in message
    for option in ("partial", "live"):
        scan, report = open_scan(AreaDetectorTranslator(), path, **{option: True})
        assert errors(report) == []
        np.testing.assert_array_equal(scan.signal[...].reshape(-1, 4, 5), IMAGES[:10])


def test_frames_never_written_are_refused_by_number(write, tmp_path):
    path = write()
    grow(path, DATA, 14)
    with h5py.File(path, "r+") as file:
        for node in [*file[ATTRIBUTES].values()]:
            node.resize(14, axis=0)
        file[f"{ATTRIBUTES}/NDArrayUniqueId"][12:] = [13, 14]
        file["/entry/instrument/detector/NDAttributes/ColorMode"].resize(14, axis=0)
    message = refused(path, tmp_path)
    assert "2 of 14 frames were never written: numbers 13–14" in message
    assert message.count("\n") == 0
    scan, report = open_scan(AreaDetectorTranslator(), path, live=True)
    assert errors(report) == []
    np.testing.assert_array_equal(scan.signal[...], IMAGES)


def test_a_file_without_a_written_frame_is_refused(write, tmp_path):
    path = write()
    with h5py.File(path, "r+") as file:
        del file[DATA], file["/entry/data/data"]
        file.create_dataset(DATA, (12, 4, 5), "u2", chunks=(1, 4, 5))
        file["/entry/data/data"] = file[DATA]
    assert "none of the 12 frames was ever written" in refused(path, tmp_path)


def test_a_truncated_file_is_named(write, tmp_path):
    write(name="whole_1.h5")
    broken = write(name="broken_1.h5")
    cut(broken)
    message = refused(tmp_path / "raw", tmp_path)
    assert str(broken) in message
    assert "truncated" in message


def test_files_of_one_series_of_another_shape_or_type_are_refused_by_name(write, tmp_path):
    singles(write, [1, 2, 3])
    odd = write(coded(1, 4, 6), "simulated_4.h5", ids=[4])
    message = refused(tmp_path / "raw", tmp_path)
    assert str(odd) in message
    assert "4 × 6 uint16" in message
    odd.unlink()
    write(coded(1, 4, 5, dtype="u4"), "simulated_4.h5", ids=[4])
    assert "4 × 5 uint32" in refused(tmp_path / "raw", tmp_path)


def test_an_absurd_number_of_values_is_damage(write, tmp_path):
    path = write()
    with h5py.File(path, "r+") as file:
        file.create_dataset(f"{ATTRIBUTES}/Broken", (2**40,), "f8", chunks=(16,))
    message = refused(path, tmp_path)
    assert str(path) in message
    assert f"{2**40} values" in message


def test_color_is_refused(write, tmp_path):
    path = write(coded(3, 4, 5))
    with h5py.File(path, "r+") as file:
        file["/entry/instrument/detector/NDAttributes/ColorMode"][...] = 2
    assert "RGB1" in refused(path, tmp_path)


def test_frames_in_another_file_are_not_taken_for_this_files(write, tmp_path):
    path = write()
    with h5py.File(path, "r+") as file:
        del file["/entry/data/data"], file[DATA]
        file["/entry/data/data"] = h5py.ExternalLink("gone.h5", DATA)
    assert not AreaDetectorTranslator().can_open(path)


def test_only_areadetector_files_are_opened(write, tmp_path):
    path = write()
    assert AreaDetectorTranslator().can_open(path)
    others = [
        *write_lambda(LambdaSeries(coded(2, 1, 4, 5)), tmp_path / "other"),
        write_eiger(EigerSeries(coded(2, 4, 5)), tmp_path / "other"),
    ]
    nxscan.translate(path, tmp_path / "out.nxs", link=False)
    for other in [*others, tmp_path / "out.nxs"]:
        assert not AreaDetectorTranslator().can_open(other), other
    with pytest.raises(SourceError, match="no areaDetector file"):
        AreaDetectorTranslator().scans(others)


def test_real_files_of_other_kinds_are_not_areadetectors(shared_data):
    names = ("bliss/hc2103/PTO_STO_SL_0001.h5", "dls/savu_testfluo2.nxs", "dls/hdfmap_1040323.nxs")
    for name in names:
        assert not AreaDetectorTranslator().can_open(shared_data(name)), name
