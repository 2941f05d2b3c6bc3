"""Real processes: interrupted, ended, racing for one target, on full and read-only disks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from durability.sources import frames, write_source
from helpers.scans import make_scan

import nxscan
from nxscan.nexus import read_scan

TESTS = Path(__file__).parents[1]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="these signals are those of POSIX")

TRANSLATE = """
import sys, time
from nxscan import cli, targets
from nxscan.translators.edf.signal import EdfSignal
read = EdfSignal.read_into
def slowly(signal, selection, out):
    time.sleep(0.1)
    read(signal, selection, out)
EdfSignal.read_into = slowly
check = targets._check
def long(path):
    time.sleep(2)
    check(path)
targets._check = long
sys.argv = ["nxscan", "translate", sys.argv[1], "-o", sys.argv[2]]
cli.main()
"""

RACE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from helpers.scans import make_scan
from nxscan.errors import NxscanError
from nxscan.nexus import layout, write_scan
layout.INLINE_LIMIT = 0
def wait(path):
    print("checking", flush=True)
    sys.stdin.readline()
for line in sys.stdin:
    target, overwrite = line.split()
    try:
        write_scan(make_scan(seed=int(sys.argv[2]))[0], Path(target),
                   overwrite=overwrite == "True", check=wait)
        print("written", flush=True)
    except NxscanError as error:
        print(error, flush=True)
"""


