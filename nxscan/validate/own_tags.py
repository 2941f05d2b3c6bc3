"""Shots of a free-electron laser: each has its tag number, and every status is of a shot."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from nxscan.validate.contract import Target
from nxscan.validate.finding import Finding
from nxscan.validate.own_layout import frames_of, scan_shape
from nxscan.validate.tree import join, member, texts

TAG = "tag_number"
_RULE = "tag numbers"
_TRANSLATORS = ("sacla",)
_STATUS = "_status"
_SHOWN = 3
_AGAIN = "translate the run again: shots are joined by their tags"


def tags(target: Target) -> Iterator[Finding]:
    """Check that every shot of a tagged run has a whole tag number of its own, and its statuses.

    No application definition of NeXus is for such runs. nxscan's layout has ``tag_number`` as an
    axis of ``data``, or as a counter in the scan's shape; statuses are beside it.
    """
    for entry in target.own_entries:
        if not _is_tagged(entry):
            continue
        frames = frames_of(entry)
        shape = None if frames is None else scan_shape(entry, frames)
        if shape is None:
            continue  # that the frames are not there is said by the check of the layout
        numbers = _tags(entry)
        if numbers is None:
            message = f"there is no {TAG}, neither as an axis of data nor as a counter"
            yield Finding("error", entry.name, _RULE, message, _AGAIN)
            continue
        yield from _check(numbers, math.prod(shape))
        yield from _check_statuses(entry, math.prod(shape))


def _is_tagged(entry: h5py.Group) -> bool:
    node = member(entry, "translation/parameters/translator")
    said = texts(node[()]) if isinstance(node, h5py.Dataset) else None
    return bool(said and said[0] in _TRANSLATORS) or _tags(entry) is not None


def _tags(entry: h5py.Group) -> Any:
    for place in (f"data/{TAG}", f"counters/{TAG}"):
        node = member(entry, place)
        if isinstance(node, h5py.Dataset):
            return node
    return None


def _check(dataset: Any, frames: int) -> Iterator[Finding]:
    name = dataset.name
    if dataset.shape is None or dataset.dtype.kind not in "iuf":
        message = f"holds {dataset.dtype}, not numbers"
        yield Finding("error", name, _RULE, message, _AGAIN)
        return
    values = np.ravel(dataset[()])
    if len(values) != frames:
        message = f"holds {len(values)} tags, but there are {frames} frames"
        yield Finding("error", name, _RULE, message, _AGAIN)
    if values.dtype.kind == "f":
        whole = np.isfinite(values) & (values == np.rint(values))
        if not whole.all():
            message = f"{int((~whole).sum())} of its values are no whole numbers"
            yield Finding("error", name, _RULE, message, _AGAIN)
            return
        if (np.abs(values) >= 2.0 ** (np.finfo(values.dtype).nmant + 1)).any():
            message = f"holds {values.dtype}, in which neighboring tags are one number"
            yield Finding("error", name, _RULE, message, "write tags as float64 or integers")
    listed, counts = np.unique(values, return_counts=True)
    again = listed[counts > 1]
    if len(again):
        shown = ", ".join(str(int(tag)) for tag in again[:_SHOWN])
        message = f"{len(again)} tags are there more than once: {shown}"
        yield Finding("error", name, _RULE, message, _AGAIN)


def _check_statuses(entry: h5py.Group, frames: int) -> Iterator[Finding]:
    for place in ("data", "counters"):
        group = member(entry, place)
        for name in group if isinstance(group, h5py.Group) else ():
            dataset = member(group, name) if str(name).endswith(_STATUS) else None
            if isinstance(dataset, h5py.Dataset) and dataset.size != frames:
                message = f"holds {dataset.size} values, but there are {frames} frames"
                yield Finding(
                    "error", join(join(entry.name, place), str(name)), _RULE, message, _AGAIN
                )
