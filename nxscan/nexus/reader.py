"""Read an nxscan master back as a Scan, lazily."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from nxscan.errors import LayoutError
from nxscan.model import Axis, Field, Group, Provenance, RawMetadata, Scan, Signal, Source
from nxscan.nexus import layout
from nxscan.nexus.h5signal import HDF5Signal
from nxscan.nexus.opening import open_reading
from nxscan.nexus.tree import LazyGroup, class_of, field_of, plain, read_group, text, units_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

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


def read_scan(path: Path) -> Scan:
    """Open an nxscan master.

    Frames, calibration frames and raw metadata stay in the file until they are asked for.

    Parameters
    ----------
    path : Path
        The master, as `nxscan.translate` made it.

    Raises
    ------
    LayoutError
        If it is no nxscan master, its layout is newer than this version's, or its frames
        are missing or belong to another scan.

    """
    path = path.absolute()
    with _open(path) as file:
        _check_version(path, file)
        entry = file[layout.ENTRY]
        parameters = entry["translation/parameters"]
        rank = int(parameters["scan_rank"][()])
        signals: dict[str, Signal] = dict(_signals(path, entry))
        data = entry["data"]
        checksums = parameters.get("frame_checksum")
        readings = _readings(entry)
        return Scan(
            title=text(entry["title"][()]),
            signals=signals,
            axes=_axes(data, rank),
            counters=_counters(entry),
            readings=readings,
            mask=entry["mask/data"][()] if "mask" in entry else None,
            dark=_stored(path, entry, f"{layout.ENTRY}/dark/data"),
            flat=_stored(path, entry, f"{layout.ENTRY}/flat/data"),
            metadata=LazyGroup("NXentry", partial(_metadata, path, tuple(readings))),
            raw_metadata=_raw(path, entry),
            provenance=_provenance(entry["translation"]),
            frame_checksums=None if checksums is None else checksums[()],
        )


def _open(path: Path) -> Any:
    if not path.exists():
        raise LayoutError(f"{path} does not exist")
    try:
        return open_reading(path)
    except OSError as error:
        raise LayoutError(f"{path} cannot be opened as HDF5: {error}") from error


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


def _signals(path: Path, entry: Any) -> Iterator[tuple[str, HDF5Signal]]:
    """Yield the detectors' signals, the main one first, each from the file that holds it."""
    main = text(entry["data"].get("data", getlink=True).path).split("/")[-2]
    names = [n for n, g in entry["instrument"].items() if class_of(g) == "NXdetector"]
    for name in sorted(names, key=lambda n: n != main):
        signal = _stored(path, entry, layout.detector_path(name))
        if signal is not None:
            yield name, signal


def _stored(path: Path, entry: Any, place: str) -> HDF5Signal | None:
    """Return the frames at ``place``, from the file that holds them."""
    if place.rsplit("/", 1)[0] not in entry.file:
        return None
    link = entry.file.get(place, getlink=True)
    if not isinstance(link, h5py.ExternalLink):
        return None if link is None else HDF5Signal(path, f"/{place}")
    _check_frames(path, entry, path.parent / link.filename)
    return HDF5Signal(path.parent / link.filename, link.path)


def _check_frames(path: Path, entry: Any, frames: Path) -> None:
    """See that the frames are there and are this scan's: HDF5 would read a namesake."""
    if not frames.exists():
        raise LayoutError(
            f"the frames of {path} are missing: {frames.name} is not in {frames.parent}",
            "keep both files in one folder",
        )
    with _open(frames) as file:
        found = file[f"{layout.ENTRY}/entry_identifier_uuid"][()]
    expected = entry["entry_identifier_uuid"][()]
    if found != expected:
        raise LayoutError(
            f"{frames} holds the frames of another scan (identifier {text(found)}, expected "
            f"{text(expected)})",
            f"put the {frames.name} that was written with {path.name} beside it",
        )


