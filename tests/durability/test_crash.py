"""The machine stops after any operation of a translation: a whole scan is there, or none.

Every prefix of the operations is replayed with what was not synced kept, lost, torn, or any mix
of these (CRASHES: how many random ones a prefix; a larger number hunts for more).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from durability.simulator import Disk, Loss, Operation, Recorder, State
from helpers.scans import make_scan

from nxscan.errors import OutputError
from nxscan.nexus import durable, layout, read_scan, write_scan
from nxscan.nexus.publish import linked_frames, remove_leftovers
from nxscan.validate import validate

RANDOM = int(os.environ.get("CRASHES", "6"))
TARGET = Path("out/scan.nxs")
BULK = ("write", "truncate")
# whether frames lie apart: of the scan that is replaced, if there is one, and of the new one
CASES = [(None, False), (None, True), *[(a, b) for a in (False, True) for b in (False, True)]]


class Killed(BaseException):
    """The process ends here."""


def losses(seed: int, operation: Operation | None, *chances: str) -> Iterator[Loss]:
    """Yield what a crash after an operation may take: the clear cases, then random ones.

    There are more of these where names change: that is where it matters.
    """
    for names in ("kept", "lost", "ordered"):
        for data in ("kept", "lost", "random"):
            yield Loss(names, data, seed)
    count = RANDOM if operation is not None and operation.name in BULK else 5 * RANDOM
    for number in range(count):
        yield Loss(chances[number % len(chances)], "random", 5 * RANDOM * seed + number)


def write(root: Path, seed: int, apart: bool, **options: Any) -> np.ndarray[Any, Any]:
    """Write one of the scans, with its frames apart or in the master."""
    scan, data = make_scan(seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(layout, "INLINE_LIMIT", 0 if apart else 2**26)
        write_scan(scan, root / TARGET, **options)
    return data


@dataclass
class Names:
    """Tells what the final names hold in a state; every different content is read once."""

    scans: dict[str, np.ndarray[Any, Any]]
    folder: Path
    known: dict[object, str] = field(default_factory=dict)

    def outcome(self, state: State) -> str:
        """Return ``nothing`` or the name of the scan that is there, whole; else fail."""
        if TARGET not in state.files:
            return "nothing"
        visible = [path for path in state.files if path.parent == TARGET.parent]
        key = frozenset((path, state.content(path)) for path in visible)
        if key not in self.known:
            root = self.folder / f"look-{len(self.known)}"
            (root / TARGET.parent).mkdir(parents=True)
            for path in visible:
                (root / path).write_bytes(state.content(path))
            self.known[key] = self.found(root)
        return self.known[key]

    def found(self, root: Path) -> str:
        """Return what a real folder holds."""
        if not (root / TARGET).exists():
            return "nothing"
        frames = read_scan(root / TARGET).signal[...]
        names = [name for name, data in self.scans.items() if np.array_equal(frames, data)]
        assert names, "the frames are none of those that were written"
        return names[0]


@dataclass
class Translation:
    """One translation as it was recorded."""

    disk: Disk
    log: Sequence[Operation]
    names: Names
    before: str

    def prefixes(self) -> Iterator[tuple[int, Operation | None]]:
        """Let the disk take one operation after the other; yield after each."""
        yield 0, None
        for number, operation in enumerate(self.log, 1):
            self.disk.take(operation)
            yield number, operation


Prepare = Callable[[Path, bool | None], tuple[dict[str, Any], str]]


@pytest.fixture(scope="module")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """Make a folder with the old scan, if there is to be one; return its frames and its name."""
    templates = {}
    for apart in (False, True):
        templates[apart] = tmp_path_factory.mktemp("old")
        frames = write(templates[apart], 1, apart)

    def go(root: Path, old: bool | None) -> tuple[dict[str, Any], str]:
        if old is None:
            root.mkdir()
            return {}, "nothing"
        shutil.copytree(templates[old], root)
        return {"old": frames}, "old"

    return go


@pytest.fixture(params=CASES, ids=str)
def translation(request: pytest.FixtureRequest, tmp_path: Path, prepare: Prepare) -> Translation:
    """Record a translation that replaces nothing, frames in the master, or frames apart."""
    old, new = request.param
    root = tmp_path / "live"
    scans, before = prepare(root, old)
    disk = Disk(root)
    with Recorder(root).watching() as recorder:
        scans["new"] = write(root, 2, new, overwrite=old is not None)
    return Translation(disk, recorder.log, Names(scans, tmp_path), before)


def test_the_log_says_all_that_happened(translation: Translation, tmp_path: Path) -> None:
    for _ in translation.prefixes():
        pass
    state = translation.disk.crash(Loss("kept", "kept"))
    live = {path: path.read_bytes() for path in (tmp_path / "live").rglob("*") if path.is_file()}
    assert {tmp_path / "live" / path: state.content(path) for path in state.files} == live


def test_names_hold_a_whole_scan_or_what_they_held_before(translation: Translation) -> None:
    seen = set()
    for number, operation in translation.prefixes():
        for loss in losses(number, operation, "random", "split"):
            outcome = translation.names.outcome(translation.disk.crash(loss))
            assert outcome in (translation.before, "new"), (number, operation, loss)
            seen.add(outcome)
    assert seen == {translation.before, "new"}


def test_a_scan_that_was_returned_survives_every_crash(translation: Translation) -> None:
    for _ in translation.prefixes():
        pass
    for loss in losses(0, None, "random", "split"):
        assert translation.names.outcome(translation.disk.crash(loss)) == "new", loss


@pytest.mark.parametrize("translation", [(None, False), (True, True)], indirect=True, ids=str)
def test_what_a_crash_leaves_passes_validation(translation: Translation, tmp_path: Path) -> None:
    last = len(translation.log)
    for number, _ in translation.prefixes():
        if number > last - 5:
            translation.names.outcome(translation.disk.crash(Loss("kept", "lost")))
    reports = [validate(look / TARGET, data=True) for look in tmp_path.glob("look-*")]
    assert reports
    assert [finding for report in reports for finding in report.findings] == []


def test_the_next_translation_removes_what_a_crash_left(
    translation: Translation, tmp_path: Path
) -> None:
    seen = set()
    for number, operation in translation.prefixes():
        if operation is None or (operation.name in BULK and number % 60):
            continue
        for loss in losses(number, operation, "random"):
            root = tmp_path / f"left-{number}-{loss.names}-{loss.data}-{loss.seed}"
            state = translation.disk.crash(loss)
            if state.key() in seen:
                continue
            seen.add(state.key())
            root.mkdir()
            state.lay_down(root)
            remove_leftovers(root / TARGET)
            assert beside(root / TARGET) == [], (number, operation, loss)
            if len(seen) % 20 == 0:
                write(root, 3, True, overwrite=True)
                assert beside(root / TARGET) == []
            shutil.rmtree(root)


def beside(target: Path) -> list[str]:
    """Return the names in a master's folder that do not belong to it."""
    if not target.parent.exists():
        return []
    mine = {target, linked_frames(target)}
    return [path.name for path in target.parent.iterdir() if path not in mine]


