"""A Scan made of a series of frames: axes, counters, metadata, where it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import Axis, Field, Group, Provenance, RawMetadata, Scan, Source
from nxscan.model.names import nexus_name
from nxscan.translate.mapping import Known, apply_mapping
from nxscan.translators.edf.signal import EdfSignal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model.provenance import FrameRole
    from nxscan.translate.axes import AxesFound, Dimension
    from nxscan.translate.mapping import Mapping as KeyMapping
    from nxscan.translate.report import Report
    from nxscan.translators.edf.file import Frame
    from nxscan.translators.edf.keys import Keys

DETECTOR = "detector"
_RESERVED = frozenset(
    {"data", "errors", "title", "x", "y", "frame_number", "frame", "position", "repeat"}
)
_PIXELS = {"y": "detector row", "x": "detector column"}


@dataclass
class Builder:
    """Puts a scan together from what was found in its headers.

    Attributes
    ----------
    title : str
        The scan's title.
    frames : sequence of Frame
        In the order they were taken.
    keys : Keys
        Their headers as columns.
    found : AxesFound
        The axes and the order in which the frames are stored.
    mapping : Mapping
        Units and long names of motors and counters; NeXus fields.
    darks, flats : sequence of Frame
        Dark and flat frames.

    """

    title: str
    frames: Sequence[Frame]
    keys: Keys
    found: AxesFound
    mapping: KeyMapping
    darks: Sequence[Frame] = ()
    flats: Sequence[Frame] = ()
    _names: dict[tuple[str, str], str] = field(default_factory=dict, init=False)

    def build(self, report: Report) -> Scan:
        """Return the scan; what the mapping finds goes into ``report``."""
        axes = self._axes()
        readings, counters = self._readings(), self._counters()
        return Scan(
            title=self.title,
            signals={DETECTOR: self._signal(self.frames, self.found.shape, self.found.order)},
            axes=axes,
            counters=counters,
            readings=readings,
            dark=self._beside(self.darks, "dark"),
            flat=self._beside(self.flats, "flat"),
            metadata=self._metadata(report),
            raw_metadata=self._raw_metadata(),
            provenance=self._provenance(),
        )

    def _signal(
        self, frames: Sequence[Frame], shape: tuple[int, ...], order: Iterable[int], what: str = ""
    ) -> EdfSignal:
        places = [frames[k].place for k in order]
        whole = np.dtype(places[0].layout.dtype).kind in "iu"
        return EdfSignal(places, shape, "counts" if whole else None, what or "intensity")

    def _beside(self, frames: Sequence[Frame], what: str) -> EdfSignal | None:
        if not frames:
            return None
        return self._signal(frames, (len(frames),), range(len(frames)), f"{what} frames")

    def _name(self, original: str, what: str = "motor") -> str:
        """Return the NeXus name of a motor or counter, the same each time it is asked for."""
        key = (what, original)
        if key not in self._names:
            taken = _RESERVED | set(self._names.values())
            self._names[key] = nexus_name(original, taken)
        return self._names[key]

    def _motor(self, name: str) -> Known:
        return self.mapping.motors.get(name, Known())

    def _axes(self) -> dict[str, Axis]:
        axes: dict[str, Axis] = {}
        for number, dimension in enumerate(self.found.dimensions):
            if dimension.kind != "motor":
                name = nexus_name(dimension.kind, axes)
                axes[name] = _counting(name, dimension, number)
            for motor, values in dimension.motors.items():
                name, known = self._name(motor), self._motor(motor)
                label = known.long_name or motor
                axes[name] = Axis(name, values, known.units, label, "scan", number)
        return axes | self._detector_axes()

    def _detector_axes(self) -> dict[str, Axis]:
        shape = self.frames[0].place.layout.shape
        names = ("y", "x")[-len(shape) :]
        first = len(self.found.dimensions)
        return {
            name: Axis(
                name, np.arange(size, dtype=float), "pixel", _PIXELS[name], "detector", first + k
            )
            for k, (name, size) in enumerate(zip(names, shape, strict=True))
        }

    def _in_shape(self, column: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(column[self.found.order].reshape(self.found.shape))

    def _readings(self) -> dict[str, Field]:
        return {
            self._name(motor): Field(
                self._in_shape(column), self._motor(motor).units, _labels(motor, self._motor(motor))
            )
            for motor, column in self.keys.motors.items()
            if not is_constant(column)
        }

    def _counters(self) -> dict[str, Field]:
        taken_at = self._in_shape(np.arange(len(self.frames)))
        number = Field(taken_at, "", {"long_name": "number in the order the frames were taken"})
        counters = {"frame_number": number}
        for original, column in self.keys.counters.items():
            known = self.mapping.counters.get(original, Known())
            name = self._name(original, "counter")
            counters[name] = Field(self._in_shape(column), known.units, _labels(original, known))
        return counters

    def _metadata(self, report: Report) -> Group:
        entry = Group("NXentry")
        apply_mapping(self.mapping, _stored(self.keys.values, self.found.order), entry, report)
        instrument = entry.group("instrument", "NXinstrument")
        for motor, column in self.keys.motors.items():
            if not is_constant(column):
                continue
            taken = {*instrument.groups, *instrument.fields, DETECTOR, "name"}
            positioner = instrument.group(nexus_name(motor, taken), "NXpositioner")
            known = self._motor(motor)
            value = float(column[np.isfinite(column)][0])
            positioner.set("name", Field(motor))
            positioner.set("value", Field(value, known.units))
            if known.long_name:
                positioner.set("description", Field(known.long_name))
        return entry

    def _raw_metadata(self) -> RawMetadata:
        frames = (*self.frames, *self.darks, *self.flats)
        return RawMetadata([frame.header.raw for frame in frames], self.keys.raw_values)

    def _provenance(self) -> Provenance:
        roles: dict[FrameRole, Sequence[Frame]] = {
            "scan": self.frames,
            "dark": self.darks,
            "flat": self.flats,
        }
        return Provenance(
            translator="edf",
            mapping=self.mapping.name,
            sources=[source for role, frames in roles.items() for source in _sources(frames, role)],
            date=datetime.now().astimezone().isoformat(timespec="seconds"),
            version=program_version(),
        )


def is_constant(column: NDArray[np.float64]) -> bool:
    """Tell whether a motor stood at one place in every frame that says where it was."""
    found = column[np.isfinite(column)]
    return bool(np.all(found == found[0])) if found.size else True


def program_version() -> str:
    """Return the version of nxscan that is installed."""
    try:
        return version("nxscan")
    except PackageNotFoundError:
        return "0+unknown"


def _counting(name: str, dimension: Dimension, number: int) -> Axis:
    return Axis(name, np.arange(dimension.size, dtype=float), "", name, "scan", number)


def _labels(original: str, known: Known) -> dict[str, Any]:
    return {"long_name": known.long_name or original}


def _stored(
    values: Mapping[str, str | NDArray[Any]], order: NDArray[np.intp]
) -> dict[str, str | NDArray[Any]]:
    """Return per-frame values in the order in which the frames are stored."""
    return {key: value if isinstance(value, str) else value[order] for key, value in values.items()}


def _sources(frames: Sequence[Frame], role: FrameRole) -> list[Source]:
    places = {frame.place.path: frame.place for frame in frames}
    counts = Counter(frame.place.path for frame in frames)
    return [
        Source(path, place.size, place.modified / 1e9, counts[path], role)
        for path, place in places.items()
    ]
