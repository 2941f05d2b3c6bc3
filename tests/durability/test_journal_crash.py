"""The machine stops after any operation on a journal: blocks are whole or absent, none is lost.

Every prefix of the operations is replayed with what was not synced kept, lost, torn, or any mix
of these, as for translations.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from durability.scenes import losses
from durability.simulator import Disk, Loss, Operation, Recorder, State

from nxscan.process.blockfile import block_files
from nxscan.process.journal import Journal, read_block, write_block
from nxscan.process.manifest import read_manifest

MASTER = Path("out/scan.nxs")
IDENTITY = "5" * 64
MANIFEST = {"process": "moments", "partition": "4", "blocks_total": 4, "passes": 1}


def block(number: int) -> dict[str, np.ndarray]:
    """Return a block of several sectors."""
    rng = np.random.default_rng(number)
    return {"center": rng.random((20, 30)), "count": rng.integers(0, 99, 700)}


def opened(root: Path) -> Journal:
    return Journal.open(root / MASTER, IDENTITY, MANIFEST, fresh=False)


@dataclass
class Run:
    """A run, interrupted once, as it was recorded, and how far it was after which operation."""

    disk: Disk
    log: list[Operation]
    returned: dict[int, int] = field(default_factory=dict)
    removal: int = 0

    def states(self) -> Iterator[tuple[int, Loss, State]]:
        """Yield what may be found after each of the operations."""
        for number, operation in enumerate([None, *self.log]):
            if operation is not None:
                self.disk.take(operation)
            for loss in losses(number, operation, "random", "split"):
                yield number, loss, self.disk.crash(loss)

    def promised(self, number: int) -> set[int]:
        """Return the blocks that had been finished when an operation was done."""
        return {block for block, after in self.returned.items() if after <= number}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Write two blocks, close, go on with the same journal, write the others, remove it."""
    root = tmp_path / "live"
    (root / "out").mkdir(parents=True)
    run = Run(Disk(root), [])
    with Recorder(root).watching() as recorder:
        run.log = recorder.log
        for part in ((0, 1), (2, 3)):
            journal = opened(root)
            for number in part:
                write_block(journal.folder, 0, number, block(number))
                run.returned[number] = len(run.log)
            if part == (0, 1):
                journal.close()
        run.removal = len(run.log)
        journal.remove()
    return run


def found(state: State, tmp_path: Path) -> Path:
    root = tmp_path / "look"
    if root.exists():
        shutil.rmtree(root)
    root.mkdir()
    state.lay_down(root)
    return root


def test_the_log_says_all_that_happened(run: Run, tmp_path: Path) -> None:
    for operation in run.log:
        run.disk.take(operation)
    state = run.disk.crash(Loss("kept", "kept"))
    assert [path for path in (tmp_path / "live").rglob("*") if path.is_file()] == []
    assert state.files == {}


def test_blocks_are_whole_or_absent_and_none_that_was_finished_is_lost(
    run: Run, tmp_path: Path
) -> None:
    seen: set[object] = set()
    for number, loss, state in run.states():
        promised = run.promised(number) if number <= run.removal else set()
        key = (state.key(), frozenset(promised))
        if key in seen:
            continue
        seen.add(key)
        root, there = found(state, tmp_path), set()
        for folder in (root / "out").glob(".*.journal"):
            assert read_manifest(folder) is not None, (number, loss)
            names = {int(path.stem.split("b")[1]) for path in folder.glob("*.block")}
            assert names == {index for _, index in block_files(folder)}
            for index in names:
                arrays = read_block(folder, 0, index)
                assert arrays is not None, (number, loss)
                for name, array in block(index).items():
                    np.testing.assert_array_equal(arrays[name], array)
            there |= names
        assert promised <= there, (number, loss)
    assert len(seen) > 100


def test_the_next_run_goes_on_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    seen: set[object] = set()
    resumed: set[int] = set()
    for number, loss, state in run.states():
        if state.key() in seen or not state.folders:
            continue
        seen.add(state.key())
        root = found(state, tmp_path)
        journal = opened(root)
        if number <= run.removal:
            assert run.promised(number) <= journal.finished(0), (number, loss)
        resumed.add(journal.resumed)
        journal.remove()
        assert list((root / "out").iterdir()) == [], (number, loss)
    assert resumed == {0, 1, 2, 3, 4}
