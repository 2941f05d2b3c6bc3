"""Sources that others wrote, whose stored chunks do not fit the blocks."""

from __future__ import annotations

import logging
import os
import shutil
from collections import Counter
from concurrent.futures import Future
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nxscan import Output, Process
from nxscan.analysis.corrections.binning import Binning
from nxscan.analysis.corrections.roi import Roi
from nxscan.errors import OutputError, ProcessError
from nxscan.hdf5 import h5signal, storage
from nxscan.model import Axis
from nxscan.process import commit, computing, partition, spool
from nxscan.process.registry import find_process

SHAPE = (24, 37, 52)
ITEMSIZE = 2
ATTEMPTS: list[int] = []
"""Rows that `Fragile` was asked for."""

BITSHUFFLE = dict(hdf5plugin.Bitshuffle(cname="lz4"))
GZIP = {"compression": "gzip", "shuffle": True}
LAYOUTS = {
    "frames, bitshuffle": {"chunks": (1, 37, 52), **BITSHUFFLE},
    "frames, gzip": {"chunks": (1, 37, 52), **GZIP},
    "contiguous": {},
    "deep": {"chunks": (8, 16, 16), **BITSHUFFLE},
    "deep, odd": {"chunks": (7, 37, 11), **GZIP},
    "whole": {"chunks": SHAPE, **BITSHUFFLE},
}


class Spread(Process):
    """Largest minus smallest, and the mean, of every pixel."""

    per = "pixel"

    def outputs(self, scan):
        return [Output("spread"), Output("mean")]

    def compute(self, block):
        data = block.data.astype(float)
        return {"spread": data.max(axis=0) - data.min(axis=0), "mean": data.mean(axis=0)}


class Profile(Process):
    """Sum of every frame along y, and a curve of its own."""

    per = "position"

    def outputs(self, scan):
        q = Axis("q", np.arange(5.0))
        return [
            Output("profile", dims=(..., Axis("column", np.arange(scan.signal.shape[-1]) * 1.0))),
            Output("curve", dims=(q, ...)),
        ]

    def compute(self, block):
        total = block.data.astype(float).sum(axis=(-2, -1))
        curve = total * np.arange(5.0).reshape(-1, *[1] * total.ndim)
        return {"profile": block.data.astype(float).sum(axis=-2), "curve": curve}


class Total(Process):
    """Sum and largest of every pixel, as a reduction."""

    per = "pixel"

    def outputs(self, scan):
        return [Output("total"), Output("largest", dtype=np.float32)]

    def compute(self, block):
        # the largest of a single frame is that frame's memory
        return {"total": block.data.sum(axis=0, dtype=float), "largest": block.data[0]} | (
            {"largest": block.data.max(axis=0)} if len(block.data) > 1 else {}
        )

    def merge(self, first, second):
        return {
            "total": first["total"] + second["total"],
            "largest": np.maximum(first["largest"], second["largest"]),
        }


class Level(Process):
    """Mean of all values, and the mean frame's profile."""

    per = "scan"

    def outputs(self, scan):
        column = Axis("column", np.arange(scan.signal.shape[-1]) * 1.0)
        return [Output("level", dims=()), Output("profile", dims=(column,), default=True)]

    def compute(self, block):
        return {"n": block.data.size, "s": block.data.sum(axis=(0, 1), dtype=float)}

    def merge(self, first, second):
        return {"n": first["n"] + second["n"], "s": first["s"] + second["s"]}

    def finish(self, state):
        return {"level": state["s"].sum() / state["n"], "profile": state["s"]}


class Fragile(Spread):
    """Fails in the lower half while it is told to."""

    name = "fragile"

    def compute(self, block):
        ATTEMPTS.append(block.selection[-2].start)
        if block.selection[-2].start > 20 and "BREAK" in os.environ:
            raise ValueError("broken")
        return super().compute(block)


def expected(process, data):
    data = data.astype(float)
    return {
        "spread": {"spread": np.ptp(data, axis=0), "mean": data.mean(axis=0)},
        "fragile": {"spread": np.ptp(data, axis=0), "mean": data.mean(axis=0)},
        "profile": {
            "profile": data.sum(axis=-2),
            "curve": np.arange(5.0)[:, None] * data.sum(axis=(-2, -1)),
        },
        "total": {"total": data.sum(axis=0), "largest": data.max(axis=0)},
        "level": {"level": data.mean(), "profile": data.sum(axis=(0, 1))},
    }[process.name]


def check(result, process, data):
    for name, values in expected(process, data).items():
        np.testing.assert_allclose(result[name], values, rtol=1e-12, err_msg=name)


