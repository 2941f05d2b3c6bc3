"""``nxscan status``: what is not finished, how it goes on, and how it is dropped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nxscan.process.journal import Journal, write_block
from nxscan.process.status import unfinished

FILE = Path("scan.nxs")
RESUME = "nxscan run sum scan.nxs -p axis=mu"


@pytest.fixture(autouse=True)
def file() -> None:
    """Have a file with this name; status does not look into it."""
    FILE.write_bytes(b"")


def begin(identity: str, done: int, total: int = 4, process: str = "sum", **more: str) -> Journal:
    """Begin a run and finish some of its blocks."""
    manifest = {"process": process, "partition": "x", "blocks_total": total, "passes": 1, **more}
    journal = Journal.open(FILE, identity * 64, manifest, fresh=False)
    for block in range(done):
        write_block(journal.folder, 0, block, {"sum": np.ones(3)})
    return journal


def test_a_file_without_unfinished_runs_says_so(nxscan_):
    assert nxscan_("status", FILE).out == "scan.nxs: no unfinished runs\n"


def test_a_stopped_run_shows_its_progress_and_how_to_go_on_or_drop_it(nxscan_):
    begin("a", 3, resume=RESUME).close()
    ended = nxscan_("status", FILE)
    assert ended.status == 0
    assert "scan.nxs: 1 unfinished run\n" in ended.out
    assert "sum      3 of 4 blocks (75 %)" in ended.out
    assert "stopped" in ended.out
    assert f"to go on: {RESUME}\n" in ended.out
    assert "to drop it: nxscan status scan.nxs --drop 1\n" in ended.out


def test_a_run_under_way_shows_who_is_at_it_and_cannot_be_dropped(nxscan_):
    import os

    journal = begin("a", 1)
    try:
        shown = nxscan_("status", FILE)
        assert f":{os.getpid()}" in shown.out
        assert "running in" in shown.out
        assert "--drop" not in shown.out
        refused = nxscan_("status", FILE, "--drop", 1)
        assert refused.status == 1
        assert "under way" in refused.err
        assert len(unfinished(FILE)) == 1
    finally:
        journal.close()


def test_the_run_of_that_number_is_dropped_and_no_other(nxscan_):
    begin("a", 1, process="sum").close()
    begin("b", 2, process="mean").close()
    wanted = unfinished(FILE)[1]
    ended = nxscan_("status", FILE, "--drop", 2)
    assert ended.out.startswith(f"dropped {wanted.process}: {wanted.blocks_done} of 4 blocks")
    assert not wanted.folder.exists()
    assert [one.identity for one in unfinished(FILE)] != [wanted.identity]
    assert len(unfinished(FILE)) == 1


def test_a_number_that_is_not_there_is_refused(nxscan_):
    begin("a", 1).close()
    ended = nxscan_("status", FILE, "--drop", 2)
    assert ended.status == 1
    assert "scan.nxs has no unfinished run 2; it has 1" in ended.err
    assert len(unfinished(FILE)) == 1


def test_a_damaged_run_can_only_be_dropped(nxscan_):
    journal = begin("a", 1)
    journal.close()
    (journal.folder / "manifest.json").write_text("{")
    shown = nxscan_("status", FILE).out
    assert "damaged" in shown
    assert "--drop 1" in shown
    assert nxscan_("status", FILE, "--drop", 1).status == 0
    assert unfinished(FILE) == []


def test_json_is_a_list_of_runs(nxscan_):
    begin("a", 3, resume=RESUME).close()
    (shown,) = json.loads(nxscan_("status", FILE, "--json").out)
    wanted = {"number": 1, "process": "sum", "blocks_done": 3, "blocks_total": 4, "owner": None}
    assert wanted.items() <= shown.items()
    assert shown["resume"] == RESUME
    assert shown["begun"] <= shown["last"]


def test_a_file_that_is_not_there_is_named_unless_runs_wait_for_it(nxscan_):
    begin("a", 1).close()
    FILE.unlink()
    assert nxscan_("status", FILE).status == 0
    ended = nxscan_("status", "gone.nxs")
    assert ended.status == 1
    assert ended.err == "error: gone.nxs: no such file\n"
