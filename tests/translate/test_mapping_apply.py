"""Raw values become NeXus fields with units, or are reported; none is guessed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nxscan.errors import PlanError
from nxscan.model import Group
from nxscan.translate.mapping import apply_mapping, parse_mapping
from nxscan.translate.report import Report

SECONDS = 'units_in = "s"\nunits = "s"'
MILLIMETERS = 'units_in = "mm"\nunits = "m"'


def applied(target: str, rest: str, values: dict[str, Any], head: str = "") -> tuple[Group, Report]:
    text = f'name = "mine"\n{head}\n[[field]]\ntarget = "{target}"\n{rest}\n'
    entry, report = Group("NXentry"), Report()
    apply_mapping(parse_mapping(text, "mine"), values, entry, report)
    return entry, report


def test_a_value_is_converted_and_reported_with_its_source() -> None:
    entry, report = applied(
        "instrument/detector/distance", f'from = "d"\n{MILLIMETERS}', {"d": "1330"}
    )
    field = entry["instrument/detector/distance"]
    assert field.value == pytest.approx(1330 * 1e-3, rel=1e-15)
    assert field.units == "m"
    assert entry.groups["instrument"].nx_class == "NXinstrument"
    assert entry.groups["instrument"].groups["detector"].nx_class == "NXdetector"
    (mapped,) = report.mapped
    assert (mapped.source, mapped.raw, mapped.value, mapped.units) == ("d", "1330", "1.33", "m")
    assert not report.missing
    assert not report.problems


def test_the_first_candidate_that_is_there_is_used_with_its_own_unit() -> None:
    rest = f'from = ["a", {{ key = "b", units_in = "cm" }}, "c"]\n{MILLIMETERS}'
    entry, _ = applied("sample/thickness", rest, {"c": "7", "b": "5"})
    assert entry["sample/thickness"].value == pytest.approx(5e-2)


def test_keys_are_case_sensitive_and_empty_ones_are_not_there() -> None:
    entry, report = applied("sample/name", 'from = ["a", "b"]', {"A": "no", "a": " ", "b": " Au "})
    assert entry["sample/name"].value == "Au"
    assert report.mapped[0].source == "b"


def test_a_missing_field_names_what_was_tried_and_what_is_near() -> None:
    entry, report = applied(
        "instrument/detector/count_time",
        f'from = ["acq_expo_time", "expo"]\n{SECONDS}',
        {"acq_expotime": "1", "Acq_Expo_Time": "2", "mu": "3"},
    )
    assert entry.get("instrument/detector/count_time") is None
    (missing,) = report.missing
    assert missing.tried == ("acq_expo_time", "expo")
    assert set(missing.nearest) == {"acq_expotime", "Acq_Expo_Time"}
    assert not missing.required
    assert not report.errors


def test_a_required_field_that_is_missing_stops_the_translation() -> None:
    _, report = applied("sample/name", 'from = "sampel"\nrequired = true', {"sample": "Au"})
    assert report.missing[0].required
    with pytest.raises(PlanError, match=r"sample/name: required, but none of sampel.*are sample"):
        report.raise_errors()


def test_a_required_field_that_cannot_be_read_stops_the_translation() -> None:
    _, report = applied(
        "sample/thickness", f'from = "d"\nrequired = true\n{MILLIMETERS}', {"d": "thick"}
    )
    assert [problem.where for problem in report.errors] == ["sample/thickness"]


@pytest.mark.parametrize("raw", ["thick", "1,5", "1 mm", "nan", "inf", "1_000", "0x10"])
def test_a_text_that_is_no_number_is_reported_and_left_out(raw: str) -> None:
    entry, report = applied(
        "sample/thickness", f'from = "d"\ndefault = 1.0\n{MILLIMETERS}', {"d": raw}
    )
    assert entry.get("sample/thickness") is None
    (problem,) = report.problems
    assert problem.severity == "warning"
    assert "'d'" in problem.message
    assert repr(raw) in problem.message


def test_after_a_text_that_is_no_number_the_next_candidate_is_tried() -> None:
    entry, report = applied(
        "sample/thickness", f'from = ["a", "b"]\n{MILLIMETERS}', {"a": "thick", "b": "2"}
    )
    assert entry["sample/thickness"].value == pytest.approx(0.002)
    assert len(report.problems) == 1


def test_an_implausible_value_is_reported_and_left_out() -> None:
    rest = 'from = "energy"\nunits_in = "keV"\nunits = "keV"\nwithin = [1, 500]'
    entry, report = applied("instrument/beam/incident_energy", rest, {"energy": "17000"})
    assert entry.get("instrument/beam/incident_energy") is None
    assert "17000 keV, outside the plausible 1 … 500 keV" in report.problems[0].message


def test_a_default_is_used_only_where_nothing_is_found() -> None:
    rest = 'from = "probe"\ndefault = "x-ray"'
    entry, report = applied("instrument/source/probe", rest, {})
    assert entry["instrument/source/probe"].value == "x-ray"
    assert report.mapped[0].source == "default"
    entry, _ = applied("instrument/source/probe", rest, {"probe": "neutron"})
    assert entry["instrument/source/probe"].value == "neutron"


def test_a_text_that_nexus_does_not_allow_is_left_out() -> None:
    entry, report = applied("instrument/source/probe", 'from = "probe"', {"probe": "X-rays"})
    assert entry.get("instrument/source/probe") is None
    assert "NeXus allows only neutron, photon, x-ray" in report.problems[0].message


@pytest.mark.parametrize(
    ("transform", "raw", "expected"),
    [
        ('"negate"', "5", -0.005),
        ('"scale"\nfactor = 3', "5", 0.015),
        ('"float"', "5", 0.005),
    ],
)
def test_numbers_are_transformed_before_they_are_converted(
    transform: str, raw: str, expected: float
) -> None:
    rest = f'from = "d"\n{MILLIMETERS}\ntransform = {transform}'
    entry, _ = applied("sample/thickness", rest, {"d": raw})
    assert entry["sample/thickness"].value == pytest.approx(expected)


def test_energy_and_wavelength_give_each_other() -> None:
    planck, light, charge = 6.62607015e-34, 299792458.0, 1.602176634e-19
    rest = 'from = "E"\nunits_in = "eV"\nunits = "nm"\ntransform = "wavelength_from_energy"'
    entry, _ = applied("instrument/beam/incident_wavelength", rest, {"E": "17000"})
    nanometers = planck * light / (17000 * charge) * 1e9
    found = entry["instrument/beam/incident_wavelength"].value
    assert found == pytest.approx(nanometers, rel=1e-9)
    rest = 'from = "L"\nunits_in = "nm"\nunits = "eV"\ntransform = "energy_from_wavelength"'
    entry, _ = applied("instrument/beam/incident_energy", rest, {"L": repr(nanometers)})
    assert entry["instrument/beam/incident_energy"].value == pytest.approx(17000, rel=1e-9)


def test_a_wavelength_of_zero_gives_no_energy() -> None:
    rest = 'from = "L"\nunits_in = "m"\nunits = "keV"\ntransform = "energy_from_wavelength"'
    entry, report = applied("instrument/beam/incident_energy", rest, {"L": "0"})
    assert entry.get("instrument/beam/incident_energy") is None
    assert "not above 0" in report.problems[0].message


def test_whole_numbers_stay_whole() -> None:
    entry, _ = applied("instrument/detector/bit_depth_readout", 'from = "bits"', {"bits": "16.0"})
    value = entry["instrument/detector/bit_depth_readout"].value
    assert value == 16
    assert isinstance(value, int)
    entry, report = applied("instrument/detector/bit_depth_readout", 'from = "b"', {"b": "16.5"})
    assert entry.get("instrument/detector/bit_depth_readout") is None
    assert "whole number" in report.problems[0].message
    rest = 'from = "t"\nunits_in = "ms"\nunits = "s"'
    assert applied("duration", rest, {"t": "3000"})[0]["duration"].value == 3
    entry, report = applied("duration", rest, {"t": "3500"})
    assert entry.get("duration") is None
    assert "no whole number" in report.problems[0].message


@pytest.mark.parametrize(
    ("transform", "raw", "zone", "expected"),
    [
        ("isotime_from_epoch", "86400.25", None, None),
        ("isotime_from_epoch", "946684800.25", None, "2000-01-01T00:00:00.250000+00:00"),
        ("isotime_from_epoch", "946684800", "+02:00", "2000-01-01T02:00:00+02:00"),
        ("isotime_from_epoch", "946684800000", None, None),
        ("isotime_from_epoch", "1e300", None, None),
        ("isotime_from_ctime", "Sat Jan  1 02:03:04 2000", None, "2000-01-01T02:03:04"),
        ("isotime_from_ctime", "Sat Jan 1 02:03:04 2000", "-03:30", "2000-01-01T02:03:04-03:30"),
        ("isotime_from_ctime", "Sat Jän 1 02:03:04 2000", None, None),
        ("isotime_from_ctime", "Sat Feb 30 02:03:04 2000", None, None),
        ("isotime_from_ctime", "2000-01-01", None, None),
    ],
)
def test_times_have_the_zone_that_is_given_else_none(
    transform: str, raw: str, zone: str | None, expected: str | None
) -> None:
    head = f'time_zone = "{zone}"' if zone else ""
    rest = f'from = "t"\ntransform = "{transform}"'
    entry, report = applied("start_time", rest, {"t": raw}, head)
    found = entry.get("start_time")
    assert (found.value if found else None) == expected
    assert bool(report.problems) == (expected is None)


def test_a_time_that_is_not_unique_in_its_zone_is_left_out() -> None:
    zoneinfo = pytest.importorskip("zoneinfo")
    try:
        zoneinfo.ZoneInfo("Europe/Paris")
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zone data (package tzdata)")
    rest = 'from = "t"\ntransform = "isotime_from_ctime"'
    head = 'time_zone = "Europe/Paris"'
    entry, _ = applied("start_time", rest, {"t": "Thu Apr 26 15:40:06 2012"}, head)
    assert entry["start_time"].value == "2012-04-26T15:40:06+02:00"
    for changed in ("Sun Oct 28 02:30:00 2012", "Sun Mar 25 02:30:00 2012"):
        entry, report = applied("start_time", rest, {"t": changed}, head)
        assert entry.get("start_time") is None
        assert "clocks were changed" in report.problems[0].message


def test_a_wildcard_finds_one_key() -> None:
    rest = f'from = "d (*)"\n{MILLIMETERS}'
    entry, report = applied("sample/thickness", rest, {"d (mm)": "3", "e (mm)": "4"})
    assert entry["sample/thickness"].value == pytest.approx(0.003)
    assert report.mapped[0].source == "d (mm)"


def test_a_wildcard_that_finds_different_values_is_reported() -> None:
    rest = f'from = "d*"\n{MILLIMETERS}'
    entry, report = applied("sample/thickness", rest, {"d1": "3", "d2": "4"})
    assert entry.get("sample/thickness") is None
    assert "d1, d2, which differ" in report.problems[0].message
    entry, report = applied("sample/thickness", rest, {"d1": "3", "d2": "3"})
    assert entry["sample/thickness"].value == pytest.approx(0.003)
    assert not report.problems


def test_a_key_that_varies_fills_only_a_field_for_each_frame() -> None:
    values = {"expo": np.array(["100", "200", "400"])}
    rest = 'from = "expo"\nunits_in = "ms"\nunits = "s"'
    entry, report = applied("instrument/detector/count_time", rest, values)
    assert entry.get("instrument/detector/count_time") is None
    assert [problem.severity for problem in report.problems] == ["note"]
    assert "varies over the frames (100 … 400)" in report.problems[0].message
    entry, report = applied("instrument/detector/count_time", rest + "\nper_frame = true", values)
    np.testing.assert_allclose(entry["instrument/detector/count_time"].value, [0.1, 0.2, 0.4])
    assert not report.problems


def test_numbers_that_are_all_alike_do_not_vary() -> None:
    entry, _ = applied("sample/thickness", f'from = "d"\n{MILLIMETERS}', {"d": np.full(3, 2.5)})
    assert entry["sample/thickness"].value == pytest.approx(0.0025)


def test_one_bad_frame_spoils_a_field_for_each_frame() -> None:
    rest = f'from = "expo"\n{SECONDS}\nper_frame = true'
    values = {"expo": np.array(["1", "?", "3"])}
    entry, report = applied("instrument/detector/count_time", rest, values)
    assert entry.get("instrument/detector/count_time") is None
    assert "it is not a number" in report.problems[0].message


@pytest.mark.parametrize(
    ("pick", "expected"),
    [("min", "2000-01-01T00:00:00+00:00"), ("max", "2000-01-01T00:00:20+00:00")],
)
def test_the_earliest_or_latest_time_is_picked(pick: str, expected: str) -> None:
    rest = f'from = "t"\ntransform = "isotime_from_epoch"\npick = "{pick}"'
    values = {"t": 946684800.0 + np.array([10.0, np.nan, 0.0, 20.0])}
    entry, report = applied("start_time", rest, values)
    assert entry["start_time"].value == expected
    assert not report.problems


@pytest.mark.parametrize(("pick", "expected"), [("min", 0.002), ("max", 0.01)])
def test_the_lowest_or_highest_number_is_picked(pick: str, expected: float) -> None:
    rest = f'from = "d"\n{MILLIMETERS}\npick = "{pick}"'
    entry, _ = applied("sample/thickness", rest, {"d": np.array(["10", "2", "9"])})
    assert entry["sample/thickness"].value == pytest.approx(expected)


def test_a_key_that_some_frames_lack_is_used_where_the_others_agree() -> None:
    values = {"d": np.array([2.0, np.nan, 2.0])}
    entry, report = applied("sample/thickness", f'from = "d"\n{MILLIMETERS}', values)
    assert entry["sample/thickness"].value == pytest.approx(0.002)
    assert "missing in 1 of 3 frames" in report.problems[0].message


def test_a_frame_without_a_value_is_nan_in_a_field_for_each_frame() -> None:
    rest = f'from = "t"\n{SECONDS}\nper_frame = true\nwithin = [0, 10]'
    entry, _ = applied("instrument/detector/count_time", rest, {"t": np.array(["1", "", "3"])})
    np.testing.assert_equal(entry["instrument/detector/count_time"].value, [1, np.nan, 3])


PAIRS = 'pairs = [{ mnemonics = "names", positions = "numbers", what = "motors" }]'


def test_entries_are_taken_by_name_from_a_list_of_positions() -> None:
    rest = 'from = { key = "numbers", entries = ["b", "a"] }\nunits_in = "angstrom"\nunits = "nm"'
    values = {"names": "a b c", "numbers": "10 20 30"}
    entry, report = applied("sample/unit_cell_abc", rest, values, PAIRS)
    np.testing.assert_allclose(entry["sample/unit_cell_abc"].value, [2.0, 1.0])
    assert report.mapped[0].source == "numbers[b a]"


@pytest.mark.parametrize(
    "values",
    [
        {"numbers": "10 20"},
        {"names": "a c", "numbers": "10 20"},
        {"names": "b b", "numbers": "10 20"},
        {"names": "a b c", "numbers": "10 20"},
    ],
)
def test_entries_that_are_not_surely_named_are_not_taken(values: dict[str, str]) -> None:
    rest = f'from = {{ key = "numbers", entries = ["b"] }}\n{MILLIMETERS}'
    entry, report = applied("sample/thickness", rest, values, PAIRS)
    assert entry.get("sample/thickness") is None
    assert len(report.missing) == 1


def test_an_entry_varies_only_if_its_own_number_does() -> None:
    values = {"names": "a b", "numbers": np.array(["1 5", "2 5", "3 5"])}
    rest = f'from = {{ key = "numbers", entries = ["b"] }}\n{MILLIMETERS}'
    entry, _ = applied("sample/thickness", rest, values, PAIRS)
    assert entry["sample/thickness"].value == pytest.approx(0.005)
    rest = rest.replace('"b"', '"a"')
    entry, report = applied("sample/thickness", rest, values, PAIRS)
    assert entry.get("sample/thickness") is None
    assert "varies" in report.problems[0].message
