"""What of an HDF5 file may be frames and axes, for the first draft of a mapping."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.translate.axes_levels import is_monotone, moves, unevenness
from nxscan.translate.h5keys import fits
from nxscan.translate.h5source import member_names
from nxscan.translate.h5values import attribute, texts
from nxscan.translate.sources import natural_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST = 50_000
_LONGEST = 1_000_000
_FEWEST = 3
_ROLES = (
    ("dark", re.compile(r"(^|[/_.])(dark|drk|bias)|drk_|_dark", re.IGNORECASE)),
    ("flat", re.compile(r"(^|[/_.])(flat|bright|white|bak)|bak_|_flat", re.IGNORECASE)),
    ("mask", re.compile(r"mask", re.IGNORECASE)),
)
_COUNTS = re.compile(r"time|epoch|index|key|stamp|count|number|timestamp|valid", re.IGNORECASE)
_EVEN = 0.05


@dataclass(frozen=True)
class Frames:
    """Datasets that may be frames.

    Attributes
    ----------
    key : str
        Their path below the scan's group; with * where there are several.
    scan : tuple of int
        Lengths of the scan's dimensions.
    frame : tuple of int
        Lengths of one frame.
    dtype : str
        Type of one value.
    role : str
        ``scan``, ``dark``, ``flat`` or ``mask``, by their names.
    paths : tuple of str
        Where they are.

    """

    key: str
    scan: tuple[int, ...]
    frame: tuple[int, ...]
    dtype: str
    role: str
    paths: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.scan) * math.prod(self.frame)


@dataclass(frozen=True, eq=False)
class Run:
    """A dataset that may be an axis.

    Attributes
    ----------
    key : str
        Its path below the scan's group.
    name : str
        What it may be called.
    values : ndarray
        Its numbers.
    units : str
        The unit that the file states, as it spells it.
    even : bool
        It goes one way in even steps.
    named : bool
        An NXdata names it as axis.
    dimensions : tuple of int
        Dimensions of the data whose length it has; empty if it has the scan's own shape.

    """

    key: str
    name: str
    values: NDArray[np.float64]
    units: str
    even: bool
    named: bool = False
    dimensions: tuple[int, ...] = ()


def datasets(group: Any) -> dict[str, Any]:
    """Return the datasets below a group, by path; links to other files are left out."""
    found: dict[str, Any] = {}

    def visit(name: str, node: Any) -> bool | None:
        if isinstance(name, str) and isinstance(node, h5py.Dataset) and node.shape is not None:
            found[name] = node
        return True if len(found) >= _MOST else None

    group.visititems(visit)
    return found


def scan_groups(file: Any) -> list[str]:
    """Return the names of the groups that may hold one scan each; empty for the file itself."""
    groups = [name for name in member_names(file) if isinstance(file.get(name), h5py.Group)]
    entries = [name for name in groups if attribute(file[name], "NX_class") == "NXentry"]
    chosen = entries or groups
    best: dict[str, list[str]] = {}
    for name in sorted(chosen, key=natural_key)[:50]:
        main = find_frames(datasets(file[name]))
        if main:
            best.setdefault(main[0].key, []).append(name)
    at_root = any(isinstance(file.get(name), h5py.Dataset) for name in member_names(file))
    if not best or (at_root and not entries):
        return []
    return max(best.values(), key=len)


def find_frames(found: dict[str, Any]) -> list[Frames]:
    """Return what may be frames, frames of the scan first, the largest first."""
    families: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for path, node in found.items():
        if node.dtype.kind in "biuf" and node.ndim >= 2 and 0 not in node.shape:
            families.setdefault((re.sub(r"\d+", "#", path), node.shape), []).append(path)
    frames = [
        one for paths in families.values() for one in _family(sorted(paths, key=natural_key), found)
    ]
    if not frames:
        frames = list(_curves(found))
    order = ("scan", "flat", "dark", "mask")
    return sorted(
        frames, key=lambda one: (order.index(one.role), bool(_COUNTS.search(one.key)), -one.size)
    )


def _curves(found: dict[str, Any]) -> Iterator[Frames]:
    """Yield the signals of 1-D plots, one number a frame."""
    for path, node in found.items():
        name = path.rpartition("/")[2]
        said = attribute(node.parent, "signal") == name or attribute(node, "signal") == "1"
        if said and node.ndim == 1 and node.dtype.kind in "iuf" and node.size > 1:
            yield Frames(path, node.shape, (), str(node.dtype), "scan", (path,))


def _family(paths: list[str], found: dict[str, Any]) -> Iterator[Frames]:
    node = found[paths[0]]
    key = _pattern(paths, found)
    role = next((name for name, pattern in _ROLES if pattern.search(key or paths[0])), "scan")
    alone = math.prod(node.shape[:-2]) == 1
    if key is not None and alone and (len(paths) >= _FEWEST or role != "scan"):
        yield Frames(key, (len(paths),), node.shape[-2:], str(node.dtype), role, tuple(paths))
        return
    for path in paths:
        node = found[path]
        rank = _rank(node, role)
        scan = node.shape[: node.ndim - rank]
        yield Frames(path, scan, node.shape[node.ndim - rank :], str(node.dtype), role, (path,))


def _rank(node: Any, role: str) -> int:
    said = attribute(node, "interpretation").lower()
    if said == "spectrum":
        return 1
    named = node.parent.attrs.get("axes")
    if role == "scan" and named is not None and said != "image":
        names = texts(named)
        own = node.parent.get(names[-1]) if len(names) == node.ndim else None
        if isinstance(own, h5py.Dataset) and own.shape == node.shape[-1:] and names[-2] != ".":
            return 1 if node.ndim > 1 and names[-1].lower() not in ("x", "y") else 2
    return 2


def _pattern(paths: Sequence[str], found: dict[str, Any]) -> str | None:
    """Return a pattern that fits these paths and no other dataset; None if there is none."""
    if len(paths) < 2:
        return None
    folder = paths[0].rpartition("/")[0]
    if any(path.rpartition("/")[0] != folder for path in paths):
        parents = sorted({path.rpartition("/")[0] for path in paths})
        return _middle(paths) if len(parents) == len(paths) else None
    names = [path.rpartition("/")[2] for path in paths]
    start = _common_start(names)
    tail = _common_start([name[len(start) :][::-1] for name in names])[::-1]
    head, tail = start.rstrip("0123456789") or start, tail.lstrip("0123456789")
    siblings = [path.rpartition("/")[2] for path in found if path.rpartition("/")[0] == folder]
    for begin in (head, start):
        pattern = f"{begin}*{tail}"
        if sorted(fits(siblings, pattern)) == sorted(names) and pattern != "*":
            return f"{folder}/{pattern}" if folder else pattern
    return None


def _common_start(names: Sequence[str]) -> str:
    """Return what all names begin with."""
    first, last = min(names), max(names)
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in same)


def _middle(paths: Sequence[str]) -> str | None:
    """Return the pattern of paths that differ in one group's name."""
    parts = [path.split("/") for path in paths]
    if len({len(one) for one in parts}) != 1:
        return None
    columns = [set(column) for column in zip(*parts, strict=True)]
    if sum(len(column) > 1 for column in columns) != 1:
        return None
    return "/".join(next(iter(column)) if len(column) == 1 else "*" for column in columns)


