"""Runs that are killed keep what was finished; disks that refuse; several runs at once.

The first three are the cases in which pyUSID's Process loses what was computed.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from durability.kills import MASTER, Case, Lab
from durability.test_processes import in_own_mounts
from helpers.scans import make_scan

from nxscan import Output, Process
from nxscan.errors import NxscanError
from nxscan.nexus import write_scan
from nxscan.nexus.results import results
from nxscan.process import partition
from nxscan.process.status import drop, unfinished

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="mounts file systems as Linux does")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("faults"))


def computed(log: Path) -> int:
    """Return how many blocks a run wrote."""
    lines = log.read_text().splitlines()
    return sum(" create p" in line for line in lines)


@POSIX
@pytest.mark.parametrize("apart", [False, True], ids=["into-the-master", "into-another-file"])
@pytest.mark.parametrize("blocks", [1, 9, 18], ids=["first", "half", "last"])
def test_every_block_that_was_finished_is_kept_when_a_run_is_killed(
    lab: Lab, blocks: int, apart: bool
) -> None:
    arrays, log, _ = lab.undisturbed("Maps")
    total = sum(line.endswith(".block") and " rename " in line for line in log)
    case = Case(lab, "Maps", "threads")
    master = case.root / "out.nxs" if apart else case.scan / MASTER
    into = {"VICTIM_INTO": str(master)} if apart else {}
    begun = case.begin(VICTIM=f"blocks:{blocks}", **into)
    assert begun.wait() == -9, begun.said()
    (status,) = unfinished(master)
    assert status.owner is None
    assert (status.blocks_done, status.blocks_total) == (blocks, total)
    again = case.root / "log"
    begun = case.begin(VICTIM_LOG=str(again), **into)
    assert begun.wait() == 0, begun.said()
    assert computed(again) == total - blocks
    assert case.arrays() == arrays
    assert unfinished(master) == []


class Level(Process):
    """Mean of every frame, many times over."""

    per = "position"

    def outputs(self, scan: Any) -> list[Output]:
        return [Output("level", units="counts", default=True)]

    def compute(self, block: Any) -> dict[str, Any]:
        return {"level": block.data.mean(axis=(-2, -1))}


class Peak(Level):
    """Largest value of every frame."""

    def compute(self, block: Any) -> dict[str, Any]:
        return {"level": block.data.max(axis=(-2, -1)).astype(float)}


@pytest.fixture
def master(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scan of twelve blocks."""
    monkeypatch.setattr(partition, "BLOCK_BYTES", 1)
    write_scan(make_scan()[0], tmp_path / "scan.nxs")
    return tmp_path / "scan.nxs"


def test_threads_that_run_at_once_all_get_their_result(master: Path) -> None:
    data = make_scan()[1]
    start, found = threading.Barrier(4), {}

    def run(number: int) -> None:
        start.wait()
        process = Level() if number % 2 else Peak()
        found[number] = process.run(master)["level"]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        expected = data.mean(axis=(-2, -1)) if number % 2 else data.max(axis=(-2, -1))
        np.testing.assert_array_equal(found[number], expected)
    # of two that are the same, the second one finds what the first one has added
    assert sorted(result.process for result in results(master)) == ["level", "peak"]
    assert [path.name for path in master.parent.iterdir()] == ["scan.nxs"]


@POSIX
def test_processes_that_run_at_once_all_get_their_result(lab: Lab) -> None:
    case = Case(lab, "Maps", "threads")
    begun = []
    for process in ("Maps", "Maps", "Deviation"):
        case.process = process
        begun.append(case.begin())
    for one in begun:
        assert one.wait() == 0, one.said()
    assert sorted(r.process for r in results(case.scan / MASTER)) == ["deviation", "maps"]
    assert sorted(path.name for path in case.scan.iterdir()) == [MASTER, "scan_frames.h5"]
    for process in ("Maps", "Deviation"):
        case.process = process
        case.begin().wait()
        assert case.arrays() == lab.undisturbed(process)[0]


@POSIX
def test_a_run_that_is_under_way_is_seen_and_not_dropped(lab: Lab) -> None:
    case = Case(lab, "Deviation", "threads")
    begun = case.begin(VICTIM="pause:1")
    while not (listed := unfinished(case.scan / MASTER)) or not listed[0].blocks_done:
        assert begun.child.poll() is None, begun.said()
    assert listed[0].owner is not None
    assert listed[0].owner.endswith(f":{begun.child.pid}")
    with pytest.raises(NxscanError, match="under way"):
        drop(listed[0])
    begun.kill()
    (status,) = unfinished(case.scan / MASTER)
    assert status.owner is None
    drop(status)
    assert sorted(path.name for path in case.scan.iterdir()) == [MASTER, "scan_frames.h5"]


