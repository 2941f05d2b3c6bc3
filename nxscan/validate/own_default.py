"""The default plot: @default leads, step by step, to an NXdata that has data in it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from nxscan.errors import NxscanError
from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.original import original
from nxscan.validate.tree import attribute, join, member, nx_class, signal_of

_RULE = "default plot"
_NOT_FINITE = "none of the values that were looked at is finite"
_MOST_VALUES = 1 << 22
_SET = "set @default on the root, the entry and so on down to an NXdata group"


def default_plot(target: Target) -> Iterator[Finding]:
    """Check that the default chain ends at an NXdata whose signal holds numbers.

    A file without @default on its root is valid NeXus: its plot is then any NXdata of any
    entry, and a note says so. A file that nxscan wrote has it, always.
    """
    if "default" in target.file.attrs:
        found = _follow(target.file)
        yield from [found] if isinstance(found, Finding) else _has_data(target, found)
        return
    fallback = next((g for g in target.plots if signal_of(g) is not None), None)
    if fallback is None or target.own_entries:
        yield Finding("error", "/", _RULE, "no @default leads to a plot", _SET)
        return
    yield Finding(
        "note",
        "/",
        _RULE,
        f"no @default on the root: viewers that need it open on no plot ({fallback.name} is one)",
        _SET,
    )
    yield from _has_data(target, fallback)


def _follow(file: h5py.File) -> h5py.Group | Finding:
    group, passed = file["/"], ["/"]
    while nx_class(group) != "NXdata":
        name = attribute(group, "default")
        if name is None:
            kind = nx_class(group) or "no NX_class"
            return _dead_end(group, f"the chain of @default ends here, at {kind}, not at an NXdata")
        onward = member(group, name)
        if not isinstance(onward, h5py.Group):
            return _dead_end(group, f"@default names {name!r}, and there is no such group here")
        if onward.name in passed:
            return _dead_end(group, f"@default goes in a circle: {' → '.join(passed)}")
        passed.append(onward.name)
        group = onward
    return group


def _dead_end(group: h5py.Group, message: str) -> Finding:
    return Finding("error", group.name, _RULE, message, _SET)


def _has_data(target: Target, group: h5py.Group) -> Iterator[Finding]:
    name = signal_of(group)
    signal = member(group, name) if name else None
    where = join(group.name, name or "")
    if not isinstance(signal, h5py.Dataset):
        what = f"its signal {name!r} leads nowhere" if name else "it has no @signal"
        hint = "restore the data that it names"
        yield Finding("error", group.name, _RULE, f"the default plot is empty: {what}", hint)
        return
    try:
        problem = _emptiness(signal)
    except (OSError, NxscanError) as error:
        hint = "restore the file from a copy; --data says which frames are damaged"
        yield Finding("error", where, _RULE, f"the default plot cannot be read: {error}", hint)
        return
    if problem == _NOT_FINITE and _is_result(target, group):
        message = "the newest result, which is the default plot, is NaN everywhere"
        hint = "see its status and parameters; nothing was found in the data"
        yield Finding("note", where, _RULE, message, hint)
    elif problem:
        hint = "plot a group that has data, or write the data again"
        yield Finding("error", where, _RULE, f"the default plot shows nothing: {problem}", hint)


def _emptiness(signal: h5py.Dataset) -> str:
    """Say why a signal shows nothing, or return an empty text; raises if it cannot be read."""
    if signal.dtype.kind not in "iufcb":
        return f"its values are of type {signal.dtype}, not numbers"
    if not signal.size:
        return f"its shape is {signal.shape}"
    if not (signal.is_virtual or signal.external) and not signal.id.get_storage_size():
        return "no value was ever written to it"
    finite = any(np.isfinite(part).any() for part in _parts(original(signal, _rank(signal))))
    return "" if finite else _NOT_FINITE


def _is_result(target: Target, group: h5py.Group) -> bool:
    """Tell whether a plot is an output of a process, which may have nothing to show."""
    processes = (member(entry, name) for entry in target.own_entries for name in entry)
    return any(
        isinstance(process, h5py.Group)
        and "run/identity" in process
        and any(member(process, name) == group for name in process)
        for process in processes
    )


def _rank(signal: h5py.Dataset) -> int:
    return 1 if signal.ndim == 1 else max(signal.ndim - 2, 0)


def _parts(signal: Any) -> Iterator[Any]:
    """Yield all of a small signal; of a large one its first, last and middle part."""
    size = math.prod(signal.shape)
    if size <= _MOST_VALUES:
        yield signal[...]
        return
    leading = signal.shape[: max(signal.ndim - 2, 0)]
    if not leading:
        rows = max(1, _MOST_VALUES // max(1, size // signal.shape[0]))
        for start in (0, signal.shape[0] - rows, signal.shape[0] // 2):
            yield signal[start : start + rows]
        return
    frames = int(np.prod(leading))
    for index in sorted({0, frames // 2, frames - 1}):
        yield signal[tuple(int(i) for i in np.unravel_index(index, leading))]
