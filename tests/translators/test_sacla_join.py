"""SACLA runs: images, statuses, energies joined by tag, whatever is missing, shuffled, repeated."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.sacla import (
    ENERGY,
    FIRST,
    LASER,
    energy_of,
    image_of,
    laser_of,
    write_run,
)
from helpers.vendor import cut, errors, open_scan, warnings_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nxscan.errors import SourceError
from nxscan.translate.contract import Options
from nxscan.translate.report import Report
from nxscan.translators.sacla import SaclaTranslator

TAGS = [FIRST + 2 * k for k in range(5)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "raw" / "simulated.h5"


def opened(path: Path, number: int = 1, **options: Any) -> tuple[Any, Report]:
    return open_scan(SaclaTranslator(), path, number, **options)


def tags_of(scan: Any) -> list[int]:
    return [int(tag) for tag in scan.axes["tag_number"].values]


def check_joined(scan: Any, panels: dict[str, int]) -> None:
    """See that every value of a scan is that of its tag."""
    tags = tags_of(scan)
    for name, panel in panels.items():
        expected = np.array([image_of(tag, panel) for tag in tags])
        np.testing.assert_array_equal(scan.signals[name][...], expected)
        cold = scan.counters[f"{name}_temperature"].value
        np.testing.assert_array_equal(cold, [-21.25 - (tag % 100) / 64 for tag in tags])
    energy = scan.counters["bl_3_oh_2_photon_energy"]
    np.testing.assert_array_equal(energy.value, [energy_of(tag) for tag in tags])
    assert energy.units == "eV"
    laser = scan.axes["bl_3_lh_1_laser_pulse_selector_status"]
    np.testing.assert_array_equal(laser.values, [laser_of(tag) for tag in tags])


def test_a_run_is_listed_with_its_shots_and_detectors(run):
    ref = SaclaTranslator().scans([write_run(run)])[0]
    assert (ref.number, ref.title, ref.frames, ref.declared) == ("206178", "run_206178", 5, 5)
    assert (ref.shape, ref.dtype, ref.detectors) == ((4, 6), "float32", ("detector_2d_1",))


def test_shots_are_a_scan_over_tags_with_statuses_along_it(run):
    scan, report = opened(write_run(run))
    assert errors(report) == warnings_of(report) == []
    assert scan.scan_shape == (5,)
    assert scan.main_axes()[0].name == "tag_number"
    assert scan.axes["tag_number"].values.dtype == np.float64
    assert tags_of(scan) == TAGS
    check_joined(scan, {"detector_2d_1": 1})


tag_sets = st.lists(
    st.integers(0, 40).map(lambda k: 99_999_980 + 2 * k), min_size=2, max_size=12, unique=True
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    listed=tag_sets,
    kept=st.tuples(tag_sets, tag_sets),
    repeats=st.lists(st.integers(0, 11), max_size=3),
    data=st.data(),
)
def test_every_value_belongs_to_its_tag_after_shuffling_dropping_and_repeating(
    tmp_path_factory, listed, kept, repeats, data
):
    rows = listed + [listed[k % len(listed)] for k in repeats]
    shuffled = data.draw(st.permutations(rows))
    images = {
        f"detector_2d_{k + 1}": [*own, listed[0]] if listed[0] not in own else own
        for k, own in enumerate(kept)
    }
    path = write_run(tmp_path_factory.mktemp("run") / "r.h5", shuffled, images)
    scan, report = opened(path)
    assert errors(report) == []
    assert tags_of(scan) == sorted(set(listed).intersection(*map(set, images.values())))
    check_joined(scan, {"detector_2d_1": 1, "detector_2d_2": 2})
    for name, own in images.items():
        if set(listed) - set(own):
            said = [text for text in warnings_of(report) if "no image of" in text]
            assert any(name in text or "any of 2" in text for text in said)


def test_tags_without_image_and_images_without_tag_are_named_and_kept_apart(run):
    images = {"detector_2d_1": [*TAGS[:2], TAGS[4], FIRST + 100]}
    scan, report = opened(write_run(run, TAGS, images))
    assert tags_of(scan) == [TAGS[0], TAGS[1], TAGS[4]]
    check_joined(scan, {"detector_2d_1": 1})
    said = "\n".join(warnings_of(report))
    assert f"2 of 5 tags have no image of detector_2d_1: {TAGS[2]}–{TAGS[3]} (2 tags)" in said
    assert f"1 tag with an image has no row in tag_number_list: {FIRST + 100}" in said
    kept = scan.provenance.parameters
    assert kept["tags without image of detector_2d_1"] == f"{TAGS[2]}–{TAGS[3]} (2 tags)"
    assert kept["tags without event"] == str(FIRST + 100)


def test_panels_that_miss_different_tags_give_the_tags_that_all_have(run):
    images = {"detector_2d_1": TAGS[1:], "detector_2d_2": TAGS[:-1]}
    scan, report = opened(write_run(run, TAGS, images))
    assert tags_of(scan) == TAGS[1:-1]
    check_joined(scan, {"detector_2d_1": 1, "detector_2d_2": 2})
    said = warnings_of(report)
    assert any(f"no image of detector_2d_1: {TAGS[0]}" in text for text in said)
    assert any(f"no image of detector_2d_2: {TAGS[4]}" in text for text in said)
    one, _ = opened(run, detector="detector_2d_2")
    assert tags_of(one) == TAGS[:-1]


def test_rows_that_repeat_a_tag_with_the_same_values_are_one(run):
    scan, report = opened(write_run(run, [*TAGS, TAGS[1]]))
    assert errors(report) == warnings_of(report) == []
    assert tags_of(scan) == TAGS
    assert f"several rows that are the same: {TAGS[1]}" in str(report.problems)


def test_rows_that_contradict_each_other_are_an_error_that_names_the_tags(run):
    write_run(run, [*TAGS, TAGS[1]])
    with h5py.File(run, "r+") as file:
        file[f"run_206178/event_info/{ENERGY}"][5] = 1.0
    _, report = opened(run)
    assert any(f"1 tag has several rows that differ: {TAGS[1]}" in text for text in errors(report))


def test_a_missing_value_in_both_of_two_equal_rows_is_no_contradiction(run):
    write_run(run, [*TAGS, TAGS[1]])
    with h5py.File(run, "r+") as file:
        file[f"run_206178/event_info/{ENERGY}"][[1, 5]] = np.nan
    scan, report = opened(run)
    assert errors(report) == []
    energy = scan.counters["bl_3_oh_2_photon_energy"].value
    assert np.isnan(energy).tolist() == [False, True, False, False, False]


def test_tags_of_eight_and_nine_digits_are_in_the_order_of_their_numbers(run):
    tags = [99_999_998, 100_000_000, 99_999_996, 100_000_002]
    scan, _ = opened(write_run(run, tags))
    assert tags_of(scan) == sorted(tags)
    check_joined(scan, {"detector_2d_1": 1})


def test_an_end_tag_one_past_the_last_is_no_problem(run):
    write_run(run)
    with h5py.File(run) as file:
        assert file["run_206178/run_info/end_tag_number"][()] == TAGS[-1] + 2
    _, report = opened(run)
    assert errors(report) == warnings_of(report) == []


def test_a_run_that_was_cancelled_has_the_shots_before(run):
    scan, report = opened(write_run(run, TAGS, {"detector_2d_1": TAGS[:2]}))
    assert tags_of(scan) == TAGS[:2]
    said = "the last 3 of the run are among them: was it cancelled?"
    assert any(said in text for text in warnings_of(report))


def test_a_run_without_any_image_is_refused(run):
    _, report = opened(write_run(run, TAGS, {"detector_2d_1": []}))
    assert any("no detector has an image" in text for text in errors(report))


def test_an_image_that_was_never_written_is_no_image_of_zeros(run):
    write_run(run, TAGS, {"detector_2d_1": TAGS[1:]})
    with h5py.File(run, "r+") as file:
        group = file["run_206178/detector_2d_1"]
        group.create_dataset(f"tag_{TAGS[0]}/detector_data", (4, 6), np.float32)
    scan, report = opened(run)
    assert tags_of(scan) == TAGS[1:]
    text = f"1 tag cannot be used, since its image was never written: {TAGS[0]}"
    assert any(text in said for said in warnings_of(report))


def test_an_image_of_another_shape_is_left_out_by_its_tag(run):
    write_run(run)
    with h5py.File(run, "r+") as file:
        del file[f"run_206178/detector_2d_1/tag_{TAGS[2]}/detector_data"]
        file[f"run_206178/detector_2d_1/tag_{TAGS[2]}/detector_data"] = np.zeros((3, 6), "f4")
    scan, report = opened(run)
    assert tags_of(scan) == [*TAGS[:2], *TAGS[3:]]
    check_joined(scan, {"detector_2d_1": 1})
    assert any("(3, 6)" in text and str(TAGS[2]) in text for text in warnings_of(report))


def test_a_panel_of_another_shape_is_left_out_unless_it_is_asked_for(run):
    write_run(run)
    with h5py.File(run, "r+") as file:
        for tag in TAGS:
            file[f"run_206178/detector_2d_2/tag_{tag}/detector_data"] = np.ones((2, 2), "f4")
    scan, report = opened(run)
    assert list(scan.signals) == ["detector_2d_1"]
    assert any("detector_2d_2: its images are (2, 2)" in text for text in warnings_of(report))
    scan, _ = opened(run, detector="detector_2d_2")
    assert scan.frame_shape == (2, 2)
    _, report = opened(run, detector="detector_2d_?")
    assert any("detector_2d_2" in text for text in errors(report))


def test_an_image_that_is_there_twice_is_an_error_that_names_the_tag(run):
    write_run(run)
    with h5py.File(run, "r+") as file:
        group = file["run_206178/detector_2d_1"]
        group[f"tag_0{TAGS[3]}/detector_data"] = image_of(TAGS[3])
    _, report = opened(run)
    assert any(f"tags are there twice: {TAGS[3]}" in text for text in errors(report))


def test_texts_where_numbers_belong_are_said(run):
    column = np.array(["a", "b", "c", "d", "e"], "S1")
    scan, report = opened(write_run(run, columns={"bl_3/broken_in_volt": column}))
    assert tags_of(scan) == TAGS
    assert any("bl_3/broken_in_volt holds texts" in str(one) for one in report.problems)
    kept = scan.raw_metadata.values["event_info/bl_3/broken_in_volt"]
    assert kept.tolist() == ["a", "b", "c", "d", "e"]


def test_a_column_of_another_length_is_joined_to_nothing(run):
    scan, report = opened(write_run(run, columns={"bl_3/short_in_volt": np.arange(4.0)}))
    assert "bl_3_short" not in scan.counters
    text = "bl_3/short_in_volt has 4 values, but there are 5 tags"
    assert any(text in said for said in warnings_of(report))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array(["219817020"], "S9"), "not a list of tag numbers"),
        (np.array(TAGS, np.float32), "do not tell neighboring tags apart"),
        (np.array([1.5, 2.5]), "do not tell neighboring tags apart"),
    ],
)
def test_a_list_of_tags_that_holds_none_is_refused(run, values, message):
    write_run(run)
    with h5py.File(run, "r+") as file:
        del file["run_206178/event_info/tag_number_list"]
        file["run_206178/event_info/tag_number_list"] = values
    with pytest.raises(SourceError, match=message):
        opened(run)


def test_without_a_list_of_tags_images_have_their_own_and_nothing_else(run):
    write_run(run)
    with h5py.File(run, "r+") as file:
        del file["run_206178/event_info"]
    scan, report = opened(run)
    assert tags_of(scan) == TAGS
    assert any("no event_info/tag_number_list" in text for text in warnings_of(report))


def test_a_truncated_file_is_refused_by_what_happened(run):
    cut(write_run(run))
    with pytest.raises(SourceError, match="truncated"):
        SaclaTranslator().scans([run])
    assert not SaclaTranslator().can_open(run)
    assert "truncated" in SaclaTranslator().refusal(run)


def test_a_truncated_file_among_others_is_not_left_out_without_a_word(run, caplog):
    write_run(run)
    cut(write_run(run.with_name("other.h5"), number=17))
    with caplog.at_level(logging.WARNING, "nxscan"):
        refs = SaclaTranslator().scans([run, run.with_name("other.h5")])
    assert [ref.number for ref in refs] == ["206178"]
    assert "other.h5 is left out" in caplog.text


def test_a_run_is_listed_with_the_time_of_its_first_shot(run):
    times = 1_415_000_000.0 + np.arange(5)
    ref = SaclaTranslator().scans([write_run(run, columns={"time_stamp": times})])[0]
    assert ref.started == "2014-11-03T16:33:20+09:00"


def test_several_runs_of_a_file_are_scans_of_their_own_or_one(run):
    later = [tag + 5000 for tag in TAGS]
    write_run(run)
    write_run(run, later, number=17, padded=True)
    translator = SaclaTranslator()
    refs = translator.scans([run])
    assert [(ref.number, ref.frames) for ref in refs] == [("17", 5), ("206178", 5)]
    report = Report()
    scan = translator.open(translator.join(refs), Options(), report)
    assert errors(report) == []
    assert scan is not None
    assert tags_of(scan) == [*TAGS, *later]
    assert scan.counters["run_number"].value.tolist() == [206178] * 5 + [17] * 5
    check_joined(scan, {"detector_2d_1": 1})


def test_compressed_images_are_read_by_their_tags_too(run):
    scan, report = opened(write_run(run, TAGS[::-1], chunks=(2, 3)))
    assert errors(report) == warnings_of(report) == []
    check_joined(scan, {"detector_2d_1": 1})


def test_a_single_shot_is_a_scan_of_one(run):
    scan, _ = opened(write_run(run, TAGS[:1]))
    assert scan.scan_shape == (1,)
    check_joined(scan, {"detector_2d_1": 1})
    assert LASER.endswith("laser_pulse_selector_status")
