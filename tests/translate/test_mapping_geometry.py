"""Geometry becomes chains of NXtransformations that never dangle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nxscan.model import Group
from nxscan.translate.mapping import apply_mapping, parse_mapping
from nxscan.translate.report import Report

TRANSLATION = 'type = "translation"\nvector = [0, 0, 2]\nunits_in = "mm"\nunits = "m"'
ROTATION = 'type = "rotation"\nvector = [0, 1, 0]\nunits_in = "degree"\nunits = "degree"'
GROUP = "instrument/detector/transformations"


def link(name: str, rest: str, depends_on: str = ".", target: str = GROUP) -> str:
    head = f'[[transformation]]\ntarget = "{target}/{name}"\nfrom = "{name}"\n'
    return f'{head}depends_on = "{depends_on}"\n{rest}\n'


ARM = link("distance", TRANSLATION, "gamma") + link("gamma", ROTATION, "delta")
ARM += link("delta", ROTATION)


def applied(text: str, values: dict[str, Any]) -> tuple[Group, Report]:
    entry, report = Group("NXentry"), Report()
    apply_mapping(parse_mapping('name = "mine"\n' + text, "mine"), values, entry, report)
    return entry, report


def chain(entry: Group) -> list[str]:
    """Follow depends_on from the detector to the end; fails where the chain dangles."""
    names: list[str] = []
    place = str(entry["instrument/detector/depends_on"].value)
    path = f"instrument/detector/{place}"
    while True:
        names.append(path.rpartition("/")[2])
        below = entry[path].attributes["depends_on"]
        if below == ".":
            return names
        path = f"{GROUP}/{below}"


def test_a_chain_leads_from_the_component_to_its_end() -> None:
    entry, report = applied(ARM, {"distance": "1330", "gamma": "12.3", "delta": "23.2"})
    assert chain(entry) == ["distance", "gamma", "delta"]
    assert not report.problems
    distance = entry[f"{GROUP}/distance"]
    assert distance.value == pytest.approx(1.33)
    assert distance.units == "m"
    assert distance.attributes["transformation_type"] == "translation"
    np.testing.assert_allclose(np.asarray(distance.attributes["vector"]), [0, 0, 1])
    group = entry.groups["instrument"].groups["detector"].groups["transformations"]
    assert group.nx_class == "NXtransformations"
    assert {item.target for item in report.mapped} == {
        f"{GROUP}/{name}" for name in ("distance", "gamma", "delta")
    }


@pytest.mark.parametrize("missing", ["distance", "gamma", "delta"])
def test_a_missing_link_shortens_the_chain_and_is_reported(missing: str) -> None:
    values = {"distance": "1330", "gamma": "12.3", "delta": "23.2"}
    del values[missing]
    entry, report = applied(ARM, values)
    assert chain(entry) == list(values)
    assert [item.target for item in report.missing] == [f"{GROUP}/{missing}"]
    stood_on = [problem for problem in report.problems if f"{missing!r}" in problem.message]
    assert len(stood_on) == (missing != "distance")


def test_without_any_link_there_is_no_chain() -> None:
    entry, report = applied(ARM, {})
    assert not entry.groups
    assert len(report.missing) == 3


def test_a_link_that_the_mapping_does_not_describe_ends_the_chain() -> None:
    entry, report = applied(link("distance", TRANSLATION, "arm"), {"distance": "1"})
    assert chain(entry) == ["distance"]
    assert "'arm', which the mapping does not describe" in report.problems[0].message


def test_links_in_a_circle_are_reported_and_used_by_nothing() -> None:
    text = link("a", ROTATION, "b") + link("b", ROTATION, "a")
    entry, report = applied(text, {"a": "1", "b": "2"})
    assert entry.get("instrument/detector/depends_on") is None
    assert "no single first link" in report.problems[0].message


def test_two_chains_in_one_group_are_reported() -> None:
    text = link("a", ROTATION) + link("b", ROTATION)
    entry, report = applied(text, {"a": "1", "b": "2"})
    assert entry.get("instrument/detector/depends_on") is None
    assert "(a, b)" in report.problems[0].message


def test_an_offset_goes_with_its_link() -> None:
    rest = f'{ROTATION}\noffset = [1, 2, 3]\noffset_units = "mm"'
    entry, _ = applied(link("a", rest), {"a": "5"})
    attributes = entry[f"{GROUP}/a"].attributes
    np.testing.assert_allclose(np.asarray(attributes["offset"]), [1, 2, 3])
    assert attributes["offset_units"] == "mm"


@pytest.mark.parametrize(("tilt", "there"), [("0.0", True), ("0.1", False), (None, True)])
def test_a_key_that_forbids_a_link_does_so_unless_it_is_zero(tilt: str | None, there: bool) -> None:
    values = {"distance": "1"} | ({"tilt": tilt} if tilt else {})
    entry, report = applied(link("distance", f'{TRANSLATION}\nunless = ["tilt"]'), values)
    assert (entry.get(f"{GROUP}/distance") is not None) == there
    assert bool(report.problems) != there
    assert not report.missing


def test_a_motor_that_moves_gives_one_value_for_each_frame_where_allowed() -> None:
    values = {"mu": np.array([0.0, 0.1, 0.2])}
    target = "sample/transformations"
    entry, _ = applied(link("mu", f"{ROTATION}\nper_frame = true", target=target), values)
    np.testing.assert_allclose(np.asarray(entry[f"{target}/mu"].value), [0, 0.1, 0.2])
    assert entry["sample/depends_on"].value == "transformations/mu"
    entry, report = applied(link("mu", ROTATION, target=target), values)
    assert entry.get(f"{target}/mu") is None
    assert [problem.severity for problem in report.problems] == ["note"]
