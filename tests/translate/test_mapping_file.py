"""Mapping files are read, and refused with every problem and its line."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

from nxscan.errors import MappingError
from nxscan.translate.mapping import builtin_mapping, builtin_mappings, load_mapping
from nxscan.translate.mapping_schema import schema_text

GOOD = """\
name = "mine"
time_zone = "+02:00"
not_motors = ["acq_*"]

[motors.mu]
units = "degree"
long_name = "base tilt"

[counters]
mon.units = "counts"

[[field]]
target = "instrument/detector/count_time"
from = ["expo", { key = "expo_ms", units_in = "ms" }]
units_in = "s"
units = "s"

[[transformation]]
target = "instrument/detector/transformations/z"
from = "detz"
type = "translation"
vector = [0, 0, 1]
units_in = "mm"
units = "m"
"""

FIELD = """\
[[field]]
target = "{target}"
from = "raw"
{rest}
"""


def refusal(tmp_path: Path, text: str, encoding: str = "utf-8") -> str:
    path = tmp_path / "mine.toml"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(MappingError) as caught:
        load_mapping(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def field(target: str = "instrument/detector/count_time", rest: str = "") -> str:
    return 'name = "mine"\n' + FIELD.format(target=target, rest=rest)


SECONDS = 'units_in = "s"\nunits = "s"'


def test_a_good_file_gives_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    mapping = load_mapping(path)
    assert mapping.name == "mine"
    assert not mapping.replace
    assert (mapping.motors["mu"].units, mapping.motors["mu"].long_name) == ("degree", "base tilt")
    assert mapping.counters["mon"].units == "counts"
    assert [candidate.key for candidate in mapping.fields[0].sources] == ["expo", "expo_ms"]
    assert mapping.fields[0].sources[1].units_in == "ms"
    assert mapping.transformations[0].vector == (0.0, 0.0, 1.0)
    assert mapping.never_a_motor("acq_mode")
    assert not mapping.never_a_motor("mu")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"none\.toml cannot be read"):
        load_mapping(tmp_path / "none.toml")


def test_a_file_of_another_encoding_is_refused(tmp_path: Path) -> None:
    assert "not UTF-8" in refusal(tmp_path, 'name = "Å"', encoding="latin-1")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('name = "a"\nname = "b"\n', 2),
        ('name = "a"\n[motors.mu]\nunits = "degree"\n[motors.mu]\nlong_name = "mu"\n', 4),
        ('name = "a"\n[motors.mu]\nunits = "degree"\nunits = "mm"\n', 4),
    ],
)
def test_a_duplicate_key_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    message = refusal(tmp_path, text)
    assert f"line {line}: a key or table is there twice" in message


def test_a_syntax_error_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 2: " in refusal(tmp_path, 'name = "a"\nunits = \n')


def test_every_problem_is_listed_once_with_its_line(tmp_path: Path) -> None:
    text = """\
name = "mine"
colour = "red"

[motors.mu]
unit = "degree"

[motors.chi]
units = "degreez"

[[field]]
target = "instrument/detector/count_time"
from = "expo"
units_in = "s"
units = "mm"

[[field]]
target = "instrument/detector/exposure"
from = "expo"
unitz = "s"

[[field]]
from = "expo"

