"""A disk that forgets: what may be on it when the machine stops in the middle of a translation.

`Recorder` takes down every operation that nxscan does. `Disk` takes them one after the other
and gives, after any of them, a `State` that a crash may leave: whatever was not synced is there,
lost, or torn, as a `Loss` decides. A state can be laid down in a real folder and looked at.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from nxscan.nexus import durable

SECTOR = 512


@dataclass(frozen=True)
class Operation:
    """One operation on the disk, paths relative to the folder that is watched."""

    name: str
    arguments: tuple[Any, ...]


@dataclass
class Recorder:
    """Takes down all operations below a folder; ``before`` is asked first, and may raise."""

    root: Path
    before: Callable[[int, str], None] | None = None
    log: list[Operation] = field(default_factory=list)

    def __call__(self, name: str, *arguments: Any) -> None:
        if self.before is not None:
            self.before(len(self.log), name)
        relative = (a.relative_to(self.root) if isinstance(a, Path) else a for a in arguments)
        self.log.append(Operation(name, tuple(relative)))

    @contextmanager
    def watching(self) -> Iterator[Recorder]:
        durable.observer = self
        try:
            yield self
        finally:
            durable.observer = None


@dataclass
class File:
    """A file: the bytes that are certain, and what was written since the last sync."""

    certain: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def content(self, loss: Loss) -> bytes:
        data = bytearray(self.certain)
        for offset, written in self.pending:
            if written is None:
                if loss.keeps():
                    del data[offset:]
                    data.extend(bytes(offset - len(data)))
                continue
            for start, part in loss.kept(offset, written):
                data.extend(bytes(max(0, start - len(data))))
                data[start : start + len(part)] = part
        return bytes(data)


@dataclass
class Folder:
    """A folder: for each name, what it may lead to; the first is certain to have been there."""

    slots: dict[str, list[tuple[int, Node]]] = field(default_factory=dict)


Node = File | Folder | None


@dataclass
class Loss:
    """What a crash takes away of all that was not synced.

    Attributes
    ----------
    names : str
        Changes of folders: ``kept``, ``lost``, ``ordered`` (lost from some moment on, as on file
        systems with a journal), ``random`` (any of them) or ``split`` (a renamed file may be
        found under both names or none).
    data : str
        Writes: ``kept``, ``lost`` or ``random`` (any of them, or some of their sectors).
    seed : int
        Where chance begins.

    """

    names: str = "random"
    data: str = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._cut = self._random.random()
        self._happened: dict[int, bool] = {}

    def chosen(self, versions: list[tuple[int, Node]], now: int, first: int) -> Node:
        """Return what a name leads to, of all that it has led to since the last sync."""
        certain, *others = versions
        happened = [version for version in others if self._has_happened(version[0], now, first)]
        return (happened or [certain])[-1][1]

    def _has_happened(self, when: int, now: int, first: int) -> bool:
        if self.names in ("kept", "lost"):
            return self.names == "kept"
        if self.names == "ordered":
            return when <= first + self._cut * (now - first)
        if self.names == "split":
            return self._random.random() < 0.5
        return self._happened.setdefault(when, self._random.random() < 0.5)

    def keeps(self) -> bool:
        """Tell whether the next write reached the disk."""
        return self.data == "kept" or (self.data == "random" and self._random.random() < 0.5)

    def kept(self, offset: int, written: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the parts of a write that reached the disk: all, none, or some sectors."""
        if self.data != "random" or self._random.random() < 0.6:
            if self.keeps():
                yield offset, written
            return
        edge = -offset % SECTOR
        bounds = [0, *range(edge, len(written), SECTOR), len(written)]
        for start, stop in pairwise(bounds):
            if start < stop and self._random.random() < 0.5:
                yield offset + start, written[start:stop]


@dataclass
class State:
    """What is found after a crash, until the disk takes its next operation."""

    loss: Loss
    files: dict[Path, File] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)
    _contents: dict[int, bytes] = field(default_factory=dict)

    def content(self, path: Path) -> bytes:
        file = self.files[path]
        if id(file) not in self._contents:
            self._contents[id(file)] = file.content(self.loss)
        return self._contents[id(file)]

    def key(self) -> object:
        """Return what two states have in common that look the same."""
        return frozenset((path, self.content(path)) for path in self.files), *self.folders

    def lay_down(self, root: Path) -> None:
        """Make the files and folders below a folder; names of one file are hard links."""
        for folder in self.folders:
            (root / folder).mkdir()
        first: dict[int, Path] = {}
        for path, file in self.files.items():
            if id(file) in first:
                os.link(first[id(file)], root / path)
            else:
                first[id(file)] = root / path
                (root / path).write_bytes(self.content(path))


class Disk:
    """A disk that takes operations; it begins as a folder that is certain."""

    def __init__(self, root: Path) -> None:
        self.count = self._ordered_from = 0
        self._root = self._load(root)

    def _load(self, path: Path) -> Folder:
        slots: dict[str, list[tuple[int, Node]]] = {}
        for item in path.iterdir():
            node = self._load(item) if item.is_dir() else File(item.read_bytes())
            slots[item.name] = [(0, node)]
        return Folder(slots)

    def take(self, operation: Operation) -> None:
        """Do an operation; its method has its name."""
        self.count += 1
        getattr(self, f"_{operation.name}")(*operation.arguments)

    def _node(self, path: Path) -> Any:
        node: Node = self._root
        for part in path.parts:
            if not isinstance(node, Folder) or part not in node.slots:
                raise FileNotFoundError(path)
            node = node.slots[part][-1][1]
        if node is None:
            raise FileNotFoundError(path)
        return node

    def _set(self, path: Path, node: Node) -> None:
        slots = self._node(path.parent).slots
        slots.setdefault(path.name, [(0, None)]).append((self.count, node))

    def _create(self, path: Path) -> None:
        self._set(path, File())

    def _mkdir(self, path: Path) -> None:
        self._set(path, Folder())

    def _write(self, path: Path, offset: int, data: bytes) -> None:
        self._node(path).pending.append((offset, data))

    def _truncate(self, path: Path, size: int) -> None:
        self._node(path).pending.append((size, None))

    def _sync(self, path: Path) -> None:
        file = self._node(path)
        file.certain, file.pending = file.content(Loss("kept", "kept")), []

    def _sync_folder(self, path: Path) -> None:
        folder = self._node(path)
        for name, versions in folder.slots.items():
            folder.slots[name] = versions[-1:]
        self._ordered_from = self.count

    def _link(self, path: Path, name: Path) -> None:
        self._set(name, self._node(path))

    def _rename(self, path: Path, name: Path) -> None:
        self._set(name, self._node(path))
        self._set(path, None)

    def _remove(self, path: Path) -> None:
        self._node(path)
        self._set(path, None)

    def _remove_folder(self, path: Path) -> None:
        for name, versions in self._node(path).slots.items():
            if versions[-1][1] is not None:
                self._remove(path / name)
        self._set(path, None)

    def crash(self, loss: Loss) -> State:
        """Return what may be found when the machine stops now."""
        state = State(loss)
        self._walk(self._root, Path(), state)
        return state

    def _walk(self, folder: Folder, at: Path, state: State) -> None:
        for name, versions in folder.slots.items():
            node = state.loss.chosen(versions, self.count, self._ordered_from)
            if isinstance(node, Folder):
                state.folders.append(at / name)
                self._walk(node, at / name, state)
            elif isinstance(node, File):
                state.files[at / name] = node
