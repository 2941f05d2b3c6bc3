"""Chains of processes from a file, for one scan or many, and results that are computed again."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

import nxscan
from nxscan.errors import ProcessError
from nxscan.process.replay import replay
from nxscan.process.workflow import load_workflow
from nxscan.simulate import crystal, rocking_scan, write_edf

CHAIN = """
name = "chain"
corrections = ["threshold:low=100"]

[[step]]
process = "moments"

[[step]]
process = "sum"
parameters = {{ {parameters} }}
corrections = ["roi:region=2:10,3:13"]

[[step]]
process = "own_twice:Twice"
on = "moments/center"
"""
TWICE = '''
from nxscan import Output, Process


class Twice(Process):
    """Twice of everything."""

    per = "scan"

    def outputs(self, scan):
        return [Output("twice", units=scan.signal.units, dims=tuple(scan.axes), default=True)]

    def compute(self, block):
        return {{"twice": {factor} * block.data}}
'''


@pytest.fixture(scope="module")
def translated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("workflow")
    scan = rocking_scan(crystal((14, 18)), mu=np.linspace(-0.1, 0.1, 9), seed=4)
    write_edf(scan, folder / "raw", darks=2)
    return nxscan.translate(folder / "raw", folder / "scan.nxs")


@pytest.fixture
def here(elsewhere, translated, monkeypatch) -> Path:
    """Return the current folder, with a scan, a user's process, and a workflow."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    before = set(sys.modules)
    shutil.copy(translated, "scan.nxs")
    Path("own_twice.py").write_text(TWICE.format(factor=2))
    Path("chain.toml").write_text(CHAIN.format(parameters='over = "frames"'))
    yield elsewhere
    for name in {"own_twice"} & (set(sys.modules) - before):
        del sys.modules[name]


def test_a_workflow_runs_its_steps_with_their_corrections(nxscan_, here) -> None:
    shutil.copy("scan.nxs", "second.nxs")
    ended = nxscan_("run", "--workflow", "chain.toml", "scan.nxs", "second.nxs")
    assert ended.status == 0, ended.err
    assert "second.nxs (2 of 2)" in ended.out
    for name in ("scan.nxs", "second.nxs"):
        moments, total, twice = nxscan.results(name)
        assert [one["name"] for one in moments.stored.corrections] == ["threshold"]
        assert [one["name"] for one in total.stored.corrections] == ["roi"]
        frames = nxscan.open(name).signal[...]
        np.testing.assert_array_equal(total["sum"], frames[:, 2:10, 3:13].sum(axis=0))
        np.testing.assert_array_equal(twice["twice"], 2 * moments["center"])


def test_what_is_finished_is_found_when_a_workflow_is_given_again(nxscan_, here) -> None:
    for _ in range(2):
        assert nxscan_("run", "--workflow", "chain.toml", "scan.nxs").status == 0
    assert [one.group for one in nxscan.results("scan.nxs")] == [
        "moments_000", "sum_000", "twice_000",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[step]]\nproces = 'sum'", "step 1: process: Field required"),
        ("[[step]]\nprocess = 'som'", "step 1 .som.: there is no"),
        ("[[step]]\nprocess = 'sum'\nparameters = { oevr = 1 }", "step 1 .sum."),
        ("corrections = ['drak']\n[[step]]\nprocess = 'sum'", "drak"),
        ("step = 3", "step"),
        ("[[step", "is no TOML"),
        ("name = 'x'\nstep = []", "has no step"),
    ],
)
def test_a_workflow_is_checked_before_anything_runs(elsewhere, text: str, said: str) -> None:
    Path("wrong.toml").write_text(text)
    with pytest.raises(ProcessError, match=said):
        load_workflow("wrong.toml")


def test_what_a_workflow_says_itself_is_no_option(nxscan_, here) -> None:
    ended = nxscan_("run", "--workflow", "chain.toml", "scan.nxs", "-p", "scale=3")
    assert ended.status == 2
    assert nxscan_("run", "sum").status == 2


def test_replayed_results_are_the_same_bit_for_bit(nxscan_, here) -> None:
    assert nxscan_("run", "--workflow", "chain.toml", "scan.nxs").status == 0
    before = Path("scan.nxs").read_bytes()
    ended = nxscan_("replay", "scan.nxs")
    assert ended.status == 0, ended.out + ended.err
    assert ended.out.splitlines() == [
        "moments_000: the same, bit for bit",
        "sum_000: the same, bit for bit",
        "twice_000: the same, bit for bit",
    ]
    assert Path("scan.nxs").read_bytes() == before


def test_a_process_that_has_changed_is_found_out(nxscan_, here) -> None:
    assert nxscan_("run", "--workflow", "chain.toml", "scan.nxs").status == 0
    del sys.modules["own_twice"]
    Path("own_twice.py").write_text(TWICE.format(factor=2.5) + "# changed\n")
    ended = nxscan_("replay", "scan.nxs", "--result", "twice", "--json")
    assert ended.status == 1
    (found,) = json.loads(ended.out)
    center = nxscan.Result.load("scan.nxs", "moments")["center"]
    finite = np.isfinite(center) & (center != 0)
    (difference,) = found["differences"]
    assert difference["values"] == int(finite.sum())
    assert difference["largest"] == pytest.approx(0.5 * np.nanmax(np.abs(center)))


def test_a_parameter_file_that_has_changed_is_said(here) -> None:
    mask = Path("mask.h5")
    with h5py.File(mask, "w") as file:
        file["mask"] = np.zeros((14, 18), np.uint8)
    from nxscan.analysis.sum import Sum

    Sum().run("scan.nxs", corrections=["mask:path=mask.h5,dataset=mask,polarity=bad=1"])
    with h5py.File(mask, "a") as file:
        file["mask"][0, 0] = 1
    (found,) = replay("scan.nxs")
    assert "mask.h5" in found.problem
    assert "has changed since" in found.problem


def test_results_that_are_not_there_are_named(here) -> None:
    with pytest.raises(ProcessError, match=r"has none of moments; there are: none"):
        list(replay("scan.nxs", ("moments",)))
