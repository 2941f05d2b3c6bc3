"""Read an nxscan master back as a Scan, lazily."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import h5py

from nxscan.errors import LayoutError
from nxscan.hdf5.h5signal import HDF5Signal
from nxscan.hdf5.lookup import known_places
from nxscan.hdf5.resolve import resolve
from nxscan.hdf5.texts import text
from nxscan.model import Field, Group, Provenance, Scan, Signal, Source
from nxscan.model.units import UNKNOWN_UNITS
from nxscan.nexus import layout
from nxscan.nexus.axes import read_axes, read_integrated, with_roles
from nxscan.nexus.linktable import LINKED, home_of
from nxscan.nexus.master import Master, Opened, damage_explained, open_hdf5
from nxscan.nexus.raw import raw_metadata
from nxscan.nexus.tree import LazyGroup, field_of, plain, read_group
from nxscan.nexus.usid_kept import read_kept

_OWN_PARAMETERS = frozenset(
    {
        "frame_checksum",
        "layout_version",
        "mapping",
        "raw_frames",
        "readings",
        "scan_rank",
        "translator",
    }
)


def read_scan(path: Path, *, verify: bool = True) -> Scan:
    """Open an nxscan master.

    Frames, calibration frames, metadata and raw metadata stay in the file until they are asked
    for. All that is read is compared with the checksums that were taken when it was written.

    Parameters
    ----------
    path : Path
        The master, as `nxscan.translate` made it.
    verify : bool
        False for a file whose metadata were edited on purpose, and differ from the checksums.

    Raises
    ------
    LayoutError
        If it is no nxscan master, its layout is newer than this version's, something in it
        is damaged or has changed, or its frames are missing or belong to another scan.

    """
    master = Master(path.absolute(), verify)
    with master.reading() as opened:
        _check_version(master.path, opened.file)
        rank = int(opened.value(opened[f"{layout.PARAMETERS}/scan_rank"]))
        readings = _readings(opened)
        return Scan(
            title=text(opened.value(opened[f"{layout.ENTRY}/title"])),
            signals=dict(_signals(master, opened, rank)),
            axes=with_roles(read_axes(opened, opened[layout.DATA]), rank),
            counters=_counters(opened),
            readings=readings,
            integrated=read_integrated(opened),
            mask=_optional(opened, f"{layout.ENTRY}/mask/data"),
            dark=_stored(master, opened, f"{layout.ENTRY}/dark/data", 1),
            flat=_stored(master, opened, f"{layout.ENTRY}/flat/data", 1),
            metadata=LazyGroup("NXentry", partial(_metadata, master, tuple(readings))),
            raw_metadata=raw_metadata(master, opened),
            provenance=_provenance(opened),
            frame_checksums=_optional(opened, f"{layout.PARAMETERS}/frame_checksum"),
            usid=read_kept(opened),
        )


def read_provenance(path: Path) -> Provenance:
    """Return where the scan of a master came from, whatever has become of its frames since.

    Raises
    ------
    LayoutError
        As `read_scan` does.

    """
    master = Master(path.absolute())
    with master.reading() as opened:
        _check_version(master.path, opened.file)
        return _provenance(opened)


def _check_version(path: Path, file: Any) -> None:
    place = f"{layout.PARAMETERS}/layout_version"
    if place not in file:
        raise LayoutError(
            f"{path} is no nxscan master: it has no {place}", "make one with nxscan translate"
        )
    found = int(file[place][()])
    if found > layout.LAYOUT_VERSION:
        program = text(file[layout.TRANSLATION]["version"][()])
        raise LayoutError(
            f"{path} has layout version {found}, written by nxscan {program}; this nxscan reads "
            f"up to version {layout.LAYOUT_VERSION}",
            "update nxscan",
        )


def _optional(opened: Opened, place: str) -> Any:
    """Return a value that only some masters have."""
    return opened.value(opened[place]) if _has(opened, place) else None


def _has(opened: Opened, place: str) -> bool:
    return place.rpartition("/")[0] in opened and place in opened


def _signals(master: Master, opened: Opened, rank: int) -> Iterator[tuple[str, Signal]]:
    """Yield the detectors' signals, the main one first, each from the file that holds it."""
    main = str(opened[layout.DATA].get("data", getlink=True).path).split("/")[-2]
    instrument = opened[f"{layout.ENTRY}/instrument"]
    names = [name for name in instrument if _is_detector(opened, instrument[name])]
    for name in sorted(names, key=lambda n: n != main):
        signal = _stored(master, opened, layout.detector_path(name), rank)
        if signal is not None:
            yield name, signal


