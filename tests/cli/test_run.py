"""``nxscan run``: a user's process from the command line, with every way that it may end."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.plugins import CUT, RANGE

import nxscan
from nxscan import targets
from nxscan.cli.messages import Ended
from nxscan.cli.run_result import print_result, statistics
from nxscan.hdf5.frames import RawFrames
from nxscan.hdf5.virtual import VirtualSignal
from nxscan.process import Process, RunProgress
from nxscan.process.result import results
from nxscan.translate import registry

COMMAND = ["run", "my_range:Range", "scan.nxs", "-p", "scale=3"]


@pytest.fixture(autouse=True)
def code(elsewhere, monkeypatch) -> Path:
    """Write the user's modules into the current folder."""
    monkeypatch.setattr(sys, "path", sys.path.copy())
    before = set(sys.modules)
    (elsewhere / "my_range.py").write_text(RANGE)
    (elsewhere / "my_cut.py").write_text(CUT)
    yield elsewhere
    for name in {"my_range", "my_cut"} & (set(sys.modules) - before):
        del sys.modules[name]


@pytest.fixture
def master(nxscan_, source, monkeypatch) -> Path:
    """Return three translated frames of 4 × 5; each adds 20 to the pixels of the one before."""
    with monkeypatch.context() as spared:
        spared.setattr(targets, "_check", lambda path: None)
        assert nxscan_("translate", source("rocking 3"), "-o", "scan.nxs").status == 0
    return Path("scan.nxs")


@pytest.fixture
def stopped(monkeypatch):
    """Return a function that has a run report progress and then end with an exception."""

    def stop(error: BaseException, *reports: RunProgress) -> None:
        def run(self: Process, source: str, **settings: object) -> None:
            for report in reports:
                settings["progress"](report)
            raise error

        monkeypatch.setattr(Process, "run", run)

    return stop


def test_a_users_process_puts_its_result_into_the_file(nxscan_, master):
    ended = nxscan_(*COMMAND)
    assert ended.status == 0, ended.err
    assert ended.out.splitlines() == [
        "scan.nxs: /entry/range_000",
        "  range  counts  the default plot, 4 × 5: median 120, from 120 to 120",
        "To look at it: nxscan view scan.nxs",
    ]
    (result,) = results("scan.nxs")
    assert np.array_equal(result["range"], np.full((4, 5), 120.0))


def test_json_tells_where_the_result_is_and_what_it_is(nxscan_, master):
    ended = nxscan_(*COMMAND, "--json")
    assert ended.status == 0, ended.err
    assert json.loads(ended.out) == {
        "path": str(master.resolve()),
        "group": "/entry/range_000",
        "process": "range",
        "default": "range",
        "outputs": [{"name": "range", "units": "counts", "path": "/entry/range_000/range"}],
        "statistics": {
            "shape": [4, 5],
            "dtype": "float64",
            "median": 120.0,
            "min": 120.0,
            "max": 120.0,
            "missing": 0.0,
            "ok": None,
        },
        "parameters": {"scale": 3.0},
    }


def test_the_same_command_finds_the_result_and_fresh_repeats_it(nxscan_, master):
    assert nxscan_(*COMMAND).status == 0
    again = nxscan_(*COMMAND)
    assert again.out.startswith("scan.nxs: /entry/range_000\n")
    assert "there already" in again.err
    assert nxscan_(*COMMAND, "--fresh").out.startswith("scan.nxs: /entry/range_001\n")


def test_corrections_are_applied_in_the_order_given(nxscan_, master):
    words = [*COMMAND, "-c", "threshold:high=50", "-c", "roi:region=0:2,1:4"]
    ended = nxscan_(*words)
    assert ended.status == 0, ended.err
    (result,) = results("scan.nxs")
    assert result["range"].shape == (2, 3)


