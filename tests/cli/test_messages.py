"""How the command line ends when something goes wrong: one message, a status, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import nxscan
from nxscan.cli import messages
from nxscan.errors import NxscanError


@pytest.mark.parametrize(
    "words",
    [
        ["translate", "x.scan"],
        ["inspect"],
        ["validate"],
        ["nosuchverb"],
        ["inspect", "x.scan", "--nosuchflag"],
        ["plot", "x.nxs", "--pixel", "3"],
        ["plot", "x.nxs", "--pixel", "3,-1"],
        ["plot", "x.nxs", "--pixel", "1,2", "--path", "/entry"],
        ["inspect", "x.scan", "--axes", "mu"],
        ["inspect", "x.scan", "--axes", "mu=0"],
        ["inspect", "x.scan", "--axes", "mu=3,mu=4"],
        ["translate", "x.scan", "-o", "y.nxs", "--scan", "1", "--scans", "all"],
    ],
)
def test_wrong_usage_gives_status_2(nxscan_, words):
    ended = nxscan_(*words)
    assert ended.status == 2
    assert "Usage: " in ended.err
    assert ended.out == ""


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["inspect", "nothing.scan"], "nothing.scan"),
        (["translate", "nothing.scan", "-o", "x.nxs"], "nothing.scan"),
        (["translate", "*.scan", "-o", "x.nxs"], "*.scan"),
        (["info", "nothing.nxs"], "nothing.nxs"),
        (["plot", "nothing.nxs"], "nothing.nxs"),
        (["view", "nothing.nxs"], "nothing.nxs"),
    ],
)
def test_a_file_that_is_not_there_is_named(nxscan_, words, part, elsewhere):
    ended = nxscan_(*words)
    assert ended.status == 1
    assert ended.err.startswith("error: ")
    assert part in ended.err
    assert "Traceback" not in ended.err
    assert list(elsewhere.iterdir()) == []


def test_a_damaged_source_is_one_message_with_what_to_do(nxscan_, source):
    path = source("damaged")
    ended = nxscan_("inspect", path)
    assert ended.status == 1
    assert ended.err == f"error: {path}: byte 0 of the header is damaged; copy the file again\n"


def test_a_fault_of_ours_asks_for_a_report_and_keeps_the_traceback_in_a_file(
    nxscan_, source, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = nxscan_("inspect", source("bug"))
    assert ended.status == 1
    assert "unexpected ZeroDivisionError: a fault of the translator" in ended.err
    assert "Traceback" not in ended.err
    (kept,) = tmp_path.glob("nxscan-error-*.txt")
    assert str(kept) in ended.err
    assert "Traceback" in kept.read_text(encoding="utf-8")


def test_with_nxscan_debug_the_exception_goes_through(source, monkeypatch):
    from typer.testing import CliRunner

    from nxscan.cli import app

    monkeypatch.setenv("NXSCAN_DEBUG", "1")
    result = CliRunner().invoke(app, ["inspect", str(source("bug"))])
    assert isinstance(result.exception, ZeroDivisionError)


def test_an_interruption_gives_status_130_and_leaves_no_file(
    nxscan_, source, elsewhere, monkeypatch
):
    import nxscan.targets

    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(nxscan.targets, "write", interrupt)
    ended = nxscan_("translate", source("rocking 3"), "-o", "scan.nxs")
    assert ended.status == 130
    assert ended.err == "interrupted, nothing unfinished was written\n"
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NxscanError("the disk is full"), "the disk is full"),
        (NxscanError("the disk is full", "free some"), "the disk is full; free some"),
        (NxscanError("two:\n  a\n  b", "choose"), "two:\n  a\n  b\nchoose"),
        (PermissionError(13, "Permission denied", "a.edf"), "a.edf: Permission denied"),
        (OSError(5, "bad", "a.edf", None, "b.edf"), "a.edf -> b.edf: bad"),
        (OSError("unable to open"), "unable to open"),
    ],
)
def test_errors_are_explained_with_the_file_they_are_about(error, message):
    assert messages.explain(error) == message


def test_the_version_is_that_of_the_package(nxscan_):
    assert nxscan_("--version").out == f"nxscan {nxscan.__version__}\n"


def test_python_m_nxscan_is_the_command_line():
    ended = subprocess.run(
        [sys.executable, "-m", "nxscan", "--version"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == f"nxscan {nxscan.__version__}\n"


def test_a_reader_that_goes_away_causes_no_traceback(source):
    """As in ``nxscan --help | head -1``."""
    command = [sys.executable, "-m", "nxscan", "--help"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    process.wait()
    assert "Traceback" not in error


def test_what_a_terminal_cannot_show_is_escaped(tmp_path):
    """As on Windows, where a pipe takes no arrows."""
    ended = subprocess.run(
        [sys.executable, "-m", "nxscan", "validate", str(tmp_path / "→.nxs")],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == b""
    assert rb"\u2192.nxs" in ended.stdout


def test_every_verb_explains_itself(nxscan_):
    verbs = ["inspect", "translate", "validate", "info", "run", "status", "plot", "view"]
    verbs += ["translators", "processes", "demo"]
    assert [verb for verb in verbs if verb not in nxscan_("--help").out] == []
    for verb in verbs:
        assert nxscan_(verb, "--help").status == 0


def test_only_the_text_is_printed_of_a_python_warning(capsys, monkeypatch):
    import warnings

    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    messages.show_warnings()
    warnings.showwarning(UserWarning("look out"), UserWarning, str(Path("x.py")), 3)
    assert capsys.readouterr().err == "warning: look out\n"