@pytest.fixture
def small_blocks(monkeypatch):
    """Have scans of a hundred kilobytes cut into a dozen blocks.

    The files with the results are not validated, which takes as long as all else: other tests do.
    """
    monkeypatch.setattr(commit, "_check", lambda path: None)
    monkeypatch.setattr(partition, "BLOCK_BYTES", 8192)
    monkeypatch.setattr(partition, "CELL_BYTES", 16384)
    monkeypatch.setattr(partition, "PIECE_BYTES", 2048)
    monkeypatch.setattr(partition, "PORTION_BYTES", 4096)


@pytest.fixture
def folder(tmp_path, monkeypatch, small_blocks):
    """Work in a folder of its own, away from the source's."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (tmp_path / "raw").mkdir()
    return tmp_path


@pytest.fixture
def decoded(monkeypatch):
    """Count how often each stored chunk is read."""
    counts: Counter[int] = Counter()
    read = storage.Chunked.read

    def counted(self, descriptor, region, out):
        counts.update(self._table.boxes(region, self._itemsize).rows.tolist())
        read(self, descriptor, region, out)

    monkeypatch.setattr(storage.Chunked, "read", counted)
    monkeypatch.setattr(h5signal, "WORTHWHILE", 0)
    return counts


def source(folder, options, shape=SHAPE, dtype="u2"):
    data = np.random.default_rng(1).integers(0, 4000, shape).astype(dtype)
    path = folder / "raw" / "foreign.h5"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        entry.attrs.update({"NX_class": "NXentry", "default": "data"})
        group = entry.create_group("data")
        group.attrs.update({"NX_class": "NXdata", "signal": "frames"})
        group.create_dataset("frames", data=data, **options)
    return path, data


class Notes:
    """What the user is told, and what was computed by then."""

    def __init__(self):
        self.said = []

    def __call__(self, progress):
        if progress.note and progress.note not in [note for note, _ in self.said]:
            self.said.append((progress.note, progress.blocks_done))


def needed(process, path, **options):
    """Return the least memory that a run accepts."""
    with pytest.raises(ProcessError, match="one block needs") as refused:
        process.run(path, memory=1, into="least.nxs", **options)
    for left in Path.cwd().glob(".least.*"):
        shutil.rmtree(left)
    text = str(refused.value)
    number, unit = text.split("one block needs ")[1].split()[:2]
    return int(number) * (2**20 if unit == "MiB" else 1)


@pytest.mark.parametrize("layout", ["contiguous", "whole"])
@pytest.mark.parametrize("process", [Spread(), Profile(), Total(), Level()], ids=lambda p: p.name)
def test_every_layout_gives_what_numpy_gives(folder, layout, process):
    path, data = source(folder, LAYOUTS[layout])
    check(process.run(path), process, data)


@pytest.mark.parametrize("layout", ["frames, bitshuffle", "frames, gzip", "deep", "deep, odd"])
@pytest.mark.parametrize("process", [Spread(), Profile(), Total(), Level()], ids=lambda p: p.name)
def test_each_stored_chunk_is_decoded_once_where_memory_allows(folder, decoded, layout, process):
    path, data = source(folder, LAYOUTS[layout])
    check(process.run(path, memory="1GiB"), process, data)
    with h5py.File(path) as file:
        chunks = file["entry/data/frames"].id.get_num_chunks()
    assert len(decoded) == chunks
    assert set(decoded.values()) == {1}


@pytest.mark.parametrize("process", [Total(), Level()], ids=lambda p: p.name)
def test_reductions_stream_frames_within_the_least_memory(folder, decoded, process):
    path, data = source(folder, LAYOUTS["frames, gzip"])
    check(process.run(path, memory=needed(process, path)), process, data)
    assert set(decoded.values()) == {1}


def test_without_memory_for_one_pass_their_number_is_said_first(folder, decoded, caplog):
    path, data = source(folder, LAYOUTS["frames, gzip"])
    caplog.set_level(logging.INFO)
    seen = {}
    least = needed(Spread(), path)
    for memory in range(least + 4_000, least + 120_000, 16_000):
        decoded.clear()
        notes = Notes()
        result = Spread().run(path, memory=memory, workers=1, fresh=True, progress=notes)
        check(result, Spread(), data)
        if notes.said and "passes" in notes.said[0][0]:
            count = int(notes.said[0][0].split("read in ")[1].split()[0])
            assert notes.said[0][1] == 0
            assert set(decoded.values()) == {count}
            assert notes.said[0][0] in caplog.text
            seen[count] = memory
    assert set(seen) >= {2, 3}
    assert list(seen.values()) == sorted(seen.values())
    assert not notes.said


@pytest.mark.parametrize("layout", ["frames, gzip", "deep, odd", "whole"])
@pytest.mark.parametrize("process", [Spread(), Profile()], ids=lambda p: p.name)
def test_where_a_copy_is_cheaper_frames_are_copied_to_tiles(
    folder, decoded, layout, process, monkeypatch
):
    monkeypatch.setattr(computing, "MOST_PASSES", 1)
    path, data = source(folder, LAYOUTS[layout])
    notes = Notes()
    least = needed(process, path)
    check(process.run(path, memory=least, progress=notes), process, data)
    if layout != "frames, gzip" or process.per == "pixel":
        assert "copied to tiles" in notes.said[0][0]
    assert not list((folder / "work").rglob("*spool*"))
    assert not list((folder / "work").glob(".*"))


def test_a_copy_is_used_again_after_an_interruption(folder, decoded, monkeypatch):
    path, data = source(folder, LAYOUTS["frames, gzip"])
    monkeypatch.setattr(computing, "MOST_PASSES", 1)
    least = needed(Fragile(), path)
    ATTEMPTS.clear()
    monkeypatch.setenv("BREAK", "1")
    with pytest.raises(ProcessError, match="broken"):
        Fragile().run(path, memory=least, workers=1)
    (copy,) = (folder / "work").rglob("spool.h5")
    made = copy.stat().st_mtime_ns, copy.stat().st_ino
    monkeypatch.delenv("BREAK")
    copied = []
    monkeypatch.setattr(spool, "_copy", lambda *args: copied.append(args))
    ATTEMPTS.clear()
    assert (copy.stat().st_mtime_ns, copy.stat().st_ino) == made
    check(Fragile().run(path, memory=least, workers=1), Fragile(), data)
    assert not copied
    assert 0 not in ATTEMPTS
    assert not copy.exists()


def test_what_an_interrupted_copy_left_is_removed(folder, monkeypatch):
    path, data = source(folder, LAYOUTS["frames, gzip"])
    monkeypatch.setattr(computing, "MOST_PASSES", 1)
    least = needed(Spread(), path)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(spool, "store_frames", killed)
        with pytest.raises(KeyboardInterrupt):
            Spread().run(path, memory=least)
    (journal,) = (folder / "work").glob(".*.journal")
    stale = journal / "spool.h5.elsewhere-1-0123456789ab.tmp"
    stale.write_bytes(b"half")
    checked = []
    room = spool._check_room
    monkeypatch.setattr(
        spool, "_check_room", lambda *args: (checked.append(stale.exists()), room(*args))
    )
    check(Spread().run(path, memory=least), Spread(), data)
    assert checked == [False]


def test_a_disk_without_room_for_the_copy_is_said_before_copying(folder, monkeypatch):
    path, data = source(folder, LAYOUTS["frames, gzip"])
    monkeypatch.setattr(computing, "MOST_PASSES", 1)
    least = needed(Spread(), path)
    usage = spool.shutil.disk_usage(folder)._replace(free=1000)
    with monkeypatch.context() as patched:
        patched.setattr(spool.shutil, "disk_usage", lambda _: usage)
        with pytest.raises(OutputError, match=r"free.*tiled copy.*--memory"):
            Spread().run(path, memory=least)
    check(Spread().run(path, memory="1GiB"), Spread(), data)


ROI = Roi(region="3:30,5:45")
CORRECTIONS = {
    "roi": ([ROI], lambda data: data[:, 3:30, 5:45]),
    "binning": (
        [Binning(factor="3,2")],
        lambda data: data[:, :36].reshape(24, 12, 3, 26, 2).sum(axis=(2, 4)),
    ),
    "both": (
        [Roi(region="1:33,4:44"), Binning(factor=4)],
        lambda data: data[:, 1:33, 4:44].reshape(24, 8, 4, 10, 4).sum(axis=(2, 4)),
    ),
}


@pytest.mark.parametrize("memory", ["least", "1GiB"])
@pytest.mark.parametrize("chain", CORRECTIONS)
@pytest.mark.parametrize("layout", ["frames, gzip", "deep, odd"])
@pytest.mark.parametrize("process", [Spread(), Profile(), Total()], ids=lambda p: p.name)
def test_regions_and_bins_are_read_from_the_right_chunks(folder, layout, process, chain, memory):
    path, data = source(folder, LAYOUTS[layout])
    corrections, seen = CORRECTIONS[chain]
    least = needed(process, path, corrections=corrections) if memory == "least" else memory
    result = process.run(path, corrections=corrections, memory=least)
    for name, values in expected(process, seen(data.astype(float))).items():
        np.testing.assert_allclose(result[name], values, rtol=1e-6, err_msg=name)


def test_tiles_are_copied_so_that_a_region_of_interest_fits(folder, monkeypatch):
    monkeypatch.setattr(computing, "MOST_PASSES", 1)
    path, data = source(folder, LAYOUTS["frames, gzip"])
    corrections, seen = CORRECTIONS["roi"]
    least, notes = needed(Spread(), path, corrections=corrections), Notes()
    result = Spread().run(path, corrections=corrections, memory=least, progress=notes)
    assert "copied to tiles" in notes.said[0][0]
    check(result, Spread(), seen(data.astype(float)))


@pytest.fixture
def noisy(folder):
    """Frames of floats, whose sums round differently in another order, and what they give."""
    rng = np.random.default_rng(3)
    data = rng.normal(100, 30, SHAPE).astype("f4")
    path = folder / "raw" / "noisy.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("frames", data=data, chunks=(1, 37, 52), **BITSHUFFLE)
        file.create_group("entry").attrs.update({"NX_class": "NXdata", "signal": "frames"})
        file["entry/frames"] = file["frames"]
    chain = [Roi(region=":,1:"), Binning(factor="3,2")]
    kept = {}
    for process in (Spread(), Level()):
        for corrections in ((), chain):
            options = {"corrections": corrections, "into": "first.nxs"}
            found = process.run(path, workers=1, memory="1GiB", **options)
            least = needed(process, path, corrections=corrections)
            kept[process.name, bool(corrections)] = (found, least)
    return path, chain, kept


@given(
    process=st.sampled_from([Spread(), Level()]),
    corrected=st.booleans(),
    workers=st.sampled_from([1, 2, 4]),
    share=st.floats(0, 1),
)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_neither_memory_nor_workers_change_a_bit(noisy, process, corrected, workers, share):
    path, chain, kept = noisy
    first, least = kept[process.name, corrected]
    again = process.run(
        path,
        corrections=chain if corrected else (),
        workers=workers,
        memory=int(least * (10**6 / least) ** share) + 1,
        fresh=True,
        into="first.nxs",
    )
    assert again.group != first.group
    for name in first.names:
        np.testing.assert_array_equal(again[name], first[name])


def test_processes_give_the_same_bits(noisy):
    path, _, kept = noisy
    process = Spread()
    first, _ = kept[process.name, False]
    again = process.run(
        path, executor="processes", workers=2, fresh=True, into="first.nxs", memory="1GiB"
    )
    for name in first.names:
        np.testing.assert_array_equal(again[name], first[name])


def test_no_more_workers_are_started_than_can_work(folder, monkeypatch):
    path, data = source(folder, LAYOUTS["frames, gzip"])
    opened = []
    open_pool = computing.open_pool

    def kept(executor, workers, writing):
        opened.append(workers)
        return open_pool(executor, workers, writing)

    monkeypatch.setattr(computing, "open_pool", kept)
    least = needed(Level(), path)
    opened.clear()
    check(Level().run(path, memory=int(2.5 * least), workers=8), Level(), data)
    check(Level().run(path, memory="1GiB", workers=100, fresh=True), Level(), data)
    blocks = -(-data.nbytes // 8192)
    assert opened[0] == 2
    assert 2 < opened[1] <= blocks


def test_whose_memory_is_meant_is_said_for_workers_elsewhere(folder, caplog):
    path, data = source(folder, LAYOUTS["frames, gzip"])
    caplog.set_level(logging.INFO)

    class Elsewhere:
        """An executor of which nothing is known but that it takes calls."""

        def submit(self, function, *arguments):
            future = Future()
            future.set_result(function(*arguments))
            return future

    check(Level().run(path, executor=Elsewhere()), Level(), data)
    assert caplog.text.count("this machine has free") == 1
    caplog.clear()
    Level().run(path, executor=Elsewhere(), memory="1GiB", fresh=True)
    Level().run(path, fresh=True)
    assert "this machine has free" not in caplog.text


REDUCTIONS = {
    "sum": lambda data: data.sum(axis=0),
    "mean": lambda data: data.mean(axis=0),
    "max": lambda data: data.max(axis=0),
    "std": lambda data: data.std(axis=0, ddof=0),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_pixels_stream_and_keep_states_small(folder, decoded, name, monkeypatch):
    monkeypatch.setattr(partition, "CELL_BYTES", 8192)
    path, data = source(folder, LAYOUTS["frames, gzip"], shape=(60, 37, 52))
    process = find_process(name)()
    result = process.run(path, memory=needed(process, path))
    np.testing.assert_allclose(result[name], REDUCTIONS[name](data.astype(float)), rtol=1e-5)
    assert set(decoded.values()) == {1}