def start(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start Python with some code."""
    command = [*prefix, sys.executable, "-P", "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def wait_for(found: Callable[[], object], seconds: float = 180) -> None:
    """Wait until something is found."""
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def stage_is_seen(stage: str, folder: Path) -> bool:
    staging = next(folder.glob(".*.tmp"), None)
    if staging is None or stage == "begun":
        return staging is not None
    sizes = {path.name: path.stat().st_size for path in staging.glob("scan*")}
    frames_there = "scan_frames.h5" in sizes
    return frames_there if stage == "frames" else sizes.get("scan.nxs", 0) > 0 and not frames_there


@POSIX
def test_signals_end_a_translation_cleanly_at_any_stage(tmp_path: Path) -> None:
    """The stage is seen from outside: frames, the master alone, or neither are in the making."""
    write_source(tmp_path / "raw", ".edf")
    chosen = [("begun", signal.SIGINT), ("frames", signal.SIGHUP)]
    chosen += [
        (stage, n) for stage in ("frames", "checking") for n in (signal.SIGINT, signal.SIGTERM)
    ]
    cases = {(stage, n): tmp_path / f"{stage}-{n.name}" for stage, n in chosen}
    children = {
        case: start(TRANSLATE, tmp_path / "raw", cases[case] / "scan.nxs") for case in cases
    }
    waiting = set(cases)

    def all_signaled() -> bool:
        for case in list(waiting):
            if stage_is_seen(case[0], cases[case]) or children[case].poll() is not None:
                children[case].send_signal(case[1])
                waiting.remove(case)
        return not waiting

    wait_for(all_signaled)
    for (stage, number), child in children.items():
        _, said = child.communicate(timeout=180)
        assert child.returncode == 128 + number, (stage, said)
        assert "nothing unfinished was written" in said
        assert "Traceback" not in said
        assert names(cases[stage, number]) == []


@POSIX
def test_a_translation_that_is_to_ignore_hangups_goes_on(tmp_path: Path) -> None:
    write_source(tmp_path / "raw", ".edf")
    ignore = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    child = start(ignore + TRANSLATE, tmp_path / "raw", tmp_path / "out" / "scan.nxs")
    wait_for(lambda: list(tmp_path.glob("out/.*.tmp/*")) or child.poll())
    child.send_signal(signal.SIGHUP)
    assert child.communicate(timeout=180)[0].strip() == str(tmp_path / "out" / "scan.nxs")
    scan = nxscan.open(tmp_path / "out" / "scan.nxs")
    np.testing.assert_array_equal(scan.signal[...], frames())


@pytest.fixture
def racers() -> Iterator[dict[int, subprocess.Popen[str]]]:
    """Two processes that each write a scan of their own for every line they are given."""
    children = {seed: start(RACE, TESTS, seed) for seed in (1, 2)}
    yield children
    for child in children.values():
        child.communicate(timeout=180)


def say(child: subprocess.Popen[str], line: str) -> None:
    assert child.stdin is not None
    child.stdin.write(line + "\n")
    child.stdin.flush()


def heard(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


@pytest.mark.parametrize("overwrite", [False, True])
def test_of_two_processes_that_write_one_target_one_wins(
    tmp_path: Path, racers: dict[int, subprocess.Popen[str]], overwrite: bool
) -> None:
    for race in range(6):
        folder = tmp_path / str(race)
        folder.mkdir()
        target = folder / "scan.nxs"
        if overwrite:
            say(racers[1], f"{target} False")
            say(racers[1], "")
            assert (heard(racers[1]), heard(racers[1])) == ("checking", "written")
        for child in racers.values():
            say(child, f"{target} {overwrite}")
        assert [heard(child) for child in racers.values()] == ["checking"] * 2
        for child in racers.values():
            say(child, "")
        ended = {seed: heard(child) for seed, child in racers.items()}
        won = [seed for seed, said in ended.items() if said == "written"]
        assert len(won) == 1, ended
        lost = ended[3 - won[0]]
        assert "exists already" in lost or "another translation" in lost
        np.testing.assert_array_equal(read_scan(target).signal[...], make_scan(seed=won[0])[1])
        assert len(names(folder)) == 2


def in_own_mounts(code: str, *arguments: object) -> tuple[int, str]:
    """Run Python where it may mount file systems, which are gone with it; skip if it may not."""
    if not shutil.which("unshare"):
        pytest.skip("there is no unshare here to mount a small or read-only file system with")
    prefix = ("unshare", "--mount") if os.getuid() == 0 else ("unshare", "--mount", "-r")
    probe = [*prefix, "mount", "-t", "tmpfs", "tmpfs", str(arguments[0])]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("this system lets no file system be mounted")
    child = start(MOUNT + code, TESTS, *arguments, prefix=prefix)
    said, problems = child.communicate(timeout=300)
    return child.returncode, said + problems


MOUNT = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import numpy as np
from helpers.scans import make_scan
from nxscan.errors import OutputError
from nxscan.nexus import layout, read_scan, write_scan
layout.INLINE_LIMIT = 0
folder = Path(sys.argv[2])
def mount(options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], check=True)
def names():
    return sorted(path.name for path in folder.iterdir())
def refused(scan, path, **options):
    try:
        write_scan(scan, path, **options)
    except OutputError as error:
        return str(error)
    sys.exit("it was written")
def still_whole():
    assert np.array_equal(read_scan(folder / "scan.nxs").signal[...], make_scan(seed=1)[1])
"""

FULL = """
mount("size=44m")
write_scan(make_scan(seed=1)[0], folder / "scan.nxs")
before = names()
scan, data = make_scan((100,), (512, 512))
data[:5] = 0  # there is room for frames like the first ones
data[5:] = np.random.default_rng(0).integers(0, 2**16, data[5:].shape)
for path in (folder / "scan.nxs", folder / "new.nxs"):
    said = refused(scan, path, overwrite=True)
    assert "is full" in said, said
    assert names() == before
    still_whole()
"""

READ_ONLY = """
mount("size=44m")
write_scan(make_scan(seed=1)[0], folder / "scan.nxs")
before = names()
def close(path=None):
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
close()
for path in (folder / "scan.nxs", folder / "new.nxs", folder / "below" / "new.nxs"):
    said = refused(make_scan(seed=2)[0], path, overwrite=True)
    assert "cannot write in" in said and "Read-only" in said, said
    assert names() == before
subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
# a disk with errors becomes read-only while it is written to
said = refused(make_scan(seed=2)[0], folder / "scan.nxs", overwrite=True, check=close)
assert "cannot be written" in said and "Read-only" in said, said
still_whole()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mounts file systems as Linux does")
@pytest.mark.parametrize("code", [FULL, READ_ONLY], ids=["full", "read-only"])
def test_a_disk_that_takes_no_more_keeps_what_is_there(tmp_path: Path, code: str) -> None:
    status, said = in_own_mounts(code, tmp_path)
    assert status == 0, said
