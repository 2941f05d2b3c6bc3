"""What compute returns, held against what was declared."""

from __future__ import annotations

import numpy as np
import pytest
from process.test_contract import Range, scan

from nxscan.errors import ProcessError
from nxscan.process import Output
from nxscan.process.outcome import check_outputs, check_state
from nxscan.process.output import resolve

PART = (slice(0, 2), slice(0, 5))


def checked(found, *outputs):
    declared = resolve(outputs or [Output("range")], scan(), "pixel", "")
    return check_outputs(Range(), declared, found, PART, 7)


def test_arrays_of_the_declared_shape_pass():
    values = np.arange(10.0).reshape(2, 5)
    np.testing.assert_array_equal(checked({"range": values})["range"], values)


def test_a_narrower_type_becomes_the_declared_one():
    found = checked({"range": np.ones((2, 5), np.int16)})["range"]
    assert found.dtype == np.float64


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (np.zeros((2, 5)), "returned ndarray, expected a mapping"),
        ({}, "'range' is missing"),
        ({"range": np.zeros((2, 5)), "more": 1}, "'more', which outputs() does not declare"),
        ({"range": np.zeros((5, 2))}, "shape (5, 2), expected (2, 5)"),
        ({"range": np.zeros((2, 5), complex)}, "complex128, expected float64"),
        ({"range": np.full((2, 5), "a")}, "expected float64"),
    ],
)
def test_anything_else_names_process_block_and_output(found, message):
    with pytest.raises(ProcessError, match="process 'range', block 7") as caught:
        checked(found)
    assert message in str(caught.value)


def test_floats_are_not_cut_to_integers_in_silence():
    with pytest.raises(ProcessError, match="float64, expected uint8"):
        checked({"range": np.zeros((2, 5))}, Output("range", dtype="u1"))


def test_errors_that_were_declared_must_come():
    with pytest.raises(ProcessError, match="'range_errors' is missing"):
        checked({"range": np.zeros((2, 5))}, Output("range", errors=True))


def test_a_state_may_hold_any_arrays_of_numbers():
    state = check_state(Range(), {"n": 3, "sums": [1.0, 2.0]}, 0)
    assert state["n"].shape == ()
    with pytest.raises(ProcessError, match="state 'what' is of type object"):
        check_state(Range(), {"what": [object()]}, 0)
