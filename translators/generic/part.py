"""One group of an HDF5 file, read as a mapping says: frames, columns, raw values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import NxscanError
from nxscan.translate.h5frames import read_mask, signal_of
from nxscan.translate.h5keys import Codes, locate
from nxscan.translate.h5source import find_links, get_node, open_source
from nxscan.translate.h5values import read_values, text
from nxscan.translators.generic.axes import AxisReader
from nxscan.translators.generic.content import Part
from nxscan.translators.generic.places import find_datasets, scan_signals

if TYPE_CHECKING:
    from nxscan.hdf5.virtual import VirtualSignal
    from nxscan.translate.contract import Options
    from nxscan.translate.mapping import Mapping, SignalRule
    from nxscan.translate.report import Report
    from nxscan.translators.generic.axes import AxisReader
from nxscan.translators.generic.places import Place

_MOST_LINKS = 5


def read_part(
    place: Place, mapping: Mapping, options: Options, report: Report, codes: Codes
) -> Part | None:
    """Read one group; None where there are no frames, and ``report`` says why."""
    with open_source(place.path) as file:
        return _PartReader(file[place.group], mapping, options, report, codes).read()


class _PartReader:
    def __init__(
        self, group: Any, mapping: Mapping, options: Options, report: Report, codes: Codes
    ) -> None:
        self.group = group
        self.mapping = mapping
        self.options = options
        self.report = report
        self.codes = codes
        self.part = Part()
        self._frames: list[Any] = []

    def read(self) -> Part | None:
        if not self._signals():
            return None
        for rule in self.mapping.signals:
            if rule.role != "scan":
                self._calibration(rule)
        axes = AxisReader(self.group, self.part, self.report, self.codes)
        for axis in self.mapping.axes:
            axes.read(axis)
        self._values()
        self._links()
        return self.part

    def _signals(self) -> bool:
        """Find the frames of the chosen detector, and of others that go with it."""
        rules = scan_signals(self.mapping)
        if self.options.detector is not None:
            rules = [rule for rule in rules if rule.name == self.options.detector] + [
                rule for rule in rules if rule.name != self.options.detector
            ]
            if not rules or rules[0].name != self.options.detector:
                names = ", ".join(rule.name for rule in rules)
                self.report.error(
                    "--detector",
                    f"the mapping has no signal {self.options.detector!r}",
                    f"there are: {names}",
                )
                return False
        main = self._detector(rules[0], main=True)
        for rule in rules[1:] if main else ():
            self._detector(rule, main=False)
        return main

    def _detector(self, rule: SignalRule, *, main: bool) -> bool:
        try:
            datasets = find_datasets(self.group, rule)
            if not datasets:
                self._nothing(rule, main=main)
                return False
            signal = signal_of(datasets, rule.rank, partial=self.options.partial, units=rule.units)
        except NxscanError as error:
            say = self.report.error if main else self.report.note
            say(f"signal {rule.name}", error.message, error.hint)
            return False
        if main:
            self.part.shape = _scan_shape(datasets, rule.rank, signal, self.mapping)
            self._frames = datasets
        else:
            first = next(iter(self.part.detectors.values()))
            if signal.shape != first.shape:
                self.report.note(
                    f"signal {rule.name}",
                    f"its frames are {signal.shape}, those of the main signal {first.shape}",
                    f"--detector {rule.name} takes it alone",
                )
                return False
        self.part.detectors[rule.name] = signal
        return True

    def _nothing(self, rule: SignalRule, *, main: bool) -> None:
        tried = ", ".join(repr(candidate.key) for candidate in rule.sources)
        near = ", ".join(_nearest(self.group, rule))
        say = self.report.error if main else self.report.note
        hint = f"datasets with such dimensions: {near}" if near else "nxscan info shows what it has"
        say(f"signal {rule.name}", f"{self.group.name} has no dataset {tried}", hint)

    def _calibration(self, rule: SignalRule) -> None:
        """Read dark and flat frames, or a mask."""
        try:
            datasets = find_datasets(self.group, rule)
            if not datasets:
                if rule.required:
                    self._nothing(rule, main=True)
                return
            if rule.role == "mask":
                self._mask(rule, datasets[0])
                return
            signal = signal_of(datasets, rule.rank, units=rule.units)
        except NxscanError as error:
            self.report.error(f"{rule.role} {rule.name}", error.message, error.hint)
            return
        first = next(iter(self.part.detectors.values()))
        if signal.frame_shape != first.frame_shape:
            self.report.error(
                f"{rule.role} {rule.name}",
                f"its frames are {signal.frame_shape}, those of the scan {first.frame_shape}",
                "name frames of the same detector",
            )
            return
        self.part.stacks[rule.role] = signal

    def _mask(self, rule: SignalRule, dataset: Any) -> None:
        mask = read_mask(dataset, good=rule.good, bad=rule.bad)
        frame = next(iter(self.part.detectors.values())).frame_shape
        if mask.shape != frame:
            self.report.error(
                f"mask {rule.name}", f"its shape is {mask.shape}, that of a frame {frame}"
            )
            return
        lost = float(np.mean(mask != 0))
        if lost > 0.5:
            polarity = f"good = {rule.good}" if rule.good is not None else f"bad = {rule.bad}"
            self.report.warning(
                f"mask {rule.name}",
                f"{100 * lost:.0f} % of the pixels are lost with {polarity}",
                "check whether the mask is meant the other way round",
            )
        self.part.mask = mask

    def _values(self) -> None:
        """Read all that is small: below the group, at the file's root, beside each frame."""
        many = len(self._frames) > 1
        base = self.group.name.rstrip("/")
        own = {node.name[len(base) + 1 :].partition("/")[0] for node in self._frames if many}
        self.part.values = read_values(self.group, skip=own)
        root = {f"/@{key}": text(value) for key, value in self.group.file.attrs.items()}
        if self.group.name != "/":
            self.part.values |= root
        for key in _absolute_keys(self.mapping):
            node = get_node(self.group.file, key)
            if isinstance(node, h5py.Dataset) and node.size == 1:
                self.part.values[key] = text(node[()])
        if many:
            self._beside_frames()

    def _beside_frames(self) -> None:
        """Read the attributes of datasets that hold one frame each: a value for each frame."""
        pattern = next(
            candidate.key
            for rule in scan_signals(self.mapping)
            for candidate in rule.sources
            if self._frames[0] in locate(self.group, candidate.key)
        )
        for name in self._frames[0].attrs:
            items = [text(node.attrs.get(name, "")) for node in self._frames]
            key = f"{pattern}@{name}"
            self.part.values[key] = items[0] if len(set(items)) == 1 else np.array(items)

    def _links(self) -> None:
        """Note links that lead nowhere or out of the source's folder."""
        links = [link for link in find_links(self.group) if link.dangling or link.outside]
        for link in links[:_MOST_LINKS]:
            what = "is not there" if link.dangling else "is read where it lies"
            self.report.note("links", str(link), "" if link.dangling else what)
        if len(links) > _MOST_LINKS:
            self.report.note("links", f"and {len(links) - _MOST_LINKS} more such links")