@pytest.mark.parametrize("who", ["my_range:Range", "my_range.py:Range"])
def test_worker_processes_get_the_users_own_code(nxscan_, master, who):
    """They start in a Python of their own, which has neither the module nor the file's name."""
    ended = nxscan_("run", who, master, "--executor", "processes", "--workers", "2")
    assert ended.status == 0, ended.err
    (result,) = results("scan.nxs")
    assert np.array_equal(result["range"], np.full((4, 5), 40.0))


def test_into_leaves_the_file_alone(nxscan_, master):
    before = master.read_bytes()
    ended = nxscan_(*COMMAND, "--into", "out.nxs")
    assert ended.status == 0, ended.err
    assert ended.out.startswith("out.nxs: /entry/range_000\n")
    assert master.read_bytes() == before


def test_all_options_reach_the_run(nxscan_, master, monkeypatch):
    seen = {}

    def run(self: Process, source: str, **settings: object) -> None:
        seen.update(settings, source=source, scale=self.parameters.scale)
        raise KeyboardInterrupt

    monkeypatch.setattr(Process, "run", run)
    more = "--into out.nxs --on sum --executor processes --workers 2 --memory 1GiB --fresh"
    more += " --scan 5.1 --detector pco --mapping mine.toml --translator edf --join all"
    more += " --table t.csv --where laser==0"
    nxscan_(*COMMAND, "-c", "my_cut:Cut:high=3,levels=1,2", *more.split())
    (cut,) = seen.pop("corrections")
    del seen["progress"]
    assert cut.parameters.levels == (1, 2)
    assert seen == {
        "source": "scan.nxs",
        "scale": 3.0,
        "into": Path("out.nxs"),
        "on": "sum",
        "executor": "processes",
        "workers": 2,
        "memory": "1GiB",
        "fresh": True,
        "scan": "5.1",
        "detector": "pco",
        "mapping": Path("mine.toml"),
        "translator": "edf",
        "join": "all",
        "table": "t.csv",
        "where": "laser==0",
    }


@pytest.mark.parametrize(
    ("error", "status", "how"),
    [(KeyboardInterrupt(), 130, "interrupted"), (Ended(signal.SIGTERM), 143, "ended by a signal")],
)
def test_what_stops_a_run_says_how_far_it_is_and_how_it_goes_on(
    nxscan_, master, stopped, error, status, how
):
    stopped(error, RunProgress("range", 12, 40, 12, 40))
    ended = nxscan_(*COMMAND)
    assert ended.status == status
    assert ended.err == (
        f"{how} after 12 of 40 blocks; the same command goes on from there:\n"
        "  nxscan run my_range:Range scan.nxs -p scale=3\n"
    )
    assert ended.out == ""


def test_the_command_that_goes_on_is_the_one_that_was_typed(nxscan_, master, stopped):
    stopped(KeyboardInterrupt(), RunProgress("range", 1, 2, 1, 2))
    words = [*COMMAND, "-c", "my_cut:Cut:high=3", "--workers", "2", "--into", "the out.nxs"]
    said = nxscan_(*words).err.splitlines()[1]
    if os.name != "nt":
        typed = shlex.split(said)
        assert typed[:6] == ["nxscan", *words[:5]]
        assert sorted(typed[1:]) == sorted(words)


def test_an_interruption_before_the_first_block_says_so(nxscan_, master, stopped):
    stopped(KeyboardInterrupt())
    assert nxscan_(*COMMAND).err.startswith("interrupted before anything was computed")


def test_an_interrupted_fresh_run_does_not_promise_to_go_on(nxscan_, master, stopped):
    stopped(KeyboardInterrupt(), RunProgress("range", 1, 2, 1, 2))
    assert "begins anew, because of --fresh" in nxscan_(*COMMAND, "--fresh").err


def test_an_interruption_while_storing_says_so(nxscan_, master, stopped):
    stopped(KeyboardInterrupt(), RunProgress("range", 2, 2, 1, 1, stage="commit"))
    said = nxscan_(*COMMAND).err
    assert said.startswith("interrupted while the result was being stored, after 2 of 2 blocks")


