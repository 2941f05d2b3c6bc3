"""A file is never damaged: killed, raced, out of space, an output is whole or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from helpers.scans import make_scan

import nxscan.nexus.layout
from nxscan.errors import NxscanError, OutputError
from nxscan.nexus import durable, read_scan, write_scan

WRITE = """
import sys
import numpy as np
from pathlib import Path
import nxscan.nexus.layout
from nxscan.model import ArraySignal, Axis, Scan
from nxscan.nexus import write_scan
nxscan.nexus.layout.INLINE_LIMIT = 0
data = np.random.default_rng(int(sys.argv[2])).integers(0, 4000, (30, 256, 256)).astype("u2")
axes = {"mu": Axis("mu", np.arange(30.0), "degree")}
for k, name in enumerate("yx"):
    axes[name] = Axis(name, np.arange(256.0), "pixel", name, "detector", k + 1)
scan = Scan("killed", {"detector": ArraySignal(data, "counts")}, axes)
print("ready", flush=True)
while True:
    write_scan(scan, Path(sys.argv[1]), overwrite=True)
    print("written", flush=True)
"""


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_output_is_not_overwritten_unasked(tmp_path: Path) -> None:
    path = write_scan(make_scan(seed=1)[0], tmp_path / "scan.nxs")
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"exists already.*--overwrite"):
        write_scan(make_scan(seed=2)[0], path)
    assert path.read_bytes() == before


def test_overwriting_replaces_master_and_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nxscan.nexus.layout, "INLINE_LIMIT", 0)
    path = write_scan(make_scan(seed=1)[0], tmp_path / "scan.nxs")
    old = read_scan(path)
    scan, data = make_scan(seed=2)
    write_scan(scan, path, overwrite=True)
    np.testing.assert_array_equal(read_scan(path).signal[...], data)
    assert len(_names(tmp_path)) == 2
    assert old.title == scan.title


def test_a_failed_check_leaves_nothing(tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        assert read_scan(path).signal.shape == (3, 4, 6, 5)
        raise OutputError("not valid")

    with pytest.raises(OutputError, match="not valid"):
        write_scan(make_scan()[0], tmp_path / "scan.nxs", check=refuse)
    assert _names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot write in"):
        write_scan(make_scan()[0], tmp_path / "file" / "scan.nxs")


def test_of_two_translations_to_one_target_one_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nxscan.nexus.layout, "INLINE_LIMIT", 0)
    path, outcomes, barrier = tmp_path / "scan.nxs", [], threading.Barrier(2, timeout=180)

    def write(seed: int) -> None:
        try:
            write_scan(make_scan(seed=seed)[0], path, check=lambda _: barrier.wait() and None)
            outcomes.append(seed)
        except NxscanError:
            outcomes.append(None)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [seed for seed in outcomes if seed is not None]
    assert len(winners) == 1
    np.testing.assert_array_equal(read_scan(path).signal[...], make_scan(seed=winners[0])[1])
    assert len(_names(tmp_path)) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on file sizes to set")
@pytest.mark.parametrize("limit", [1000, 9000, 30_000, 500_000, 2_000_000])
def test_a_full_disk_leaves_nothing(tmp_path: Path, limit: int) -> None:
    limited = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({limit},) * 2)\n"
    code = limited + WRITE
    target = tmp_path / "out" / "scan.nxs"
    done = subprocess.run(
        [sys.executable, "-c", code, str(target), "1"], capture_output=True, text=True, timeout=180
    )
    assert "OutputError: the disk of" in done.stderr
    assert "is full, scan.nxs was not written" in done.stderr
    assert _names(target.parent) == []


def test_too_little_space_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("nxscan.nexus.writer.shutil.disk_usage", lambda path: usage)
    with pytest.raises(OutputError, match="GB free, but the frames need about"):
        write_scan(make_scan()[0], tmp_path / "scan.nxs")
    assert _names(tmp_path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_20_kills_at_any_time_leave_a_whole_scan_or_nothing(tmp_path: Path) -> None:
    """The first process is let finish, twice: the kills are spread over the time that it took.

    Every other one writes where nothing is; the others replace what the first has left.
    """
    kills, seconds = 20, 0.0
    for attempt in range(kills + 1):
        target = tmp_path / ("new" + str(attempt) if attempt % 2 else "again") / "scan.nxs"
        child = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(target), str(attempt)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        if attempt == 0:
            begun = time.perf_counter()
            assert [child.stdout.readline() for _ in range(2)] == ["written\n"] * 2
            seconds = time.perf_counter() - begun
        else:
            time.sleep(seconds * (attempt - 0.5) / kills)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        if target.exists() or attempt % 2 == 0:
            found = read_scan(target).signal[...]
            may_be = {attempt} if attempt % 2 else range(0, attempt + 1, 2)
            assert any(np.array_equal(found, killed_frames(seed)) for seed in may_be)
    scan, data = make_scan()
    for folder in tmp_path.iterdir():
        write_scan(scan, folder / "scan.nxs", overwrite=True)
        np.testing.assert_array_equal(read_scan(folder / "scan.nxs").signal[...], data)
        assert _names(folder) == ["scan.nxs"]


def killed_frames(seed: int) -> np.ndarray:
    """Return the frames that WRITE writes."""
    return np.random.default_rng(seed).integers(0, 4000, (30, 256, 256)).astype("u2")


def test_staging_folders_of_living_processes_are_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "scan.nxs"
    folder = durable.make_staging(target)
    assert list(durable.abandoned(target)) == []
    assert folder.parent == tmp_path
    durable.remove_folder(folder)
    assert _names(tmp_path) == []