def _scan_shape(
    datasets: list[Any], rank: int, signal: VirtualSignal, mapping: Mapping
) -> tuple[int, ...]:
    """Return the lengths of the scan's dimensions; a row where frames were left out."""
    frames = signal.scan_shape[0]
    shape: tuple[int, ...] = datasets[0].shape[: datasets[0].ndim - rank]
    given = any(axis.dimension is not None for axis in mapping.axes if axis.role == "scan")
    if not given:
        shape = tuple(length for length in shape if length > 1)
    if len(datasets) > 1 or int(np.prod(shape)) != frames:
        return (frames,)
    return shape


def _nearest(group: Any, rule: SignalRule) -> list[str]:
    """Return a few datasets that could be meant."""
    found: list[str] = []

    def visit(name: str, node: Any) -> bool | None:
        if isinstance(node, h5py.Dataset) and node.dtype.kind in "iuf" and node.ndim > rule.rank:
            found.append(f"{name} {node.shape}")
        return True if len(found) >= _MOST_LINKS else None

    group.visititems(visit)
    return found


def _absolute_keys(mapping: Mapping) -> set[str]:
    keys = {
        candidate.key
        for rule in (*mapping.fields, *mapping.transformations)
        for candidate in rule.sources
    }
    return {key for key in keys if key.startswith("/") and "*" not in key and "@" not in key}
