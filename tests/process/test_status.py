"""What ``status`` says of runs that have not finished, and dropping them."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import numpy as np
import pytest

from nxscan.errors import OutputError
from nxscan.process.journal import Journal, write_block
from nxscan.process.status import drop, unfinished


def begun(master: Path, process: str, identity: str, blocks: int, **facts: object) -> Journal:
    manifest = {"process": process, "partition": "", "blocks_total": 5, "passes": 2, **facts}
    journal = Journal.open(master, identity * 64, manifest, fresh=False)
    for block in range(blocks):
        write_block(journal.folder, block % 2, block, {"a": np.arange(3)})
    return journal


@pytest.fixture
def master(tmp_path: Path) -> Path:
    return tmp_path / "scan.nxs"


def test_nothing_unfinished(master: Path) -> None:
    assert unfinished(master) == []
    begun(master, "sum", "a", 2).remove()
    assert unfinished(master) == []


def test_progress_owner_and_how_to_go_on(master: Path) -> None:
    before = time.time()
    stopped = begun(master, "sum", "a", 3)
    stopped.note(resume="nxscan run sum scan.nxs")
    stopped.close()
    running = begun(master, "moments", "b", 1, blocks_total=[4, 3])
    first, second = unfinished(master)
    assert (first.process, first.folder, first.identity) == ("sum", stopped.folder, "a" * 64)
    assert (first.blocks_done, first.blocks_total) == (3, 10)
    assert (first.owner, first.resume) == (None, "nxscan run sum scan.nxs")
    assert before - 1 <= first.begun <= first.last + 1 <= time.time() + 2
    assert (second.blocks_done, second.blocks_total) == (1, 7)
    assert second.owner == f"{socket.gethostname()}:{os.getpid()}"
    assert not first.damaged
    running.close()


def test_runs_on_other_masters_are_not_listed(master: Path) -> None:
    others = ("scan.h5", "scan2.nxs", "scan.1.nxs", "can.nxs")
    for other in others:
        begun(master.with_name(other), "sum", "a", 1).close()
    assert unfinished(master) == []
    assert all(len(unfinished(master.with_name(other))) == 1 for other in others)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"identity": 3}', b"\xff", None])
def test_a_damaged_manifest_is_listed_as_damaged(master: Path, content: bytes | None) -> None:
    journal = begun(master, "sum", "a", 2)
    journal.close()
    path = journal.folder / "manifest.json"
    path.unlink() if content is None else path.write_bytes(content)
    (status,) = unfinished(master)
    assert status.damaged
    assert (status.process, status.blocks_done, status.blocks_total) == ("sum", 2, 0)
    assert "drop it" in status.resume
    drop(status)
    assert list(master.parent.iterdir()) == []


def test_a_dropped_run_is_gone_and_the_others_are_not(master: Path) -> None:
    for identity in "ab":
        begun(master, "sum", identity, 2).close()
    first, second = unfinished(master)
    drop(first)
    assert unfinished(master) == [second]
    with pytest.raises(OutputError, match="is not there"):
        drop(first)


def test_a_run_that_is_under_way_is_not_dropped(master: Path) -> None:
    journal = begun(master, "sum", "a", 2)
    with pytest.raises(OutputError, match=f"under way \\(.*:{os.getpid()}\\); end that process"):
        drop(unfinished(master)[0])
    assert journal.finished(0) == {0}
    journal.close()