def _axes(data: Any, rank: int) -> dict[str, Axis]:
    """Read the axes, of each dimension the one in @axes first."""
    listed = [text(name) for name in data.attrs["axes"]]
    others = [
        key.removesuffix("_indices")
        for key in data.attrs
        if key.endswith("_indices") and key.removesuffix("_indices") not in listed
    ]
    widths = {f"{name}_width" for name in (*listed, *others)}
    return {name: _axis(data, name, rank) for name in (*listed, *others) if name not in widths}


def _axis(data: Any, name: str, rank: int) -> Axis:
    field, width = data[name], data.get(f"{name}_width")
    dimension = int(np.ravel(data.attrs[f"{name}_indices"])[0])
    return Axis(
        name=name,
        values=np.asarray(field[()], dtype=np.float64),
        units=units_of(field),
        long_name=text(field.attrs.get("long_name", "")),
        role="scan" if dimension < rank else "detector",
        dimension=dimension,
        width=None if width is None else np.asarray(width[()], dtype=np.float64),
    )


def _counters(entry: Any) -> dict[str, Field]:
    if "counters" not in entry:
        return {}
    group = entry["counters"]
    axes = {key.removesuffix("_indices") for key in group.attrs if key.endswith("_indices")}
    return {name: field_of(item) for name, item in group.items() if name not in axes}


def _readings(entry: Any) -> dict[str, Field]:
    """Read what the motors were read at, for every position."""
    listed = entry["translation/parameters"].get("readings")
    names = [] if listed is None else [text(name) for name in listed[()]]
    groups = {name: entry[f"instrument/{name}"] for name in names}
    return {
        name: Field(group["value"][()], units_of(group["value"]), {"name": text(group["name"][()])})
        for name, group in groups.items()
    }


def _metadata(path: Path, readings: tuple[str, ...]) -> Group:
    """Read the metadata of the entry, the readings left out."""
    with _open(path) as file:
        found = read_group(file[layout.ENTRY])
    instrument = found.groups["instrument"].groups
    for name in readings:
        instrument.pop(name, None)
    return found


def _provenance(group: Any) -> Provenance:
    parameters = group["parameters"]
    further = {
        text(item.attrs.get("description", name)): str(plain(item[()]))
        for name, item in parameters.items()
        if name not in _OWN_PARAMETERS
    }
    return Provenance(
        translator=text(parameters["translator"][()]),
        mapping=text(parameters["mapping"][()]),
        sources=_sources(group["sources"]) if "sources" in group else [],
        date=text(group["date"][()]),
        program=text(group["program"][()]),
        version=text(group["version"][()]),
        parameters=further,
    )


def _sources(group: Any) -> list[Source]:
    columns = {name: plain(group[name][()]) for name in group}
    rows = zip(*columns.values(), strict=True)
    return [Source(**{k: v.item() for k, v in zip(columns, row, strict=True)}) for row in rows]


def _raw(path: Path, entry: Any) -> RawMetadata:
    if "raw_metadata" not in entry:
        return RawMetadata()
    group = entry["raw_metadata"]
    names = {
        text(item.attrs.get("description", name)): f"{group.name}/keys/{name}"
        for name, item in group["keys"].items()
    }
    count = len(group["header_offsets"]) - 1 if "header_offsets" in group else 0
    return RawMetadata(_Headers(path, group.name, count), _Values(path, names))


class _Headers(Sequence[bytes]):
    """The raw headers of a master, read one at a time."""

    def __init__(self, path: Path, group: str, count: int) -> None:
        self._path, self._group, self._count = path, group, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[k] for k in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        with _open(self._path) as file:
            group = file[self._group]
            start, stop = group["header_offsets"][index % self._count :][:2]
            return group["headers"][start:stop].tobytes()


class _Values(Mapping[str, Any]):
    """The raw keys of a master, read one at a time."""

    def __init__(self, path: Path, names: dict[str, str]) -> None:
        self._path, self._names = path, names

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __getitem__(self, key: str) -> str | NDArray[Any]:
        with _open(self._path) as file:
            value: str | NDArray[Any] = plain(file[self._names[key]][()])
            return value
