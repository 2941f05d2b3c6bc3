"""Runs from beginning to end: computed, kept, found again, resumed."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from helpers.scans import make_scan

import nxscan
from nxscan import Output, Process, ProcessParameters
from nxscan.errors import NxscanError, ProcessError
from nxscan.model import Axis
from nxscan.nexus import write_scan
from nxscan.process import partition

ATTEMPTS: list[int] = []
"""Blocks that `Fragile` was asked for."""


class Range(Process):
    """Largest minus smallest count of every pixel."""

    per = "pixel"

    class Parameters(ProcessParameters):
        scale: float = 1.0

    def outputs(self, scan):
        return [Output("range", units="counts", default=True)]

    def compute(self, block):
        curves = block.curves.astype(float)
        spread = curves.max(axis=0) - curves.min(axis=0)
        return {"range": self.parameters.scale * spread.reshape(block.frame_shape)}


class Intensity(Process):
    """Sum of every frame, and its profile along x."""

    per = "position"

    def outputs(self, scan):
        x = scan.axes["x"]
        return [
            Output("intensity", units="counts"),
            Output("profile", units="counts", dims=(..., Axis("column", x.values, "pixel"))),
        ]

    def compute(self, block):
        data = block.data.astype(float)
        return {"intensity": data.sum(axis=(-2, -1)), "profile": data.sum(axis=-2)}


class Variance(Process):
    """Variance of all values: two passes, the second about the mean of the first."""

    per = "scan"
    passes = 2

    def outputs(self, scan):
        return [Output("variance", units="counts^2"), Output("mean", units="counts")]

    def compute(self, block):
        if block.pass_index == 0:
            return {"sum": block.data.sum(dtype=float), "n": block.data.size}
        mean = block.previous["mean"]
        return {"sum": ((block.data - mean) ** 2).sum(), "n": block.data.size, "mean": mean}

    def merge(self, first, second):
        return {**first, "sum": first["sum"] + second["sum"], "n": first["n"] + second["n"]}

    def finish(self, state):
        if "mean" in state:
            return {"variance": state["sum"] / state["n"], "mean": state["mean"]}
        return {"mean": state["sum"] / state["n"]}


class Fragile(Range):
    """Fails after the first block while the environment says so."""

    name = "fragile"

    def compute(self, block):
        number = block.selection[-2].start
        ATTEMPTS.append(number)
        if number and "BREAK" in os.environ:
            raise ValueError("no such thing")
        return super().compute(block)


class Doubled(Process):
    """Twice the range."""

    per = "pixel"
    requires = [Range(scale=2)]

    def outputs(self, scan):
        return [Output("doubled")]

    def compute(self, block):
        return {"doubled": block.required["range"]["range"]}


@pytest.fixture
def small_blocks(monkeypatch):
    """Have scans of a few kilobytes cut into several blocks."""
    monkeypatch.setattr(partition, "BLOCK_BYTES", 3 * 4 * 2 * 5 * 2)
    monkeypatch.setattr(partition, "CELL_BYTES", 100)


@pytest.fixture
def master(tmp_path):
    scan, data = make_scan()
    return write_scan(scan, tmp_path / "scan.nxs"), data


def spread(data):
    return (data.max((0, 1)).astype(float)) - data.min((0, 1))


def test_a_process_of_ten_lines_runs(master):
    path, data = master
    result = Range(scale=3).run(path)
    np.testing.assert_array_equal(result["range"], 3 * spread(data))
    assert result.units("range") == "counts"
    assert nxscan.validate(path).ok


def test_results_of_every_position_bring_axes_of_their_own(master, small_blocks):
    path, data = master
    result = Intensity().run(path)
    np.testing.assert_array_equal(result["intensity"], data.sum((2, 3)))
    np.testing.assert_array_equal(result["profile"], data.sum(2))
    assert nxscan.validate(path).ok


def test_a_process_of_two_passes_sees_what_the_first_one_found(master, small_blocks):
    path, data = master
    result = Variance().run(path)
    assert result["mean"] == pytest.approx(data.mean(), rel=1e-12)
    assert result["variance"] == pytest.approx(data.var(), rel=1e-12)


def test_a_process_finds_or_runs_what_it_requires(master):
    path, data = master
    result = Doubled().run(path)
    np.testing.assert_array_equal(result["doubled"], 2 * spread(data))
    assert [found.process for found in nxscan.results(path)] == ["range", "doubled"]


def test_a_process_runs_on_the_result_of_another(master):
    path, data = master
    profile = Intensity().run(path)
    of_profile = Range().run(path, on="intensity/intensity")
    assert of_profile["range"] == pytest.approx(np.ptp(data.sum((2, 3))))
    again = Range().run(profile, on="intensity/intensity")
    assert again.group == of_profile.group


def test_a_finished_run_is_found_and_not_repeated(master):
    path, _ = master
    first = Range(scale=3).run(path)
    before = path.stat().st_mtime_ns
    assert Range(scale=3.0).run(path).group == first.group
    assert path.stat().st_mtime_ns == before


def test_another_parameter_or_fresh_makes_a_new_result(master):
    path, _ = master
    groups = [Range(scale=scale).run(path).group for scale in (1, 2, 1)]
    assert groups == ["range_000", "range_001", "range_000"]
    assert Range(scale=1).run(path, fresh=True).group == "range_002"


def test_the_raw_frames_are_not_touched_by_a_result(master):
    path, data = master
    Range().run(path)
    np.testing.assert_array_equal(nxscan.open(path).signal[...], data)


def test_finished_blocks_are_kept_when_compute_fails(master, small_blocks, monkeypatch):
    path, data = master
    ATTEMPTS.clear()
    monkeypatch.setenv("BREAK", "1")
    failed = r"'fragile' failed in block \d.*ValueError: no such thing \(test_run.py, line"
    with pytest.raises(ProcessError, match=failed):
        Fragile().run(path, workers=1)
    assert len(nxscan.results(path)) == 0
    first = set(ATTEMPTS)
    monkeypatch.delenv("BREAK")
    ATTEMPTS.clear()
    result = Fragile().run(path, workers=1)
    np.testing.assert_array_equal(result["range"], spread(data))
    assert 0 in first
    assert 0 not in ATTEMPTS
    assert sorted(p.name for p in path.parent.iterdir()) == ["scan.nxs"]


def test_a_name_that_would_hide_something_is_refused_before_computing(master):
    path, _ = master

    class Data(Range):
        name = "data"

    with pytest.raises(ProcessError, match="'data'"):
        Data().run(path)
    assert sorted(p.name for p in path.parent.iterdir()) == ["scan.nxs"]


def test_processes_of_one_name_from_two_places_are_told_apart(master):
    path, data = master
    Range().run(path)

    class Other(Range):
        name = "range"

        def compute(self, block):
            return {"range": -super().compute(block)["range"]}

    other = Other().run(path)
    assert other.group == "range_001"
    np.testing.assert_array_equal(other["range"], -spread(data))
    assert Range().run(path).group == "range_000"


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"range": np.zeros(3)}, r"output 'range' has shape \(3,\), expected \(6, 5\)"),
        ({"other": np.zeros((6, 5))}, "'range' is missing"),
        (None, "returned NoneType, expected a mapping"),
    ],
)
def test_what_compute_must_not_return_names_process_block_and_output(master, made, message):
    path, _ = master

    class Wrong(Range):
        def compute(self, block):
            return made

    with pytest.raises(ProcessError, match=message):
        Wrong().run(path)


@pytest.mark.parametrize("per", ["pixel", "position"])
@pytest.mark.parametrize("chunks", [None, (1, 6, 5), (2, 3, 2)])
def test_every_cut_gives_the_same(tmp_path, monkeypatch, per, chunks):
    scan, _ = make_scan((7,), (6, 5))
    path = write_scan(scan, tmp_path / "scan.nxs")
    process = Range() if per == "pixel" else Intensity()
    whole = process.run(path)
    for size in (1, 40, 300):
        monkeypatch.setattr(partition, "BLOCK_BYTES", size)
        monkeypatch.setattr(partition, "CELL_BYTES", size)
        again = process.run(path, fresh=True, memory="1GiB")
        for name in whole.names:
            np.testing.assert_array_equal(whole[name], again[name])


def test_too_little_memory_is_refused_with_numbers(master):
    path, _ = master
    with pytest.raises(NxscanError, match=r"one block needs .* of memory"):
        Range().run(path, memory=10)


def test_the_file_of_a_process_may_be_a_script(master, tmp_path):
    """In ``__main__``, under threads and processes."""
    path, data = master
    script = tmp_path / "mine.py"
    script.write_text(
        "import sys\n"
        "from nxscan import Process, Output\n"
        "class Highest(Process):\n"
        "    per = 'pixel'\n"
        "    def outputs(self, scan): return [Output('highest')]\n"
        "    def compute(self, block):\n"
        "        return {'highest': block.data.max(axis=(0, 1)).astype(float)}\n"
        "if __name__ == '__main__':\n"
        "    for executor in ('threads', 'processes'):\n"
        "        Highest().run(sys.argv[1], executor=executor, fresh=True)\n"
    )
    subprocess.run([sys.executable, script, path], check=True)
    found = nxscan.results(path)
    assert [result.group for result in found] == ["highest_000", "highest_001"]
    for result in found:
        np.testing.assert_array_equal(result["highest"], data.max((0, 1)))


def test_frames_beside_the_master_stay_as_they_are(tmp_path, monkeypatch):
    from nxscan.nexus import layout

    monkeypatch.setattr(layout, "INLINE_LIMIT", 0)
    scan, _ = make_scan()
    path = write_scan(scan, tmp_path / "scan.nxs")
    frames = tmp_path / "scan_frames.h5"
    frames.chmod(0o444)
    before = hashlib.sha256(frames.read_bytes()).hexdigest(), frames.stat().st_mtime_ns
    Range().run(path)
    assert (hashlib.sha256(frames.read_bytes()).hexdigest(), frames.stat().st_mtime_ns) == before
