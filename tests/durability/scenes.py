"""What the tests of crashes and of faults share: scans, a target, what is found under its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from durability.simulator import Disk, Loss, Operation, State
from helpers.scans import make_scan

from nxscan.nexus import layout, read_scan, write_scan
from nxscan.nexus.publish import linked_frames

RANDOM = int(os.environ.get("CRASHES", "6"))
TARGET = Path("out/scan.nxs")
BULK = ("write", "truncate")

Prepare = Callable[[Path, bool | None], tuple[dict[str, Any], str]]


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


def beside(target: Path) -> list[str]:
    """Return the names in a master's folder that do not belong to it."""
    if not target.parent.exists():
        return []
    mine = {target, linked_frames(target)}
    return [path.name for path in target.parent.iterdir() if path not in mine]