@dataclass
class Fault:
    """Raises before one of the operations that are no writes, or before all from there on."""

    step: int
    error: BaseException
    lasting: bool = False
    passed: int = 0

    def __call__(self, _: int, name: str) -> None:
        if name in BULK:
            return
        self.passed += 1
        if self.passed == self.step or (self.lasting and self.passed > self.step):
            raise self.error


@pytest.mark.parametrize(("old", "new"), [(None, True), (True, True)], ids=str)
def test_a_crash_after_a_kill_and_a_second_try_damages_nothing(
    tmp_path: Path, prepare: Prepare, old: bool | None, new: bool
) -> None:
    """What the second try removes may rest on names that are not on the disk yet."""
    for step in range(7, 40):
        root = tmp_path / f"step-{step}"
        scans, before = prepare(root, old)
        scans |= {"new": make_scan(seed=2)[1], "third": make_scan(seed=3)[1]}
        disk, recorder = Disk(root), Recorder(root, Fault(step, Killed(), lasting=True))
        with recorder.watching():
            try:
                write(root, 2, new, overwrite=old is not None)
                break
            except Killed:
                durable._made.clear()  # another process knows nothing of them
            first, recorder.before = len(recorder.log), None
            write(root, 3, new, overwrite=True)
        names = Names(scans, root)
        for number, operation in Translation(disk, recorder.log, names, before).prefixes():
            if number <= first or operation is None or operation.name in BULK:
                continue
            for loss in losses(number, operation, "random", "split"):
                outcome = names.outcome(disk.crash(loss))
                assert outcome in {before, "new", "third"}, (step, number, operation, loss)
        assert beside(root / TARGET) == []
    assert step > 12


@pytest.mark.parametrize("hard_links", [True, False], ids=["links", "no-links"])
def test_a_master_that_was_renamed_after_a_kill_keeps_its_frames(
    tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch, hard_links: bool
) -> None:
    if not hard_links:
        monkeypatch.setattr(durable.os, "link", no_link)
    for step in range(7, 40):
        root = tmp_path / f"step-{step}"
        scans, _ = prepare(root, True)
        names = Names(scans | {"new": make_scan(seed=2)[1], "third": make_scan(seed=3)[1]}, root)
        fault = Fault(step, Killed(), lasting=True)
        with Recorder(root, fault).watching(), contextlib.suppress(Killed):
            write(root, 2, True, overwrite=True)
        durable._made.clear()
        kept = names.found(root)
        (root / TARGET).rename(root / "out" / "kept.nxs")
        write(root, 3, True)
        assert names.found(root) == "third"
        (root / "out" / "kept.nxs").rename(root / TARGET)
        assert names.found(root) == kept
        if fault.passed < step:
            break
    assert step > 10


def no_link(*_: object) -> None:
    raise OSError(errno.EPERM, "this file system has no hard links")


