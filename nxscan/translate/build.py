"""A Scan put together from what a translator found: detectors, columns, raw values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import Axis, Field, Group, Provenance, RawMetadata, Scan, Source
from nxscan.model.names import nexus_name
from nxscan.translate.calibration import calibrated, calibrated_axes
from nxscan.translate.mapping import Known, apply_mapping

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Signal
    from nxscan.translate.axes import AxesFound, Dimension
    from nxscan.translate.mapping import Mapping as KeyMapping
    from nxscan.translate.report import Report

    Column = NDArray[np.float64]

APPLICATION = "application_definition"
"""The translation's parameter that names it: ``definition`` is for those that NeXus has."""
_RESERVED = frozenset({"data", "errors", "title", "frame_number", "frame", "position", "repeat"})
_PIXELS = {"y": "detector row", "x": "detector column", "channel": "detector channel"}


@dataclass(kw_only=True)
class Found:
    """What a translator found of one scan, its frames in the order they were taken.

    Attributes
    ----------
    title : str
        The scan's title.
    detectors : dict of str to VirtualSignal
        The frames of each detector, the main one first: one scan dimension, in the order they
        were taken, all of one length. Anything with ``arranged(scan_shape, order)`` will do.
    motors : dict of str to ndarray, shape (frames,)
        What each motor was read at; NaN where it is missing. Those that stood still become
        positioners with one value.
    counters : dict of str to ndarray, shape (frames,)
        What was counted at each position.
    values : mapping of str to str or ndarray
        Raw keys, for the mapping's fields and the raw metadata: a text each, or an array with
        one number or text for each frame where it varies.
    headers : sequence of bytes
        Raw headers, where the format has any.
    units : dict of str to str
        Units that the source states, by motor or counter; the mapping's go before them.
    labels : dict of str to str
        Names for people that the source states, by motor or counter.
    sources : list of Source
        The files.
    frame_axes : list of Axis
        Axes of the detector's dimensions where the source gives them (an energy for each
        channel); without them, pixels are counted. Their ``dimension`` counts from 0 within a
        frame.
    dark, flat : Signal or None
        Dark and flat frames.
    mask : ndarray or None
        ``pixel_mask``: 0 is good.
    integrated : dict of str to tuple of (float, float)
        Motors that each frame integrates over: where it begins and where it ends.
    parameters : dict of str to str
        What else the provenance should say.
    calibrated : bool
        Motors and counters are in the units of the mapping: steps were made values of.

    """

    title: str
    detectors: dict[str, Any]
    motors: dict[str, Column] = field(default_factory=dict)
    counters: dict[str, Column] = field(default_factory=dict)
    values: Mapping[str, str | NDArray[Any]] = field(default_factory=dict)
    headers: Sequence[bytes] = ()
    units: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    frame_axes: list[Axis] = field(default_factory=list)
    dark: Signal | None = None
    flat: Signal | None = None
    mask: NDArray[Any] | None = None
    integrated: dict[str, tuple[float, float]] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    calibrated: bool = False


def build_scan(
    found: Found, axes: AxesFound, mapping: KeyMapping, report: Report, translator: str
) -> Scan:
    """Return the scan; what the mapping finds goes into ``report``.

    Parameters
    ----------
    found : Found
        What the translator found.
    axes : AxesFound
        The scan's dimensions, and the order in which frames are stored.
    mapping : Mapping
        Units and long names of motors and counters; NeXus fields.
    report : Report
        Takes what was mapped, what is missing, and problems.
    translator : str
        Its name, for the provenance.

    """
    if not found.calibrated:
        axes = calibrated_axes(axes, mapping)
    return _Builder(calibrated(found, mapping), axes, mapping).build(report, translator)


