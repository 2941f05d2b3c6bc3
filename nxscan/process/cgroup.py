"""What a container or a batch system allows this process, as Linux' control groups tell it.

A batch job on a node of 128 cores may have two of them; a container may have an eighth of the
memory that the kernel shows. Both versions of control groups are read: version 2 has one tree,
version 1 one for each controller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cgroups:
    """The control groups of this process.

    Attributes
    ----------
    listing : Path
        The file that names them.
    mount : Path
        Where their trees are.

    """

    listing: Path = Path("/proc/self/cgroup")
    mount: Path = Path("/sys/fs/cgroup")

    def cpus(self) -> float:
        """Return how many CPUs' time may be used; infinity if there is no limit."""
        found = [_quota(_words(folder / "cpu.max")) for folder in self._folders("")]
        for folder in self._folders("cpu"):
            period = _words(folder / "cpu.cfs_period_us")
            found.append(_quota([*_words(folder / "cpu.cfs_quota_us"), *period]))
        return min(found, default=float("inf"))

    def free_memory(self) -> float:
        """Return how many bytes may still be used; infinity if there is no limit.

        What the kernel keeps of files that were read counts as used in a group, but it is
        given back when needed: it is taken as free.
        """
        found = []
        for folder in self._folders(""):
            most = min(_number(folder / name) for name in ("memory.max", "memory.high"))
            found.append(_left(folder, most, "memory.current", ""))
        for folder in self._folders("memory"):
            most = _number(folder / "memory.limit_in_bytes")
            found.append(_left(folder, most, "memory.usage_in_bytes", "total_"))
        return min(found, default=float("inf"))

    def _folders(self, controller: str) -> Iterator[Path]:
        """Yield the folders of the group and of all above it; "" stands for version 2."""
        tree, group = self._group(controller)
        if tree is None:
            return
        # inside a container, the path may be one that only the host has
        inner = tree / group.lstrip("/")
        folder = inner if inner.is_dir() and ".." not in inner.parts else tree
        while folder != tree:
            yield folder
            folder = folder.parent
        yield tree

    def _group(self, controller: str) -> tuple[Path | None, str]:
        try:
            lines = self.listing.read_text().splitlines()
        except OSError:
            return None, ""
        for line in lines:
            number, _, rest = line.partition(":")
            names, _, group = rest.partition(":")
            if number and controller in names.split(","):
                return self._tree(controller, names), group
        return None, ""

    def _tree(self, controller: str, names: str) -> Path | None:
        if not controller:
            places = [self.mount, self.mount / "unified"]
            return next((p for p in places if (p / "cgroup.procs").exists()), None)
        places = [self.mount / controller, self.mount / names]
        return next((place for place in places if place.is_dir()), None)


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _number(file: Path) -> float:
    """Return the number in a file; infinity if it says ``max`` or is not there."""
    words = _words(file)
    return float(words[0]) if words and words[0].isdigit() else float("inf")


def _quota(words: list[str]) -> float:
    """Return quota over period; infinity if there is none (``max``, -1)."""
    if len(words) < 2 or not words[0].isdigit() or not words[1].isdigit() or words[1] == "0":
        return float("inf")
    return int(words[0]) / int(words[1])


def _left(folder: Path, most: float, used: str, prefix: str) -> float:
    if most == float("inf"):
        return most
    statistics = _words(folder / "memory.stat")
    values = dict(zip(statistics[::2], statistics[1::2], strict=False))
    cached = sum(int(values.get(f"{prefix}{name}_file", 0)) for name in ("active", "inactive"))
    taken = _number(folder / used)
    return max(0.0, most - max(0.0, taken - cached)) if taken != float("inf") else most
