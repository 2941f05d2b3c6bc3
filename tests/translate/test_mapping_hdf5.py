"""The sections of a mapping that describe HDF5 files: checked, merged, with stated units."""

from __future__ import annotations

import numpy as np
import pytest

from nxscan.errors import MappingError
from nxscan.model import Group
from nxscan.translate.mapping import apply_mapping, merge, parse_mapping
from nxscan.translate.report import Report

GOOD = """\
name = "mine"
[scans]
groups = ["*"]
join = "energy"
[[signal]]
from = "data/frames"
[[axis]]
name = "mu"
from = "mu/value"
dimension = 0
"""

BAD = """\
name = "bad"
[scans]
groups = ["../other"]
join = "a*"
[[signal]]
from = "data/**"
units = "furlongz"
[[signal]]
from = "data/other"
[[signal]]
role = "mask"
from = "mask"
[[signal]]
name = "dark_1"
role = "dark"
from = "../dark"
good = 1
[[axis]]
name = "mu"
from = "mu"
units_in = "mm"
units = "degree"
dimension = 1
[[axis]]
name = "mu"
from = "mu2"
first = 1.0
[[axis]]
name = "energy"
role = "detector"
from = "energy"
dimension = 1
[[axis]]
name = "omega"
role = "integrated"
from = "omega"
"""


def _problems(text: str) -> list[str]:
    with pytest.raises(MappingError) as error:
        parse_mapping(text, "bad.toml")
    return str(error.value).splitlines()[1:]


def test_one_report_has_every_problem_with_its_line() -> None:
    lines = BAD.splitlines()
    found = [line.strip() for line in _problems(BAD)]
    for expected in [
        "line 3: '../other' leads out of the scan's group; write a path below it",
        "line 4: 'a*' must name one value, without *",
        "line 6: wildcard 'data/**' must have single *, which stands for text without /",
        "line 7: unit 'furlongz' is not one that pint knows",
        "line 8: a second scan signal 'detector'; give each a name of its own",
        "line 11: mask 'detector' must say either `good` or `bad`: the value of such pixels",
        "line 16: '../dark' leads out of the scan's group; write a path below it",
        "line 17: 'good' is for masks, but 'dark_1' is 'dark'",
        "line 21: axis 'mu': 'mm' cannot be converted to 'degree'",
        "line 25: a second axis 'mu'; keep one of them",
        "line 27: axis 'mu': `first` and `last` go together",
        "line 32: detector axis 'energy' has dimension 1, but scan axes go up to dimension 1; the "
        "detector's come last",
        "line 36: axis 'omega' is swept within each frame: give `first` and `last`",
    ]:
        assert expected in found, expected
    assert len(lines) == 36
    assert len(found) == 13


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('form = "x"', "unknown key 'signal.0.form'; did you mean "),
        ("rank = 3", "'signal.0.rank' is 3, but"),
        ('role = "darks"', "'signal.0.role' is 'darks', but"),
    ],
)
def test_what_the_format_does_not_know_is_refused(line: str, said: str) -> None:
    text = GOOD.replace('from = "data/frames"', f'from = "data/frames"\n{line}')
    assert any(said in problem for problem in _problems(text))


def test_a_key_that_is_there_twice_is_refused() -> None:
    with pytest.raises(MappingError, match="line 7: a key or table is there twice"):
        parse_mapping(GOOD.replace("[[axis]]", 'from = "again"\n[[axis]]'), "bad.toml")


def test_frames_without_a_scan_signal_are_refused() -> None:
    text = GOOD.replace("[[signal]]", '[[signal]]\nrole = "dark"')
    assert any("no [[signal]] has the role 'scan'" in problem for problem in _problems(text))


def test_a_users_file_overrides_signals_axes_and_what_it_states_of_scans() -> None:
    base = parse_mapping(GOOD, "base")
    user = parse_mapping(
        'name = "user"\nscans.title = "title"\n[[signal]]\nfrom = "other"\n'
        '[[axis]]\nname = "chi"\nfrom = "chi"\n',
        "user",
    )
    merged = merge(base, user)
    assert (merged.scans.groups, merged.scans.join) == (("*",), "energy")
    assert merged.scans.title[0].key == "title"
    assert [signal.sources[0].key for signal in merged.signals] == ["other"]
    assert [axis.name for axis in merged.axes] == ["chi", "mu"]


FIELD = """\
name = "mine"
[[field]]
target = "instrument/beam/incident_energy"
from = ["mono/energy", "other"]
units_in = "@units"
units = "keV"
"""


@pytest.mark.parametrize(
    ("values", "energy", "said"),
    [
        ({"mono/energy": "8979", "mono/energy@units": "eV"}, 8.979, ""),
        ({"mono/energy": "8.979"}, None, "does not state its unit"),
        ({"mono/energy": "8.9", "mono/energy@units": "furlongz"}, None, "pint does not know"),
        ({"mono/energy": "8.9", "mono/energy@units": "mm"}, None, "cannot convert"),
    ],
)
def test_units_may_be_those_that_the_file_states(
    values: dict[str, str], energy: float | None, said: str
) -> None:
    entry, report = Group("NXentry"), Report()
    apply_mapping(parse_mapping(FIELD, "mine"), dict(values), entry, report)
    field = entry.get("instrument/beam/incident_energy")
    if energy is None:
        assert field is None
        assert said in report.problems[0].message
    else:
        assert field is not None
        np.testing.assert_allclose(float(np.asarray(field.value)), energy, rtol=1e-12)
