"""A translation that is killed, interrupted or refused by the disk at any of its operations."""

from __future__ import annotations

import contextlib
import errno
import signal
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest
from durability.scenes import BULK, TARGET, Names, Prepare, Translation, beside, losses, write
from durability.simulator import Disk, Recorder
from helpers.scans import make_scan

from nxscan.errors import OutputError
from nxscan.nexus import durable, read_scan
from nxscan.nexus.publish import remove_leftovers


class Killed(BaseException):
    """The process ends here."""


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