def test_what_was_resumed_is_said_once_without_a_terminal_too(nxscan_, master, stopped):
    note = "resumed, 12 of 40 blocks were there"
    reports = [RunProgress("range", k, 40, 0, 40, note=note) for k in (12, 13)]
    stopped(KeyboardInterrupt(), *reports)
    assert nxscan_(*COMMAND).err.count(f"range: {note}\n") == 1


def test_raw_frames_that_no_file_can_lead_to_are_to_be_translated_first(nxscan_, source):
    folder = source("rocking 3").parent
    ended = nxscan_("run", "my_range:Range", folder, "-p", "scale=3")
    assert ended.status == 1
    assert f"{folder}: no file can lead to these frames" in ended.err
    translate = f"nxscan translate {shlex.quote(str(folder))} -o OUT.nxs --copy"
    assert translate in ended.err
    assert nxscan_(*shlex.split(translate)[1:]).status == 0
    assert nxscan_("run", "my_range:Range", "OUT.nxs").status == 0


@pytest.fixture
def linkable(monkeypatch, tmp_path) -> Path:
    """Return a source of two scans whose frames are plain bytes of a file."""

    installed = registry.translators()["text"]

    def opened(self, ref, options, report):
        assert options.link
        scan = installed.open(ref, options, report)
        data = scan.signal.read(...)
        path = tmp_path / "raw" / f"{ref.title}.bin"
        if not path.exists():
            path.write_bytes(data.tobytes())
        offsets = np.arange(len(data)) * data[0].nbytes
        signal = VirtualSignal.of([RawFrames(path, offsets, data[0].shape, data.dtype)], "counts")
        return replace(scan, signals={options.detector or "camera": signal})

    linking = type("LinkingTranslator", (type(installed),), {"open": opened})
    monkeypatch.setattr(registry, "translators", lambda: {"text": linking()})
    folder = tmp_path / "raw"
    folder.mkdir()
    (folder / "a.scan").write_text("rocking 3\nmapping 5")
    return folder / "a.scan"


def test_raw_frames_stay_and_a_new_file_beside_no_raw_data_gets_the_result(nxscan_, linkable):
    before = linkable.read_bytes()
    ended = nxscan_("run", "my_range:Range", linkable, "--scan", "2", "-p", "scale=3")
    assert ended.status == 0, ended.err
    assert ended.out.startswith("mapping_results.nxs: /entry/range_000\n")
    (result,) = results("mapping_results.nxs")
    assert np.array_equal(result["range"], np.full((4, 5), 240.0))
    assert Path("mapping_results.nxs").stat().st_size < 1_000_000
    again = nxscan_("run", "my_range:Range", linkable, "--scan", "2", "-p", "scale=3")
    assert "there already" in again.err
    assert linkable.read_bytes() == before
    assert {path.name for path in linkable.parent.iterdir()} == {"a.scan", "mapping.bin"}


def test_which_scan_of_raw_files_is_meant_must_be_said(nxscan_, linkable):
    ended = nxscan_("run", "my_range:Range", linkable)
    assert ended.status == 1
    assert "holds 2 scans, and none was chosen" in ended.err


def test_results_of_raw_files_go_where_the_user_says_but_not_beside_them(nxscan_, linkable):
    words = ["run", "my_range:Range", linkable, "--scan", "1", "--detector", "other"]
    assert nxscan_(*words, "--into", "mine.nxs").status == 0
    assert nxscan.open("mine.nxs").detector == "other"
    ended = nxscan_(*words, "--into", linkable.parent / "mine.nxs")
    assert ended.status == 1
    assert "where nothing is ever written" in ended.err
    assert not (linkable.parent / "mine.nxs").exists()
    other = nxscan_("run", "my_range:Range", linkable, "--scan", "2", "--into", "mine.nxs")
    assert "holds another scan" in other.err


