"""The task that runs any process under ewoks."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from helpers.results import write_master

from nxscan.errors import ProcessError
from nxscan.process.result import Result

ewokscore = pytest.importorskip("ewokscore")


@pytest.fixture(autouse=True)
def path(monkeypatch):
    """Leave Python's path as it was: ewoks puts the current folder first on it."""
    monkeypatch.setattr(sys, "path", sys.path.copy())


def _task(name, source, **more):
    return {
        "id": name,
        "task_type": "class",
        "task_identifier": "nxscan.ewoks.RunProcess",
        "default_inputs": [
            {"name": key, "value": value}
            for key, value in {"process": name, "source": source, **more}.items()
            if value is not None
        ],
    }


def test_tasks_pass_on_the_file_that_has_their_results(tmp_path):
    path = write_master(tmp_path / "scan.nxs")
    into = str(tmp_path / "out.nxs")
    graph = {
        "graph": {"id": "two"},
        "nodes": [
            _task("sum", str(path), into=into),
            _task("max", None, parameters={"over": "pixels"}, corrections=["threshold:low=5"]),
        ],
        "links": [
            {
                "source": "sum",
                "target": "max",
                "data_mapping": [{"source_output": "path", "target_input": "source"}],
            }
        ],
    }
    ended = ewokscore.execute_graph(graph)
    assert ended == {"path": into, "group": "max_000"}
    found = Result.load(into, "max")
    assert found.parameters["over"] == "pixels"
    assert [one["name"] for one in found.stored.corrections] == ["threshold"]
    assert np.isfinite(Result.load(into, "sum_000")["sum"]).all()


def test_a_wrong_parameter_is_said_as_everywhere(tmp_path):
    from nxscan.ewoks import RunProcess

    task = RunProcess(inputs={"process": "sum", "source": "no.nxs", "parameters": {"n": 1}})
    with pytest.raises(ProcessError, match="there is no parameter 'n'"):
        task.run()
