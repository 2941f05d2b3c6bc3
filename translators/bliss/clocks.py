"""Counters with a time base of their own, brought to the times of the frames."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.translate.report import Report
    from nxscan.translators.bliss.content import Content

    Column = NDArray[np.float64]

_TIMES = ("epoch", "epoch_trig", "elapsed_time")


@dataclass(frozen=True)
class Timing:
    """How well the times of other counters cover the frames.

    Attributes
    ----------
    outside : int
        Frames before the first or after the last sample.
    gap : float
        Longest time between two samples that lie around a frame, in seconds.

    """

    outside: int
    gap: float


def joined_by_epoch(content: Content, other: Content, report: Report) -> Content:
    """Return a scan with the counters of a subscan, at the times of its own points.

    Values between two samples are interpolated linearly; before the first and after the last
    they are NaN. Nothing is joined where either has no ``epoch``.
    """
    where = other.group.title
    times, samples = content.columns.get("epoch"), other.columns.get("epoch")
    names = [name for name in other.columns if name not in _TIMES]
    if not names:
        return content
    if times is None or samples is None or not len(samples):
        lacking = content.group.title if times is None else where
        message = f"not joined, since {lacking} has no epoch: {', '.join(names)}"
        report.warning(where, message, "they are kept in the raw metadata")
        return content
    columns, records, units = dict(content.columns), dict(content.records), dict(content.units)
    for name in names:
        column = other.columns[name]
        count = min(len(column), len(samples))
        taken = name in columns or name in content.positions
        key = f"{name}_{other.group.part}" if taken else name
        columns[key] = at_times(times, samples[:count], column[:count])
        records[key] = replace(other.records[name], name=key, motor=False)
        if name in other.units:
            units[key] = other.units[name]
    timing = coverage(times, samples)
    tell = report.warning if timing.outside else report.note
    tell(
        where,
        f"joined by epoch, interpolated between samples up to {timing.gap:.3g} s apart: "
        + ", ".join(names)
        + (f"; {timing.outside} of {len(times)} points lie outside" if timing.outside else ""),
        "these are NaN" if timing.outside else "",
    )
    return replace(content, columns=columns, records=records, units=units)


def at_times(times: Column, samples: Column, values: Column) -> Column:
    """Return ``values``, taken at ``samples``, at other times; NaN before and after them.

    >>> at_times(np.array([0.0, 1.5, 9.0]), np.array([1.0, 2.0]), np.array([10.0, 20.0])).tolist()
    [nan, 15.0, nan]
    """
    good = np.isfinite(samples) & np.isfinite(values)
    order = np.argsort(samples[good], kind="stable")
    if not order.size:
        return np.full(len(times), np.nan)
    found = np.interp(times, samples[good][order], values[good][order], np.nan, np.nan)
    return np.asarray(found, np.float64)


def coverage(times: Column, samples: Column) -> Timing:
    """Return how well samples cover some times.

    >>> coverage(np.array([0.5, 2.0, 7.0]), np.array([0.0, 1.0, 4.0, 5.0]))
    Timing(outside=1, gap=3.0)
    """
    ordered = np.sort(samples[np.isfinite(samples)])
    inside = times[(times >= ordered[0]) & (times <= ordered[-1])]
    after = np.clip(np.searchsorted(ordered, inside), 1, max(1, len(ordered) - 1))
    gaps = ordered[after] - ordered[after - 1] if len(ordered) > 1 else np.zeros(0)
    gap = float(gaps.max()) if gaps.size else 0.0
    return Timing(int(len(times) - len(inside)), gap)