@dataclass
class _Builder:
    found: Found
    axes: AxesFound
    mapping: KeyMapping
    _names: dict[tuple[str, str], str] = field(default_factory=dict, init=False)

    def build(self, report: Report, translator: str) -> Scan:
        found = self.found
        signals = {
            name: signal.arranged(self.axes.shape, self.axes.order)
            for name, signal in found.detectors.items()
        }
        axes = self._axes()
        readings, counters = self._readings(), self._counters()
        return Scan(
            title=found.title,
            signals=signals,
            axes=axes,
            counters=counters,
            readings=readings,
            integrated=self._integrated(),
            mask=found.mask,
            dark=found.dark,
            flat=found.flat,
            metadata=self._metadata(report),
            raw_metadata=RawMetadata(found.headers, found.values),
            provenance=Provenance(
                translator=translator,
                mapping=self.mapping.name,
                sources=found.sources,
                date=datetime.now().astimezone().isoformat(timespec="seconds"),
                version=program_version(),
                parameters=dict(found.parameters) | self._application(),
            ),
        )

    def _application(self) -> dict[str, str]:
        """Return the application definition that the scan follows, by what its motors are."""
        rule, motors = self.mapping.application, self.found.motors
        if rule is None or not all(k in motors and is_constant(motors[k]) for k in rule.when):
            return {}
        return {APPLICATION: rule.definition}

    def _name(self, original: str, what: str = "motor") -> str:
        """Return the NeXus name of a motor or counter, the same each time it is asked for."""
        key = (what, original)
        if key not in self._names:
            taken = _RESERVED | set(self._names.values()) | self._frame_names()
            self._names[key] = nexus_name(original, taken)
        return self._names[key]

    def _frame_names(self) -> set[str]:
        """Return what the axes of the detector are called."""
        rank = len(next(iter(self.found.detectors.values())).shape) - 1
        given = {axis.dimension: axis.name for axis in self.found.frame_axes}
        return {given.get(k, name) for k, name in enumerate(_frame_names(rank))}

    def _known(self, name: str, what: str = "motors") -> Known:
        """Return unit and label: the mapping's, else the source's."""
        said: Known = getattr(self.mapping, what).get(name, Known())
        units = said.units if said.units is not None else self.found.units.get(name)
        return Known(units=units, long_name=said.long_name or self.found.labels.get(name, name))

    def _axes(self) -> dict[str, Axis]:
        axes: dict[str, Axis] = {}
        for number, dimension in enumerate(self.axes.dimensions):
            if dimension.kind != "motor":
                name = nexus_name(dimension.kind, axes)
                axes[name] = _counting(name, dimension, number)
            for motor, values in dimension.motors.items():
                name, known = self._name(motor), self._known(motor)
                axes[name] = Axis(name, values, known.units, known.long_name, "scan", number)
        return axes | self._detector_axes(len(self.axes.dimensions))

    def _detector_axes(self, first: int) -> dict[str, Axis]:
        shape = next(iter(self.found.detectors.values())).shape[1:]
        given = {axis.dimension: axis for axis in self.found.frame_axes}
        axes: dict[str, Axis] = {}
        for k, (name, size) in enumerate(zip(_frame_names(len(shape)), shape, strict=True)):
            axis = given.get(k)
            if axis is None:
                label = _PIXELS.get(name, name)
                axis = Axis(name, np.arange(size, dtype=float), "pixel", label, "detector")
            axes[axis.name] = Axis(
                axis.name, axis.values, axis.units, axis.long_name, "detector", first + k
            )
        return axes

    def _in_shape(self, column: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(column[self.axes.order].reshape(self.axes.shape))

    def _readings(self) -> dict[str, Field]:
        readings = {}
        for motor, column in self.found.motors.items():
            if not is_constant(column):
                known = self._known(motor)
                labels: dict[str, Any] = {"long_name": known.long_name}
                readings[self._name(motor)] = Field(self._in_shape(column), known.units, labels)
        return readings

    def _counters(self) -> dict[str, Field]:
        frames = len(self.axes.order)
        number = Field(
            self._in_shape(np.arange(frames)),
            "",
            {"long_name": "number in the order the frames were taken"},
        )
        counters = {"frame_number": number}
        for original, column in self.found.counters.items():
            known = self._known(original, "counters")
            labels: dict[str, Any] = {"long_name": known.long_name}
            name = self._name(original, "counter")
            counters[name] = Field(self._in_shape(column), known.units, labels)
        return counters

    def _metadata(self, report: Report) -> Group:
        entry = Group("NXentry")
        apply_mapping(self.mapping, self._stored_values(), entry, report, self.axes.shape)
        instrument = entry.group("instrument", "NXinstrument")
        for motor, column in self.found.motors.items():
            if is_constant(column):
                self._positioner(instrument, motor, column)
        for motor, (start, stop) in self.found.integrated.items():
            positioner = self._positioner(instrument, motor, np.array([0.5 * (start + stop)]))
            moved = f"moves from {start:g} to {stop:g} during each frame; the value is the middle"
            positioner.set("description", Field(moved))
        return entry

    def _integrated(self) -> dict[str, Axis]:
        """Return what each frame integrates over; the width may be negative, as the motor goes."""
        axes = {}
        for motor, (start, stop) in self.found.integrated.items():
            name, known = self._name(motor), self._known(motor)
            middle, width = np.array([0.5 * (start + stop)]), np.array([stop - start])
            axes[name] = Axis(name, middle, known.units, known.long_name, "integrated", width=width)
        return axes

    def _stored_values(self) -> dict[str, str | NDArray[Any]]:
        """Return per-frame values in the order in which the frames are stored."""
        frames, order = len(self.axes.order), self.axes.order
        return {
            key: value[order]
            if isinstance(value, np.ndarray) and value.shape[:1] == (frames,)
            else value
            for key, value in self.found.values.items()
        }

    def _positioner(self, instrument: Group, motor: str, column: Column) -> Group:
        taken = {*instrument.groups, *instrument.fields, *self.found.detectors, "name"}
        positioner = instrument.group(nexus_name(motor, taken), "NXpositioner")
        known = self._known(motor)
        finite = column[np.isfinite(column)]
        positioner.set("name", Field(motor))
        if finite.size:
            positioner.set("value", Field(float(finite[0]), known.units))
        if known.long_name != motor:
            positioner.set("description", Field(known.long_name))
        return positioner


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


def _frame_names(rank: int) -> tuple[str, ...]:
    """Return the names of a frame's dimensions."""
    plain = {0: (), 1: ("channel",), 2: ("y", "x")}
    return (
        plain[rank] if rank in plain else (*(f"dimension_{k}" for k in range(rank - 2)), "y", "x")
    )
