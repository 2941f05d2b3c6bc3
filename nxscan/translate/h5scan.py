"""What translators of detectors' HDF5 share once the frames are found: axes, units, widths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nxscan.model import ArraySignal, Field
from nxscan.translate.axes import find_axes
from nxscan.translate.build import Found, build_scan
from nxscan.translate.h5units import fitting_units
from nxscan.translate.mapping import FieldRule, TransformationRule, builtin_mapping, merge
from nxscan.translate.mapping_model import key_matches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nxscan.model import Scan
    from nxscan.translate.axes import AxesFound
    from nxscan.translate.contract import Options
    from nxscan.translate.mapping import Candidate
    from nxscan.translate.mapping import Mapping as KeyMapping
    from nxscan.translate.report import Report

    Column = NDArray[np.float64]
    Values = Mapping[str, str | NDArray[Any]]

_Rule = TypeVar("_Rule", FieldRule, TransformationRule)


def finish(
    found: Found,
    options: Options,
    report: Report,
    translator: str,
    *,
    mapping: str,
    widths: Mapping[str, Column] | None = None,
    started: str = "",
    factors: NDArray[Any] | None = None,
    applied: bool = False,
) -> Scan:
    """Return the scan of what was found, its axes found from the motors.

    Parameters
    ----------
    found : Found
        What was found; counters that the user names as axes become motors.
    options : Options
        What the user asks for.
    report : Report
        Takes the axes, what was mapped, and problems.
    translator : str
        Its name.
    mapping : str
        Name of its own mapping, which the user's extends.
    widths : mapping of str to ndarray, shape (frames,), optional
        How far a motor moved during each frame.
    started : str, optional
        When the scan was begun, in ISO 8601; the entry's start_time where the mapping finds none.
    factors : ndarray, shape (y, x), optional
        Flat-field factors that frames are to be multiplied with: the scan's flat is made of
        them. Where the detector did so, they are kept with its description instead, so that
        nobody does it again.
    applied : bool, optional
        The detector did so.

    """
    _check_options(found, options, report, translator)
    if factors is not None and not applied:
        found.flat = flat_of(factors)
    keys = with_stated_units(merge(builtin_mapping(mapping), options.mapping), found.values)
    for name in options.axes or {}:
        if name in found.counters:
            found.motors[name] = found.counters.pop(name)
    frames = next(iter(found.detectors.values())).shape[0]
    axes = find_axes(found.motors, frames, override=options.axes or None)
    report.axes = axes
    report.problems.extend(axes.problems)
    scan = build_scan(found, axes, keys, report, translator)
    for name, width in (widths or {}).items():
        scale = keys.motors[name].slope if name in keys.motors else 1.0
        _set_width(scan, axes, name, scale * width, report)
    if started and scan.metadata.get("start_time") is None:
        scan.metadata.set("start_time", Field(started))
    if factors is not None and applied:
        _keep_applied(scan, factors, report)
    return scan


def flat_of(factors: NDArray[Any]) -> ArraySignal:
    """Return the frame that images are divided by, of the factors they are multiplied with.

    Where a factor is no number above 0, the flat is NaN.
    """
    usable = np.isfinite(factors) & (factors > 0)
    flat = np.full(factors.shape, np.nan, np.float32)
    np.divide(1.0, factors, out=flat, where=usable, casting="same_kind")
    return ArraySignal(flat[np.newaxis], "", "flat field, 1 / correction factor")


def _keep_applied(scan: Scan, factors: NDArray[Any], report: Report) -> None:
    """Keep factors beside the detector's description.

    Its own ``flatfield`` has to have the shape of its data's second and third dimensions, which
    are the scan's where that has several.
    """
    classes = ("NXinstrument", "NXdetector", "NXcollection")
    label = "flat-field factors that the detector multiplied frames with"
    place = "instrument/detector/corrections"
    field = Field(factors.astype(np.float32), "", {"long_name": label})
    scan.metadata.group(place, *classes).set("flatfield", field)
    report.note("flat", f"the detector applied its flat field: it is kept in {place}")


def _check_options(found: Found, options: Options, report: Report, translator: str) -> None:
    """Report what the user asks for and this translator cannot do."""
    if options.detector is not None and options.detector not in found.detectors:
        names = ", ".join(found.detectors)
        report.error("--detector", f"there is no {options.detector!r}", f"there are: {names}")
    for role, paths in (("dark", options.dark), ("flat", options.flat)):
        if paths:
            message = f"the translator {translator!r} takes no {role} frames from other files"
            report.error(f"--{role}", message, "leave the option out")


def with_stated_units(mapping: KeyMapping, values: Values) -> KeyMapping:
    """Return a mapping that reads each raw value in the unit that the file states for it.

    A unit is stated as the attribute ``units`` of a dataset (the key ``path@units``); one that
    does not fit what the mapping expects is left aside.
    """

    def units_of(rule: _Rule, candidate: Candidate) -> str | None:
        expected = rule.units_of(candidate) or rule.units
        keys = [key for key in values if key_matches(candidate.key, key)]
        stated = {str(values.get(f"{key}@units", "")) for key in keys}
        if expected is None or len(stated) != 1:
            return None
        return fitting_units(stated.pop(), expected)

    def restated(rule: _Rule) -> _Rule:
        sources = tuple(
            candidate.model_copy(update={"units_in": unit})
            if (unit := units_of(rule, candidate))
            else candidate
            for candidate in rule.sources
        )
        return rule.model_copy(update={"sources": sources})

    return mapping.model_copy(
        update={
            "fields": tuple(restated(rule) for rule in mapping.fields),
            "transformations": tuple(restated(rule) for rule in mapping.transformations),
        }
    )


def _set_width(scan: Scan, axes: AxesFound, motor: str, width: Column, report: Report) -> None:
    """Give the axis of a motor the extent of each exposure."""
    for number, dimension in enumerate(axes.dimensions):
        if motor not in dimension.motors:
            continue
        along = np.moveaxis(width[axes.order].reshape(axes.shape), number, 0)
        rows = along.reshape(dimension.size, -1)
        if np.ptp(rows, axis=1).max() > 1e-3 * np.abs(rows).max():
            report.note("axes", f"{motor} moves by different amounts at one position")
            return
        names = [axis.name for axis in scan.axes_along(number) if axis.role == "scan"]
        place = list(dimension.motors).index(motor) - len(dimension.motors)
        name = names[place]
        scan.axes[name] = replace(scan.axes[name], width=rows.mean(axis=1))
