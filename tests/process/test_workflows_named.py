"""Workflows that come with nxscan are found by their names, and run."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import numpy as np
import pytest
from helpers.blocks import scan_of
from helpers.results import write_master

from nxscan.errors import ProcessError
from nxscan.process.result import results
from nxscan.process.settings import Settings
from nxscan.process.workflow import load_workflow, run_workflow


def bent() -> np.ndarray:
    """Return curves along chi and mu of a lattice that bends along both."""
    chi, mu = np.linspace(-0.2, 0.2, 7), np.linspace(-0.2, 0.2, 9)
    y, x = np.mgrid[:14, :16]
    u = (chi[:, None, None, None] - 0.004 * (y - 7)) / 0.06
    v = (mu[:, None, None] - 0.004 * (x - 8)) / 0.06
    return np.random.default_rng(3).poisson(400 * np.exp(-0.5 * (u**2 + v**2)) + 5).astype("u2")


def test_one_call_makes_all_maps_of_a_mosaicity_scan(tmp_path):
    places = {"chi": np.linspace(-0.2, 0.2, 7), "mu": np.linspace(-0.2, 0.2, 9)}
    path = write_master(tmp_path / "scan.nxs", scan=scan_of(bent(), places))
    found = list(run_workflow(load_workflow("mosaicity"), path, Settings()))
    made = [one.process for one in found]
    assert made == ["sum", "moments", "grains", "kam", "grod", "orientation_gradient", "mosaicity"]
    assert len(results(path)) == len(made)
    chain = [one["name"] for one in found[0].stored.corrections]
    assert chain == ["background", "hot_pixels"]
    (center,) = (one["center_mu"] for one in found if one.process == "moments")
    slope = np.polyfit(np.arange(16), center[4:10].mean(axis=0), 1)[0]
    assert slope == pytest.approx(0.004, rel=0.1)


def test_a_name_that_nobody_has_is_answered_with_those_there_are():
    with pytest.raises(ProcessError, match=r"mosaicty.*no workflow of that name.*mosaicity"):
        load_workflow("mosaicty")


def test_a_file_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mosaicity").write_text('[[step]]\nprocess = "sum"\n', encoding="utf-8")
    assert [step.process for step in load_workflow("mosaicity").step] == ["sum"]


def test_every_workflow_is_called_as_its_file():
    shipped = [one for one in files("nxscan.workflows").iterdir() if one.name.endswith(".toml")]
    assert shipped
    for one in shipped:
        said = tomllib.loads(one.read_text(encoding="utf-8"))
        assert f"{said['name']}.toml" == one.name
        assert said["description"]
        assert load_workflow(said["name"]).step
