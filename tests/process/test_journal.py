"""Journals: found again by their run, owned by one, never another's."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nxscan.errors import OutputError
from nxscan.nexus import durable
from nxscan.process import owner
from nxscan.process.journal import OWNER, Journal, read_block, write_block
from nxscan.process.owner import new_owner

ONE = "1" * 12 + "a" * 52
SAME_START = "1" * 12 + "b" * 52
TWO = "2" * 64
MANIFEST = {"process": "moments", "partition": "4 blocks of 2 x 2", "blocks_total": 4, "passes": 1}


@pytest.fixture
def master(tmp_path: Path) -> Path:
    path = tmp_path / "scan.nxs"
    path.write_bytes(b"")
    return path


def opened(master: Path, identity: str = ONE, *, fresh: bool = False, **changes: Any) -> Journal:
    return Journal.open(master, identity, MANIFEST | changes, fresh=fresh)


def filled(journal: Journal, *blocks: int) -> Journal:
    for block in blocks:
        write_block(journal.folder, 0, block, {"a": np.full(3, block)})
    return journal


def killed() -> None:
    """Let this process look like another one to what it has left."""
    owner.mine.clear()
    durable._made.clear()


def names(master: Path) -> list[str]:
    return sorted(path.name for path in master.parent.iterdir() if path != master)


def test_it_lies_hidden_beside_the_master_and_says_what_it_is(master: Path) -> None:
    journal = opened(master, parameters={"scale": 3.0})
    assert journal.folder == master.with_name(f".scan.moments-{'1' * 12}.journal")
    manifest = json.loads((journal.folder / "manifest.json").read_bytes())
    assert manifest["identity"] == ONE
    assert manifest["parameters"] == {"scale": 3.0}
    assert {"begun", "host", "nxscan", "master"} <= set(manifest)
    assert (journal.resumed, journal.finished(0)) == (0, set())
    journal.remove()
    assert names(master) == []


def test_a_new_master_in_a_new_folder_gets_one(tmp_path: Path) -> None:
    journal = opened(tmp_path / "new" / "out.nxs")
    assert journal.folder.parent == tmp_path / "new"
    journal.close()


def test_the_same_run_goes_on_with_what_is_there(master: Path) -> None:
    first = filled(opened(master), 0, 2)
    begun = json.loads((first.folder / "manifest.json").read_bytes())["begun"]
    first.close()
    second = opened(master)
    assert second.folder == first.folder
    assert (second.resumed, second.finished(0), second.finished(1)) == (2, {0, 2}, set())
    np.testing.assert_array_equal(read_block(second.folder, 0, 2)["a"], [2, 2, 2])
    assert json.loads((second.folder / "manifest.json").read_bytes())["begun"] == begun
    second.remove()


def test_a_killed_run_is_gone_on_with_and_what_it_was_writing_is_removed(master: Path) -> None:
    first = filled(opened(master), 0)
    (first.folder / "p0_b1.block.node-77-0123456789ab.tmp").write_bytes(b"half")
    killed()
    second = opened(master)
    assert second.finished(0) == {0}
    assert sorted(path.name for path in second.folder.iterdir()) == [
        "manifest.json",
        OWNER,
        "p0_b0.block",
    ]


@pytest.mark.parametrize(
    "change", [{"partition": "8 blocks"}, {"blocks_total": 8}, {"passes": 2}], ids=str
)
def test_blocks_that_were_cut_otherwise_are_not_used(master: Path, change: Any) -> None:
    filled(opened(master), 0).close()
    other = opened(master, **change)
    assert other.resumed == 0
    assert other.folder.name.endswith(".1.journal")


def test_another_identity_is_never_touched(master: Path) -> None:
    """Not even when its first digits, which the folder's name has, are the same."""
    first = filled(opened(master), 0, 1)
    first.close()
    before = {path: path.read_bytes() for path in first.folder.iterdir()}
    for fresh in (False, True):
        other = opened(master, SAME_START, fresh=fresh)
        assert other.folder != first.folder
        assert other.resumed == 0
        other.remove()
    assert {path: path.read_bytes() for path in first.folder.iterdir()} == before


def test_a_journal_of_another_master_is_not_this_ones(master: Path) -> None:
    filled(opened(master.with_suffix(".h5")), 0).close()
    assert opened(master).resumed == 0


def test_two_runs_at_once_have_a_journal_each(master: Path) -> None:
    first, second = filled(opened(master), 0), filled(opened(master), 1, 2)
    assert first.folder != second.folder
    assert second.folder.name == f".scan.moments-{'1' * 12}.1.journal"
    assert (first.finished(0), second.finished(0)) == ({0}, {1, 2})
    first.remove()
    assert second.finished(0) == {1, 2}
    second.remove()
    assert names(master) == []


