"""``nxscan inspect``: what it shows, what a program reads, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path


def test_one_scan_is_shown_with_its_axes_metadata_and_what_is_missing(nxscan_, source):
    shown = nxscan_("inspect", source("rocking 3"))
    assert shown.status == 0
    assert "1 scan (translator text)" in shown.out
    for part in ("rocking", "4 × 5", "uint16", "camera", "3 × 4 × 5", "monitor"):
        assert part in shown.out
    assert "mu  3  0 to 1 degree" in shown.out
    assert "title  ← title: rocking" in shown.out
    assert "tried sample; nearest sampel" in shown.out
    assert shown.err == ""


def test_several_scans_are_listed_and_none_is_opened(nxscan_, source):
    shown = nxscan_("inspect", source("first 3", "second 5"))
    assert shown.status == 0
    assert "2 scans" in shown.out
    assert "second" in shown.out
    assert "--scan N" in shown.out
    assert "camera" not in shown.out


def test_scan_chooses_the_one_that_is_shown(nxscan_, source):
    shown = nxscan_("inspect", source("first 3", "second 5"), "--scan", "2")
    assert "Scan 2: second" in shown.out
    assert "5 × 4 × 5" in shown.out


def test_a_scan_that_is_not_there_is_an_error_that_names_those_that_are(nxscan_, source):
    shown = nxscan_("inspect", source("first 3", "second 5"), "--scan", "7")
    assert shown.status == 1
    assert shown.err.startswith("error: no scan '7'")
    assert "1, 2" in shown.err


def test_problems_come_worst_first_and_errors_give_status_1(nxscan_, source):
    shown = nxscan_("inspect", source("bad 3 note warning error"))
    assert shown.status == 1
    places = [shown.out.index(f"{kind}: a.scan") for kind in ("error", "warning", "note")]
    assert places == sorted(places)
    assert "change it" in shown.out


def test_warnings_and_notes_alone_give_status_0(nxscan_, source):
    assert nxscan_("inspect", source("fair 3 note warning")).status == 0


def test_json_holds_scans_axes_and_problems(nxscan_, source):
    path = source("fair 3 warning")
    shown = nxscan_("inspect", path, "--json")
    found = json.loads(shown.out)
    assert found["scan"] == "1"
    assert found["translator"] == "text"
    assert found["scans"][0]["frames"] == 3
    assert found["scans"][0]["shape"] == [4, 5]
    assert found["scans"][0]["size"] == path.stat().st_size
    assert "payload" not in found["scans"][0]
    assert found["axes"][0]["values"] == [0.0, 0.5, 1.0]
    assert found["axes"][0]["units"] == "degree"
    assert found["problems"][0]["severity"] == "warning"
    assert found["missing"][0]["nearest"] == ["sampel"]


def test_json_of_a_refused_plan_is_complete_and_gives_status_1(nxscan_, source):
    shown = nxscan_("inspect", source("bad 3 error"), "--json")
    assert shown.status == 1
    assert json.loads(shown.out)["problems"][0]["severity"] == "error"


def test_nothing_is_written(nxscan_, source, elsewhere: Path):
    path = source("rocking 3")
    nxscan_("inspect", path)
    assert list(path.parent.iterdir()) == [path]
    assert list(elsewhere.iterdir()) == []


def test_long_values_are_wrapped_and_not_cut(nxscan_, source):
    title = "_".join(f"word{k}" for k in range(60))
    shown = nxscan_("inspect", source(f"{title} 3"))
    assert title in shown.out