DISK = """
import os
from nxscan import Output, Process
from nxscan.process import partition
from nxscan.process.status import unfinished
from nxscan.nexus.results import results
partition.BLOCK_BYTES = 512 * 512 * 2
computed = []
class Copy(Process):
    "Every value, which takes as much room as the frames."
    per = "position"
    def outputs(self, scan):
        frame = [scan.axes["y"], scan.axes["x"]]
        from nxscan.model import Axis
        own = [Axis(n, a.values, a.units) for n, a in zip(("v", "u"), frame)]
        return [Output("copy", units="counts", dims=(..., *own), default=True)]
    def compute(self, block):
        if len(computed) == 5 and "CLOSE" in os.environ:
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        computed.append(block.selection[0].start)
        return {"copy": block.data * 1.0}
scan, data = make_scan((12,), (512, 512))
data[:] = np.random.default_rng(0).integers(0, 2**16, data.shape)
def size(megabytes):
    subprocess.run(["mount", "-o", f"remount,rw,size={megabytes}m", folder], check=True)
def run(**options):
    computed.clear()
    return Copy().run(folder / "scan.nxs", workers=1, **options)
def refused(**options):
    try:
        run(**options)
    except OutputError as error:
        return str(error)
    sys.exit("it was written")
"""

FULL = (
    DISK
    + """
mount("size=200m")
write_scan(scan, folder / "scan.nxs")
before = (folder / "scan_frames.h5").read_bytes(), (folder / "scan.nxs").read_bytes()
used = sum(path.stat().st_size for path in folder.iterdir()) // 2**20
for room, blocks in ((8, range(1, 5)), (27, [12])):  # for some blocks; for all, but no result
    size(used + room)
    said = refused()
    assert "room" in said or "is full" in said or "free some space" in said, said
    assert ((folder / "scan_frames.h5").read_bytes(), (folder / "scan.nxs").read_bytes()) == before
    (status,) = unfinished(folder / "scan.nxs")
    assert status.blocks_done in blocks, status
    assert not [n for n in names() if n.endswith(".tmp") or n.endswith(".lock")], names()
size(200)
result = run()
assert computed == [], computed
assert np.array_equal(result["copy"], data)
assert names() == ["scan.nxs", "scan_frames.h5"]
"""
)

LIMITED = (
    DISK
    + """
import resource
write_scan(scan, folder / "scan.nxs")
before = (folder / "scan.nxs").read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, resource.RLIM_INFINITY))
said = refused()
assert "room" in said, said
assert unfinished(folder / "scan.nxs")[0].blocks_done == 0
resource.setrlimit(resource.RLIMIT_FSIZE, (5 * 2**20, resource.RLIM_INFINITY))
said = refused()  # each block fits, the master with the result does not
assert "full" in said, said
assert unfinished(folder / "scan.nxs")[0].blocks_done == 12
assert (folder / "scan.nxs").read_bytes() == before
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert np.array_equal(run()["copy"], data) and computed == []
assert names() == ["scan.nxs", "scan_frames.h5"]
"""
)

READ_ONLY = (
    DISK
    + """
mount("size=200m")
write_scan(scan, folder / "scan.nxs")
subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
before = names()
said = refused(into=folder / "out.nxs")
assert "cannot" in said and "ead-only" in said and computed == [], said
elsewhere = folder.parent / "elsewhere"
elsewhere.mkdir()
result = run(into=elsewhere / "out.nxs")
assert result.path == elsewhere / "out.nxs"
assert np.array_equal(result["copy"], data)
os.chdir(elsewhere)
result = run()
assert result.path == elsewhere / "scan_results.nxs", result.path
assert np.array_equal(result["copy"], data)
assert names() == before
assert sorted(os.listdir(elsewhere)) == ["out.nxs", "scan_results.nxs"]
"""
)

CLOSED_MEANWHILE = (
    DISK
    + """
mount("size=200m")
write_scan(scan, folder / "scan.nxs")
os.environ["CLOSE"] = "1"
said = refused()
assert "cannot be written" in said and "ead-only" in said, said
del os.environ["CLOSE"]
subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
assert np.array_equal(run()["copy"], data)
assert len(computed) == 12 - 5, computed
assert names() == ["scan.nxs", "scan_frames.h5"]
"""
)


@LINUX
@pytest.mark.parametrize(
    "code",
    [FULL, LIMITED, READ_ONLY, CLOSED_MEANWHILE],
    ids=["full", "limited", "read-only", "closed-meanwhile"],
)
def test_a_disk_that_takes_no_more_loses_no_block(tmp_path: Path, code: str) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    status, said = in_own_mounts(code, folder)
    assert status == 0, said
