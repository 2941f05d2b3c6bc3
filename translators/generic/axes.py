"""Axes of a mapping read from one group: datasets, attributes, or numbers in the mapping."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.errors import NxscanError
from nxscan.model.units import convert
from nxscan.translate.h5axes import Column
from nxscan.translate.h5keys import Codes, Values, read_first, read_key
from nxscan.translate.mapping_model import STATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.mapping import AxisRule
    from nxscan.translate.report import Report
    from nxscan.translators.generic.content import Part


class AxisReader:
    """Reads the axes that a mapping names into a part.

    Parameters
    ----------
    group : h5py.Group
        The scan's group.
    part : Part
        Takes columns, units and names; its frames are known already.
    report : Report
        Takes what is missing or contradicts.
    codes : Codes
        Numbers for texts.

    """

    def __init__(self, group: Any, part: Part, report: Report, codes: Codes) -> None:
        self.group = group
        self.part = part
        self.report = report
        self.codes = codes

    def read(self, rule: AxisRule) -> None:
        """Read one axis into the part; the report says why where it cannot be."""
        if rule.first is not None and rule.last is not None:
            self._between(rule, rule.first, rule.last)
            return
        try:
            found = read_first(self.group, rule.sources, rule.name, self.codes)
        except NxscanError as error:
            self.report.error(f"axis {rule.name}", error.message, error.hint)
            return
        if found is None:
            self._no_axis(rule)
            return
        candidate, values = found
        units_in = candidate.units_in if candidate.units_in is not None else rule.units_in
        numbers = -values.numbers if candidate.transform == "negate" else values.numbers
        self._column(rule, values, self._converted(rule, values, numbers, units_in))

    def _no_axis(self, rule: AxisRule) -> None:
        if rule.required:
            tried = ", ".join(repr(candidate.key) for candidate in rule.sources)
            self.report.error(
                f"axis {rule.name}",
                f"{self.group.name} has none of {tried}",
                "correct its path, or say required = false",
            )

    def _converted(
        self, rule: AxisRule, values: Values, numbers: NDArray[np.float64], units_in: str | None
    ) -> NDArray[np.float64]:
        """Return numbers in the axis' unit, and note that unit."""
        if values.texts:
            return numbers
        stated = values.units if units_in in (None, STATED) else units_in
        if rule.units is None or units_in is None:
            units = rule.units if rule.units is not None else stated
            if rule.units is not None and values.units not in (None, rule.units):
                self.report.warning(
                    f"axis {rule.name}",
                    f"the file states {values.said!r}, the mapping {rule.units!r}",
                    f'units_in = "{STATED}" converts',
                )
        elif stated is None:
            said = repr(values.said) if values.said else "no unit"
            self.report.error(
                f"axis {rule.name}", f"{values.label} states {said}", "write its units_in"
            )
            return numbers
        else:
            units = rule.units
            try:
                numbers = convert(numbers, stated, units)
            except NxscanError as error:
                self.report.error(f"axis {rule.name}", error.message, error.hint)
        if units is not None:
            self.part.units[rule.name] = units
        return numbers

    def _column(self, rule: AxisRule, values: Values, numbers: NDArray[np.float64]) -> None:
        label = rule.long_name
        if values.texts:
            shown = ", ".join(f"{k} {word}" for k, word in enumerate(values.texts[:8]))
            label = label or f"{rule.name}: {shown}"
            self.part.texts[rule.name] = values.texts
        if label:
            self.part.labels[rule.name] = label
        if rule.role == "detector" and rule.dimension is not None:
            units = self.part.units.get(rule.name)
            inside = rule.dimension - len(self.part.shape)
            self.part.frame_axes.append((inside, rule.name, numbers.ravel(), units, label))
        else:
            self.part.columns.append(Column(rule.name, numbers, rule.dimension))

    def _between(self, rule: AxisRule, first: float | str, last: float | str) -> None:
        ends = [self._end(rule, end) for end in (first, last)]
        if ends[0] is None or ends[1] is None:
            return
        begin, end = ends[0], ends[1]
        if not math.isfinite(end - begin):
            self.report.error(
                f"axis {rule.name}", f"it goes from {begin:g} to {end:g}, which is no range"
            )
            return
        if rule.units is not None:
            self.part.units[rule.name] = rule.units
        if rule.role == "integrated":
            self.part.integrated[rule.name] = (begin, end)
            return
        shape = (*self.part.shape, *next(iter(self.part.detectors.values())).frame_shape)
        dimension = rule.dimension or 0
        if dimension >= len(shape):
            self.report.error(
                f"axis {rule.name}", f"it has dimension {dimension}, but the data are {shape}"
            )
            return
        numbers = np.linspace(begin, end, shape[dimension])
        self._column(rule, Values(rule.name, numbers), numbers)

    def _end(self, rule: AxisRule, end: float | str) -> float | None:
        if not isinstance(end, str):
            return float(end)
        found = read_key(self.group, end, rule.name, Codes())
        if found is None or found.texts or found.numbers.size != 1:
            self.report.error(
                f"axis {rule.name}", f"{end!r} is no single number in {self.group.name}"
            )
            return None
        numbers = self._converted(rule, found, found.numbers.ravel(), rule.units_in)
        return float(numbers[0])
