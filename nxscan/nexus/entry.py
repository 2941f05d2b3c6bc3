"""A scan as an NXentry: everything but the frames themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import NxscanError
from nxscan.model.names import nexus_name
from nxscan.model.units import UNKNOWN_UNITS
from nxscan.nexus import layout
from nxscan.nexus.axes import write_integrated
from nxscan.nexus.groups import (
    known,
    make_field,
    make_group,
    scan_axes,
    write_axes,
    write_field,
    write_stack,
    write_tree,
)
from nxscan.nexus.stacks import calibrations

if TYPE_CHECKING:
    from nxscan.model import RawMetadata, Scan


def now() -> str:
    """Return the time with its zone, as NeXus wants it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def write_root(file: Any, name: str) -> None:
    """Write the attributes of NXroot."""
    file.attrs.update(
        NX_class="NXroot",
        default=layout.ENTRY,
        file_name=name,
        file_time=now(),
        creator="nxscan",
        creator_version=nxscan_version(),
        HDF5_Version=h5py.version.hdf5_version,
        h5py_version=h5py.version.version,
        NeXus_release=_nexus_release(),
    )


def nxscan_version() -> str:
    """Return the version of nxscan that is installed."""
    return version("nxscan")


@lru_cache(maxsize=1)
def _nexus_release() -> str:
    spec = find_spec("nexusformat")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder) / "definitions" / "NXDL_VERSION"
        if file.exists():
            return file.read_text().strip()
    return "v2022.07"


def write_entry(file: Any, scan: Scan, uuid: str) -> Any:
    """Write the entry with metadata, counters, provenance and raw metadata."""
    entry = make_group(file, layout.ENTRY, "NXentry", default="data")
    make_field(entry, "title", scan.title)
    make_field(entry, "entry_identifier_uuid", uuid)
    write_tree(entry, scan.metadata)
    instrument = entry.require_group("instrument")
    instrument.attrs["NX_class"] = "NXinstrument"
    for detector in scan.signals:
        group = instrument.require_group(detector)
        group.attrs["NX_class"] = "NXdetector"
    readings = _write_readings(instrument, scan)
    if scan.counters:
        _write_counters(entry, scan)
    if scan.integrated:
        write_integrated(entry, scan.integrated)
    if scan.mask is not None:
        mask = write_stack(entry, "mask", scan.mask.shape)
        make_field(mask, "data", scan.mask, units="", long_name="pixel mask, 0 is good")
    _write_translation(entry, scan, readings)
    _write_raw(entry, scan.raw_metadata)
    return entry


def write_plots(entry: Any, scan: Scan) -> None:
    """Write one NXdata for each signal, the main one first, and for dark and flat frames.

    The frames themselves are attached by the writer.
    """
    for index, (detector, signal) in enumerate(scan.signals.items()):
        name = layout.data_group(detector, main=index == 0)
        group = make_group(entry, name, "NXdata", signal="data")
        make_field(group, "title", scan.title)
        group["data"] = h5py.SoftLink("/" + layout.detector_path(detector))
        rank = len(scan.scan_shape)
        axes = [a for a in scan.axes.values() if a.dimension < signal.ndim]
        if signal.shape[rank:] != scan.frame_shape:
            raise NxscanError(f"detectors {list(scan.signals)} have frames of different shapes")
        write_axes(group, axes, scan.main_axes())
    for name, signal in calibrations(scan):
        write_stack(entry, name, signal.shape)


def _write_readings(instrument: Any, scan: Scan) -> list[str]:
    """Write what each motor was read at as positioners; return their names."""
    written = []
    for name, reading in scan.readings.items():
        original = str(reading.attributes.get("name", name))
        free = name if name not in instrument else nexus_name(f"{name}_motor", instrument)
        group = make_group(instrument, free, "NXpositioner")
        make_field(group, "name", original)
        make_field(group, "value", reading.value, units=known(reading.units))
        written.append(free)
    return written


