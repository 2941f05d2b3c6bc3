"""A plain function becomes a process, whose identity is what the function computes."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import cloudpickle
import numpy as np
import pytest
from helpers.scans import make_scan

from nxscan.errors import ProcessError
from nxscan.process import Block, Output, Process
from nxscan.process.code_text import class_text, code_text

DATA = np.arange(24, dtype=np.uint16).reshape(3, 2, 4)
BLOCK = Block(DATA, (slice(0, 3), slice(0, 2), slice(0, 4)), 1)
ONE = [Output("spread", units="counts")]
TWO = [Output("low"), Output("high")]


def spread(data, scale: float = 1.0, *, floor: int = 0):
    """Largest minus smallest."""
    return np.maximum(scale * np.ptp(data.astype(float), axis=0), floor)


def test_the_function_gets_the_data_and_the_parameters():
    made = Process.from_function(spread, ONE, scale=3)
    assert np.array_equal(made.compute(BLOCK)["spread"], np.full((2, 4), 48.0))


def test_name_version_per_and_doc_are_those_of_the_function_unless_given():
    made = Process.from_function(spread, ONE)
    assert (made.name, made.version, made.per) == ("spread", "1", "pixel")
    assert type(made).__doc__ == "Largest minus smallest."
    other = Process.from_function(spread, ONE, per="position", name="other", version="2")
    assert (other.name, other.version, other.per) == ("other", "2", "position")


def test_a_lambda_is_called_as_its_default_output():
    made = Process.from_function(lambda d: d[0], ONE)
    assert (made.name, type(made).__doc__) == ("spread", "The function of spread.")
    outputs = [Output("low"), Output("high", default=True)]
    assert Process.from_function(lambda d: (d[0], d[1]), outputs).name == "high"


def test_outputs_are_as_declared():
    scan, _ = make_scan()
    assert list(Process.from_function(spread, ONE).outputs(scan)) == ONE


@pytest.mark.parametrize(
    "function",
    [
        lambda data: (data.min(axis=0), data.max(axis=0)),
        lambda data: {"low": data.min(axis=0), "high": data.max(axis=0)},
    ],
)
def test_several_outputs_come_as_a_tuple_or_a_mapping(function):
    found = Process.from_function(function, TWO).compute(BLOCK)
    assert np.array_equal(found["low"], DATA[0])
    assert np.array_equal(found["high"], DATA[2])


def test_errors_follow_their_output():
    outputs = [Output("mean", errors=True), Output("high")]
    made = Process.from_function(lambda d: (d[0], d[1], d[2]), outputs)
    assert [*made.compute(BLOCK)] == ["mean", "mean_errors", "high"]


def test_a_wrong_number_of_arrays_names_process_and_outputs():
    made = Process.from_function(lambda d: (d[0], d[1], d[2]), TWO, name="ends")
    message = "process ends: the function gave 3 arrays, but its outputs are low, high"
    with pytest.raises(ProcessError, match=message):
        made.compute(BLOCK)


def test_parameters_are_typed_by_annotations_and_defaults():
    def fit(data, peaks: int, model="gauss", tolerance=1, strict=False, scale=0.5):
        return data[0]

    made = Process.from_function(fit, ONE, peaks=2)
    fields = type(made).Parameters.model_fields
    assert {name: field.annotation for name, field in fields.items()} == {
        "peaks": int,
        "model": str,
        "tolerance": int | float,
        "strict": bool,
        "scale": float,
    }
    assert made.parameters.model_dump() == {
        "peaks": 2,
        "model": "gauss",
        "tolerance": 1,
        "strict": False,
        "scale": 0.5,
    }


def test_what_is_given_is_the_default_of_the_class():
    assert type(Process.from_function(spread, ONE, scale=3))().parameters.scale == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scal": 3}, "there is no parameter 'scal'; its parameters are: scale, floor"),
        ({"scale": "big"}, "parameter 'scale' is 'big', but: "),
    ],
)
def test_wrong_parameters_are_refused(given, message):
    with pytest.raises(ProcessError, match=message):
        Process.from_function(spread, ONE, **given)


def test_a_parameter_that_must_be_given_is_asked_for():
    with pytest.raises(ProcessError, match="parameter 'peaks' must be given"):
        Process.from_function(lambda data, peaks: data[0], ONE)


def test_any_parameters_may_be_given_where_the_function_takes_any():
    def anything(data, **more):
        return data[0] * more["factor"]

    made = Process.from_function(anything, ONE, factor=2)
    assert np.array_equal(made.compute(BLOCK)["spread"], DATA[0] * 2)


def test_types_that_only_the_function_knows_are_taken_as_they_are():
    class Own:
        pass

    def with_own(data, own: Own, later: NotDefinedAnywhere = None):  # noqa: F821
        return data[0]

    assert isinstance(Process.from_function(with_own, ONE, own=Own()).parameters.own, Own)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (3, "3 is a int, not a function"),
        (lambda: 0, "takes no data"),
        (lambda *, data: 0, "takes no data"),
        (lambda data, copy=True: 0, "parameter 'copy' needs another name"),
        (lambda data, _hidden=1: 0, "parameter '_hidden' needs another name"),
        (eval("lambda data, scale, /: 0"), "parameter 'scale' .* cannot be given by name"),
    ],
)
def test_what_cannot_be_a_process_is_refused(function, message):
    with pytest.raises(ProcessError, match=message):
        Process.from_function(function, ONE)


def test_a_name_that_is_none_in_nexus_is_refused():
    with pytest.raises(ProcessError, match="'my range' is no NeXus name"):
        Process.from_function(spread, ONE, name="my range")


def test_no_outputs_are_refused():
    with pytest.raises(ProcessError, match="no outputs are given"):
        Process.from_function(spread, [])


def test_compiled_and_partial_functions_work():
    import numba

    @numba.njit
    def first(data, factor=2.0):
        return data[0] * factor

    assert np.array_equal(
        Process.from_function(first, ONE, factor=3.0).compute(BLOCK)["spread"], DATA[0] * 3.0
    )
    half = functools.partial(spread, scale=0.5)
    made = Process.from_function(half, ONE)
    assert made.compute(BLOCK)["spread"][0, 0] == 8.0
    assert type(made).__doc__ == "The function of spread."
    whole = Process.from_function(np.ptp, ONE, axis=0)
    assert np.array_equal(whole.compute(BLOCK)["spread"], np.full((2, 4), 16))


def test_a_lambda_goes_to_another_process(tmp_path):
    factor = 7
    made = Process.from_function(lambda d, shift=0: d[0] * factor + shift, ONE, shift=1)
    path = tmp_path / "made.pickle"
    path.write_bytes(cloudpickle.dumps(made))
    code = (
        "import pickle, numpy as np\n"
        f"made = pickle.load(open({str(path)!r}, 'rb'))\n"
        "print(made.name, made.version, made.per, made.function(np.ones((2, 1))), made.parameters)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "spread 1 pixel [7.] shift=1\n"


def test_identity_is_kept_on_the_way_to_another_process():
    made = Process.from_function(lambda d: d[0], ONE)
    again = cloudpickle.loads(cloudpickle.dumps(made))
    assert again.source_text == made.source_text


def times(factor: Any) -> Callable[..., Any]:
    return lambda d: d * factor


LIMIT = 3


def _helper(d):
    return d + 1


def _uses_global(d):
    return d * LIMIT


def _uses_helper(d):
    return _helper(d)


def test_equal_functions_have_equal_text():
    assert code_text(times(3)) == code_text(times(3))
    assert code_text(spread) == code_text(spread)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda d: d.max(axis=0), lambda d: d.min(axis=0)),
        (lambda d: d + 1, lambda d: d + 2),
        (lambda d, a=1: d * a, lambda d, a=2: d * a),
        (times(3), times(4)),
        (times(3), times(3.0)),
        (times(np.ones(3)), times(np.ones(4))),
        (times([1, [2, 3]]), times([1, [2, 4]])),
        (times({"a": 1}), times({"a": 2})),
        (times({1, 2}), times({1, 3})),
        (functools.partial(spread, scale=1), functools.partial(spread, scale=2)),
        (lambda d: [x + 1 for x in d], lambda d: [x + 2 for x in d]),
        (np.max, np.min),
    ],
)
def test_functions_that_compute_something_else_have_another_text(one, other):
    assert code_text(one) != code_text(other)


def test_a_changed_global_changes_the_text(monkeypatch):
    before = code_text(_uses_global)
    monkeypatch.setitem(_uses_global.__globals__, "LIMIT", 4)
    assert code_text(_uses_global) != before


def test_a_changed_helper_changes_the_text(monkeypatch):
    before = code_text(_uses_helper)
    monkeypatch.setitem(_uses_helper.__globals__, "_helper", lambda d: d + 2)
    assert code_text(_uses_helper) != before


def test_a_changed_method_of_a_class_that_is_used_changes_the_text():
    def make(step: int) -> Callable[..., Any]:
        class Stepper:
            def __call__(self, d):
                return d + step

        return lambda d: Stepper()(d)

    assert code_text(make(1)) != code_text(make(2))


def test_a_changed_call_of_an_object_changes_the_text():
    def make(step: int) -> Any:
        class Adder:
            def __call__(self, d):
                return d + step

            def method(self, d):
                return d - step

        return Adder()

    assert code_text(make(1)) != code_text(make(2))
    assert code_text(make(1).method) != code_text(make(2).method)
    assert code_text(make(1)) == code_text(make(1))


FACTOR = 2


class _Scaled(Process):
    per = "pixel"

    def outputs(self, scan):
        return ONE

    def compute(self, block):
        return {"spread": block.data[0] * FACTOR}


def test_a_global_that_a_process_uses_changes_the_text_of_its_class(monkeypatch):
    before = class_text(_Scaled)
    assert class_text(_Scaled) == before
    monkeypatch.setitem(_Scaled.compute.__globals__, "FACTOR", 3)
    changed = class_text(_Scaled)
    assert changed != before
    monkeypatch.setattr(_Scaled, "compute", lambda self, block: {})
    assert class_text(_Scaled) not in (before, changed)


def test_a_changed_constant_or_base_of_a_class_changes_the_text():
    def make(step: int, other: int) -> Callable[..., Any]:
        class Base:
            def more(self):
                return other

        class Stepper(Base):
            STEP = step

        return lambda d: d + Stepper.STEP

    assert code_text(make(1, 1)) != code_text(make(2, 1))
    assert code_text(make(1, 1)) != code_text(make(1, 2))
    assert code_text(make(1, 1)) == code_text(make(1, 1))


def test_a_module_of_the_users_own_counts_with_what_it_defines(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "my_own_helpers.py").write_text(
        "import numpy as np\nFACTOR = 2\ndef twice(d):\n    return FACTOR * np.asarray(d)\n"
    )
    import my_own_helpers

    def uses_module(d):
        return my_own_helpers.twice(d)

    before = code_text(uses_module)
    assert before == code_text(uses_module)
    monkeypatch.setattr(my_own_helpers, "FACTOR", 3)
    changed = code_text(uses_module)
    assert changed != before
    monkeypatch.setattr(my_own_helpers.twice, "__code__", (lambda d: d).__code__)
    assert code_text(uses_module) not in (before, changed)
    del sys.modules["my_own_helpers"]


def test_the_state_of_an_object_changes_the_text():
    class Scale:
        def __init__(self, factor: float) -> None:
            self.factor = factor
            self.myself = self

        def __call__(self, d):
            return self.factor * d

    assert code_text(Scale(1)) != code_text(Scale(2))
    assert code_text(times(Scale(1))) != code_text(times(Scale(2)))
    assert code_text(Scale(1)) == code_text(Scale(1))


def test_a_function_of_an_installed_package_is_told_by_code_and_version(monkeypatch):
    from nxscan.process import code_text as module

    one = json.dumps
    before = code_text(one)
    assert before == code_text(one)
    monkeypatch.setattr(module, "_version", lambda name: "another")
    assert code_text(one) != before
    assert code_text(json.dumps) != code_text(json.loads)


def test_functions_that_call_each_other_have_a_text():
    def ping(n):
        return pong(n - 1) if n else 0

    def pong(n):
        return ping(n - 1) if n else 1

    assert code_text(ping) != code_text(pong)


def test_the_text_is_the_same_in_another_process(tmp_path):
    """Whatever the order of sets is there."""
    (tmp_path / "mine.py").write_text(
        "NAMES = {'a', 'b', 'c', 'd'}\n"
        "def f(d):\n    return [x for x in NAMES if x in {'e', 'f', 'g', 'h'}], d.sum()\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import mine, hashlib; from nxscan.process.code_text import code_text\n"
        "print(hashlib.sha256(code_text(mine.f).encode()).hexdigest())"
    )
    import os

    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