@pytest.mark.parametrize("old", [None, True], ids=str)
@pytest.mark.parametrize("lack", ["links", "counts"])
def test_a_file_system_without_hard_links_or_counts_of_them_will_do(
    tmp_path: Path, prepare: Prepare, monkeypatch: pytest.MonkeyPatch, old: bool | None, lack: str
) -> None:
    if lack == "links":
        monkeypatch.setattr(durable.os, "link", no_link)
    else:
        monkeypatch.setattr("nxscan.nexus.publish._has_one_name", Path.exists)
    for step in range(1, 40):
        root = tmp_path / f"step-{step}"
        scans, before = prepare(root, old)
        names = Names(scans | {"new": make_scan(seed=2)[1]}, root)
        fault = Fault(step, Killed(), lasting=True)
        with Recorder(root, fault).watching(), contextlib.suppress(Killed):
            write(root, 2, True, overwrite=old is not None)
        durable._made.clear()
        remove_leftovers(root / TARGET)
        assert names.found(root) in (before, "new")
        if fault.passed < step:
            break
    assert beside(root / TARGET) == []
    assert step > 10


def test_a_damaged_master_can_be_overwritten(tmp_path: Path, prepare: Prepare) -> None:
    prepare(tmp_path / "old", True)
    whole = (tmp_path / "old" / TARGET).read_bytes()
    chance = np.random.default_rng(0)
    for _ in range(15):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[chance.integers(0, len(whole), 3000)] ^= 0xFF
        (tmp_path / "old" / TARGET).write_bytes(damaged.tobytes())
        data = write(tmp_path / "old", 2, True, overwrite=True)
        np.testing.assert_array_equal(read_scan(tmp_path / "old" / TARGET).signal[...], data)


def test_overwriting_a_master_leaves_frames_alone_that_are_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in ("scan.nxs", "raw.h5"):
        with h5py.File(tmp_path / "out" / name, "w") as file:
            detector = file.create_group("entry/instrument/eiger")
            if name == "raw.h5":
                detector["data"] = np.arange(5)
            else:
                detector["data"] = h5py.ExternalLink("raw.h5", detector.name + "/data")
    write(tmp_path, 2, True, overwrite=True)
    assert sorted(beside(tmp_path / TARGET)) == ["raw.h5"]


@pytest.mark.parametrize(("old", "new"), [(None, False), (None, True), (True, True)], ids=str)
def test_any_operation_that_fails_leaves_a_whole_scan_or_what_was_there(
    tmp_path: Path, prepare: Prepare, old: bool | None, new: bool
) -> None:
    for step in range(1, 40):
        root = tmp_path / f"step-{step}"
        scans, before = prepare(root, old)
        names = Names(scans | {"new": make_scan(seed=2)[1]}, root)
        fault = Fault(step, OSError(errno.EIO, "input/output error"))
        with Recorder(root, fault).watching(), contextlib.suppress(OutputError):
            write(root, 2, new, overwrite=old is not None)
            before = "new"  # it did not mind
        assert names.found(root) in (before, "new")
        durable._made.clear()
        remove_leftovers(root / TARGET)
        assert beside(root / TARGET) == [], step
        if fault.passed < step:
            break
    assert step > 8


@pytest.mark.parametrize("old", [None, True], ids=str)
def test_any_write_that_fails_leaves_what_was_there(
    tmp_path: Path, prepare: Prepare, old: bool | None
) -> None:
    def full(index: int, name: str) -> None:
        if name == "write" and index >= step:
            raise OSError(errno.ENOSPC, "no space left on device")

    for step in range(5, 280, 25):
        root = tmp_path / f"step-{step}"
        scans, before = prepare(root, old)
        with Recorder(root, full).watching(), pytest.raises(OutputError, match="is full"):
            write(root, 2, True, overwrite=old is not None)
        assert Names(scans, root).found(root) == before
        assert beside(root / TARGET) == []


@pytest.mark.parametrize("old", [None, True], ids=str)
def test_ctrl_c_during_any_operation_leaves_a_whole_scan_or_what_was_there(
    tmp_path: Path, prepare: Prepare, old: bool | None
) -> None:
    """HDF5 does not survive an exception in the middle of a write: the signal has to wait."""

    def press(index: int, _: str) -> None:
        if index == pressed_at:
            signal.raise_signal(signal.SIGINT)

    for pressed_at in [*range(2, 260, 30), *range(265, 330)]:
        root = tmp_path / f"at-{pressed_at}"
        scans, before = prepare(root, old)
        recorder = Recorder(root, press)
        with recorder.watching(), contextlib.suppress(KeyboardInterrupt):
            write(root, 2, True, overwrite=old is not None)
            assert len(recorder.log) <= pressed_at, "the signal was lost"
            break
        assert Names(scans | {"new": make_scan(seed=2)[1]}, root).found(root) in (before, "new")
        assert beside(root / TARGET) == []
    assert pressed_at > 265
