"""What `nxscan processes NAME` tells is told by the class."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from nxscan.model import Axis
from nxscan.process import Correction, Output, Process, ProcessParameters
from nxscan.process.describe import facts_of


class Peaks(Process):
    """Find peaks.

    By looking at them.
    """

    per = "position"
    version = "4"

    class Parameters(ProcessParameters):
        width: float = Field(
            0.1, gt=0, le=5, description="Width of a peak.", json_schema_extra={"units": "degree"}
        )
        number: int = Field(ge=1)
        model: Literal["gauss", "voigt"] = "gauss"
        file: Path | None = None
        region: tuple[int, int] = (0, 5)
        several: list[float] = Field([1.0], max_length=3)
        switch: bool = True
        top: float = math.inf
        anything: Any = None

    def outputs(self, scan):
        component = Axis("component", np.arange(3.0), "")
        return [
            Output("height", "counts"),
            Output("part", dims=(component, ...), dtype="i4", default=True, long_name="a part"),
        ]

    def compute(self, block):
        return {}


class Simple(Peaks):
    class Parameters(ProcessParameters):
        pass


def told(name: str) -> tuple[str, str, str, str, str]:
    (one,) = [one for one in facts_of(Peaks).parameters if one.name == name]
    return one.type, one.default, one.limits, one.units, one.help


def test_doc_version_and_what_a_result_belongs_to_are_told():
    facts = facts_of(Peaks)
    assert facts.summary == "Find peaks."
    assert facts.doc == "Find peaks.\n\nBy looking at them."
    assert (facts.per, facts.version) == ("position", "4")


def test_type_default_limits_units_and_help_of_parameters_are_told():
    assert told("width") == ("number", "0.1", "> 0, ≤ 5", "degree", "Width of a peak.")
    assert told("number") == ("whole number", "", "≥ 1", "", "")
    assert told("model")[:2] == ("gauss | voigt", "gauss")
    assert told("file")[:2] == ("path or none", "None")
    assert told("region")[:3] == ("(whole number, whole number)", "(0, 5)", "")
    assert told("several")[:3] == ("list of number", "[1.0]", "at most 3 of them")
    assert told("switch")[:2] == ("true or false", "True")
    assert told("top")[:2] == ("number", "inf")
    assert told("anything")[:2] == ("any", "None")


def test_what_must_be_given_is_told():
    assert [one.name for one in facts_of(Peaks).parameters if one.required] == ["number"]


def test_outputs_are_told_for_an_example_if_nothing_must_be_given():
    assert facts_of(Peaks).outputs == ()
    found = facts_of(Simple).outputs
    assert [(o.name, o.units, o.dims, o.dtype, o.default, o.help) for o in found] == [
        ("height", "counts", "mu", "float64", False, ""),
        ("part", "", "component × mu", "int32", True, "a part"),
    ]


def test_what_a_result_belongs_to_may_depend_on_the_parameters():
    class Either(Simple):
        per = property(lambda self: "scan")

    facts = facts_of(Either)
    assert facts.per == "scan"
    assert [one.dims for one in facts.outputs] == ["", "component"]


def test_a_process_that_refuses_the_example_tells_no_outputs():
    class Picky(Simple):
        def outputs(self, scan):
            return [Output("height", dims=("energy", ...))]

    assert facts_of(Picky).outputs == ()


def test_a_correction_has_no_outputs():
    class Cut(Correction):
        """Cut."""

        def bind(self, scan, layout):
            raise NotImplementedError

    facts = facts_of(Cut)
    assert (facts.summary, facts.per, facts.outputs) == ("Cut.", "", ())
