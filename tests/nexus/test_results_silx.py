"""Results in the real silx view window."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.results import FLOAT, add, outputs_of_all_kinds, write_master
from helpers.scans import make_scan
from helpers.silx_window import NO_WINDOW, silx_shows

from nxscan.nexus.results import OutputSpec, results

PATIENT = Path(__file__).parents[1] / "helpers" / "silx_patient.py"


def test_the_default_plot_is_the_newest_result(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    assert silx_shows(path, tmp_path / "before.png") == "Image"
    curve = make_scan()[0].main_axes()[1:2]
    add(path, *outputs_of_all_kinds(make_scan()[0]))
    assert silx_shows(path, tmp_path / "map.png") == "Image"
    add(path, OutputSpec("curve", FLOAT, tuple(curve), "counts", default=True), process="sum")
    assert silx_shows(path, tmp_path / "curve.png") == "Curve"


def test_a_single_value_is_shown(tmp_path: Path) -> None:
    path = write_master(tmp_path / "scan.nxs")
    add(path, OutputSpec("total", FLOAT, (), "counts", default=True))
    assert silx_shows(path, tmp_path / "value.png") == "Raw"


@pytest.mark.parametrize("apart", [False, True], ids=["inline", "apart"])
def test_a_window_that_has_the_master_open_goes_on_undisturbed(tmp_path: Path, apart: bool) -> None:
    path = write_master(tmp_path / "scan.nxs", apart=apart)
    pytest.importorskip("PySide6")
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    window = subprocess.Popen(
        [sys.executable, str(PATIENT), str(path), str(tmp_path / "window.png")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert window.stdout is not None
    if window.stdout.readline() != "open\n":
        _, errors = window.communicate(timeout=300)
        if window.returncode == NO_WINDOW:
            pytest.skip("Qt cannot be loaded here")
        pytest.fail(errors)
    add(path)
    add(path, process="other")
    out, errors = window.communicate("go on\n", timeout=300)
    assert "Traceback" not in errors
    assert window.returncode == 0
    seen = json.loads(out.strip().splitlines()[-1])
    assert seen["view"] == "Image"
    assert seen["items"] > 0
    assert seen["same"]
    assert not seen["new"], "what was open is what was there"
    assert len(results(path)) == 2
    assert silx_shows(path, tmp_path / "after.png") == "Image"
