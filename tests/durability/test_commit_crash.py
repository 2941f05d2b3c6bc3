"""The machine stops, or the run is killed, anywhere between the first block and the result.

The master is the old one or the whole new one, frames are bit-identical, finished blocks are
in the journal or in the master, and the next call ends with the result and nothing beside it.
"""

from __future__ import annotations

import contextlib
import errno
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from durability.commits import BLOCKS, commit, leftovers, maps
from durability.scenes import BULK, TARGET, Prepare, losses
from durability.simulator import Disk, Loss, Operation, Recorder, State

from nxscan.errors import OutputError
from nxscan.nexus import durable
from nxscan.process import owner
from nxscan.process.blockfile import block_files
from nxscan.validate import validate


class Killed(BaseException):
    """The process ends here."""


def forget() -> None:
    """Let what this process has left look like another's, which has ended."""
    durable._made.clear()
    owner.mine.clear()


@dataclass
class Commit:
    """A run as it was recorded, and the folder before and after."""

    disk: Disk
    log: list[Operation]
    before: dict[Path, bytes]
    after: dict[Path, bytes]

    def states(self) -> Iterator[tuple[int, Operation | None, Loss, State]]:
        for number, operation in enumerate([None, *self.log]):
            if operation is not None:
                self.disk.take(operation)
            for loss in losses(number, operation, "random", "split"):
                yield number, operation, loss, self.disk.crash(loss)


