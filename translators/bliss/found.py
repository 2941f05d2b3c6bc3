"""What was found of a scan, sorted: detectors, motors, counters, sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import h5py
import numpy as np

from nxscan.model.names import nexus_name
from nxscan.translate.build import Found
from nxscan.translate.h5frames import file_sources, frames_source
from nxscan.translate.h5source import open_source
from nxscan.translators.bliss.members import member

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.hdf5.virtual import VirtualSignal
    from nxscan.model import Source
    from nxscan.translate.contract import ScanRef
    from nxscan.translators.bliss.content import Content

_MASKS = ("pixel_mask", "mask")
_TAKEN = ("name", "beam", "source", "monochromator")


def found_of(
    ref: ScanRef, content: Content, signals: dict[str, VirtualSignal], frames: int
) -> Found:
    """Sort what was recorded into motors and counters.

    Parameters
    ----------
    ref : ScanRef
        The scan.
    content : Content
        What its group says.
    signals : dict of str to VirtualSignal
        The main detector, and those beside it, by their names in the file.
    frames : int
        How many points there are.

    """
    integrated = content.command.integrated or (
        content.described.integrated if content.described else {}
    )
    motors: dict[str, NDArray[np.float64]] = {}
    counters: dict[str, NDArray[np.float64]] = {}
    for name, column in content.columns.items():
        if name not in signals and name not in integrated:
            record = content.records.get(name)
            is_motor = record is None or record.motor
            (motors if is_motor else counters)[name] = column
    for name, position in content.positions.items():
        if name not in motors and name not in integrated:
            motors[name] = np.broadcast_to(np.float64(position), (frames,))
    text = content.command.text
    first = next(iter(signals))
    return Found(
        title=f"{ref.title}: {text}" if text else ref.title,
        detectors=_named(signals, content.attenuators),
        motors=motors,
        counters=counters,
        values=content.values,
        units=content.units,
        sources=_sources(content, list(signals.values())),
        mask=_mask(content, first, signals[first].frame_shape),
        integrated=integrated,
        parameters={"scan": ref.number, "command": text},
    )


def _named(
    signals: Mapping[str, VirtualSignal], attenuators: Sequence[str]
) -> dict[str, VirtualSignal]:
    """Return the detectors by the names of their NeXus groups."""
    found: dict[str, VirtualSignal] = {}
    for name, signal in signals.items():
        found[nexus_name(name, {*_TAKEN, *attenuators, *found})] = signal
    return found


def _sources(content: Content, signals: Sequence[VirtualSignal]) -> list[Source]:
    """Return every file that is read from, and how many of the main detector's frames it has."""
    paths = [content.group.path]
    paths += [one.path for one in content.records.values() if one.name in content.columns]
    paths += [source.path for signal in signals for source in signal.sources]
    return file_sources(dict.fromkeys(paths, 0) | frames_source(signals[0]))


def _mask(content: Content, detector: str, shape: tuple[int, ...]) -> NDArray[np.uint8] | None:
    """Return the detector's mask, where there is one of its frames' shape."""
    if len(shape) != 2:
        return None
    with open_source(content.group.path) as file:
        for name in _MASKS:
            item = member(file, f"{content.group.name}/instrument/{detector}/{name}")
            if isinstance(item, h5py.Dataset) and item.shape == shape and item.dtype.kind in "biu":
                return np.asarray(item[()])
    return None
