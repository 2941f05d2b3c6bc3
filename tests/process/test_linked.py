"""Processes over masters that lead to frames in other files."""

from __future__ import annotations

import os
import pickle
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers.linked import FRAME, KINDS, SCAN, linked_master, raw_scan
from helpers.scans import make_scan

import nxscan
from nxscan import Output, Process
from nxscan.analysis.corrections.background import Background
from nxscan.analysis.corrections.roi import Roi
from nxscan.errors import LayoutError, NxscanError, ProcessError
from nxscan.hdf5 import frames as hdf5_frames
from nxscan.nexus import write_scan
from nxscan.process import commit, partition
from nxscan.process.planning import make_plan
from nxscan.process.registry import find_process
from nxscan.process.settings import Settings


class Spread(Process):
    """Largest minus smallest, and the mean, of every pixel."""

    per = "pixel"

    def outputs(self, scan):
        return [Output("spread"), Output("mean")]

    def compute(self, block):
        data = block.data.astype(float)
        return {"spread": np.ptp(data, axis=(0, 1)), "mean": data.mean(axis=(0, 1))}


class Brightest(Process):
    """Largest value of every frame, and where it is."""

    per = "position"

    def outputs(self, scan):
        return [Output("brightest"), Output("where", dtype=np.int64)]

    def compute(self, block):
        flat = block.data.reshape(*block.data.shape[:2], -1)
        return {"brightest": flat.max(axis=-1).astype(float), "where": flat.argmax(axis=-1)}


class Broken(Brightest):
    """Stops in the second half of the scan while it is told to."""

    name = "broken"

    def compute(self, block):
        if block.selection[0].start >= 5 and "BREAK" in os.environ:
            raise ValueError("broken")
        return super().compute(block)


