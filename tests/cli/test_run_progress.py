"""The bar of a run: blocks, MB/s, and what was resumed."""

from __future__ import annotations

import re

import pytest

from nxscan.cli.run_progress import RunBar
from nxscan.process import RunProgress


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "120")


def reports(*done: int, process: str = "sum", **more: str) -> list[RunProgress]:
    return [RunProgress(process, k, 40, k * 10**6, 40 * 10**6, **more) for k in done]


def test_blocks_and_rate_are_shown_on_a_terminal(monkeypatch, capsys):
    on_terminal(monkeypatch)
    with RunBar() as bar:
        for report in reports(1, 20, 40):
            bar(report)
    out, err = capsys.readouterr()
    last = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", err).splitlines()[-1]
    assert last.startswith("sum ")
    assert " 40/40 blocks " in last
    assert " MB/s " in last
    assert "planning" not in last
    assert out == ""


def test_storing_is_told_apart(monkeypatch, capsys):
    on_terminal(monkeypatch)
    with RunBar() as bar:
        for report in reports(40, stage="commit"):
            bar(report)
    assert "storing sum" in capsys.readouterr().err


def test_a_process_that_is_required_and_each_pass_have_bars_of_their_own(monkeypatch, capsys):
    on_terminal(monkeypatch)
    with RunBar() as bar:
        for report in [*reports(20, 40, process="mean"), *reports(20, 40), *reports(1, 2)]:
            bar(report)
    last = capsys.readouterr().err.replace(" ", "")
    assert last.count("mean") >= 1
    assert "2/40" in last.rpartition("40/40")[2]


def test_what_is_to_be_known_is_said_once_above_the_bar(monkeypatch, capsys):
    on_terminal(monkeypatch)
    with RunBar() as bar:
        for report in reports(12, 13, note="resumed, 12 of 40 blocks were there [all]"):
            bar(report)
    assert capsys.readouterr().err.count("sum: resumed, 12 of 40 blocks were there [all]") == 1


def test_the_last_report_is_kept_where_nobody_watches(capsys):
    with RunBar() as bar:
        assert bar.last is None
        for report in reports(3, 4):
            bar(report)
    assert bar.last == reports(4)[0]
    assert capsys.readouterr().err == ""