def contents(root: Path) -> dict[Path, bytes]:
    return {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(params=[False, True], ids=["inside", "apart"])
def recorded(request: pytest.FixtureRequest, tmp_path: Path, prepare: Prepare) -> Commit:
    """Record a run that adds a second result; frames in the master or apart."""
    root = tmp_path / "live"
    prepare(root, request.param)
    commit(root, 1)
    before, disk = contents(root), Disk(root)
    with Recorder(root).watching() as recorder:
        commit(root, 2)
    return Commit(disk, recorder.log, before, contents(root))


def test_the_log_says_all_that_happened(recorded: Commit, tmp_path: Path) -> None:
    for operation in recorded.log:
        recorded.disk.take(operation)
    state = recorded.disk.crash(Loss("kept", "kept"))
    assert {path: state.content(path) for path in state.files} == recorded.after
    assert maps(tmp_path / "live" / TARGET) == [1, 2]
    assert leftovers(tmp_path / "live") == []


def test_at_every_instant_the_master_is_the_old_or_the_new_one(recorded: Commit) -> None:
    frames = [path for path in recorded.before if path != TARGET]
    masters = {recorded.before[TARGET]: "old", recorded.after[TARGET]: "new"}
    seen, locked = set(), lock_taken(recorded)
    for number, operation, loss, state in recorded.states():
        assert TARGET in state.files, (number, operation, loss)
        assert state.content(TARGET) in masters, (number, operation, loss)
        assert all(state.content(path) == recorded.before[path] for path in frames)
        master = masters[state.content(TARGET)]
        seen.add(master)
        if number >= locked and master == "old":
            blocks = [path for path in state.files if path.match("*.journal/*.block")]
            assert len(blocks) == BLOCKS, (number, operation, loss)
    assert seen == {"old", "new"}
    for loss in losses(0, None, "random", "split"):
        assert masters[recorded.disk.crash(loss).content(TARGET)] == "new", loss


def lock_taken(recorded: Commit) -> int:
    """Return the number of the operation that takes the master's lock."""
    lock = TARGET.with_name(f".{TARGET.name}.lock")
    links = [op.name == "link" and op.arguments[1] == lock for op in recorded.log]
    return links.index(True) + 1


def test_the_next_run_ends_with_the_result_and_nothing_beside_it(
    recorded: Commit, tmp_path: Path
) -> None:
    seen: set[object] = set()
    resumed = set()
    for number, operation, loss, state in recorded.states():
        if operation is None or (operation.name in BULK and number % 40):
            continue
        if state.key() in seen or (len(seen) > 60 and number % 3):
            continue
        seen.add(state.key())
        root = tmp_path / f"left-{len(seen)}"
        root.mkdir()
        state.lay_down(root)
        folders = list((root / "out").glob(".*.journal"))
        resumed.add(max((len(block_files(folder)) for folder in folders), default=0))
        commit(root, 2)
        assert maps(root / TARGET) == [1, 2], (number, operation, loss)
        if leftovers(root):  # the result was there already: another one's turn to tidy up
            commit(root, 3)
        assert leftovers(root) == [], (number, operation, loss)
    assert len(seen) > 60
    assert resumed == set(range(BLOCKS + 1))


@pytest.mark.parametrize("apart", [False, True], ids=["inside", "apart"])
def test_killed_at_any_operation_the_next_run_ends_alike(
    tmp_path: Path, prepare: Prepare, apart: bool
) -> None:
    for step in range(1, 200):
        root = tmp_path / f"step-{step}"
        prepare(root, apart)
        frames = {p: c for p, c in contents(root).items() if p != TARGET}
        passed = [0]

        def kill(_: int, name: str, passed: list[int] = passed, step: int = step) -> None:
            passed[0] += name not in BULK
            if passed[0] >= step:
                raise Killed

        with Recorder(root, kill).watching(), contextlib.suppress(Killed):
            commit(root, 1)
        forget()
        assert maps(root / TARGET) in ([], [1])
        assert {p: c for p, c in contents(root).items() if p in frames} == frames
        commit(root, 1)
        commit(root, 2)
        assert maps(root / TARGET) == [1, 2]
        assert leftovers(root) == [], step
        if passed[0] < step:
            break
    assert step > 30
    assert list(validate(root / TARGET, data=True, external=False).findings) == []


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_any_operation_that_fails_leaves_the_old_master_and_what_was_finished(
    tmp_path: Path, prepare: Prepare, number: int
) -> None:
    for step in range(1, 200):
        root = tmp_path / f"step-{step}"
        prepare(root, True)
        before = contents(root)
        passed = [0]

        def fail(_: int, name: str, passed: list[int] = passed, step: int = step) -> None:
            passed[0] += name not in BULK
            if passed[0] == step:
                raise OSError(number, "the disk says no")

        said = ""
        with Recorder(root, fail).watching():
            try:
                commit(root, 1)
            except OutputError as error:
                said = str(error)
        now = contents(root)
        assert (now[TARGET] == before[TARGET]) or maps(root / TARGET) == [1]
        assert {p: c for p, c in now.items() if p in before and p != TARGET} == {
            p: c for p, c in before.items() if p != TARGET
        }
        commit(root, 1)
        assert maps(root / TARGET) == [1], (step, said)
        if passed[0] < step:
            break
    assert step > 30


def test_ctrl_c_at_any_operation_leaves_the_master_and_the_journal(
    tmp_path: Path, prepare: Prepare
) -> None:
    for step in range(1, 200):
        root = tmp_path / f"step-{step}"
        prepare(root, True)
        passed = [0]

        def press(_: int, name: str, passed: list[int] = passed, step: int = step) -> None:
            passed[0] += name not in BULK
            if passed[0] == step and name not in BULK:
                signal.raise_signal(signal.SIGINT)

        interrupted = False
        with Recorder(root, press).watching():
            try:
                commit(root, 1)
            except KeyboardInterrupt:
                interrupted = True
        assert interrupted == (passed[0] >= step), "the signal was lost"
        assert maps(root / TARGET) in ([], [1])
        commit(root, 1)
        assert maps(root / TARGET) == [1]
        if not interrupted:
            break
    assert step > 30


def test_two_masters_in_the_making_do_not_mix(tmp_path: Path, prepare: Prepare) -> None:
    """A run whose lock was taken from it, since it looked dead, does not replace the master."""
    prepare(tmp_path / "live", True)
    root = tmp_path / "live"

    def steal(_: int, name: str) -> None:
        lock = (root / TARGET).with_name(".scan.nxs.lock")
        if name == "create" and lock.exists():
            lock.write_bytes(owner.new_owner().dump())

    with Recorder(root, steal).watching(), pytest.raises(OutputError, match="was lost to"):
        commit(root, 1)
    assert maps(root / TARGET) == []
    forget()
    commit(root, 1)
    assert maps(root / TARGET) == [1]
