"""A user's mapping extends the one that comes with a translator, or replaces it."""

from __future__ import annotations

from nxscan.translate.mapping import merge, parse_mapping

BASE = parse_mapping(
    """\
name = "base"
description = "of the base"
scan_keys = ["scan_no"]
not_motors = ["run"]
time_keys = [{ key = "time", format = "ctime" }]
pairs = [{ mnemonics = "motor_mne", positions = "motor_pos", what = "motors" }]
[motors]
mu = { units = "degree", long_name = "base tilt" }
chi = { units = "degree" }
[[field]]
target = "sample/name"
from = "sample"
[[field]]
target = "instrument/name"
from = "beamline"
[[transformation]]
target = "instrument/detector/transformations/z"
from = "detz"
type = "translation"
vector = [0, 0, 1]
units_in = "mm"
units = "m"
""",
    "base",
)


def test_without_a_users_file_the_base_is_used() -> None:
    assert merge(BASE, None) is BASE


def test_a_file_that_replaces_is_used_alone() -> None:
    user = parse_mapping('name = "mine"\nreplace = true\n', "mine")
    assert merge(BASE, user) is user


def test_rules_with_the_same_target_are_replaced_and_others_kept() -> None:
    user = parse_mapping('name="mine"\n[[field]]\ntarget="sample/name"\nfrom="crystal"\n', "mine")
    rules = {rule.target: rule.sources[0].key for rule in merge(BASE, user).fields}
    assert rules == {"sample/name": "crystal", "instrument/name": "beamline"}


def test_a_transformation_with_the_same_target_is_replaced() -> None:
    text = """\
name = "mine"
[[transformation]]
target = "instrument/detector/transformations/z"
from = "camera_z"
type = "translation"
vector = [0, 0, -1]
units_in = "m"
units = "m"
"""
    (link,) = merge(BASE, parse_mapping(text, "mine")).transformations
    assert (link.sources[0].key, link.vector) == ("camera_z", (0.0, 0.0, -1.0))


def test_a_motor_is_overridden_only_in_what_is_stated() -> None:
    user = parse_mapping('name="mine"\n[motors]\nmu.units="mrad"\nobx.units="mm"\n', "mine")
    motors = merge(BASE, user).motors
    assert (motors["mu"].units, motors["mu"].long_name) == ("mrad", "base tilt")
    assert motors["chi"].units == "degree"
    assert motors["obx"].units == "mm"
    assert BASE.motors["mu"].units == "degree"


def test_lists_go_before_the_bases_without_repeats() -> None:
    text = """\
name = "mine"
time_zone = "+01:00"
scan_keys = ["series", "scan_no"]
not_motors = ["lamp"]
time_keys = [{ key = "time", format = "epoch" }]
pairs = [{ mnemonics = "motor_mne", positions = "motor_pos", what = "other" }]
"""
    merged = merge(BASE, parse_mapping(text, "mine"))
    assert merged.scan_keys == ("series", "scan_no")
    assert merged.not_motors == ("lamp", "run")
    assert [(item.key, item.format) for item in merged.time_keys] == [("time", "epoch")]
    assert [pair.what for pair in merged.pairs] == ["other"]
    assert (merged.name, merged.time_zone) == ("base + mine", "+01:00")
    assert merged.description == "of the base"
