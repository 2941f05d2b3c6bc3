"""A Scan made of a USID Main dataset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nxscan.model import Field, UsidFace
from nxscan.model.names import nexus_name
from nxscan.translate.build import Found, build_scan
from nxscan.translate.h5frames import file_sources
from nxscan.translate.h5values import attribute
from nxscan.translate.mapping import builtin_mapping, merge
from nxscan.translate.rawvalues import constants, iso_time
from nxscan.translators.usid.axes import (
    RESERVED,
    frame_axes,
    motors_of,
    scan_axes,
    unique_labels,
)
from nxscan.translators.usid.frames import main_signals
from nxscan.translators.usid.grid import lay_out
from nxscan.translators.usid.mains import find_mains, group_of, named, source_of
from nxscan.translators.usid.said import raw_values
from nxscan.translators.usid.tables import read_tables, usid_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nxscan.model import Axis, Scan
    from nxscan.translate.axes import AxesFound
    from nxscan.translate.contract import Options
    from nxscan.translate.report import Report
    from nxscan.translators.usid.tables import Table

    Tables = tuple[Table, Table]


def build(main: Any, title: str, options: Options, report: Report) -> Scan | None:
    """Return the scan of a Main dataset; None where the report says why there is none.

    Raises
    ------
    SourceError
        If something about the dataset or its ancillary datasets is wrong.

    """
    positions, spectra = read_tables(main)
    columns = lay_out(spectra, partial=options.partial)
    # a single number is a frame of one point, so that there is something to plot
    frame = columns.shape or ((1,) if main.shape == (1, 1) else ())
    quantity = attribute(main, "quantity") or "quantity"
    units = attribute(main, "units")
    signals = main_signals(main, frame, quantity, usid_units(units), partial=options.partial)
    taken = next(iter(signals.values())).shape[0]
    positions = positions.cut(taken)
    rows = lay_out(positions, partial=options.partial)
    axes = scan_axes(positions, rows, options.axes, report)
    names = detector_names(signals)
    detectors = _ordered({names[key]: signal for key, signal in signals.items()}, options, report)
    _note_rest(main, report)
    if report.errors:
        return None
    across = frame_axes(spectra, columns, report)
    report.axes = axes
    report.problems.extend(axes.problems)
    found = _found(main, title, positions, spectra, detectors, across.main)
    mapping = merge(builtin_mapping("usid"), options.mapping)
    scan = build_scan(found, axes, mapping, report, "usid")
    _add_beside(scan, across.beside)
    _add_start(scan, found)
    if _may_keep(axes, (positions, spectra), report):
        fields = main.dtype.names or ()
        components = tuple((field, names[field]) for field in fields)
        scan.usid = UsidFace(quantity, units, positions.kept(), spectra.kept(), components)
    return scan


def detector_names(signals: Iterable[str]) -> dict[str, str]:
    """Return a detector's name for each signal."""
    names: dict[str, str] = {}
    for signal in signals:
        names[signal] = nexus_name(signal, {*RESERVED, *names.values()})
    return names


def _ordered(detectors: dict[str, Any], options: Options, report: Report) -> dict[str, Any]:
    """Return the detectors, the one that the user asks for first."""
    wanted = options.detector
    if wanted is None:
        return detectors
    if wanted not in detectors:
        message = f"there is no {wanted!r}"
        report.error("--detector", message, f"there are: {', '.join(detectors)}")
        return detectors
    return {wanted: detectors[wanted]} | detectors


def _found(
    main: Any,
    title: str,
    positions: Table,
    spectra: Table,
    detectors: dict[str, Any],
    frame: Sequence[Axis],
) -> Found:
    path = Path(main.file.filename).absolute()
    taken = positions.points
    known = zip(unique_labels(positions), positions.units, strict=True)
    units = {name: unit for name, said in known if (unit := usid_units(said)) is not None}
    return Found(
        title=title,
        detectors=detectors,
        motors=motors_of(positions),
        values=constants(raw_values(main, (positions, spectra)), taken),
        units=units,
        sources=file_sources({path: taken}, "scan"),
        frame_axes=list(frame),
        parameters=_parameters(main),
    )


def _parameters(main: Any) -> dict[str, str]:
    """Return what the provenance should say: which dataset it is, and of which it is a result."""
    said = {"usid_dataset": str(main.name)}
    if group_of(main):
        said["usid_tool"] = attribute(main.parent, "tool") or group_of(main)
        said["usid_source"] = source_of(main)
    return {name: value for name, value in said.items() if value}


def _note_rest(main: Any, report: Report) -> None:
    _, others = find_mains(main.file)
    if others:
        report.note("source", f"{len(others)} datasets are not taken: {named(others)}")


def _add_beside(scan: Scan, beside: Sequence[Axis]) -> None:
    """Add further axes across the frames."""
    rank = len(scan.scan_shape)
    for axis in beside:
        name = nexus_name(axis.name, {*scan.axes, *RESERVED})
        scan.axes[name] = replace(axis, name=name, dimension=rank + axis.dimension)


def _add_start(scan: Scan, found: Found) -> None:
    said = found.values.get("/@experiment_date")
    started = iso_time(said)
    if started and scan.metadata.get("start_time") is None:
        scan.metadata.set("start_time", Field(started))


def _may_keep(axes: AxesFound, tables: Tables, report: Report) -> bool:
    """Tell whether the USID tables can be written again as they are."""
    for table in tables:
        if not table.is_in_order():
            report.warning(
                "USID",
                f"{table.name} has labels that are alike, or indices that do not begin at 0, which "
                "USID does not allow: the master's are made of its axes",
            )
            return False
    return bool((axes.order == np.arange(len(axes.order))).all())
