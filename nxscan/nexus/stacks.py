"""Which frames a scan has, and where each stack of them is stored once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nxscan.nexus import layout
from nxscan.nexus.groups import known

if TYPE_CHECKING:
    from nxscan.model import Scan, Signal


@dataclass(frozen=True)
class Stack:
    """Frames that are stored once: a detector's, or dark or flat frames.

    Attributes
    ----------
    place : str
        Where they are, in the frames file as in the master.
    signal : Signal
        Where they come from.
    rank : int
        How many of the leading dimensions count frames.
    attributes : dict
        Attributes of the dataset.

    """

    place: str
    signal: Signal
    rank: int
    attributes: dict[str, Any]


def stacks(scan: Scan) -> Iterator[Stack]:
    """Yield every stack of frames of a scan, the main detector's first."""
    rank = len(scan.scan_shape)
    for detector, signal in scan.signals.items():
        yield _stack(layout.detector_path(detector), signal, rank, detector)
    for name, signal in calibrations(scan):
        yield _stack(f"{layout.ENTRY}/{name}/data", signal, 1, f"{name} frames")


def calibrations(scan: Scan) -> Iterator[tuple[str, Signal]]:
    """Yield the dark and flat frames of a scan, where it has them."""
    for name, signal in (("dark", scan.dark), ("flat", scan.flat)):
        if signal is not None:
            yield name, signal


def _stack(place: str, signal: Signal, rank: int, name: str) -> Stack:
    attributes = {
        "target": f"/{place}",
        "long_name": signal.long_name or name,
        "units": known(signal.units),
    }
    if signal.ndim - rank == 2:
        attributes["interpretation"] = "image"
    return Stack(place, signal, rank, attributes)
