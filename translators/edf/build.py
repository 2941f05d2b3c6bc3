"""A Scan made of a series of frames: their headers as columns, where they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import Axis, RawMetadata, Scan, Source
from nxscan.translate.build import Found, build_scan
from nxscan.translators.edf.link import linked, obstacle
from nxscan.translators.edf.signal import EdfSignal

if TYPE_CHECKING:
    from nxscan.model import Signal
    from nxscan.model.provenance import FrameRole
    from nxscan.translate.axes import AxesFound
    from nxscan.translate.mapping import Mapping
    from nxscan.translate.report import Report
    from nxscan.translators.edf.file import Frame
    from nxscan.translators.edf.keys import Keys

DETECTOR = "detector"


@dataclass(frozen=True)
class Parts:
    """What was found of a scan in EDF files.

    Attributes
    ----------
    title : str
        The scan's title.
    frames : sequence of Frame
        In the order they were taken.
    keys : Keys
        Their headers as columns.
    darks, flats : sequence of Frame
        Dark and flat frames.
    link : bool
        Whether the frames stay where they are.

    """

    title: str
    frames: Sequence[Frame]
    keys: Keys
    darks: Sequence[Frame] = ()
    flats: Sequence[Frame] = ()
    link: bool = False

    def build(self, axes: AxesFound, mapping: Mapping, report: Report) -> Scan | None:
        """Return the scan, or None if it is to be linked to and cannot be.

        Parameters
        ----------
        axes : AxesFound
            The scan's dimensions, and the order in which frames are stored.
        mapping : Mapping
            Units and long names of motors and counters; NeXus fields.
        report : Report
            Takes what the mapping finds, and why there is no scan.

        """
        reason = obstacle([frame.place for frame in self._all()]) if self.link else ""
        if reason:
            report.error("--link", reason, "copy the frames: --copy")
            return None
        headers = [frame.header.raw for frame in self._all()]
        found = Found(
            title=self.title,
            detectors={DETECTOR: self._signal(self.frames, "intensity")},
            motors=self.keys.motors,
            counters=self.keys.counters,
            values=self.keys.values,
            headers=headers,
            sources=self._sources(),
            frame_axes=self._frame_axes(),
            dark=self._signal(self.darks, "dark frames") if self.darks else None,
            flat=self._signal(self.flats, "flat frames") if self.flats else None,
        )
        scan = build_scan(found, axes, mapping, report, "edf")
        # the mapping may ask for lists that are motors and counters already
        scan.raw_metadata = RawMetadata(headers, self.keys.raw_values)
        return scan

    def _all(self) -> tuple[Frame, ...]:
        return (*self.frames, *self.darks, *self.flats)

    def _signal(self, frames: Sequence[Frame], what: str) -> Signal:
        places = [frame.place for frame in frames]
        units = "counts" if np.dtype(places[0].layout.dtype).kind in "iu" else None
        make: Any = linked if self.link else EdfSignal
        signal: Signal = make(places, (len(places),), units, what)
        return signal

    def _frame_axes(self) -> list[Axis]:
        """Return the axis of frames of one dimension, which are the rows of an image."""
        (*more, length) = self.frames[0].place.layout.shape
        if more:
            return []
        return [Axis("x", np.arange(length, dtype=float), "pixel", "detector column", "detector")]

    def _sources(self) -> list[Source]:
        roles: tuple[tuple[FrameRole, Sequence[Frame]], ...] = (
            ("scan", self.frames),
            ("dark", self.darks),
            ("flat", self.flats),
        )
        return [source for role, frames in roles for source in _files(frames, role)]


def _files(frames: Sequence[Frame], role: FrameRole) -> list[Source]:
    places = {frame.place.path: frame.place for frame in frames}
    counts = Counter(frame.place.path for frame in frames)
    return [
        Source(path, place.size, place.modified / 1e9, counts[path], role)
        for path, place in places.items()
    ]
