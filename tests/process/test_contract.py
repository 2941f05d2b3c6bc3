"""What a process declares, and what is refused before anything is computed."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import Field

from nxscan.errors import ProcessError
from nxscan.model import ArraySignal, Axis, Scan
from nxscan.process import Output, Process, ProcessParameters
from nxscan.process.output import resolve


class Range(Process):
    """Largest minus smallest count of every pixel."""

    per = "pixel"

    class Parameters(ProcessParameters):
        scale: float = Field(1.0, gt=0)

    def outputs(self, scan):
        return [Output("range", units="counts", default=True)]

    def compute(self, block):
        d = block.data.astype(float)
        return {"range": self.parameters.scale * (d.max(axis=0) - d.min(axis=0))}


def scan(shape=(3, 4, 5), names=("mu", "y", "x"), rank=1):
    axes = {
        name: Axis(
            name,
            np.arange(n, dtype=float),
            "degree",
            role="scan" if k < rank else "detector",
            dimension=k,
        )
        for k, (name, n) in enumerate(zip(names, shape, strict=True))
    }
    return Scan("test", {"detector": ArraySignal(np.zeros(shape), "counts")}, axes)


def resolved(outputs, per="pixel", of=None):
    return resolve(outputs, of or scan(), per, "process 'mine'")


def test_a_process_is_called_by_its_class_in_small_letters():
    class RockingCurve(Range):
        pass

    assert (Range.name, RockingCurve.name) == ("range", "rocking_curve")


def test_a_name_that_nexus_would_refuse_is_refused():
    with pytest.raises(ProcessError, match="'my range' is no NeXus name"):

        class Mine(Range):
            name = "my range"


def test_every_problem_of_the_parameters_is_in_one_error():
    with pytest.raises(ProcessError) as caught:
        Range(scale=-1, other=2)
    text = str(caught.value)
    assert "'scale' is -1" in text
    assert "greater than 0" in text
    assert "no parameter 'other'" in text
    assert "its parameters are: scale" in text


def test_parameters_do_not_change_after_they_were_given():
    with pytest.raises(ValueError, match="frozen"):
        Range().parameters.scale = 2.0


def test_a_process_with_merge_is_a_reduction():
    class Total(Range):
        def merge(self, first, second):
            return {"range": first["range"] + second["range"]}

    assert Total().is_reduction
    assert not Range().is_reduction


@pytest.mark.parametrize(("per", "shape"), [("pixel", (4, 5)), ("position", (3,)), ("scan", ())])
def test_an_output_has_the_dimensions_that_results_belong_to(per, shape):
    (output,) = resolved([Output("range")], per)
    assert output.shape == shape
    assert output.dtype == np.float64


def test_an_output_brings_axes_of_its_own_before_and_after():
    q = Axis("q", np.linspace(0, 1, 7), "1/angstrom")
    roi = Axis("roi", np.arange(2.0), "")
    (output,) = resolved([Output("intensity", dims=(roi, ..., q))], "position")
    assert output.shape == (2, 3, 7)
    assert output.place((slice(1, 2),)) == (slice(None), slice(1, 2), slice(None))


def test_an_output_per_scan_takes_axes_of_the_scan_by_name():
    (output,) = resolved([Output("sum", dims=("mu", "x"))], "scan")
    assert output.shape == (3, 5)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([], "declares no outputs"),
        ([Output("my map")], "'my map' is no NeXus name"),
        ([Output("a"), Output("a")], "'a' is declared twice"),
        ([Output("a", errors=True), Output("a_errors")], "'a_errors' is declared twice"),
        ([Output("a", dtype="U5")], "which no plot shows"),
        ([Output("a", dtype=complex)], "which no plot shows"),
        ([Output("a", default=True), Output("b", default=True)], "more than one output"),
        ([Output("a", dims=("mu",))], "must hold '...' once"),
        ([Output("a", dims=(..., ...))], "once"),
        ([Output("a", dims=(..., "chi"))], "axis 'chi', which the scan has not"),
        ([Output("a", dims=(..., "x"))], "two dimensions of one name"),
        ([Output("x")], "two dimensions of one name"),
        ([Output("a", dims=(..., Axis("q", np.zeros((2, 2)))))], "must be one-dimensional"),
    ],
)
def test_what_no_nxdata_can_hold_is_refused(outputs, message):
    with pytest.raises(ProcessError, match="process 'mine'") as caught:
        resolved(outputs)
    assert message in str(caught.value)
