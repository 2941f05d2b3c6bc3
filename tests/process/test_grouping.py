"""Which blocks are read together, where stored chunks span the detector."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.scans import make_scan

from nxscan.model import ArraySignal
from nxscan.process import Output, Process, partition
from nxscan.process.grouping import grouped, passes
from nxscan.process.job import Job
from nxscan.process.output import resolve
from nxscan.process.partition import Cutter, volume
from nxscan.process.view import make_view

THREADS = SimpleNamespace(workers=2, remote=False)
PROCESSES = SimpleNamespace(workers=2, remote=True)
PLENTY = 10**12


class Frames(ArraySignal):
    """Values that are stored a frame to a chunk."""

    @property
    def chunks(self):
        return (1, *self.shape[1:])


class Spread(Process):
    """Largest minus smallest of every pixel."""

    per = "pixel"

    def outputs(self, scan):
        return [Output("spread")]

    def compute(self, block):
        return {"spread": np.ptp(block.data.astype(float), axis=0)}


@pytest.fixture
def work(monkeypatch):
    """Return a job whose blocks all share their stored chunks, and its partition."""
    monkeypatch.setattr(partition, "BLOCK_BYTES", 8192)
    monkeypatch.setattr(partition, "PIECE_BYTES", 2048)
    scan, data = make_scan((24,), (37, 52))
    scan = replace(scan, signals={"pco": Frames(data)})
    view, process = make_view(scan, ()), Spread()
    cut = Cutter(data.shape, 2, 1, view.layout.edges).cut("pixel", mergeable=False)
    outputs = tuple(resolve(process.outputs(scan), scan, "pixel", "spread"))
    assert len(cut.cells) == 1
    assert len(cut) > 8
    return Job(process, view, outputs, cut.blocks, Path("none")), cut


@pytest.mark.parametrize(("pool", "shared"), [(THREADS, True), (PROCESSES, False)])
def test_all_blocks_of_a_cell_are_read_at_once_where_memory_allows(work, pool, shared):
    job, cut = work
    (group,) = grouped(job, cut, (), PLENTY, pool)
    assert group.blocks == tuple(range(len(cut)))
    assert group.shared is shared
    assert passes(cut, [group]) == 1


@pytest.mark.parametrize("pool", [THREADS, PROCESSES])
def test_each_is_read_alone_where_memory_allows_no_more(work, pool):
    job, cut = work
    groups = grouped(job, cut, (), 1, pool)
    assert [group.blocks for group in groups] == [(index,) for index in range(len(cut))]
    assert not any(group.shared for group in groups)
    assert passes(cut, groups) == len(cut)


def test_groups_hold_as_many_blocks_of_a_cell_as_memory_allows(work):
    job, cut = work
    each = max(2 * volume(block) for block in cut.blocks)
    # the workers take some memory themselves: the rest is counted from where two blocks fit
    needed = range(0, 10**7, each // 4)
    two = next(m for m in needed if len(grouped(job, cut, (), m, THREADS)) < len(cut))
    for count in (2, 3, 4, 5):
        groups = grouped(job, cut, (), two + (count - 2) * each, THREADS)
        assert max(len(group.blocks) for group in groups) == count
        assert [k for group in groups for k in group.blocks] == list(range(len(cut)))
        assert passes(cut, groups) == len(groups) == -(-len(cut) // count)


def test_finished_blocks_are_left_out(work):
    job, cut = work
    done = {0, 3, len(cut) - 1}
    (group,) = grouped(job, cut, done, PLENTY, THREADS)
    assert group.blocks == tuple(k for k in range(len(cut)) if k not in done)
    assert grouped(job, cut, range(len(cut)), PLENTY, THREADS) == []
    assert passes(cut, []) == 0