def find_runs(found: dict[str, Any], frames: Frames) -> list[Run]:
    """Return what may be an axis: it has the length of a dimension of the data, and moves."""
    shape = (*frames.scan, *frames.frame)
    first = frames.paths[0]
    named, folder = _named(found[first]), first.rpartition("/")[0]
    runs = (
        _run(path, node, shape, frames.scan, named if path.rpartition("/")[0] == folder else [])
        for path, node in found.items()
        if path not in frames.paths
    )
    return sorted((run for run in runs if run is not None), key=_rank_of_run)


def _run(
    path: str, node: Any, shape: tuple[int, ...], scan: tuple[int, ...], named: list[str]
) -> Run | None:
    if node.dtype.kind not in "iuf" or not 1 < node.size <= _LONGEST:
        return None
    whole = node.ndim > 1 and node.shape == scan
    fitting = tuple(k for k, length in enumerate(shape) if node.shape == (length,))
    if not fitting and not whole:
        return None
    values = np.asarray(node[()], np.float64)
    if not np.isfinite(values).all() or not moves(values.ravel()):
        return None
    name = _name(path)
    if name in named and len(named) == len(shape) and named.index(name) in fitting:
        fitting = (named.index(name),)
    even = values.ndim == 1 and is_monotone(values) and unevenness(values) < _EVEN
    units = attribute(node, "units")
    return Run(path, name, values.ravel(), units, even, name in named, fitting)


def _rank_of_run(run: Run) -> tuple[bool, bool, bool, bool, str]:
    return not run.named, bool(_COUNTS.search(run.key)), not run.even, not run.units, run.key


def _named(dataset: Any) -> list[str]:
    said = dataset.parent.attrs.get("axes", dataset.attrs.get("axes"))
    return [] if said is None else texts(said)


def _name(path: str) -> str:
    parts = path.split("/")
    plain = parts[-1] in ("value", "data", "values", "position") and len(parts) > 1
    return parts[-2] if plain else parts[-1]
