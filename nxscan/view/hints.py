"""What is not right with a file, as far as a look at it shows; `nxscan validate` knows more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nxscan.errors import SourceError
from nxscan.nexus.seal import differences
from nxscan.validate.tree import Tree
from nxscan.view.hdf5 import (
    attribute,
    broken_link,
    child,
    children,
    find_plot,
    is_numeric,
    is_plot,
    missing_sources,
    nx_class,
    signal_name,
    text,
    texts,
)

_MOST_DAMAGED = 5


def hints(file: Any, entries: list[Any]) -> Iterator[str]:
    """Yield one sentence for each thing that a person should look at."""
    yield from damage(file)
    if not entries:
        return
    if not text(attribute(file, "default")) and len(entries) > 1:
        yield "the file names no default entry"
    try:
        find_plot(file)
    except SourceError as error:
        yield error.message.removeprefix(f"{file.filename}: ")
    for entry in entries:
        plots = [node for _, node in children(entry) if nx_class(node) == "NXdata"]
        for node in plots:
            yield from _plot_hints(node)
        bare = sorted({name for node in plots for name in _without_units(node)})
        if bare:
            yield f"axes without units in {entry.name}: {', '.join(bare)}"


def damage(file: Any) -> Iterator[str]:
    """Yield what cannot be opened, and what changed after nxscan wrote it."""
    broken = dict(Tree.of(file).broken)
    changed = {path: why for path, why in differences(file) if path not in broken}
    found = [f"{path} cannot be read: {why}" for path, why in broken.items()]
    found += [f"{path}: {why}" for path, why in changed.items()]
    yield from found[:_MOST_DAMAGED]
    if len(found) > _MOST_DAMAGED:
        yield f"and {len(found) - _MOST_DAMAGED} more: nxscan validate lists them"


def _plot_hints(group: Any) -> Iterator[str]:
    name = signal_name(group)
    if not name:
        yield f"{group.name} has no signal"
        return
    broken = broken_link(group, name)
    if broken:
        yield f"{group.name}/{name} is {broken}"
    if not is_plot(group):
        return
    signal = group[name]
    missing = missing_sources(signal)
    if missing:
        yield f"{group.name}/{name} needs {len(missing)} files that are missing, first {missing[0]}"
    yield from _axis_hints(group, signal)


def _axis_hints(group: Any, signal: Any) -> Iterator[str]:
    names = texts(attribute(group, "axes"))
    if len(names) != signal.ndim:
        yield f"{group.name} has {len(names)} axes for {signal.ndim} dimensions"
        return
    for dimension, name in enumerate(names):
        axis = child(group, name) if name != "." else None
        if axis is None:
            if name != ".":
                yield f"{group.name} has no axis {name}"
            continue
        length = signal.shape[dimension]
        if axis.ndim == 1 and axis.size not in (length, length + 1):
            yield f"{axis.name} has {axis.size} values for {length} positions"


def _without_units(group: Any) -> Iterator[str]:
    for name in texts(attribute(group, "axes")):
        axis = child(group, name) if name != "." else None
        if axis is not None and is_numeric(axis) and attribute(axis, "units") is None:
            yield name
