"""Tables, sizes and JSON."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace

import pytest

from nxscan.cli import render
from nxscan.cli.progress import ProgressBar


def test_the_last_column_is_wrapped_within_100_columns_and_nothing_is_lost():
    words = [f"word{k}" for k in range(50)]
    lines = list(render.table([("a", " ".join(words)), ("bbb", "short")]))
    assert max(map(len, lines)) <= 100
    assert " ".join(lines).split() == ["a", *words, "bbb", "short"]
    assert lines[1].startswith("       word")


def test_a_word_longer_than_the_line_is_kept_whole():
    assert "x" * 150 in "".join(render.paragraph("x" * 150))


def test_an_empty_table_has_no_lines():
    assert list(render.table([])) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (7e15, "7000.0 TB")],
)
def test_sizes(number, text):
    assert render.size(number) == text


def test_json_is_strict_where_numbers_are_not(capsys):
    render.print_json({"a": (1.5, math.nan, math.inf), "b": {1: "µ"}})
    printed = capsys.readouterr().out
    assert json.loads(printed, parse_constant=pytest.fail) == {
        "a": [1.5, None, None],
        "b": {"1": "µ"},
    }


def test_a_time_that_is_not_known_is_empty():
    assert render.when(0) == ""
    assert render.when(1_500_000_000).startswith("2017-07-1")


def written(frames: int) -> SimpleNamespace:
    return SimpleNamespace(
        frames_done=frames, frames_total=10, bytes_done=frames * 10**6, bytes_total=10**7
    )


def test_progress_shows_frames_and_rates_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    with ProgressBar() as bar:
        for frames in (1, 5, 10):
            bar(written(frames))
    shown = capsys.readouterr()
    assert "reading" in shown.err
    assert "checking" in shown.err
    assert "10/10" in shown.err
    assert "frames/s" in shown.err
    assert "MB/s" in shown.err
    assert shown.out == ""


def test_each_scan_gets_its_own_bar(monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with ProgressBar() as bar:
        for frames in (5, 10, 2, 3):
            bar(written(frames))
    last = capsys.readouterr().err
    assert "10/10" in last
    assert "3/10" in last.replace(" ", "")


def test_progress_is_silent_where_nobody_watches(capsys):
    with ProgressBar() as bar:
        bar(written(5))
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")
