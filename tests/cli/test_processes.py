"""``nxscan processes``: what is installed, and what it takes."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest
from helpers.plugins import CUT, RANGE, install_package

DETAILED = '''
from typing import Literal
from pydantic import Field
from nxscan.process import Output, Process, ProcessParameters

class Peaks(Process):
    """Find the peaks of every frame.

    Those that stand out.
    """

    per = "position"
    version = "4"

    class Parameters(ProcessParameters):
        number: int = Field(ge=1, description="How many.")
        width: float = Field(0.1, gt=0, json_schema_extra={"units": "degree"})
        model: Literal["gauss", "voigt"] = "gauss"

    def outputs(self, scan):
        return [Output("height", "counts")]

    def compute(self, block):
        return {}
'''


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch) -> Path:
    """Install a package of somebody else's."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.setattr(sys, "path", [str(site), *sys.path])
    install_package(
        site,
        "lab_all",
        RANGE + CUT + DETAILED,
        "[nxscan.processes]\nspread = lab_all:Range\nlab_peaks = lab_all:Peaks\n"
        "[nxscan.corrections]\nlab_cut = lab_all:Cut\n",
    )
    importlib.invalidate_caches()
    yield site
    sys.modules.pop("lab_all", None)


def line_of(text: str, word: str) -> str:
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [word]]
    return " ".join(line.split())


def test_processes_and_corrections_are_listed_with_what_they_are_and_from_whom(nxscan_):
    ended = nxscan_("processes")
    assert ended.status == 0
    processes, _, corrections = ended.out.partition("Corrections")
    wanted = "spread pixel lab_all 1.0 Largest minus smallest count of every pixel."
    assert line_of(processes, "spread") == wanted
    assert line_of(corrections, "lab_cut") == "lab_cut lab_all 1.0 Cut what is too large."


def test_nxscans_own_are_listed(nxscan_):
    listed = [
        (one["kind"], one["name"])
        for one in json.loads(nxscan_("processes", "--json").out)
        if one["package"].startswith("nxscan ")
    ]
    if not listed:
        pytest.skip("nxscan is not installed as a package here, so it has no entry points")
    assert {("process", "moments"), ("process", "sum"), ("correction", "dark")} <= {*listed}


def test_two_of_one_name_are_listed_by_what_tells_them_apart(nxscan_, lab):
    install_package(lab, "lab_other", RANGE, "[nxscan.processes]\nspread = lab_other:Range\n")
    shown = nxscan_("processes").out
    assert "lab_all:Range" in shown
    assert "lab_other:Range" in shown
    assert "\n  spread " not in shown
    sys.modules.pop("lab_other", None)


def test_a_broken_package_is_a_warning_and_the_others_are_listed(nxscan_, lab):
    install_package(lab, "lab_bad", "1 / 0", "[nxscan.processes]\nbad = lab_bad:Range\n")
    ended = nxscan_("processes")
    assert ended.status == 0
    assert "warning: the process 'bad' of lab_bad 1.0 (lab_bad:Range) cannot be loaded" in ended.err
    assert "spread" in ended.out
    assert "\n  bad " not in ended.out


def test_one_process_tells_doc_parameters_and_how_to_run_it(nxscan_):
    ended = nxscan_("processes", "lab_peaks")
    assert ended.status == 0
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert lines[0] == "process lab_peaks, version 4, from lab_all 1.0"
    assert "Those that stand out." in lines
    assert "number whole number, ≥ 1; must be given" in lines
    assert "How many." in lines
    assert "width number, > 0, in degree; default 0.1" in lines
    assert "model gauss | voigt; default gauss" in lines
    assert "nxscan run lab_peaks scan.nxs -p number=NUMBER" in lines


def test_outputs_are_told_where_nothing_must_be_given(nxscan_):
    shown = nxscan_("processes", "spread").out
    assert "Outputs, one value per pixel" in shown
    assert line_of(shown, "range") == "range counts y × x float64 default plot"


def test_a_class_of_ones_own_is_told_about_as_well(nxscan_):
    Path("mine.py").write_text(RANGE)
    ended = nxscan_("processes", "mine.py:Range")
    assert "process mine.py:Range, version 1, from your own code" in ended.out
    assert "nxscan run mine.py:Range scan.nxs" in ended.out


def test_one_correction_tells_how_it_is_given(nxscan_):
    shown = nxscan_("processes", "lab_cut").out
    assert shown.startswith("correction lab_cut, version 1, from lab_all 1.0\n")
    assert "nxscan run PROCESS scan.nxs -c lab_cut" in shown
    assert "Outputs" not in shown


def test_json_tells_the_same(nxscan_):
    shown = json.loads(nxscan_("processes", "lab_peaks", "--json").out)
    wanted = {"name": "lab_peaks", "kind": "process", "reference": "lab_all:Peaks", "version": "4"}
    assert wanted.items() <= shown.items()
    assert [one["name"] for one in shown["parameters"]] == ["number", "width", "model"]
    listed = json.loads(nxscan_("processes", "--json").out)
    assert shown in listed


def test_an_unknown_name_is_refused_with_the_nearest(nxscan_):
    ended = nxscan_("processes", "lab_peak")
    assert ended.status == 1
    assert "did you mean 'lab_peaks'?" in ended.err