def test_threads_that_open_it_at_once_have_a_journal_each(master: Path) -> None:
    filled(opened(master), 0).close()
    start, found = threading.Barrier(6), []

    def open_one() -> None:
        start.wait()
        found.append(opened(master))

    threads = [threading.Thread(target=open_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({journal.folder for journal in found}) == 6
    assert sum(journal.resumed for journal in found) == 1
    for journal in found:
        journal.remove()
    assert names(master) == []


def test_of_several_the_one_with_most_blocks_is_gone_on_with(master: Path) -> None:
    journals = [filled(opened(master), *range(count)) for count in (1, 3, 2)]
    for journal in journals:
        journal.close()
    assert opened(master).folder == journals[1].folder
    assert opened(master).folder == journals[2].folder


def test_when_the_result_is_there_what_others_left_goes_too(master: Path) -> None:
    abandoned, working, last = (filled(opened(master), 0) for _ in range(3))
    abandoned.close()
    last.remove()
    assert not abandoned.folder.exists()
    assert working.finished(0) == {0}


def test_fresh_drops_what_nobody_is_at_work_on(master: Path) -> None:
    abandoned, working = filled(opened(master), 0), filled(opened(master), 1)
    abandoned.close()
    fresh = opened(master, fresh=True)
    assert fresh.resumed == 0
    assert working.finished(0) == {1}
    fresh.close()


def test_who_lost_a_journal_to_another_does_not_remove_it(master: Path) -> None:
    journal = filled(opened(master), 0)
    other = replace(new_owner(), host="node17")
    (journal.folder / OWNER).write_bytes(other.dump())
    journal.remove()
    assert (journal.folder / OWNER).read_bytes() == other.dump()
    assert (journal.folder / "p0_b0.block").exists()


def test_notes_are_kept(master: Path) -> None:
    journal = opened(master)
    journal.note(resume="nxscan run moments scan.nxs")
    journal.close()
    again = opened(master)
    found = json.loads((again.folder / "manifest.json").read_bytes())
    assert found["resume"] == "nxscan run moments scan.nxs"


def test_a_damaged_manifest_is_not_gone_on_with(master: Path) -> None:
    first = filled(opened(master), 0)
    first.close()
    (first.folder / "manifest.json").write_bytes(b'{"identity": ')
    assert opened(master).folder != first.folder


def test_a_journal_of_another_user_is_left_and_one_is_made(master: Path, monkeypatch: Any) -> None:
    first = filled(opened(master), 0)
    first.close()

    def forbid(_: str, path: Path, *others: Any) -> None:
        if path.parent == first.folder:
            raise PermissionError(errno.EACCES, "permission denied")

    monkeypatch.setattr(durable, "observer", forbid)
    second = filled(opened(master), 1)
    assert (second.resumed, second.folder.name[-10:]) == (0, ".1.journal")
    second.remove()
    assert names(master) == [first.folder.name]


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_closed_is_said(master: Path) -> None:
    master.parent.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="cannot write in"):
            opened(master)
    finally:
        master.parent.chmod(0o700)


class Killed(BaseException):
    """The process ends here."""


def at_each_operation(tmp_path: Path, monkeypatch: Any, happens: Any) -> list[bool]:
    """Resume and remove a journal, and be stopped before one operation after the other."""
    template = tmp_path / "template"
    template.mkdir()
    filled(opened(template / "scan.nxs"), 0).close()
    ended: list[bool] = []
    while True:
        root = tmp_path / f"{len(ended)}"
        shutil.copytree(template, root)
        passed = [0]

        def observe(*_: Any, passed: list[int] = passed) -> None:
            passed[0] += 1
            if passed[0] == len(ended) + 1:
                happens()

        stopped = False
        with monkeypatch.context() as patch:
            patch.setattr(durable, "observer", observe)
            try:
                for identity in (ONE, TWO):  # one goes on, the other is new
                    journal = opened(root / "scan.nxs", identity)
                    try:
                        filled(journal, 1)
                    except BaseException:
                        journal.close()
                        raise
                    journal.remove()
            except (Killed, KeyboardInterrupt):
                stopped = True
        if happens is kill:
            killed()
        for identity in (ONE, TWO):
            again = opened(root / "scan.nxs", identity)
            assert ".1." not in again.folder.name
            assert len(list(root.glob(".scan.*"))) <= 2
            again.remove()
        assert list(root.iterdir()) == [], len(ended)
        if passed[0] <= len(ended):
            return ended
        ended.append(stopped)


def kill() -> None:
    raise Killed


def test_killed_at_any_operation_a_journal_is_whole_or_gone(
    tmp_path: Path, monkeypatch: Any
) -> None:
    assert all(ended := at_each_operation(tmp_path, monkeypatch, kill))
    assert len(ended) > 25


def test_ctrl_c_at_any_operation_gives_the_journal_up(tmp_path: Path, monkeypatch: Any) -> None:
    press = lambda: signal.raise_signal(signal.SIGINT)  # noqa: E731
    assert all(at_each_operation(tmp_path, monkeypatch, press))
