"""Blocks are written while others are computed, and no more are computed at once than workers."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from nxscan import Output, Process
from nxscan.process import grouping, partition
from nxscan.process import job as job_module
from nxscan.process.blockfile import write_block
from nxscan.process.slots import Slots

PATIENCE = 120
"""Seconds until a wait that should not be long is given up."""


class Doubled(Process):
    """Twice the mean of every frame; counts the blocks, and how many are computed at once."""

    per = "position"

    def __init__(self):
        super().__init__()
        self.lock, self.at_once, self.most, self.count = threading.Lock(), 0, 0, 0
        self.third = threading.Event()

    def outputs(self, scan):
        return [Output("mean", dtype=np.float64)]

    def compute(self, block):
        with self.lock:
            self.at_once += 1
            self.count += 1
            self.most = max(self.most, self.at_once)
            if self.count == 3:
                self.third.set()
        found = {"mean": 2.0 * block.frames.mean(axis=(1, 2)).reshape(block.scan_shape)}
        with self.lock:
            self.at_once -= 1
        return found


class First(Process):
    """The first pixel of every frame, in the memory that the frames were read into."""

    per = "position"

    def outputs(self, scan):
        return [Output("first", dtype=np.uint16)]

    def compute(self, block):
        return {"first": block.data[:, 0, 0]}


@pytest.fixture(params=["contiguous", "one chunk"])
def stored(request, tmp_path, monkeypatch):
    """Store frames that are cut into blocks of two; return a run's arguments, and the frames.

    Blocks that share a chunk are computed from frames that are read together, others are read
    one by one into memory that is used again.
    """
    monkeypatch.setattr(partition, "BLOCK_BYTES", 2 * 60)
    monkeypatch.setattr(partition, "SMALL_BYTES", 2 * 60)
    data = np.random.default_rng(0).poisson(20, (24, 6, 5)).astype(np.uint16)
    with h5py.File(tmp_path / "source.h5", "w") as file:
        group = file.create_group("entry/data")
        group.attrs.update({"NX_class": "NXdata", "signal": "frames"})
        chunks = None if request.param == "contiguous" else data.shape
        group.create_dataset("frames", data=data, chunks=chunks)
    where = {"source": tmp_path / "source.h5", "into": tmp_path / "result.nxs"}
    return where | {"executor": "threads"}, data


def test_a_block_is_written_while_others_are_computed(stored, monkeypatch):
    options, data = stored
    process = Doubled()
    waited = []

    def slow(*arguments):
        # two workers: without more threads, both would wait here and no third block be computed
        waited.append(process.third.wait(PATIENCE))
        return write_block(*arguments)

    monkeypatch.setattr(job_module, "write_block", slow)
    result = process.run(**options, workers=2)
    np.testing.assert_allclose(result["mean"], 2 * data.mean(axis=(1, 2)))
    assert len(waited) > 4
    assert all(waited)


def test_no_more_blocks_are_computed_at_once_than_there_are_workers(stored):
    options, _ = stored
    process = Doubled()
    process.run(**options, workers=2)
    assert process.count > 4
    assert process.most <= 2


def test_a_single_worker_does_one_thing_after_the_other(stored, monkeypatch):
    options, _ = stored
    process = Doubled()
    done = []

    def counted(*arguments):
        done.append(process.count)
        return write_block(*arguments)

    monkeypatch.setattr(job_module, "write_block", counted)
    process.run(**options, workers=1)
    assert done == list(range(1, len(done) + 1))


def test_results_in_the_memory_of_the_frames_are_written_as_they_were(stored, monkeypatch):
    options, data = stored

    def late(*arguments):
        # meanwhile the memory is given to another thread, which reads into it
        threading.Event().wait(0.02)
        return write_block(*arguments)

    monkeypatch.setattr(job_module, "write_block", late)
    result = First().run(**options, workers=2)
    np.testing.assert_array_equal(result["first"], data[:, 0, 0])


def test_as_many_have_a_slot_as_there_are():
    slots = Slots(2)
    with slots.taken() as one, slots.taken() as two:
        assert one is not two
        late = threading.Event()

        def third():
            with slots.taken():
                late.set()

        thread = threading.Thread(target=third)
        thread.start()
        assert not late.wait(0.05)
    assert late.wait(PATIENCE)
    thread.join()


def test_the_slot_of_what_fails_is_free_again():
    slots = Slots(1)
    with pytest.raises(ValueError, match="wrong"), slots.taken() as first:
        raise ValueError("wrong")
    with slots.taken() as second:
        assert second is first


@pytest.mark.parametrize(
    ("workers", "allowed", "writing"),
    [(2, 200, 0), (2, 229, 0), (2, 230, 1), (2, 260, 2), (2, 1000, 2), (3, 150, 0), (1, 1000, 0)],
)
def test_results_wait_to_be_written_only_in_memory_that_is_left(
    monkeypatch, workers, allowed, writing
):
    monkeypatch.setattr(grouping, "unit_bytes", lambda job, unit: 100)
    blocks = ((slice(0, 4),), (slice(4, 6),))
    job = SimpleNamespace(blocks=blocks, state_bytes=lambda index: (30, 15)[index])
    cut = partition.Partition(blocks, ((0,), (1,)))
    assert grouping.writing_for(job, cut, workers, allowed) == writing