def test_a_master_has_no_scan_to_choose(nxscan_, master):
    ended = nxscan_(*COMMAND, "--scan", "1", "--detector", "camera")
    assert ended.status == 1
    assert "is an nxscan master: --scan, --detector has no meaning" in ended.err


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["run", "my_range:Range", "gone.nxs"], 1, "error: gone.nxs: no such file"),
        (["run", "my_range:Range", "broken.nxs"], 1, "error: broken.nxs is no HDF5 file"),
        (["run", "nothing", "scan.nxs"], 1, "error: there is no process 'nothing'"),
        (["run", "my_range:Nothing", "scan.nxs"], 1, "error: my_range has no 'Nothing'"),
        (["run", "my_range:Range", "scan.nxs", "-c", "nothing"], 1, "no correction 'nothing'"),
        (["run", "my_range:Range", "scan.nxs", "-p", "scale=x"], 1, "'scale' is 'x', but"),
        (["run", "my_range:Range", "scan.nxs", "-p", "scale"], 2, "not name=value"),
        (["run", "my_range:Range", "scan.nxs", "-p", "scale=1", "-p", "scale=2"], 2, "twice"),
        (["run", "my_range:Range", "scan.nxs", "--workers", "0"], 2, "--workers"),
        (["run", "my_range:Range"], 2, "FILE"),
    ],
)
def test_mistakes_are_one_message(nxscan_, words, status, part):
    Path("broken.nxs").write_bytes(b"not HDF5")
    ended = nxscan_(*words)
    assert ended.status == status
    assert part in ended.err
    assert "Traceback" not in ended.err


def test_a_fault_in_compute_names_process_block_and_line(nxscan_, master):
    bad = RANGE.replace("d = block.data.astype(float)", "d = block.data / block.nothing")
    Path("bad_range.py").write_text(bad)
    ended = nxscan_("run", "bad_range.py:Range", master)
    assert ended.status == 1
    assert "process 'range' failed in block 0" in ended.err
    assert "AttributeError" in ended.err
    assert "bad_range.py, line" in ended.err


def test_statistics_leave_out_what_is_not_ok():
    values, status = np.array([1.0, 2.0, 9e9, np.nan]), np.array([0, 0, 1, 0])
    found = statistics(values, status)
    assert (found.median, found.max, found.ok) == (1.5, 2.0, 0.75)
    assert found.missing == pytest.approx(1 / 3)
    assert statistics(values, np.zeros(3)).ok is None
    assert statistics(values, np.ones(4)).median is None


def test_statistics_are_those_of_the_finite_values():
    found = statistics(np.array([[1.0, 2.0], [6.0, np.nan]]))
    assert (found.median, found.min, found.max, found.missing) == (2.0, 1.0, 6.0, 0.25)
    empty = statistics(np.array([np.nan, np.inf]))
    assert (empty.median, empty.missing) == (None, 1.0)
    assert statistics(np.array([1, 2, 3], np.uint8)).median == 2.0


def test_a_result_without_any_value_says_so(capsys):
    class Empty(dict):
        path, group, names, default = Path("a.nxs"), "x_000", ("x",), "x"

        def units(self, name: str) -> None:
            return None

    print_result(Empty(x=np.full((2, 2), np.nan)), json=False)
    assert "x  -  the default plot, 2 × 2: no value" in capsys.readouterr().out


SLOW = RANGE.replace(
    "d = block.data", "import time; open('begun', 'w').close(); time.sleep(2); d = block.data"
)


@pytest.mark.skipif(os.name == "nt", reason="no signals that another process can send")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_real_interruption_ends_promptly_and_leaves_the_file_as_it_was(
    nxscan_, master, number, status
):
    Path("slow_range.py").write_text(SLOW)
    before = master.read_bytes()
    words = [sys.executable, "-m", "nxscan", "run", "slow_range.py:Range", "scan.nxs"]
    started = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 180
    while not Path("begun").exists() and time.monotonic() < deadline and started.poll() is None:
        time.sleep(0.02)
    started.send_signal(number)
    out, err = started.communicate(timeout=180)
    assert started.returncode == status, err
    assert "Traceback" not in err
    assert "nxscan run slow_range.py:Range scan.nxs" in err
    assert out == ""
    assert master.read_bytes() == before