def _write_counters(entry: Any, scan: Scan) -> None:
    """Write the counters as one NXdata, so that each can be plotted along the scan.

    A single frame has nothing to plot them along: its counters are parameters.
    """
    plotted = bool(scan.scan_shape)
    group = make_group(entry, "counters", "NXdata" if plotted else "NXparameters")
    if plotted:
        write_axes(group, *scan_axes(scan))
    numbers = list(_write_each_counter(group, scan))
    if not plotted:
        return
    if not numbers:
        raise NxscanError(f"{scan.title!r} has counters, but none of them is a number")
    # a monitor shows more than a constant counting time
    varying = [name for name in numbers if name != "frame_number" and np.ptp(group[name][()]) > 0]
    main = next(iter(varying), numbers[0])
    group.attrs["signal"] = main
    if len(numbers) > 1:
        group.attrs["auxiliary_signals"] = [name for name in numbers if name != main]


def _write_each_counter(group: Any, scan: Scan) -> Iterator[str]:
    """Write the counters and yield the names of those that are numbers."""
    for name, counter in scan.counters.items():
        free = nexus_name(name, group)
        dataset = write_field(group, free, counter)
        dataset.attrs.setdefault("long_name", name)
        dataset.attrs.setdefault("units", UNKNOWN_UNITS)
        if dataset.dtype.kind in "iufb":
            yield free


def _write_translation(entry: Any, scan: Scan, readings: list[str]) -> None:
    provenance = scan.provenance
    group = make_group(entry, "translation", "NXprocess")
    for name, text in (
        ("program", provenance.program),
        ("version", provenance.version or nxscan_version()),
        ("date", provenance.date or now()),
    ):
        make_field(group, name, text)
    make_field(group, "sequence_index", 1)
    parameters = make_group(group, "parameters", "NXparameters")
    make_field(parameters, "layout_version", layout.LAYOUT_VERSION)
    make_field(parameters, "scan_rank", len(scan.scan_shape))
    if readings:
        make_field(parameters, "readings", np.array(readings))
    make_field(parameters, "raw_frames", provenance.frames())
    make_field(parameters, "translator", provenance.translator)
    make_field(parameters, "mapping", provenance.mapping)
    for key, value in provenance.parameters.items():
        make_field(parameters, nexus_name(key, parameters), value, description=key)
    if provenance.sources:
        sources = make_group(group, "sources", "NXparameters")
        for column in ("path", "size", "modified", "frames", "role", "checksum"):
            values = np.array([getattr(source, column) for source in provenance.sources])
            make_field(sources, column, values)


def write_checksums(entry: Any, checksums: Any) -> None:
    """Write the frames' checksums, which are known once the frames are stored."""
    parameters = entry["translation/parameters"]
    make_field(
        parameters, "frame_checksum", checksums, description="CRC-32 of little-endian frame bytes"
    )


def _write_raw(entry: Any, raw: RawMetadata) -> None:
    if not raw.headers and not raw.values:
        return
    group = make_group(entry, "raw_metadata", "NXparameters")
    if raw.headers:
        _write_headers(group, raw.headers)
    keys = make_group(group, "keys", "NXparameters")
    for original, value in raw.values.items():
        make_field(keys, nexus_name(original, keys), value, description=original)


def _write_headers(group: Any, headers: Sequence[bytes]) -> None:
    """Write all headers byte for byte, one after another, and the first one as text."""
    joined = np.frombuffer(b"".join(headers), np.uint8)
    offsets = np.cumsum([0, *(len(header) for header in headers)], dtype=np.int64)
    make_field(group, "headers", joined, description="headers, byte for byte, one after another")
    make_field(
        group, "header_offsets", offsets, description="where each header starts, and the end"
    )
    text = headers[0].decode("utf-8", "replace").replace("\x00", "")
    make_field(group, "first_header", text, description="the first header as text")