def _is_detector(opened: Opened, item: Any) -> bool:
    if not isinstance(item, h5py.Group) or "data" not in item:
        return False
    return text(opened.attributes(item).get("NX_class", "")) == "NXdetector"


def _stored(master: Master, opened: Opened, place: str, rank: int) -> Signal | None:
    """Return the frames at ``place``, from the file that holds them."""
    if place.rpartition("/")[0] not in opened:
        return None
    link = opened.file.get(place, getlink=True)
    if link is None:
        return None
    if not isinstance(link, h5py.ExternalLink):
        linked = _linked(master, opened, place, rank) if LINKED in opened else None
        return linked or HDF5Signal(master.path, f"/{place}", rank, opened.attributes)
    frames = master.path.parent / link.filename
    with damage_explained(frames):
        _check_frames(master.path, opened, frames)
        return HDF5Signal(frames, link.path, rank, opened.attributes)


def _linked(master: Master, opened: Opened, place: str, rank: int) -> Signal | None:
    """Return frames that lie in other files; None where a master holds them itself."""
    dataset = opened[place]
    if not dataset.is_virtual and not dataset.external:
        return None
    said = opened.attributes(dataset)
    whole = f"{home_of(place)}/frames"
    with known_places(master.path, opened.places):
        found = resolve(master.path, f"/{whole if _has(opened, whole) else place}", rank)
    if found is None:
        raise LayoutError(
            f"the frames of {master.path} cannot be read: its mappings are not those that nxscan "
            "writes",
            "translate the scan again",
        )
    units = str(said.get("units", UNKNOWN_UNITS))
    found.units = None if units == UNKNOWN_UNITS else units
    found.long_name = str(said.get("long_name", ""))
    return found


def _check_frames(path: Path, opened: Opened, frames: Path) -> None:
    """See that the frames are there and are this scan's: HDF5 would read a namesake."""
    if not frames.exists():
        raise LayoutError(
            f"the frames of {path} are missing: {frames.name} is not in {frames.parent}",
            "keep both files in one folder",
        )
    place = f"{layout.ENTRY}/entry_identifier_uuid"
    with open_hdf5(frames) as file:
        found = file[place][()]
    expected = opened.value(opened[place])
    if found != expected:
        raise LayoutError(
            f"{frames} holds the frames of another scan (identifier {text(found)}, expected "
            f"{text(expected)})",
            f"put the {frames.name} that was written with {path.name} beside it",
        )


def _counters(opened: Opened) -> dict[str, Field]:
    if layout.COUNTERS not in opened:
        return {}
    group = opened[layout.COUNTERS]
    attributes = opened.attributes(group)
    axes = {key.removesuffix("_indices") for key in attributes if key.endswith("_indices")}
    return {name: field_of(opened, group[name]) for name in group if name not in axes}


def _readings(opened: Opened) -> dict[str, Field]:
    """Read what the motors were read at, for every position."""
    listed = _optional(opened, f"{layout.PARAMETERS}/readings")
    names = [] if listed is None else [text(name) for name in listed]
    return {name: _reading(opened, f"{layout.ENTRY}/instrument/{name}") for name in names}


def _reading(opened: Opened, place: str) -> Field:
    found = field_of(opened, opened[f"{place}/value"])
    name = text(opened.value(opened[f"{place}/name"]))
    return Field(found.value, found.units, {"name": name})


def _metadata(master: Master, readings: tuple[str, ...]) -> Group:
    """Read the metadata of the entry, the readings left out."""
    with master.reading() as opened:
        found = read_group(opened, opened[layout.ENTRY])
    instrument = found.groups["instrument"].groups
    for name in readings:
        instrument.pop(name, None)
    return found


def _provenance(opened: Opened) -> Provenance:
    group = opened[layout.TRANSLATION]
    parameters = group["parameters"]
    fields = {name: field_of(opened, parameters[name]) for name in parameters}
    further = {
        str(item.attributes.get("description", name)): str(item.value)
        for name, item in fields.items()
        if name not in _OWN_PARAMETERS
    }
    return Provenance(
        translator=str(fields["translator"].value),
        mapping=str(fields["mapping"].value),
        sources=_sources(opened),
        date=text(opened.value(group["date"])),
        program=text(opened.value(group["program"])),
        version=text(opened.value(group["version"])),
        parameters=further,
    )


def _sources(opened: Opened) -> list[Source]:
    if layout.SOURCES not in opened:
        return []
    group = opened[layout.SOURCES]
    columns = {name: plain(opened.value(group[name])) for name in group}
    rows = zip(*columns.values(), strict=True)
    return [Source(**{k: v.item() for k, v in zip(columns, row, strict=True)}) for row in rows]