@pytest.fixture(scope="module", autouse=True)
def small_blocks():
    """Cut small scans as large ones are cut.

    The masters with the results are not validated, which takes as long as all else: other tests do.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(partition, "BLOCK_BYTES", 16_000)
        patch.setattr(partition, "SMALL_BYTES", 16_000)
        patch.setattr(partition, "PIECE_BYTES", 4_000)
        patch.setattr(commit, "_check", lambda path: None)
        yield


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def over_a_copy(small_blocks, tmp_path_factory):
    """Results over a master that has the frames itself."""
    folder = tmp_path_factory.mktemp("copy")
    copy = write_scan(make_scan(SCAN, FRAME)[0], folder / "copy.nxs")
    return [process.run(copy) for process in processes()]


def processes():
    return Spread(), Brightest(), find_process("sum")(), find_process("moments")()


def both(tmp_path: Path, kind: str, *, zigzag: bool = False) -> tuple[Path, Path, object]:
    """Return a master that leads to raw files, one with a copy of them, and the values."""
    scan, data = raw_scan(tmp_path / "raw", kind, zigzag=zigzag)
    copy = write_scan(scan, tmp_path / "copy.nxs")
    return linked_master(tmp_path / "linked.nxs", scan), copy, data


def same(first, second):
    assert first.names == second.names
    for name in first:
        assert first[name].dtype == second[name].dtype
        assert first[name].tobytes() == second[name].tobytes(), name


@pytest.mark.parametrize("zigzag", [False, True], ids=["in order", "zigzag"])
@pytest.mark.parametrize("kind", KINDS)
def test_results_over_a_linked_master_are_those_over_a_copy_bit_for_bit(
    tmp_path, over_a_copy, kind, zigzag
):
    scan, data = raw_scan(tmp_path / "raw", kind, zigzag=zigzag)
    linked = linked_master(tmp_path / "linked.nxs", scan)
    for process, expected in zip(processes(), over_a_copy, strict=True):
        same(process.run(linked), expected)
    spread = nxscan.results(linked)[0]
    np.testing.assert_array_equal(spread["spread"], np.ptp(data.astype(float), axis=(0, 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_regions_are_read_through_corrections(tmp_path, kind):
    linked, copy, data = both(tmp_path, kind, zigzag=True)
    chain = (Background(), Roi(region="3:19,5:20"))
    found = Spread().run(linked, corrections=chain)
    same(found, Spread().run(copy, corrections=chain))
    part = data[:, :, 3:19, 5:20].reshape(-1, 16, 15).astype(float)
    taken_off = part[[0, 1, 2, -3, -2, -1]].mean(axis=0)
    np.testing.assert_allclose(found["mean"], part.mean(axis=0) - taken_off, atol=1e-5)


@pytest.mark.parametrize("kind", ["frames in bitshuffle-LZ4", "a file each, big-endian"])
def test_worker_processes_read_the_originals(tmp_path, kind):
    linked, copy, _ = both(tmp_path, kind, zigzag=True)
    process = find_process("sum")()
    same(process.run(linked, executor="processes", workers=2), process.run(copy))


def test_workers_of_dask_read_the_originals(tmp_path):
    distributed = pytest.importorskip("distributed")
    linked, copy, _ = both(tmp_path, "a file each, big-endian", zigzag=True)
    process = find_process("sum")()
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        same(process.run(linked, executor=client), process.run(copy))


@pytest.mark.parametrize("name", ["brightest", "sum"])
def test_each_frame_is_read_once(tmp_path, monkeypatch, name):
    """Per position and as a reduction, in one pass."""
    linked = linked_master(
        tmp_path / "linked.nxs", raw_scan(tmp_path / "raw", next(iter(KINDS)))[0]
    )
    monkeypatch.setattr(partition, "CELL_BYTES", 16_000)
    read: Counter[tuple[str, int]] = Counter()
    original = hdf5_frames.StoredFrames.read

    def counted(self, first, out, region):
        read.update((self.path.name, first + k) for k in range(len(out)))
        original(self, first, out, region)

    monkeypatch.setattr(hdf5_frames.StoredFrames, "read", counted)
    (Brightest if name == "brightest" else find_process(name))().run(linked)
    assert len(read) == 90
    assert set(read.values()) == {1}


def test_files_of_single_frames_are_opened_once_where_memory_holds_them(tmp_path, monkeypatch):
    linked = linked_master(
        tmp_path / "linked.nxs", raw_scan(tmp_path / "raw", "a file each, big-endian")[0]
    )
    read: Counter[str] = Counter()
    original = hdf5_frames.RawFrames.read

    def counted(self, first, out, region):
        read[self.path.name] += 1
        original(self, first, out, region)

    monkeypatch.setattr(hdf5_frames.RawFrames, "read", counted)
    notes = []
    result = Spread().run(linked, progress=lambda progress: notes.append(progress.note))
    assert len(nxscan.open(linked).signal.sources) == len(read) == 90
    assert set(read.values()) == {1}
    assert result.stored.partition.endswith("in 1 cells of stored chunks")
    assert not any(notes)


def test_a_linked_signal_travels_with_all_that_it_knows(tmp_path):
    linked = linked_master(
        tmp_path / "linked.nxs", raw_scan(tmp_path / "raw", "contiguous", zigzag=True)[0]
    )
    signal = nxscan.open(linked).signal
    again = pickle.loads(pickle.dumps(signal))
    assert (again.shape, again.dtype, again.chunks, again.units) == (
        signal.shape,
        signal.dtype,
        signal.chunks,
        "counts",
    )
    np.testing.assert_array_equal(again[...], make_scan(signal.scan_shape, FRAME)[1])


def identity(master: Path) -> str:
    plan = make_plan(Spread(), master, Settings(), None)
    return plan.identity


def touch(path: Path, seconds: float) -> None:
    found = path.stat()
    os.utime(path, (found.st_atime, found.st_mtime + seconds))


def test_an_original_that_was_written_again_makes_another_run(tmp_path):
    linked = linked_master(tmp_path / "linked.nxs", raw_scan(tmp_path / "raw")[0])
    before = identity(linked)
    assert identity(linked) == before
    touch(tmp_path / "raw" / "part_1.h5", 0.5)  # less than what file systems round
    assert identity(linked) != before


def test_a_run_does_not_go_on_over_an_original_that_has_changed(tmp_path, monkeypatch):
    linked = linked_master(tmp_path / "linked.nxs", raw_scan(tmp_path / "raw")[0])
    monkeypatch.setenv("BREAK", "1")
    with pytest.raises(NxscanError, match="broken"):
        Broken().run(linked, workers=1)
    monkeypatch.delenv("BREAK")
    told = []
    touch(tmp_path / "raw" / "part_1.h5", 0.5)
    Broken().run(linked, progress=told.append)
    assert told[0].blocks_done == 0
    touch(tmp_path / "raw" / "part_1.h5", 60)
    with pytest.raises(LayoutError, match=r"part_1\.h5 has changed"):
        Broken().run(linked)
    with (tmp_path / "raw" / "part_2.h5").open("ab") as file:
        file.write(b"more")
    with pytest.raises(LayoutError, match=r"and 1 more file"):
        Broken().run(linked)


def test_an_original_that_is_written_while_it_is_read_gives_no_result(tmp_path):
    linked = linked_master(tmp_path / "linked.nxs", raw_scan(tmp_path / "raw")[0])

    class Writing(Brightest):
        """Another program writes meanwhile."""

        def compute(self, block):
            touch(tmp_path / "raw" / "part_1.h5", 0.01)
            return super().compute(block)

    with pytest.raises(ProcessError, match="changed while process 'writing' read it"):
        Writing().run(linked)
    assert nxscan.results(linked) == []


def test_results_move_with_master_and_raw_files(tmp_path):
    scan, data = raw_scan(tmp_path / "old" / "raw", zigzag=True)
    linked = linked_master(tmp_path / "old" / "linked.nxs", scan)
    first = Spread().run(linked)["spread"]
    shutil.move(tmp_path / "old", tmp_path / "new")
    moved = tmp_path / "new" / "linked.nxs"
    np.testing.assert_array_equal(nxscan.results(moved)[0]["spread"], first)
    found = Brightest().run(moved)
    np.testing.assert_array_equal(found["brightest"], data.max(axis=(-2, -1)))


def test_more_originals_than_files_may_be_open(tmp_path):
    resource = pytest.importorskip("resource")
    linked, copy, _ = both(tmp_path, "a file each, big-endian")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = len(list(Path("/dev/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 40, before[1]))
    try:
        found = [process().run(linked) for process in (Spread, Brightest)]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    for result, process in zip(found, (Spread, Brightest), strict=True):
        same(result, process().run(copy))
