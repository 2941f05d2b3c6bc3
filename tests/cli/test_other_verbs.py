"""``validate``, ``info``, ``plot``, ``view`` and ``translators``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from nxscan import targets

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def master(nxscan_, source, monkeypatch) -> Path:
    """Return a translated scan."""
    with monkeypatch.context() as spared:
        spared.setattr(targets, "_check", lambda path: None)
        assert nxscan_("translate", source("rocking 3"), "-o", "scan.nxs").status == 0
    return Path("scan.nxs")


def damaged(master: Path) -> Path:
    """Return a copy of a file that says its axis has another unit than there is."""
    bad = Path("bad.nxs")
    bad.write_bytes(master.read_bytes())
    with h5py.File(bad, "r+") as file:
        file["entry/data/mu"].attrs["units"] = "furlongs per fortnigt"
    return bad


def test_a_good_file_gives_status_0_and_a_bad_one_status_1(nxscan_, master):
    assert nxscan_("validate", master).status == 0
    ended = nxscan_("validate", damaged(master))
    assert ended.status == 1
    assert "furlongs per fortnigt" in ended.out
    assert ended.err == ""


def test_one_bad_file_among_good_ones_gives_status_1(nxscan_, master):
    ended = nxscan_("validate", damaged(master), master)
    assert ended.status == 1
    assert "bad.nxs: NOT VALID" in ended.out
    assert "scan.nxs: valid" in ended.out


def test_data_checks_the_frames_too(nxscan_, master):
    shown = json.loads(nxscan_("validate", master, "--data", "--json").out)
    assert {"name": "frame checksums", "ran": True}.items() <= next(
        check for check in shown[0]["checks"] if check["name"] == "frame checksums"
    ).items()


def test_json_is_one_report_a_file(nxscan_, master):
    ended = nxscan_("validate", master, damaged(master), "--json")
    assert ended.status == 1
    assert [report["ok"] for report in json.loads(ended.out)] == [True, False]


def test_all_shows_more_than_the_verdict(nxscan_, master):
    assert len(nxscan_("validate", master, "--all").out) > len(nxscan_("validate", master).out)


def test_info_tells_title_and_axes(nxscan_, master):
    ended = nxscan_("info", master)
    assert ended.status == 0
    assert "rocking" in ended.out
    assert "mu" in ended.out


def test_plot_goes_to_the_current_directory_and_says_where(nxscan_, master, elsewhere):
    ended = nxscan_("plot", master)
    assert (ended.status, ended.out) == (0, "scan.png\n")
    assert (elsewhere / "scan.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    "words",
    [["--pixel", "1,2"], ["--path", "/entry/data"], ["--log"], ["--linear"], ["-o", "other.png"]],
)
def test_plot_has_other_ways(nxscan_, master, elsewhere, words):
    ended = nxscan_("plot", master, "-o", "x.png", *words)
    assert ended.status == 0, ended.err
    assert (elsewhere / ended.out.strip()).read_bytes().startswith(PNG)


def test_a_pixel_outside_the_frame_is_refused(nxscan_, master, elsewhere):
    ended = nxscan_("plot", master, "--pixel", "100,2", "-o", "x.png")
    assert ended.status == 1
    assert "100" in ended.err
    assert not (elsewhere / "x.png").exists()


def test_view_starts_silx_view_and_hands_on_its_status(nxscan_, master, monkeypatch):
    started = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess[bytes]:
        started.append(command)
        return subprocess.CompletedProcess(command, len(started) - 1)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("nxscan.cli.view._BINDINGS", ("json",))
    assert nxscan_("view", master).status == 0
    assert nxscan_("view", master).status == 1
    assert started[0] == [sys.executable, "-m", "silx", "view", "scan.nxs"]


def test_view_without_a_window_toolkit_says_what_to_install(nxscan_, master, monkeypatch):
    monkeypatch.setattr("nxscan.cli.view._BINDINGS", ("no_such_toolkit",))
    ended = nxscan_("view", master)
    assert ended.status == 1
    assert "pip install 'nxscan[gui]'" in ended.err


def test_translators_lists_name_and_description(nxscan_):
    ended = nxscan_("translators")
    assert ended.status == 0
    assert "text  scans written down as text" in ended.out