[[field]]
target = "sample/name"
from = "*"
"""
    message = refusal(tmp_path, text)
    assert "has 9 problems" in message
    for line, part in [
        (2, "unknown key 'colour'"),
        (5, "unknown key 'motors.mu.unit'; did you mean 'units'?"),
        (8, "unit 'degreez'"),
        (13, "'s' cannot be converted to 'mm'"),
        (14, "count_time is NX_TIME in NeXus, but its units are 'mm'"),
        (17, "NXdetector has no field 'exposure'"),
        (19, "unknown key 'field.1.unitz'"),
        (21, "key 'field.2.target' is missing"),
        (26, "wildcard '*'"),
    ]:
        assert any(
            found.startswith(f"  line {line}: ") and part in found for found in message.splitlines()
        ), (line, part, message)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "key 'name' is missing"),
        ('name = "a"\nreplace = "perhaps"\n', "'replace' is 'perhaps'"),
        ('name = "a"\ntime_zone = "Mars/Olympus"\n', "time zone 'Mars/Olympus' is not known"),
        ('name = "a"\n[groups]\n"sample/x" = "NXstage"\n', "'NXstage' is no base class"),
        ('name = "a"\nnot_motors = ["a**b"]\n', "wildcard 'a**b'"),
        (field(rest='units_in = "s"'), "no units are given"),
        (field(rest='units = "s"'), "units_in is not given"),
        (field(rest='units_in = "sec onds"\nunits = "s"'), "unit 'sec onds'"),
        (field("sample/thickness", 'units_in = ""\nunits = ""'), "is NX_LENGTH in NeXus"),
        (field("sample/rotation_angle", 'units_in = ""\nunits = ""'), "is NX_ANGLE in NeXus"),
        (field("sample/rotation_angle", 'units_in="counts"\nunits="counts"'), "is NX_ANGLE"),
        (field("sample/name", 'units_in = "m"\nunits = "m"'), "holds a text, but has units 'm'"),
        (field(rest=f'{SECONDS}\ntransform = "int"'), "which 'int' cannot give"),
        (field("sample/name", 'transform = "float"'), "'float' cannot give"),
        (field("start_time"), "is a time: it needs one of isotime_from_ctime, isotime_from_epoch"),
        (field(rest=f'{SECONDS}\ntransform = "eval"'), "but input should be 'float'"),
        (field(rest=f'{SECONDS}\ntransform = "scale"'), "needs a factor"),
        (field(rest=f"{SECONDS}\nfactor = 2"), "has a factor, but no transform 'scale'"),
        (field(rest=f"{SECONDS}\nwithin = [3, 1]"), "within must be [lowest, highest]"),
        (field(rest=f'{SECONDS}\npick = "min"\nper_frame = true'), "both `pick` and"),
        (field(rest=f'{SECONDS}\ndefault = "long"'), "its default is 'long'"),
        (field("instrument/source/probe", 'default = "xray"'), "must be one of neutron, photon"),
        (field("instrument/detector/data", 'units = ""'), "the frames, which nxscan writes"),
        (field("title"), "which nxscan writes itself"),
        (field("instrument/spectrograph/name"), "class of group 'spectrograph' is not known"),
        (field("sample/detector/name"), "NeXus has no NXdetector inside NXsample"),
        (field("sample/na me"), "'na me', which is no NeXus name"),
        (field("instrument/detector/count_tim", SECONDS), "did you mean count_time?"),
        (field("instrument/monochromator/energy_error", ""), "is deprecated"),
        (field() + FIELD.format(target="sample/name", rest="from = 1"), "twice"),
        (field("sample/name") + FIELD.format(target="sample/name", rest=""), "a second rule for"),
        ('name = "a"\n[[field]]\ntarget = "sample/name"\n', "neither `from` nor `default`"),
        (
            field(rest='units_in = "mm"\nunits = "s"\ntransform = "wavelength_from_energy"'),
            "needs units_in such as keV",
        ),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path: Path, text: str, part: str) -> None:
    assert part in refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("instrument/detector/transformations/z", "instrument/detector/z", "NXtransformations"),
        ("instrument/detector/transformations/z", "transformations/z", "NXtransformations"),
        ("[0, 0, 1]", "[0, 0, 0]", "has no direction"),
        ("[0, 0, 1]", "[0, 1]", "has too few values"),
        ('"translation"', '"shear"', "'translation' or 'rotation'"),
        ('"translation"', '"rotation"', "is a rotation: units must be such as degree"),
        ('units = "m"', 'units = "s"', "is a translation: units must be such as m"),
        ('units = "m"', 'units = "m"\noffset = [1, 2, 3]', "offset and offset_units go together"),
        (
            'units = "m"',
            'units = "m"\noffset = [1, 2, 3]\noffset_units = "s"',
            "offset_units must be a length",
        ),
        ('units = "m"', 'units = "m"\ndepends_on = "/entry/a"', "depends_on must be . or"),
        ('from = "detz"', "", "has no `from`"),
        (
            'from = "detz"',
            'from = "detz"\ntransform = "int"',
            "must be one of float, negate, scale",
        ),
    ],
)
def test_a_transformation_that_cannot_be_right_is_refused(
    tmp_path: Path, old: str, new: str, part: str
) -> None:
    assert part in refusal(tmp_path, GOOD.replace(old, new))


def test_units_that_fit_the_class_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for target, units in [
        ("instrument/detector/beam_center_x", "pixel"),
        ("sample/rotation_angle", "mrad"),
        ("instrument/beam/incident_energy", "eV"),
        ("instrument/beam/flux", "1/s/mm^2"),
        ("sample/temperature", "degC"),
        ("instrument/attenuator/attenuator_transmission", "percent"),
    ]:
        path.write_text(field(target, f'units_in = "{units}"\nunits = "{units}"'))
        assert load_mapping(path).fields[0].units == units


def test_a_class_named_in_the_file_opens_a_group_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    groups = '[groups]\n"sample/stage" = "NXpositioner"\n'
    path.write_text(field("sample/stage/value", 'units_in = "mm"\nunits = "mm"') + groups)
    assert load_mapping(path).groups == {"sample/stage": "NXpositioner"}


def test_builtin_mappings_are_found_by_name() -> None:
    assert "esrf" in builtin_mappings()
    assert builtin_mapping("esrf").name == "esrf"
    for name in ("esrff", "../esrf"):
        with pytest.raises(MappingError, match=r"there are: .*esrf"):
            builtin_mapping(name)


def test_the_schema_that_is_shipped_is_the_models() -> None:
    shipped = (files("nxscan.schemas") / "mapping.schema.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == json.loads(schema_text())
