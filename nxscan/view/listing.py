"""What can be drawn in a file that is not NeXus, or holds more than its entry's own plots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nxscan.view import describe
from nxscan.view.hdf5 import find_all, is_group, missing_sources, signal_name
from nxscan.view.plotdata import read_plot

if TYPE_CHECKING:
    Row = tuple[str, str]

MOST_ROWS = 30
"""Datasets that are listed before the rest is only counted."""


def listing(group: Any) -> Iterator[Row]:
    """Yield what can be drawn below a group: NXdata first, then datasets by size."""
    found = find_all(group)
    if not found:
        yield "nothing", "no numbers that could be drawn"
    for node in found[:MOST_ROWS]:
        if is_group(node):
            yield "plots", f"{node.name}  {plot_in_words(node)}"
        else:
            yield "datasets", f"{describe.shape(node.shape)} {node.dtype}  {node.name}"
    if len(found) > MOST_ROWS:
        yield "", f"… and {len(found) - MOST_ROWS:,} more"


def plot_in_words(group: Any) -> str:
    """Describe an NXdata in one line: signal, shape and axes."""
    signal = group[signal_name(group)]
    if missing_sources(signal):
        return f"{signal_name(group)}, whose data are in files that are not there"
    data = read_plot(group)
    axes = ", ".join(axis.name for axis in data.axes if axis.given)
    along = f" along {axes}" if axes else ""
    return f"{data.label}, {describe.shape(signal.shape)}{along}"
